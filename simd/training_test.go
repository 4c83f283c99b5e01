package simd

import (
	"context"
	"encoding/binary"
	"maps"
	"math"
	"slices"
	"testing"

	"prelude/engine"
	"prelude/engine/conformance"
	"prelude/engine/cpu"
	"prelude/models/tiny"
)

// training is a step of a key/value prefix of 5 slots on a tiny decoder: two examples
// of 30 tokens, loss on every row.
func training(t *testing.T, f engine.Frozen, again bool) (p *engine.Program, args func(step int) engine.Args) {
	t.Helper()
	const seq, rows, slots = 30, 60, 5
	info := f.Arch.Info()
	p = engine.NewProgram()
	if again {
		p.Recompute()
	}
	arg := func(name string, t engine.DType, shape ...int) engine.Buffer {
		return p.Arg(name, engine.AllRows, t, shape...)
	}
	in := engine.Input{IDs: arg("ids", engine.I32, rows), Pos: arg("pos", engine.I32, rows), Lo: arg("lo", engine.I32, rows), Hi: arg("hi", engine.I32, rows)}
	targets, weights, hyper := arg("targets", engine.I32, rows, 1), arg("weights", engine.F32, rows, 1), arg("hyper", engine.F32, 3)
	kv := info.KVHeads * info.HeadDim
	prefix := p.Persist("prefix", engine.Spec{Shape: []int{info.Layers, 2, slots, kv}})
	p.Train(prefix)
	hooks := engine.Hooks{KV: func(p *engine.Program, at engine.At) engine.Segment {
		return engine.Segment{K: p.View(prefix, 2*at.Layer*slots*kv, slots, kv), V: p.View(prefix, (2*at.Layer+1)*slots*kv, slots, kv)}
	}}
	loss := f.Arch.Loss(p, f.Arch.Forward(p, in, hooks).Hidden, targets, weights, false, hooks)
	grad := p.Grad(loss)[prefix]
	p.AdamW(prefix, grad, p.GradStats([]engine.Buffer{grad}, []engine.Buffer{loss}, 1), hyper, engine.AdamW{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Rate: 1})
	p.CopyTo(loss, p.Persist("loss", engine.Spec{Shape: []int{1}}))
	if err := p.Err(); err != nil {
		t.Fatal(err)
	}
	return p, func(step int) engine.Args {
		a := engine.Args{Ints: map[engine.Buffer][]int32{}, Floats: map[engine.Buffer][]float64{}}
		for i := range rows {
			id := int32((i*7 + i*i + 3) % tiny.Vocab)
			a.Ints[in.IDs] = append(a.Ints[in.IDs], id)
			a.Ints[targets] = append(a.Ints[targets], (id*11+5)%tiny.Vocab)
			a.Ints[in.Pos] = append(a.Ints[in.Pos], int32(slots+i%seq))
			a.Ints[in.Lo] = append(a.Ints[in.Lo], int32(i/seq*seq))
			a.Ints[in.Hi] = append(a.Ints[in.Hi], int32(i+1))
			a.Floats[weights] = append(a.Floats[weights], 1.0/rows)
		}
		a.Floats[hyper] = []float64{2e-2, 1 / (1 - math.Pow(0.9, float64(step))), 1 / (1 - math.Pow(0.999, float64(step)))}
		return a
	}
}

// trained runs ten steps and gives the losses, the prefix, and what the device had
// allocated before the first step and after the last.
func trained(t *testing.T, dev engine.Device, again bool) (losses, prefix []float64, before, after engine.Memory) {
	t.Helper()
	ctx := context.Background()
	f := tiny.Llama(t, dev)
	p, args := training(t, f, again)
	bind := map[string]engine.Tensor{}
	for name, s := range p.Tensors() {
		bind[name] = f.Weights[name]
		if bind[name] != nil {
			continue
		}
		x, err := dev.Alloc(s)
		if err != nil {
			t.Fatal(err)
		}
		if name == "prefix" {
			content := make([]float32, s.Len())
			for i := range content {
				content[i] = float32(math.Sin(float64(i)))
			}
			if err := x.Write(ctx, 0, engine.FloatBytes(content)); err != nil {
				t.Fatal(err)
			}
		}
		bind[name] = x
	}
	plan, err := dev.Compile(ctx, p, bind)
	if err != nil {
		t.Fatal(err)
	}
	defer plan.Close()
	floats := func(name string) (v []float64) {
		raw := read(t, bind[name])
		for i := 0; i < len(raw); i += 4 {
			v = append(v, float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[i:]))))
		}
		return v
	}
	before = dev.Memory()
	for step := 1; step <= 10; step++ {
		if err := plan.Run(ctx, args(step)); err != nil {
			t.Fatal(err)
		}
		losses = append(losses, floats("loss")[0])
	}
	return losses, floats("prefix"), before, dev.Memory()
}

// Ten steps follow the float64 reference to 1e-5 (the prefix to 1e-4), or as closely as
// twice the float32 reference does: AdamW's first steps divide small gradients by themselves.
func TestTrajectory(t *testing.T) {
	wantLosses, wantPrefix, _, _ := trained(t, cpu.New[float64](), false)
	singleLosses, singlePrefix, _, _ := trained(t, cpu.New[float32](), false)
	limit := func(figure float64, single, want []float64) float64 {
		return max(figure, 2*conformance.Error(single, want))
	}
	if wantLosses[9] > wantLosses[0]-0.05 {
		t.Fatalf("the reference learns nothing: %v", wantLosses)
	}
	for name, o := range variants {
		t.Run(name, func(t *testing.T) {
			d := device(t, o)
			losses, prefix, before, after := trained(t, d, false)
			if e := conformance.Error(losses, wantLosses); !(e <= limit(1e-5, singleLosses, wantLosses)) {
				t.Errorf("losses differ by %.3g: %v, want %v", e, losses, wantLosses)
			}
			if e := conformance.Error(prefix, wantPrefix); !(e <= limit(1e-4, singlePrefix, wantPrefix)) {
				t.Errorf("the prefix differs by %.3g after ten steps", e)
			}
			if before != after {
				t.Errorf("steps allocate: %+v, then %+v", before, after)
			}
		})
	}
}

// What is computed again has the same bits, in less memory and at most half more work.
func TestRecompute(t *testing.T) {
	d := device(t, Options{Threads: 1})
	free, prefix, most, _ := trained(t, d, false)
	tight := device(t, Options{Threads: 1})
	losses, again, least, _ := trained(t, tight, true)
	if !slices.Equal(losses, free) || !slices.Equal(again, prefix) {
		t.Errorf("losses %v, computed once %v", losses, free)
	}
	if least.Scratch >= most.Scratch {
		t.Errorf("%d bytes of activations, %d computed once", least.Scratch, most.Scratch)
	}
	f := tiny.Llama(t, cpu.New[float32]())
	once, _ := training(t, f, false)
	twice, _ := training(t, f, true)
	if a, b := once.Cost().FLOPs, twice.Cost().FLOPs; b > 1.5*a {
		t.Errorf("%.0f operations, %.0f computed once", b, a)
	}
}

// What a device needs for several programs is known before anything is allocated, to the
// byte: tensors, activations, plans, and a workspace for each thread.
func TestMemoryIsPlanned(t *testing.T) {
	ctx := context.Background()
	for name, o := range variants {
		t.Run(name, func(t *testing.T) {
			d := device(t, o)
			f := tiny.Llama(t, d)
			once, _ := training(t, f, false)
			again, _ := training(t, f, true)
			programs := []*engine.Program{again, once} // scratch and workspaces grow
			before := d.Memory()
			want, err := engine.Need(d, f.Weights, programs...)
			if err != nil {
				t.Fatal(err)
			}
			if now := d.Memory(); now != before {
				t.Fatalf("asking took memory: %+v, then %+v", before, now)
			}
			bind := maps.Clone(f.Weights)
			for _, p := range programs {
				for name, s := range p.Tensors() {
					if bind[name] == nil {
						if bind[name], err = d.Alloc(s); err != nil {
							t.Fatal(err)
						}
					}
				}
				plan, err := d.Compile(ctx, p, bind)
				if err != nil {
					t.Fatal(err)
				}
				defer plan.Close()
			}
			if got := d.Memory(); got != want {
				t.Errorf("the device holds %+v, %+v was planned", got, want)
			}
			if same, err := engine.Need(d, bind); err != nil || same != want {
				t.Errorf("for nothing more it needs %+v, error %v", same, err)
			}
		})
	}
}

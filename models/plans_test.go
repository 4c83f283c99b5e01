package models_test

import (
	"context"
	"testing"

	"prelude/engine"
	"prelude/engine/conformance"
	"prelude/engine/cpu"
)

// The interface's promise: one set of weights with four plans on it (training at two
// batch shapes, prefill, decoding at a growing position), no second copy of the
// weights, nothing compiled or allocated after warm-up, and all four agree.
func TestFourPlansOverOneSetOfWeights(t *testing.T) {
	ctx := context.Background()
	m := newTiny[float64](t)
	held := m.dev.Memory().Tensors
	i := m.arch.Info()
	w := i.KVHeads * i.HeadDim
	bind := map[string]engine.Tensor{"prefix": m.prefix(t)}
	for name, t := range m.weights {
		bind[name] = t
	}

	// Training at two batch shapes: the fixture's two examples, then half of it.
	var train []engine.Plan
	var args []engine.Args
	for _, rows := range []int{10, 6} {
		p := m.pack(m.kvHooks(true), false)
		for d := range p.args.Live {
			if p.Max(d) == 12 {
				p.args.Live[d] = rows
			} else if rows == 6 {
				p.args.Live[d] = 4
			}
		}
		loss := m.arch.Loss(p.Program, p.out.Hidden, p.targets, p.weights, false, engine.Hooks{})
		grad := p.Grad(loss)[p.Named("prefix")]
		hyper := p.Arg("hyper", engine.AllRows, engine.F32, 3)
		p.args.Floats[hyper] = []float64{0.01, 10, 1000}
		p.AdamW(p.Named("prefix"), grad, p.GradStats([]engine.Buffer{grad}, nil, 1), hyper, engine.AdamW{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Rate: 1})
		for name, s := range p.Tensors() {
			if bind[name] == nil {
				bind[name] = m.tensor(t, nil, s.Shape...)
			}
		}
		plan, err := m.dev.Compile(ctx, p.Program, bind)
		if err != nil {
			t.Fatal(err)
		}
		train, args = append(train, plan), append(args, p.args)
	}

	// Prefill of up to 8 rows and decoding of one, over one cache.
	const slots = 16
	type stage struct {
		plan engine.Plan
		p    *engine.Program
		in   engine.Input
		d    engine.Domain
	}
	stages := map[int]*stage{}
	for _, rows := range []int{8, 1} {
		s := &stage{p: engine.NewProgram()}
		s.d = s.p.Domain("tokens", rows)
		arg := func(name string) engine.Buffer { return s.p.Arg(name, s.d, engine.I32, rows) }
		s.in = engine.Input{IDs: arg("ids"), Pos: arg("pos"), Lo: arg("lo"), Hi: arg("hi"), Cache: &engine.Cache{Idx: arg("slot")}}
		for _, name := range []string{"k0", "v0", "k1", "v1"} {
			b := s.p.Persist(name, engine.Spec{DType: engine.F32, Shape: []int{slots, w}})
			if name[0] == 'k' {
				s.in.Cache.K = append(s.in.Cache.K, b)
			} else {
				s.in.Cache.V = append(s.in.Cache.V, b)
			}
			if bind[name] == nil {
				bind[name] = m.tensor(t, nil, slots, w)
			}
		}
		h := m.kvHooks(false)
		out := m.arch.Forward(s.p, s.in, h)
		name := map[int]string{8: "logits of prefill", 1: "logits of decoding"}[rows]
		s.p.Keep(name, m.arch.Logits(s.p, out.Hidden, h))
		bind[name] = m.tensor(t, nil, rows, i.Vocab)
		var err error
		if s.plan, err = m.dev.Compile(ctx, s.p, bind); err != nil {
			t.Fatal(err)
		}
		stages[rows] = s
	}
	feed := func(s *stage, ids []int32, at int) {
		t.Helper()
		in := engine.Args{Ints: map[engine.Buffer][]int32{s.in.IDs: ids}, Live: map[engine.Domain]int{s.d: len(ids)}}
		for k := range ids {
			in.Ints[s.in.Pos] = append(in.Ints[s.in.Pos], int32(tinySlots+at+k))
			in.Ints[s.in.Lo] = append(in.Ints[s.in.Lo], 0)
			in.Ints[s.in.Hi] = append(in.Ints[s.in.Hi], int32(at+k+1))
			in.Ints[s.in.Cache.Idx] = append(in.Ints[s.in.Cache.Idx], int32(at+k))
		}
		if err := s.plan.Run(ctx, in); err != nil {
			t.Fatal(err)
		}
	}

	before := m.dev.Memory()
	ids := []int32{3, 7, 1, 30, 12, 5}
	feed(stages[8], ids[:4], 0)
	near := func(name string, row int, want []float64) {
		t.Helper()
		got := data[float64](bind[name])[row*i.Vocab : (row+1)*i.Vocab]
		if e := conformance.Error(got, want); e > 1e-9 {
			t.Errorf("%s: error %.3g against the fixture", name, e)
		}
	}
	for r := range 4 {
		near("logits of prefill", r, m.fix.First.Logits[r*i.Vocab:(r+1)*i.Vocab])
	}
	for r := 4; r < 6; r++ {
		feed(stages[1], ids[r:r+1], r)
		near("logits of decoding", 0, m.fix.First.Logits[r*i.Vocab:(r+1)*i.Vocab])
	}
	start := data[float64](bind["prefix"])
	for k, plan := range train {
		if err := plan.Run(ctx, args[k]); err != nil {
			t.Fatal(err)
		}
	}
	if conformance.Error(data[float64](bind["prefix"]), start) == 0 {
		t.Error("training changed nothing")
	}
	if after := m.dev.Memory(); after != before {
		t.Errorf("memory grew from %+v to %+v while plans ran", before, after)
	}
	var weights int64
	for _, x := range m.weights {
		weights += int64(len(x.(*cpu.Tensor[float64]).Data())) * 8
	}
	if held != weights {
		t.Errorf("the device held %d bytes for %d bytes of weights", held, weights)
	}
	// Allocations of a run do not grow with the program: none is of a buffer's size.
	n := testing.AllocsPerRun(3, func() { _ = stages[1].plan.Run(ctx, engine.Args{}) })
	t.Logf("%.0f small allocations a decoding step", n)
}

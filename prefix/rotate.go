package prefix

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"prelude/engine"
)

// Rotate moves a prefix's keys by delta positions: K̂ = R(delta)·K, exact on models with
// rotary positions and refused on others. KV is [2·layers, slots, kvHeads·headDim].
// Between keys and text only the distance counts, so a prefix whose text began at
// position a is the same prefix for a text that begins at b once it is moved by b − a.
func Rotate(ctx context.Context, f engine.Frozen, kv []float32, slots, delta int) ([]float32, error) {
	i := f.Arch.Info()
	if delta == 0 {
		return kv, nil
	}
	if i.Positions != engine.Rotary {
		return nil, fmt.Errorf("prefix: %s has no rotary positions, so keys can't be moved to other positions exactly", i.Family)
	}
	shape := kvShape(i, len(i.Attending()), slots)
	if want := (engine.Spec{Shape: shape}).Len(); len(kv) != want {
		return nil, fmt.Errorf("prefix: %d numbers for %d slots, want %d", len(kv), slots, want)
	}
	tables, err := rotations(f.Arch)
	if err != nil {
		return nil, err
	}
	p := engine.NewProgram()
	width := i.KVHeads * i.HeadDim
	n := slots * width
	const from, to = "keys", "keys moved"
	x, y := p.Persist(from, engine.Spec{DType: engine.F32, Shape: shape}), p.Persist(to, engine.Spec{DType: engine.F32, Shape: shape})
	pos := p.Arg("by", engine.AllRows, engine.I32, slots)
	by, turn := delta, p.RoPE
	if by < 0 {
		by, turn = -by, p.Unrotate
	}
	for l, t := range tables {
		k, v := p.View(x, 2*l*n, slots, width), p.View(x, (2*l+1)*n, slots, width)
		if t != nil {
			if by >= t.cos.Shape[0] {
				return nil, fmt.Errorf("prefix: keys can't move by %d positions, the model has %d", delta, t.cos.Shape[0])
			}
			k = turn(k, pos, p.Persist(t.cosName, t.cos), p.Persist(t.sinName, t.cos), t.headDim)
		}
		p.CopyTo(k, p.View(y, 2*l*n, slots, width))
		p.CopyTo(v, p.View(y, (2*l+1)*n, slots, width))
	}
	all := make([]int32, slots)
	for j := range all {
		all[j] = int32(by)
	}
	t, err := f.Dev.Alloc(p.Spec(x))
	if err != nil {
		return nil, err
	}
	defer t.Close()
	if err := t.Write(ctx, 0, engine.FloatBytes(kv)); err != nil {
		return nil, err
	}
	got, err := runForTensors(ctx, f, p, engine.Args{Ints: map[engine.Buffer][]int32{pos: all}}, map[string]engine.Tensor{from: t}, to)
	if err != nil {
		return nil, err
	}
	scales := map[string]float32{} // of the tables, by the cosine of 0 (YaRN, LongRoPE)
	for l, t := range tables {
		if t == nil {
			continue
		}
		scale, known := scales[t.cosName]
		if !known {
			first := make([]byte, 4)
			if err := f.Weights[t.cosName].Read(ctx, 0, first); err != nil {
				return nil, err
			}
			scale = math.Float32frombits(binary.LittleEndian.Uint32(first))
			scales[t.cosName] = scale
		}
		if scale != 1 {
			t.unscale(got[to][2*l*n:(2*l+1)*n], scale)
		}
	}
	return got[to], nil
}

// rotation is how a layer turns its keys.
type rotation struct {
	cosName, sinName string
	cos              engine.Spec
	headDim          int
}

// unscale divides the turned elements of keys, which are scaled already.
func (r *rotation) unscale(keys []float32, scale float32) {
	for i := range keys {
		if i%r.headDim < 2*r.cos.Shape[1] {
			keys[i] /= scale
		}
	}
}

// rotations finds in the model's own program how each attention turns its keys; nil for one
// that does not.
func rotations(arch engine.Architecture) ([]*rotation, error) {
	p := engine.NewProgram()
	arg := func(name string) engine.Buffer { return p.Arg(name, engine.AllRows, engine.I32, 1) }
	in := engine.Input{IDs: arg("ids"), Pos: arg("pos"), Lo: arg("lo"), Hi: arg("hi")}
	if arch.Info().Window > 0 {
		in.LoLocal = arg("lo local")
	}
	out := arch.Forward(p, in, engine.Hooks{})
	if err := p.Err(); err != nil {
		return nil, err
	}
	made := map[engine.Buffer]*engine.RoPE{}
	for _, op := range p.Ops() {
		if r, ok := op.(*engine.RoPE); ok {
			made[r.Y] = r
		}
	}
	layers := arch.Info().Attending()
	all := make([]*rotation, len(layers))
	for at, l := range layers {
		if r := made[out.K[l]]; r != nil {
			all[at] = &rotation{p.Info(r.Cos).Name, p.Info(r.Sin).Name, p.Spec(r.Cos), r.HeadDim}
		}
	}
	return all, nil
}

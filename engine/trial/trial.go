// Package trial times devices on one block of a model, before its weights are loaded,
// so that a page can choose the device that is fastest here rather than by name.
//
//	took, err := trial.Time(ctx, dev, trial.ShapeOf(info, weights, 512), time.Second)
package trial

import (
	"context"
	"fmt"
	"time"

	"prelude/engine"
)

// Shape is the size of one block of a model: what a trial computes.
type Shape struct {
	Rows, Hidden, FF, Heads, KVHeads, HeadDim int
	Weights                                   engine.DType
}

// program is the linear maps of one block and their gradients by the input, which is
// nearly all of a training step's work.
func (s Shape) program() (*engine.Program, error) {
	if s.Rows <= 0 || s.Hidden <= 0 || s.FF <= 0 || s.Heads <= 0 || s.KVHeads <= 0 || s.HeadDim <= 0 {
		return nil, fmt.Errorf("trial: no block of %+v", s)
	}
	p := engine.NewProgram()
	x := p.Persist("x", engine.Spec{DType: engine.F32, Shape: []int{s.Rows, s.Hidden}})
	p.Train(x)
	w := func(name string, out, in int) engine.Buffer {
		return p.Persist(name, engine.Spec{DType: s.Weights, Shape: []int{out, in}})
	}
	q := p.Linear(x, w("q", s.Heads*s.HeadDim, s.Hidden), engine.None, engine.None)
	k := p.Linear(x, w("k", s.KVHeads*s.HeadDim, s.Hidden), engine.None, engine.None)
	v := p.Linear(x, w("v", s.KVHeads*s.HeadDim, s.Hidden), engine.None, engine.None)
	o := p.Linear(q, w("o", s.Hidden, s.Heads*s.HeadDim), engine.None, x)
	f := p.Gated(engine.SiLU, p.Linear(o, w("gate", s.FF, s.Hidden), engine.None, engine.None), p.Linear(o, w("up", s.FF, s.Hidden), engine.None, engine.None))
	y := p.Linear(f, w("down", s.Hidden, s.FF), engine.None, o)
	g := p.Grad(p.SumAll(y), p.SumAll(k), p.SumAll(v))
	if err := p.Err(); err != nil {
		return nil, err
	}
	p.Keep("dx", g[x])
	return p, p.Err()
}

// ShapeOf is the shape of a model's block for so many rows.
func ShapeOf(i engine.ModelInfo, weights engine.DType, rows int) Shape {
	return Shape{Rows: rows, Hidden: i.Hidden, FF: i.FF, Heads: i.Heads, KVHeads: i.KVHeads, HeadDim: i.HeadDim, Weights: weights}
}

// Time is the time that dev takes for the block, forward and backward, with zeros for
// weights. It stops within the limit, but runs at least once after warming up.
func Time(ctx context.Context, dev engine.Device, s Shape, limit time.Duration) (time.Duration, error) {
	end := time.Now().Add(limit)
	p, err := s.program()
	if err != nil {
		return 0, err
	}
	bound := map[string]engine.Tensor{}
	defer func() {
		for _, t := range bound {
			t.Close()
		}
	}()
	for name, spec := range p.Tensors() {
		t, err := dev.Alloc(spec)
		if err != nil {
			return 0, err
		}
		bound[name] = t
	}
	plan, err := dev.Compile(ctx, p, bound)
	if err != nil {
		return 0, err
	}
	defer plan.Close()
	word := make([]byte, 4)
	once := func() (time.Duration, error) {
		begun := time.Now()
		if err := plan.Run(ctx, engine.Args{}); err != nil {
			return 0, err
		}
		err := bound["dx"].Read(ctx, 0, word)
		return time.Since(begun), err
	}
	if _, err := once(); err != nil {
		return 0, err
	}
	best := time.Duration(0)
	for n := 0; n < 5 && (n == 0 || time.Now().Before(end)); n++ {
		took, err := once()
		if err != nil {
			return 0, err
		}
		if n == 0 || took < best {
			best = took
		}
	}
	return best, nil
}

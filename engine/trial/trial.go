// Package trial times devices on one block of a model before its weights are loaded, so
// that a program can choose the fastest device of this machine.
//
//	took, err := trial.Time(ctx, dev, trial.ShapeOf(info, weights, 512), time.Second)
package trial

import (
	"context"
	"errors"
	"fmt"
	"time"

	"prelude/engine"
)

// Shape is the size of one block of a model: what a trial computes.
type Shape struct {
	Rows, Hidden, FF, Heads, KVHeads, HeadDim int
	Weights                                   engine.DType
	Precision                                 engine.Precision // of the linear maps
}

// probe is the program of a trial. Its rows belong to a domain, so that a few rows can be
// timed before all.
type probe struct {
	p    *engine.Program
	rows engine.Domain
	ids  engine.Buffer
	out  string // a tensor that the last operation writes
}

// begin creates a probe and its input x [rows, hidden], whose gradient is computed.
func (s Shape) begin() (*probe, engine.Buffer, error) {
	if s.Rows <= 0 || s.Hidden <= 0 || s.FF <= 0 || s.Heads <= 0 || s.KVHeads <= 0 || s.HeadDim <= 0 {
		return nil, 0, fmt.Errorf("trial: no block of %+v", s)
	}
	p := engine.NewProgram()
	p.SetPrecision(s.Precision)
	t := &probe{p: p, rows: p.Domain("rows", s.Rows), out: "gradient"}
	t.ids = p.Arg("ids", t.rows, engine.I32, s.Rows)
	shift := p.Persist("shift", engine.Spec{DType: engine.F32, Shape: []int{s.Hidden}})
	p.Train(shift)
	return t, p.Add(p.Embed(t.ids, p.Persist("x", engine.Spec{DType: engine.F32, Shape: []int{1, s.Hidden}}), 1), shift), nil
}

func (t *probe) end(losses ...engine.Buffer) (*probe, error) {
	if err := t.p.Err(); err != nil {
		return nil, err
	}
	for _, g := range t.p.Grad(losses...) {
		t.p.Keep(t.out, g)
	}
	return t, t.p.Err()
}

func (s Shape) weight(p *engine.Program, name string, out, in int) engine.Buffer {
	return p.Persist(name, engine.Spec{DType: s.Weights, Shape: []int{out, in}})
}

// block is the linear maps of one block and their gradients with respect to the input,
// which are nearly all of a training step's work.
func (s Shape) block() (*probe, error) {
	t, x, err := s.begin()
	if err != nil {
		return nil, err
	}
	p := t.p
	linear := func(x engine.Buffer, name string, out, in int, add engine.Buffer) engine.Buffer {
		return p.Linear(x, s.weight(p, name, out, in), engine.None, add)
	}
	q := linear(x, "q", s.Heads*s.HeadDim, s.Hidden, engine.None)
	k := linear(x, "k", s.KVHeads*s.HeadDim, s.Hidden, engine.None)
	v := linear(x, "v", s.KVHeads*s.HeadDim, s.Hidden, engine.None)
	o := linear(q, "o", s.Hidden, s.Heads*s.HeadDim, x)
	f := p.Gated(engine.SiLU, linear(o, "gate", s.FF, s.Hidden, engine.None), linear(o, "up", s.FF, s.Hidden, engine.None))
	return t.end(p.SumAll(linear(f, "down", s.Hidden, s.FF, o)), p.SumAll(k), p.SumAll(v))
}

// products is two linear maps, up and down four times, and their gradients. It needs two
// kernels only, so that compiling takes little time.
func (s Shape) products() (*probe, error) {
	t, x, err := s.begin()
	if err != nil {
		return nil, err
	}
	up, down := s.weight(t.p, "up", s.FF, s.Hidden), s.weight(t.p, "down", s.Hidden, s.FF)
	for range 4 {
		x = t.p.Linear(t.p.Linear(x, up, engine.None, engine.None), down, engine.None, engine.None)
	}
	return t.end(t.p.SumAll(x))
}

// ShapeOf is the shape of a model's block for so many rows.
func ShapeOf(i engine.ModelInfo, weights engine.DType, rows int) Shape {
	return Shape{Rows: rows, Hidden: i.Hidden, FF: i.FF, Heads: i.Heads, KVHeads: i.KVHeads, HeadDim: i.HeadDim, Weights: weights}
}

// ErrSlow is the error of a device that does not finish within the limit.
var ErrSlow = errors.New("trial: the device is too slow")

// Time is the time that dev takes for the block, forward and backward, with zeros for
// weights. It returns within the limit. It times a sixteenth of the rows first; if all rows
// would take longer than the time that is left, the result is sixteen times that. If not
// even those rows are compiled and computed in time, the error is ErrSlow.
func Time(ctx context.Context, dev engine.Device, s Shape, limit time.Duration) (time.Duration, error) {
	t, err := s.block()
	if err != nil {
		return 0, err
	}
	return t.time(ctx, dev, limit)
}

// Products is Time for matrix products alone, which need fewer kernels.
func Products(ctx context.Context, dev engine.Device, s Shape, limit time.Duration) (time.Duration, error) {
	t, err := s.products()
	if err != nil {
		return 0, err
	}
	return t.time(ctx, dev, limit)
}

func (t *probe) time(parent context.Context, dev engine.Device, limit time.Duration) (took time.Duration, err error) {
	end := time.Now().Add(limit)
	ctx, cancel := context.WithDeadline(parent, end)
	defer cancel()
	defer func() {
		if errors.Is(err, context.DeadlineExceeded) && parent.Err() == nil {
			err = fmt.Errorf("%w: not done within %v: %w", ErrSlow, limit, context.DeadlineExceeded)
		}
	}()
	bound := map[string]engine.Tensor{}
	defer func() {
		for _, t := range bound {
			t.Close()
		}
	}()
	for name, spec := range t.p.Tensors() {
		x, err := dev.Alloc(spec)
		if err != nil {
			return 0, err
		}
		bound[name] = x
	}
	plan, err := dev.Compile(ctx, t.p, bound)
	if err != nil {
		return 0, err
	}
	defer plan.Close()
	all := t.p.Max(t.rows)
	word := make([]byte, 4)
	run := func(rows, times int) (time.Duration, error) {
		begun := time.Now()
		args := engine.Args{Ints: map[engine.Buffer][]int32{t.ids: make([]int32, rows)}, Live: map[engine.Domain]int{t.rows: rows}}
		for range times {
			if err := plan.Run(ctx, args); err != nil {
				return 0, err
			}
		}
		err := bound[t.out].Read(ctx, 0, word)
		return time.Since(begun) / time.Duration(times), err
	}
	few := max(1, all/16)
	for range 2 { // the first run is a warm-up
		if took, err = run(few, 1); err != nil {
			return 0, err
		}
	}
	if estimate := took * time.Duration(all) / time.Duration(few); 2*estimate > time.Until(end) {
		return estimate, nil
	}
	if took, err = run(all, 1); err != nil { // another warm-up
		return 0, err
	}
	// Reading takes a millisecond, so a fast device makes several runs before each read.
	times := int(max(1, min(32, 20*time.Millisecond/max(1, took))))
	best := time.Duration(0)
	for n := 0; n < 4 && (n == 0 || time.Now().Add(best*time.Duration(times)).Before(end)); n++ {
		if took, err = run(all, times); err != nil {
			return 0, err
		}
		if best == 0 || took < best {
			best = took
		}
	}
	return best, nil
}

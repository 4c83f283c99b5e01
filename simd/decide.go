package simd

import (
	"bytes"
	"context"
	"encoding/binary"
	"time"

	"prelude/engine"
	"prelude/engine/half"
)

// A decision is made by a product of this size, about half a millisecond in float32.
const (
	decideRows  = 160
	decideWidth = 256
	decideLimit = 400 * time.Millisecond
	decideTurns = 6 // without a better time: the host has compiled the kernels for good
)

// decide finds out, once, whether products with frozen weights are right and faster in
// integers on this machine, by the best times of a small one. Hosts compile kernels better
// while they run, so it goes on until neither time falls any more. Where it fails, or a
// result is not what float32 gives, float32 stays: the baseline compiler of V8 11 clobbers
// a register in i32x4.relaxed_dot_i8x16_i7x16_add_s.
func (d *Device) decide(ctx context.Context) {
	d.decided.Do(func() {
		trials, err := d.trials(ctx)
		for _, t := range trials {
			defer t.close()
		}
		if err != nil {
			return
		}
		float, integer := trials[0], trials[1]
		begun := time.Now()
		for turns := 0; turns < decideTurns && time.Since(begun) < decideLimit; turns++ {
			for _, t := range trials {
				better, err := t.run(ctx)
				if err != nil {
					return
				}
				if better {
					turns = 0
				}
			}
			if !bytes.Equal(float.result, integer.result) {
				return
			}
		}
		if integer.best < float.best*9/10 {
			d.integers = d.numbers
		}
	})
}

// trial is a product on which a decision is made.
type trial struct {
	plan   engine.Plan
	bind   map[string]engine.Tensor
	best   time.Duration
	result []byte
}

// trials are the product in float32 and in integers.
func (d *Device) trials(ctx context.Context) (ts []*trial, err error) {
	for _, bits := range []int{0, d.numbers} {
		p := engine.NewProgram()
		p.SetPrecision(engine.Fast)
		x := p.Persist("x", engine.Spec{Shape: []int{decideRows, decideWidth}})
		w := p.Persist("w", engine.Spec{DType: engine.Q4_0, Shape: []int{decideWidth, decideWidth}})
		p.CopyTo(p.Linear(x, w, engine.None, engine.None), p.Persist("y", engine.Spec{Shape: []int{decideRows, decideWidth}}))
		t := &trial{bind: map[string]engine.Tensor{}, result: make([]byte, 4*decideRows*decideWidth)}
		ts = append(ts, t)
		for name, s := range p.Tensors() {
			if t.bind[name], err = d.Alloc(s); err != nil {
				delete(t.bind, name)
				return ts, err
			}
		}
		if err := t.fill(ctx); err != nil {
			return ts, err
		}
		if t.plan, err = d.compile(ctx, p, t.bind, bits); err != nil {
			return ts, err
		}
	}
	return ts, nil
}

// fill writes integers and a scale of 1, so that all sums are exact in either way.
func (t *trial) fill(ctx context.Context) error {
	x := make([]float32, decideRows*decideWidth)
	for i := range x {
		x[i] = float32(i*i%255 - 127)
		if row := i / decideWidth; i%32 == 7 || row%5 == 0 {
			x[i] = 127 // in each block, and all of some rows
		} else if row%5 == 1 {
			x[i] = -127
		}
	}
	var w []byte
	for i := range decideWidth * decideWidth / 32 {
		w = binary.LittleEndian.AppendUint16(w, half.F32ToF16(1))
		for j := range 16 {
			w = append(w, byte(i*i+j*j*11))
		}
	}
	if err := t.bind["x"].Write(ctx, 0, engine.FloatBytes(x)); err != nil {
		return err
	}
	return t.bind["w"].Write(ctx, 0, w)
}

// run says whether this run was clearly the best so far.
func (t *trial) run(ctx context.Context) (better bool, err error) {
	start := time.Now()
	if err := t.plan.Run(ctx, engine.Args{}); err != nil {
		return false, err
	}
	took := time.Since(start)
	better = t.best == 0 || took < t.best*49/50
	if t.best == 0 || took < t.best {
		t.best = took
	}
	return better, t.bind["y"].Read(ctx, 0, t.result)
}

func (t *trial) close() {
	if t.plan != nil {
		t.plan.Close()
	}
	for _, x := range t.bind {
		x.Close()
	}
}

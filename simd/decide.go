package simd

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"prelude/engine"
	"prelude/engine/half"
)

const (
	decideLimit = 2 * time.Second // on a machine that has much else to do
	decideTurns = 6               // without a better time: the host has compiled the kernels for good
)

// decide finds out, once, whether products with frozen weights are right and faster in
// integers on this machine. A device that can't tell stays with float32. What was found once is
// remembered, where there is a cache.
func (d *Device) decide(ctx context.Context) {
	d.decided.Do(func() {
		key := "products of " + d.about
		if use, ok := d.remembered(key); ok {
			d.use = use
			return
		}
		use := floats
		if d.faster(ctx, size{engine.Q4_0, 160, 256, 8}, numbers{d.can.many, floats.few, floats.bytes}) {
			use.many = d.can.many
		}
		if d.can.few != floats.few && d.faster(ctx, size{engine.Q4_0, 1, 1024, 24}, numbers{floats.many, d.can.few, floats.bytes}) {
			use.few = d.can.few
		}
		if d.can.bytes != floats.bytes && d.faster(ctx, size{engine.Q8_0, 1, 1024, 24}, numbers{floats.many, floats.few, d.can.bytes}) {
			use.bytes = d.can.bytes
		}
		if d.use = use; d.cache != nil && ctx.Err() == nil {
			d.cache.Store(key, fmt.Sprint(use.many, use.few, use.bytes))
		}
	})
}

// remembered is what was decided before, if it is something that the device can do.
func (d *Device) remembered(key string) (use numbers, ok bool) {
	if d.cache == nil {
		return use, false
	}
	text, ok := d.cache.Load(key)
	if n, err := fmt.Sscan(text, &use.many, &use.few, &use.bytes); !ok || err != nil || n != 3 {
		return use, false
	}
	return use, (use.many == floats.many || use.many == d.can.many) && (use.few == floats.few || use.few == d.can.few) && (use.bytes == floats.bytes || use.bytes == d.can.bytes)
}

// faster says whether these numbers give the results that float32 gives in at most nine
// tenths of its time, by the best times of products of this size. Hosts compile kernels
// better while they run, so it goes on until neither time falls any more. Results are compared because the baseline compiler of V8 11 clobbers a register in
// i32x4.relaxed_dot_i8x16_i7x16_add_s.
func (d *Device) faster(ctx context.Context, s size, use numbers) bool {
	var trials []*trial
	defer func() {
		for _, t := range trials {
			t.close()
		}
	}()
	for _, n := range []numbers{floats, use} {
		t, err := d.trial(ctx, s, n)
		trials = append(trials, t)
		if err != nil {
			return false
		}
	}
	begun := time.Now()
	for turns := 0; turns < decideTurns && time.Since(begun) < decideLimit; turns++ {
		for _, t := range trials {
			better, err := t.run(ctx)
			if err != nil {
				return false
			}
			if better {
				turns = 0
			}
		}
		if !same(trials[0].result, trials[1].result) {
			return false
		}
	}
	return trials[1].best < trials[0].best*9/10
}

// size is that of a trial: a product of rows with a square matrix of a type, so many times, which
// takes a few milliseconds.
type size struct {
	weights            engine.DType
	rows, width, times int
}

// trial is a product on which a decision is made.
type trial struct {
	plan   engine.Plan
	bind   map[string]engine.Tensor
	best   time.Duration
	result []byte
}

func (d *Device) trial(ctx context.Context, s size, use numbers) (t *trial, err error) {
	p := engine.NewProgram()
	p.SetPrecision(engine.Fast)
	x := p.Persist("x", engine.Spec{Shape: []int{s.rows, s.width}})
	w := p.Persist("w", engine.Spec{DType: s.weights, Shape: []int{s.width, s.width}})
	y := engine.None
	for range s.times {
		y = p.Linear(x, w, engine.None, y)
	}
	p.CopyTo(y, p.Persist("y", engine.Spec{Shape: []int{s.rows, s.width}}))
	t = &trial{bind: map[string]engine.Tensor{}, result: make([]byte, 4*s.rows*s.width)}
	for name, spec := range p.Tensors() {
		if t.bind[name], err = d.Alloc(spec); err != nil {
			delete(t.bind, name)
			return t, err
		}
	}
	if err := t.fill(ctx, s); err != nil {
		return t, err
	}
	t.plan, err = d.compile(ctx, p, t.bind, use)
	return t, err
}

// fill writes integers that are rounded without loss, so that the sums are exact: of rows up
// to 127, of weights of 4 bits up to 7, which is 63 ninths, both in each block.
func (t *trial) fill(ctx context.Context, s size) error {
	x := make([]float32, s.rows*s.width)
	for i := range x {
		x[i] = float32(i*i%255 - 127)
		if row := i / s.width; i%32 == 21 || row%5 == 1 {
			x[i] = 127 // in each block, and all of some rows
		} else if row%5 == 2 {
			x[i] = -127
		}
	}
	var w []byte
	for i := range s.width * s.width / 32 {
		w = binary.LittleEndian.AppendUint16(w, half.F32ToF16(1))
		if s.weights == engine.Q8_0 {
			for j := range 32 {
				w = append(w, byte((i*i+j*j*11)%256)) // −128 too: pairs of 16 bits hold 2·128·127
			}
			continue
		}
		w = append(w, 15|1<<4)
		for j := range 15 {
			n := i*i + j*j*11
			w = append(w, byte(1+n%15|(1+n/15%15)<<4))
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

// same says whether two results differ by no more than float32 sums do.
func same(a, b []byte) bool {
	var off, most float64
	for i := 0; i < len(a); i += 4 {
		x, y := number(a[i:]), number(b[i:])
		off, most = max(off, math.Abs(x-y)), max(most, math.Abs(x))
	}
	return off <= 1e-4*most
}

func number(b []byte) float64 { return float64(math.Float32frombits(binary.LittleEndian.Uint32(b))) }

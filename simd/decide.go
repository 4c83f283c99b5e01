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
		use := d.fastest(ctx, size{engine.Q4_0, 160, 256, 8}, d.eitherWay(numbers{many: d.can.many, few: floats.few, bytes: floats.bytes})...)
		if d.can.few != floats.few {
			ways := []numbers{{floats.many, d.can.few, floats.bytes, use.pairs}}
			if use.many == floats.many { // nothing was said of pairs
				ways = d.eitherWay(ways[0])
			}
			few := d.fastest(ctx, size{engine.Q4_0, 1, 1024, 24}, ways...)
			use.few, use.pairs = few.few, use.pairs || few.pairs
		}
		if d.can.bytes != floats.bytes {
			use.bytes = d.fastest(ctx, size{engine.Q8_0, 1, 1024, 24}, numbers{floats.many, floats.few, d.can.bytes, use.pairs}).bytes
		}
		if d.use = use; d.cache != nil && ctx.Err() == nil {
			d.cache.Store(key, fmt.Sprint(use.many, use.few, use.bytes, use.pairs))
		}
	})
}

// eitherWay is n with sums in fours and, where the module has them, in pairs.
func (d *Device) eitherWay(n numbers) []numbers {
	if !d.can.pairs {
		return []numbers{n}
	}
	inPairs := n
	inPairs.pairs = true
	return []numbers{n, inPairs}
}

// remembered is what was decided before, if it is something that the device can do.
func (d *Device) remembered(key string) (use numbers, ok bool) {
	if d.cache == nil {
		return use, false
	}
	text, ok := d.cache.Load(key)
	if n, err := fmt.Sscan(text, &use.many, &use.few, &use.bytes, &use.pairs); !ok || err != nil || n != 4 {
		return use, false
	}
	return use, (!use.pairs || d.can.pairs) && (use.many == floats.many || use.many == d.can.many) && (use.few == floats.few || use.few == d.can.few) && (use.bytes == floats.bytes || use.bytes == d.can.bytes)
}

// fastest is the fastest of these ways to multiply of those that give the results which float32
// gives in at most nine tenths of its time, by the best times of products of this size; floats, where
// there is none. Hosts compile kernels better while they run, so it goes on until no time falls any
// more. Results are compared because the baseline compiler of V8 11 clobbers a register in
// i32x4.relaxed_dot_i8x16_i7x16_add_s.
func (d *Device) fastest(ctx context.Context, s size, ways ...numbers) numbers {
	var trials []*trial
	defer func() {
		for _, t := range trials {
			t.close()
		}
	}()
	for _, n := range append([]numbers{floats}, ways...) {
		t, err := d.trial(ctx, s, n)
		trials = append(trials, t)
		if err != nil {
			return floats
		}
	}
	begun := time.Now()
	for turns := 0; turns < decideTurns && time.Since(begun) < decideLimit; turns++ {
		for _, t := range trials {
			if t.wrong {
				continue
			}
			better, err := t.run(ctx)
			if err != nil {
				return floats
			}
			if better {
				turns = 0
			}
			t.wrong = !same(trials[0].result, t.result)
		}
	}
	use, least := floats, trials[0].best*9/10
	for i, t := range trials[1:] {
		if !t.wrong && t.best < least {
			use, least = ways[i], t.best
		}
	}
	return use
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
	wrong  bool // not what float32 gives
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

// edges are two fours that meet in a lane where products are summed in pairs: their sums are the
// largest and the least, 256 and −256.
var edges = [8]float32{127, 127, -127, -127, 1, 1, -1, -1}

// fill writes integers that are rounded without loss, so that the sums are exact: of weights of 4
// bits up to 7, which is 63 ninths, in each block; of one row up to 127 in each block. Of many rows
// the picked columns, which are not rounded, have larger ones; the others have 127 in each block
// of 64 and no four of which the sum is above 256, and some are 256 or −256 in each four.
func (t *trial) fill(ctx context.Context, s size) error {
	x := make([]float32, s.rows*s.width)
	for i := range x {
		switch row := i / s.width; {
		case s.rows > 1 && i%32 == 7:
			x[i] = 500
		case row%5 == 1:
			x[i] = edges[i%8]
		case row%5 == 2:
			x[i] = -edges[i%8]
		case i%32 == 21:
			x[i] = 127
		case s.rows == 1:
			x[i] = float32(i*i%255 - 127)
		default:
			x[i] = float32(i*i%85 - 42)
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

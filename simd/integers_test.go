package simd

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"prelude/engine"
	"prelude/engine/half"
	"prelude/simd/command"
)

// Every module computes products in integers to the same bits, in pairs or in fours. Activations are
// integers up to 127 and scales are 1, so that the float32 sums are exact as well and any difference
// between modules is one of the integer instructions. Some rows and columns are at the ends of their
// ranges, where sums of pairs and of fours are largest.
func TestModulesGiveTheSameBits(t *testing.T) {
	for name, o := range variants {
		o.Products = Integers
		d := device(t, o)
		d.decide(context.Background())
		for _, pairs := range slices.Compact([]bool{false, d.can.pairs}) {
			d.use.pairs = pairs
			for _, dt := range []engine.DType{engine.F32, engine.Q8_0, engine.Q4_0, engine.Q4_1} {
				for _, back := range []bool{false, true} {
					t.Run(fmt.Sprintf("%s/pairs=%t/%v/back=%t", name, pairs, dt, back), func(t *testing.T) { sameBits(t, d, dt, back) })
				}
			}
		}
	}
}

func sameBits(t *testing.T, d *Device, dt engine.DType, back bool) {
	const rows, in, out = maxRounded + 5, 192, 64
	ctx := context.Background()
	r := rand.New(rand.NewPCG(8, 9))
	x := make([]float32, rows*in)
	for i := range x {
		switch row := i / in; {
		case !back && i%in < command.PickedColumns:
			x[i] = float32(r.IntN(255) + 128) // these are picked
		case row == 0:
			x[i] = edges[i%8]
		case row == 1:
			x[i] = -edges[i%8]
		case i%32 == 21:
			x[i] = 127 // in each block
		default:
			x[i] = float32(r.IntN(85) - 42)
		}
	}
	// The matrix [out, in], or on the way back [in, out]; w is it as the kernels round it.
	n := out * in
	var raw []byte
	w := make([]float64, n)
	// marked is one number of each block of a column, which has the block's largest.
	marked := func(i int) bool { return !back && i%in%64 == 9 || back && i/out%64 == 9 }
	unit := func(scales ...float32) {
		for _, s := range scales {
			raw = binary.LittleEndian.AppendUint16(raw, half.F32ToF16(s))
		}
	}
	switch dt {
	case engine.F32:
		for i := range w {
			w[i] = float64(r.IntN(127) - 63)
			if marked(i) {
				w[i] = 63
			}
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(float32(w[i])))
		}
	case engine.Q8_0:
		for i := 0; i < n; i += 32 {
			unit(1)
			for j := range 32 {
				q := r.IntN(127) - 63
				if marked(i + j) {
					q = 63
				}
				raw = append(raw, byte(q))
				w[i+j] = float64(q)
			}
		}
	default:
		least := -8.0
		for i := 0; i < n; i += 32 {
			const scale = 63.0 / 8 // rounded, the numbers are of 63/8: the end of their range is in each block
			unit(scale)
			if dt == engine.Q4_1 {
				unit(-8 * scale)
			}
			for j := range 16 {
				q := byte(r.Uint32())
				if marked(i + j) {
					q = 0
				}
				raw = append(raw, q)
				w[i+j], w[i+j+16] = float64(q&15)+least, float64(q>>4)+least
			}
		}
		for i := range w {
			w[i] *= 63.0 / 8
			if back || i%in >= command.PickedColumns { // those are multiplied as they are
				w[i] = math.RoundToEven(w[i])
			}
		}
	}
	shape := []int{out, in}
	if back {
		shape = []int{in, out}
	}
	p := engine.NewProgram()
	p.SetPrecision(engine.Fast)
	xs, ws := p.Persist("x", engine.Spec{Shape: []int{rows, in}}), p.Persist("w", engine.Spec{DType: dt, Shape: shape})
	y := p.Persist("y", engine.Spec{Shape: []int{rows, out}})
	if back { // dx = dy·w of a product whose loss is the sum of y·x
		v := p.Persist("v", engine.Spec{Shape: []int{rows, out}})
		p.Train(v)
		p.CopyTo(p.Grad(p.SumAll(p.Mul(p.Linear(v, ws, engine.None, engine.None), xs)))[v], y)
	} else {
		p.CopyTo(p.Linear(xs, ws, engine.None, engine.None), y)
	}
	bind := map[string]engine.Tensor{}
	for name, s := range p.Tensors() {
		a, err := d.Alloc(s)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		bind[name] = a
	}
	for name, content := range map[string][]byte{"x": engine.FloatBytes(x), "w": raw} {
		if err := bind[name].Write(ctx, 0, content); err != nil {
			t.Fatal(err)
		}
	}
	plan, err := d.Compile(ctx, p, bind)
	if err != nil {
		t.Fatal(err)
	}
	defer plan.Close()
	if err := plan.Run(ctx, engine.Args{}); err != nil {
		t.Fatal(err)
	}
	got := numbersOf(t, bind["y"])
	for i := range rows {
		for j := range out {
			want := 0.0
			for k := range in {
				at := j*in + k
				if back {
					at = k*out + j
				}
				want += float64(x[i*in+k]) * w[at]
			}
			if got[i*out+j] != want {
				t.Fatalf("y[%d,%d] is %v, want %v", i, j, got[i*out+j], want)
			}
		}
	}
}

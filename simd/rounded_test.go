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
	"prelude/engine/conformance"
	"prelude/engine/cpu"
	"prelude/engine/half"
)

// Where nothing learns, a few rows times a quantised matrix is taken in 16-bit integers, or
// at a Fast precision in 8-bit ones: several products of the same rows, some added to, held to
// the reference.
func TestRoundedProducts(t *testing.T) {
	for name, o := range variants {
		o.Products = Integers
		d := device(t, o)
		d.decide(context.Background())
		for _, pairs := range slices.Compact([]bool{false, d.can.pairs}) {
			d.use.pairs = pairs
			roundedProducts(t, d, name)
		}
	}
}

func roundedProducts(t *testing.T, d *Device, name string) {
	for _, dt := range []engine.DType{engine.Q8_0, engine.Q4_0, engine.Q4_1} {
		for _, size := range []struct{ rows, in, out int }{{1, 32, 9}, {1, 576, 33}, {3, 160, 66}, {maxRounded, 96, 7}} {
			for precision, bound := range []float64{engine.Exact: 3e-5, engine.Fast: 0.01} {
				if precision == int(engine.Fast) && size.rows+2 > maxRounded {
					bound = conformance.FastBound // of many rows the weights are rounded too
				}
				t.Run(fmt.Sprintf("%s/pairs=%t/%v/%dx%dx%d/%v", name, d.use.pairs, dt, size.rows, size.in, size.out, engine.Precision(precision)), func(t *testing.T) {
					run := func(d engine.Device) []float64 {
						return products(t, d, dt, size.rows, size.in, size.out, engine.Precision(precision), 0)
					}
					got, want := run(d), run(cpu.New[float64]())
					if e := conformance.Error(got, want); !(e <= bound) {
						t.Errorf("error %.3g", e)
					}
					for _, v := range got[:size.out] {
						if size.rows > 1 && v != 0.25 {
							t.Fatalf("a row of zeros gives %g, want the bias", v)
						}
					}
				})
			}
		}
	}
	// A number that is not finite is not hidden by rounding.
	for _, dt := range []engine.DType{engine.F32, engine.Q8_0, engine.Q4_0, engine.Q4_1} {
		for _, rows := range []int{1, 3, maxRounded + 3} {
			for _, poison := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
				got := products(t, d, dt, rows, 96, 33, engine.Fast, poison)
				for _, v := range got[len(got)-33:] {
					if !math.IsNaN(v) && !math.IsInf(v, 0) {
						t.Fatalf("%s: %d rows times %v, one with %v: a result is %v", name, rows, dt, poison, v)
					}
				}
			}
		}
	}
}

// products runs y = x·Wᵀ + bias + x·Vᵀ, with the first of several rows zero and poison, if
// it is not 0, in the last.
func products(t *testing.T, dev engine.Device, dt engine.DType, rows, in, out int, precision engine.Precision, poison float64) []float64 {
	t.Helper()
	ctx := context.Background()
	p := engine.NewProgram()
	p.SetPrecision(precision)
	d := p.Domain("rows", rows+2)
	x := p.Arg("x", d, engine.F32, rows+2, in)
	s := engine.Spec{DType: dt, Shape: []int{out, in}}
	y := p.Linear(x, p.Persist("w", s), p.Persist("bias", engine.Spec{Shape: []int{out}}), engine.None)
	p.CopyTo(p.Linear(x, p.Persist("v", s), engine.None, y), p.Persist("y", engine.Spec{Shape: []int{rows + 2, out}}))
	r := rand.New(rand.NewPCG(7, uint64(in)))
	bind := map[string]engine.Tensor{}
	for _, name := range []string{"w", "v", "bias", "y"} {
		spec := p.Tensors()[name]
		raw := make([]byte, spec.Bytes())
		switch name {
		case "w", "v":
			raw = randomWeights(r, spec)
		case "bias":
			for i := 0; i < len(raw); i += 4 {
				binary.LittleEndian.PutUint32(raw[i:], math.Float32bits(0.25))
			}
		}
		v, err := dev.Alloc(spec)
		if err != nil {
			t.Fatal(err)
		}
		defer v.Close()
		if err := v.Write(ctx, 0, raw); err != nil {
			t.Fatal(err)
		}
		bind[name] = v
	}
	plan, err := dev.Compile(ctx, p, bind)
	if err != nil {
		t.Fatal(err)
	}
	defer plan.Close()
	floats := make([]float64, (rows+2)*in)
	for i := range floats {
		if rows == 1 || i >= in {
			floats[i] = float64(float32(r.NormFloat64()))
		}
	}
	if poison != 0 {
		floats[rows*in-7] = poison
	}
	if err := plan.Run(ctx, engine.Args{Floats: map[engine.Buffer][]float64{x: floats}, Live: map[engine.Domain]int{d: rows}}); err != nil {
		t.Fatal(err)
	}
	raw := make([]byte, 4*rows*out)
	if err := bind["y"].Read(ctx, 0, raw); err != nil {
		t.Fatal(err)
	}
	got := make([]float64, rows*out)
	for i := range got {
		got[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:])))
	}
	return got
}

// randomWeights are the bytes of a tensor of weights.
func randomWeights(r *rand.Rand, s engine.Spec) []byte {
	raw := make([]byte, s.Bytes())
	if s.DType == engine.F32 {
		for i := 0; i < len(raw); i += 4 {
			binary.LittleEndian.PutUint32(raw[i:], math.Float32bits(float32(r.NormFloat64())))
		}
		return raw
	}
	for i := range raw {
		raw[i] = byte(r.Uint32())
	}
	for i := 0; i < len(raw); i += s.DType.Bytes(s.DType.Block()) {
		binary.LittleEndian.PutUint16(raw[i:], half.F32ToF16(float32(r.NormFloat64()*0.01)))
		if s.DType == engine.Q4_1 {
			binary.LittleEndian.PutUint16(raw[i+2:], half.F32ToF16(float32(r.NormFloat64()*0.05)))
		}
	}
	return raw
}

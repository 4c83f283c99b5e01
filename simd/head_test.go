package simd

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"prelude/engine"
	"prelude/engine/conformance"
	"prelude/engine/cpu"
	"prelude/engine/half"
)

// A vocabulary of several parts, the last one not whole, gives the reference's loss, and its
// gradient for every row.
func TestLongVocabulary(t *testing.T) {
	const rows, width, vocab = 13, 96, 2*headDepth + 170
	for name, o := range variants {
		o.Products = Integers
		d := device(t, o)
		for _, dt := range []engine.DType{engine.F32, engine.F16, engine.Q8_0, engine.Q4_1} {
			for precision, bound := range []float64{engine.Exact: 3e-5, engine.Fast: conformance.FastBound} {
				near := []float64{engine.Exact: 3e-4, engine.Fast: 3e-3}[precision] // in nats
				t.Run(fmt.Sprintf("%s/%v/%v", name, dt, engine.Precision(precision)), func(t *testing.T) {
					run := func(d engine.Device) (loss, dh []float64) {
						return headGradients(t, d, dt, rows, width, vocab, engine.Precision(precision))
					}
					loss, dh := run(d)
					wantLoss, want := run(cpu.New[float64]())
					if !(math.Abs(loss[0]-wantLoss[0]) <= near) {
						t.Errorf("loss %v, want %v", loss, wantLoss)
					}
					for i := range rows {
						if e := conformance.Error(dh[i*width:(i+1)*width], want[i*width:(i+1)*width]); !(e <= bound) {
							t.Errorf("row %d: error %.3g of the gradient, want %g", i, e, bound)
						}
					}
				})
			}
		}
	}
}

// headGradients is the loss of random rows and a random head, and its gradient for the rows.
func headGradients(t *testing.T, dev engine.Device, dt engine.DType, rows, width, vocab int, precision engine.Precision) (loss, dh []float64) {
	t.Helper()
	ctx := context.Background()
	p := engine.NewProgram()
	p.SetPrecision(precision)
	h := p.Persist("h", engine.Spec{Shape: []int{rows, width}})
	p.Train(h)
	w := p.Persist("w", engine.Spec{DType: dt, Shape: []int{vocab, width}})
	targets, weights := p.Arg("targets", engine.AllRows, engine.I32, rows, 1), p.Arg("weights", engine.AllRows, engine.F32, rows, 1)
	out := p.CrossEntropy(h, w, engine.None, targets, weights, false)
	p.CopyTo(out, p.Persist("loss", engine.Spec{Shape: []int{1}}))
	p.CopyTo(p.Grad(out)[h], p.Persist("dh", engine.Spec{Shape: []int{rows, width}}))
	r := rand.New(rand.NewPCG(11, 12))
	number := func() float32 { return float32(r.NormFloat64()) }
	bind := map[string]engine.Tensor{}
	for _, name := range slices.Sorted(maps.Keys(p.Tensors())) {
		s := p.Tensors()[name]
		x, err := dev.Alloc(s)
		if err != nil {
			t.Fatal(err)
		}
		defer x.Close()
		bind[name] = x
		raw := make([]byte, s.Bytes())
		switch unit := s.DType.Bytes(s.DType.Block()); {
		case s.DType == engine.F32:
			for i := 0; i < len(raw); i += 4 {
				binary.LittleEndian.PutUint32(raw[i:], math.Float32bits(number()))
			}
		case s.DType == engine.F16:
			for i := 0; i < len(raw); i += 2 {
				binary.LittleEndian.PutUint16(raw[i:], half.F32ToF16(number()))
			}
		default:
			for i := range raw {
				raw[i] = byte(r.Uint32())
			}
			for i := 0; i < len(raw); i += unit {
				binary.LittleEndian.PutUint16(raw[i:], half.F32ToF16(0.01*number()))
				if s.DType == engine.Q4_1 {
					binary.LittleEndian.PutUint16(raw[i+2:], half.F32ToF16(0.05*number()))
				}
			}
		}
		if err := x.Write(ctx, 0, raw); err != nil {
			t.Fatal(err)
		}
	}
	plan, err := dev.Compile(ctx, p, bind)
	if err != nil {
		t.Fatal(err)
	}
	defer plan.Close()
	a := engine.Args{Ints: map[engine.Buffer][]int32{}, Floats: map[engine.Buffer][]float64{}}
	for i := range rows {
		a.Ints[targets] = append(a.Ints[targets], int32((i*2*headDepth)/rows+i))
		a.Floats[weights] = append(a.Floats[weights], 1/float64(rows))
	}
	if err := plan.Run(ctx, a); err != nil {
		t.Fatal(err)
	}
	return numbersOf(t, bind["loss"]), numbersOf(t, bind["dh"])
}

// Which logit is the largest is what the reference says, though the product is of rounded numbers: in
// each of the forms that a product of some rows has.
func TestLargestOfRoundedLogits(t *testing.T) {
	const width, vocab = 160, 1531
	ctx := t.Context()
	for name, o := range variants {
		o.Products = Integers
		d := device(t, o)
		for _, dt := range []engine.DType{engine.Q8_0, engine.Q4_0, engine.Q4_1} {
			for _, rows := range []int{1, 3, maxRounded, 40} {
				t.Run(fmt.Sprintf("%s/%v/%d", name, dt, rows), func(t *testing.T) {
					run := func(d engine.Device) (at, z []float64) {
						p := engine.NewProgram()
						p.SetPrecision(engine.Fast)
						x := p.Arg("x", engine.AllRows, engine.F32, rows, width)
						logits := p.Linear(x, p.Persist("w", engine.Spec{DType: dt, Shape: []int{vocab, width}}), engine.None, engine.None)
						p.Keep("at", p.Largest(logits))
						p.Keep("z", logits)
						r := rand.New(rand.NewPCG(9, uint64(rows)))
						bind := map[string]engine.Tensor{}
						for _, name := range slices.Sorted(maps.Keys(p.Tensors())) {
							s := p.Tensors()[name]
							v, err := d.Alloc(s)
							if err != nil {
								t.Fatal(err)
							}
							t.Cleanup(func() { v.Close() })
							bind[name] = v
							if name == "w" {
								if err := v.Write(ctx, 0, randomWeights(r, s)); err != nil {
									t.Fatal(err)
								}
							}
						}
						plan, err := d.Compile(ctx, p, bind)
						if err != nil {
							t.Fatal(err)
						}
						defer plan.Close()
						floats := make([]float64, rows*width)
						for i := range floats {
							floats[i] = float64(float32(r.NormFloat64()))
						}
						if err := plan.Run(ctx, engine.Args{Floats: map[engine.Buffer][]float64{x: floats}}); err != nil {
							t.Fatal(err)
						}
						return numbersOf(t, bind["at"]), numbersOf(t, bind["z"])
					}
					at, z := run(d)
					want, exact := run(cpu.New[float64]())
					for i := range rows {
						if at[i] != want[i] {
							t.Errorf("row %d: %v is the largest, want %v", i, at[i], want[i])
						}
						if k := i*vocab + int(want[i]); !(math.Abs(z[k]-exact[k]) <= 1e-4*math.Abs(exact[k])) {
							t.Errorf("row %d: its largest logit is %v, want %v", i, z[k], exact[k])
						}
					}
				})
			}
		}
	}
}

package conformance

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"prelude/engine"
	"prelude/engine/cpu"
)

// FastBound bounds the error of a product at [engine.Fast], and of its gradient: max|x−y| /
// max|y| in each row against the float64 reference. It is four times the deviation that
// rounding both factors to 7 bits with a scale for each block of 32 gives.
const FastBound = 0.04

// leastCosine bounds the angle between the gradient of each of a prefix's tensors at
// [engine.Fast] and the float64 reference's.
const leastCosine = 0.98

// FastCases are products that devices may round: every type of weight, sizes that are no
// multiple of a block, outliers, zeros.
func FastCases() []Case {
	var all []Case
	for _, c := range linear() {
		if strings.Contains(c.Name, "/67x") || strings.Contains(c.Name, "/130x") {
			all = append(all, c)
		}
	}
	product := func(name string, factor func(row, col int) float64) {
		const rows, in, out = 24, 192, 40
		all = append(all, Case{Name: "linear/" + name, Build: func(b *Builder) {
			x := b.Normal(rows*in, 1)
			for i := range x {
				x[i] = float64(float32(factor(i/in, i%in) * x[i]))
			}
			y := b.Set("x", x, rows, in)
			b.Train(y)
			b.train = append(b.train, "x")
			b.Out("y", b.Linear(y, b.Weight("w", engine.Q4_0, out, in), engine.None, engine.None))
		}})
	}
	product("a channel of outliers", func(_, col int) float64 { return pick(col == 70, 100, 1) })
	product("a row of outliers", func(row, _ int) float64 { return pick(row == 7, 1e6, 1) })
	product("a small row", func(row, _ int) float64 { return pick(row == 7, 1e-12, 1) })
	product("rows of zeros", func(row, _ int) float64 { return pick(row%5 == 0, 0, 1) })
	return all
}

func pick(first bool, a, b float64) float64 {
	if first {
		return a
	}
	return b
}

// TestFast runs FastCases on dev at [engine.Fast], holds results to FastBound, and checks
// that values that are not finite show: in the rows of a product that have them, and as a
// training step that changes nothing.
func TestFast(t *testing.T, dev engine.Device) {
	ctx := context.Background()
	for _, c := range FastCases() {
		t.Run(c.Name, func(t *testing.T) {
			want, err := Run(ctx, cpu.New[float64](), c)
			if err != nil {
				t.Fatal(err)
			}
			build := c.Build
			c.Build = func(b *Builder) { b.SetPrecision(engine.Fast); build(b) }
			b := newBuilder(c)
			b.finish()
			s, err := b.start(ctx, dev)
			if err != nil {
				t.Fatal(err)
			}
			defer s.close()
			got, err := s.run(ctx, b.Args)
			if err != nil {
				t.Fatal(err)
			}
			for name := range want {
				width := b.Spec(b.Named(name)).Cols()
				for r := 0; r < len(want[name]); r += width {
					if e := Error(got[name][r:r+width], want[name][r:r+width]); !(e <= FastBound) {
						t.Errorf("row %d of %q: error %.3g, want ≤ %g", r/width, name, e, FastBound)
					}
				}
			}
		})
	}
	t.Run("gradient of a prefix", func(t *testing.T) {
		step := func(p engine.Precision) Case {
			return Case{Build: func(b *Builder) {
				b.SetPrecision(p)
				s := Decoder{Layers: 2, Hidden: 64, Heads: 2, KVHeads: 1, FF: 96, Vocab: 40, Rows: 40, Slots: 4, Weights: engine.Q4_0}.Step(b.Program)
				b.fill()
				b.Args = s.Args(40, 10, 1, 1e-2)
				b.Changes("loss", "adam.m.prefix") // the first moment of the first step is a tenth of the gradient
			}}
		}
		want, err := Run(ctx, cpu.New[float64](), step(engine.Exact))
		if err != nil {
			t.Fatal(err)
		}
		got, err := Run(ctx, dev, step(engine.Fast))
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("loss %.5f, want %.5f", got["loss"][0], want["loss"][0])
		const tensors = 2 * 2 // keys and values of each layer
		n := len(want["adam.m.prefix"]) / tensors
		for i := range tensors {
			if c := cosine(got["adam.m.prefix"][i*n:][:n], want["adam.m.prefix"][i*n:][:n]); !(c >= leastCosine) {
				t.Errorf("tensor %d: cosine %.4f, want ≥ %g", i, c, leastCosine)
			} else {
				t.Logf("tensor %d: cosine %.5f", i, c)
			}
		}
	})
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		t.Run(fmt.Sprintf("product with %g", bad), func(t *testing.T) {
			const rows, in, out = 24, 192, 40
			got, err := Run(ctx, dev, Case{Build: func(b *Builder) {
				b.SetPrecision(engine.Fast)
				x := b.Normal(rows*in, 1)
				x[7*in+100] = bad
				b.Watch("y", b.Linear(b.Set("x", x, rows, in), b.Weight("w", engine.Q4_0, out, in), engine.None, engine.None))
			}})
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range got["y"] {
				if finite := !math.IsNaN(v) && !math.IsInf(v, 0); finite == (i/out == 7) {
					t.Fatalf("y[%d, %d] is %g, row 7 of x has %g", i/out, i%out, v, bad)
				}
			}
		})
		t.Run(fmt.Sprintf("step with %g", bad), func(t *testing.T) {
			var before []float64
			got, err := Run(ctx, dev, Case{Build: func(b *Builder) {
				b.SetPrecision(engine.Fast)
				s := Decoder{Layers: 1, Hidden: 64, Heads: 2, KVHeads: 1, FF: 64, Vocab: 40, Rows: 24, Slots: 2}.Step(b.Program)
				before = b.fill()
				b.Set("0.norm1", append([]float64{bad}, b.Normal(63, 1)...), 64)
				b.Args = s.Args(21, 7, 1, 1e-2)
				b.Changes("loss", "prefix", "adam.m.prefix", "adam.v.prefix")
			}})
			if err != nil {
				t.Fatal(err)
			}
			if v := got["loss"][0]; !math.IsNaN(v) && !math.IsInf(v, 0) {
				t.Errorf("loss %g", v)
			}
			if e := Error(got["prefix"], before); e != 0 {
				t.Errorf("the step changed the prefix by %.3g", e)
			}
			for _, name := range []string{"adam.m.prefix", "adam.v.prefix"} {
				for _, v := range got[name] {
					if v != 0 {
						t.Fatalf("the step changed %q", name)
					}
				}
			}
		})
	}
}

func cosine(x, y []float64) float64 {
	var xx, yy, xy float64
	for i := range x {
		xx, yy, xy = xx+x[i]*x[i], yy+y[i]*y[i], xy+x[i]*y[i]
	}
	return xy / math.Sqrt(xx*yy)
}

// fill gives the tensors of a step their first values, all but the optimiser's, and returns
// the prefix's.
func (b *Builder) fill() (prefix []float64) {
	specs := b.Tensors()
	for _, name := range slices.Sorted(maps.Keys(specs)) {
		switch s := specs[name]; {
		case name == "loss" || strings.HasPrefix(name, "adam."):
		case s.DType != engine.F32:
			b.Weight(name, s.DType, s.Shape...)
		default:
			x := b.Normal(s.Len(), 0.3)
			b.Set(name, x, s.Shape...)
			if name == "prefix" {
				prefix = x
			}
		}
	}
	return prefix
}

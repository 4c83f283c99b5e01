package simd

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"prelude/engine"
)

// Plans that keep packed weights, of the way forward and of the way back, give the same bits as those that pack in each run, also when a weight
// has been written anew, and when one of two plans that share it is closed. The last one gives the
// memory back.
func TestKeptPanelsGiveTheSameBits(t *testing.T) {
	ctx := t.Context()
	for name, o := range variants {
		o.Products = Integers
		d := device(t, o)
		if d.can.many == 0 {
			continue
		}
		for _, dt := range []engine.DType{engine.F16, engine.Q8_0, engine.Q4_0, engine.Q4_1} {
			for _, size := range []struct {
				rows, in, out int
				learns        bool
			}{{9, 32, 7, false}, {13, 576, 130, false}, {13, 576, 130, true}, {20, 3200, 72, false}, {20, 3200, 72, true}} {
				learns := size.learns
				t.Run(fmt.Sprintf("%s/%v/%dx%dx%d learns %v", name, dt, size.rows, size.in, size.out, learns), func(t *testing.T) {
					r := rand.New(rand.NewPCG(5, uint64(size.in)))
					s := engine.Spec{DType: dt, Shape: []int{size.out, size.in}}
					bind := map[string]engine.Tensor{}
					compile := func(steady bool) (engine.Plan, engine.Buffer) {
						p := engine.NewProgram()
						p.SetPrecision(engine.Fast)
						if steady {
							p.SetSteady()
						}
						x := p.Arg("x", engine.AllRows, engine.F32, size.rows, size.in)
						q := p.Persist("q", engine.Spec{Shape: []int{size.rows, size.in}})
						dq := p.Persist("dq", engine.Spec{Shape: []int{size.rows, size.in}})
						x1 := p.Add(x, q)
						if learns {
							p.Train(q)
						}
						y := p.Linear(x1, p.Persist("w", s), engine.None, engine.None)
						y = p.Linear(x1, p.Persist("v", s), engine.None, y)
						p.CopyTo(y, p.Persist("y", engine.Spec{Shape: []int{size.rows, size.out}}))
						if learns {
							p.CopyTo(p.Grad(p.SumAll(p.Mul(y, y)))[q], dq)
						} else {
							p.CopyTo(x1, dq)
						}
						for name, spec := range p.Tensors() {
							if bind[name] == nil {
								tensor, err := d.Alloc(spec)
								if err != nil {
									t.Fatal(err)
								}
								t.Cleanup(func() { tensor.Close() })
								bind[name] = tensor
							}
						}
						need, err := d.Need(bind, p)
						if err != nil {
							t.Fatal(err)
						}
						plan, err := d.Compile(ctx, p, bind)
						if err != nil {
							t.Fatal(err)
						}
						if have := d.Memory(); have != need && !(learns && have.Scratch < need.Scratch) {
							t.Errorf("steady %v: takes %+v, was planned to take %+v", steady, have, need)
						}
						return plan, x
					}
					floats := make([]float64, size.rows*size.in)
					for i := range floats {
						floats[i] = r.NormFloat64()
					}
					run := func(plan engine.Plan, x engine.Buffer) []byte {
						if err := plan.Run(ctx, engine.Args{Floats: map[engine.Buffer][]float64{x: floats}}); err != nil {
							t.Fatal(err)
						}
						out, back := make([]byte, 4*size.rows*size.out), make([]byte, 4*size.rows*size.in)
						if err := errors.Join(bind["y"].Read(ctx, 0, out), bind["dq"].Read(ctx, 0, back)); err != nil {
							t.Fatal(err)
						}
						return append(out, back...)
					}
					each, x := compile(false)
					defer each.Close()
					one, x1 := compile(true)
					other, x2 := compile(true)
					before := d.Memory().Scratch
					write := func() {
						for _, w := range []string{"w", "v"} {
							if err := bind[w].Write(ctx, 0, randomWeights(r, s)); err != nil {
								t.Fatal(err)
							}
						}
					}
					for turn := range 3 {
						write()
						want := run(each, x)
						for i, got := range [][]byte{run(one, x1), run(one, x1), run(other, x2)} {
							if !slices.Equal(got, want) {
								t.Errorf("turn %d, run %d differs", turn, i)
							}
						}
					}
					one.Close()
					write()
					if !slices.Equal(run(other, x2), run(each, x)) {
						t.Error("after one plan was closed the other differs")
					}
					if w := bind["w"].(*tensor); w.along == nil || learns != (w.across != nil) {
						t.Error("the panels are gone before their last plan")
					}
					other.Close()
					if w := bind["w"].(*tensor); w.along != nil || w.across != nil || before-d.Memory().Scratch < int64(size.in*size.out) {
						t.Errorf("panels are left: %d bytes before, %d now", before, d.Memory().Scratch)
					}
				})
			}
		}
	}
}

package cpu_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"prelude/engine"
	"prelude/engine/cpu"
)

// Muon's update is nearly the orthogonal factor UVᵀ of what the gradient is as UΣVᵀ: the same
// singular vectors, and all singular values near 1, whatever the gradient's size.
func TestMuonOrthogonalises(t *testing.T) {
	ctx := context.Background()
	rng := rand.New(rand.NewPCG(5, 1))
	for _, size := range [][2]int{{12, 30}, {30, 12}, {16, 40}, {1, 9}} {
		for _, scale := range []float64{1e-3, 1, 1e3} {
			rows, cols := size[0], size[1]
			dev, p := cpu.New[float64](), engine.NewProgram()
			spec := engine.Spec{DType: engine.F32, Shape: []int{1, rows, cols}}
			param, grad := p.Persist("p", spec), p.Persist("g", spec)
			hyper := p.Arg("hyper", engine.AllRows, engine.F32, 3)
			p.Muon(param, grad, p.GradStats([]engine.Buffer{grad}, nil, 0), hyper, engine.Muon{Beta: 0.5, Rate: 1})
			tensors := map[string]engine.Tensor{}
			for name, s := range p.Tensors() {
				x, err := dev.Alloc(s)
				if err != nil {
					t.Fatal(err)
				}
				tensors[name] = x
				if err := x.Write(ctx, 0, make([]byte, s.Bytes())); err != nil {
					t.Fatal(err)
				}
			}
			g, g32 := make([]float64, rows*cols), make([]float32, rows*cols)
			for i := range g {
				g32[i] = float32(scale * rng.NormFloat64())
				g[i] = float64(g32[i])
			}
			if err := tensors["g"].Write(ctx, 0, engine.FloatBytes(g32)); err != nil {
				t.Fatal(err)
			}
			plan, err := dev.Compile(ctx, p, tensors)
			if err != nil {
				t.Fatal(err)
			}
			lr := 1 / math.Sqrt(float64(max(rows, cols)))
			if err := plan.Run(ctx, engine.Args{Floats: map[engine.Buffer][]float64{hyper: {lr, 1, 1}}}); err != nil {
				t.Fatal(err)
			}
			got, err := engine.ReadFloats(ctx, tensors["p"])
			if err != nil {
				t.Fatal(err)
			}
			step := mat.NewDense(rows, cols, nil)
			for i, x := range got {
				step.Set(i/cols, i%cols, -float64(x))
			}
			var svd mat.SVD
			if !svd.Factorize(mat.NewDense(rows, cols, g), mat.SVDThin) {
				t.Fatal("no singular values")
			}
			var u, v, inner, s mat.Dense
			svd.UTo(&u)
			svd.VTo(&v)
			inner.Mul(u.T(), step)
			s.Mul(&inner, &v) // diagonal where the singular vectors are the gradient's
			n, _ := s.Dims()
			for i := range n {
				for j := range n {
					x := s.At(i, j)
					if i == j && !(x > 0.6 && x < 1.3) || i != j && math.Abs(x) > 1e-4 {
						t.Errorf("%d by %d, scale %g: entry %d, %d of Uᵀ·step·V is %.5f", rows, cols, scale, i, j, x)
					}
				}
			}
		}
	}
}

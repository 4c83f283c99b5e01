package lens

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Points that lie in a plane keep their distances; the axes are ordered by variance.
func TestProject(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const n, d = 7, 300
	u, v := make([]float64, d), make([]float64, d)
	for i := range d {
		u[i], v[i] = rng.NormFloat64(), rng.NormFloat64()
	}
	rows := make([][]float64, n)
	for r := range rows {
		a, b := rng.NormFloat64(), rng.NormFloat64()
		for i := range d {
			rows[r] = append(rows[r], 3+a*u[i]+b*v[i])
		}
	}
	p, err := Project(rows)
	if err != nil {
		t.Fatal(err)
	}
	var spread [2]float64
	for r := range rows {
		for k := range r {
			want := 0.0
			for i := range d {
				want += (rows[r][i] - rows[k][i]) * (rows[r][i] - rows[k][i])
			}
			got := math.Hypot(p.Points[r][0]-p.Points[k][0], p.Points[r][1]-p.Points[k][1])
			near(t, "distance", got, math.Sqrt(want), 1e-9)
		}
		for axis := range spread {
			spread[axis] += p.Points[r][axis] * p.Points[r][axis]
		}
	}
	if spread[0] < spread[1] || p.Points[0][0] > 0 || p.Points[0][1] > 0 {
		t.Errorf("the axes have variances %v, the first point is at %v", spread, p.Points[0])
	}
	near(t, "the first axis' part", p.Part[0], spread[0]/(spread[0]+spread[1]), 1e-9)
	near(t, "both axes' part", p.Part[0]+p.Part[1], 1, 1e-9)
	for _, rows := range [][][]float64{nil, {{1}}, {{1, 2}, {1}}, {{1, 2}, {math.NaN(), 1}}} {
		if _, err := Project(rows); err == nil {
			t.Errorf("%v is projected", rows)
		}
	}
	if p, err = Project([][]float64{{1, 2, 3}, {1, 2, 3}}); err != nil || p.Points[0] != [2]float64{} {
		t.Errorf("equal points: %v, %v", p, err)
	}
	if p, err = Project([][]float64{{0, 0, 0}, {3, 4, 0}}); err != nil || math.Abs(p.Points[1][0]-2.5) > 1e-12 {
		t.Errorf("two points: %v, %v", p, err)
	}
}

// Eigenvectors are orthonormal and solve a·v = λ·v, also where values are equal or far apart.
func TestEigen(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for n := 1; n <= 65; n += 8 {
		a, kept := make([][]float64, n), make([][]float64, n)
		for r := range a {
			a[r], kept[r] = make([]float64, n), make([]float64, n)
			for s := range r + 1 {
				x := rng.NormFloat64() * math.Pow(10, float64(-(r+s)%7))
				a[r][s], a[s][r], kept[r][s], kept[s][r] = x, x, x, x
			}
		}
		if n == 9 {
			for r := range a {
				clear(a[r])
				clear(kept[r])
				a[r][r], kept[r][r] = 2, 2
			}
		}
		values, v, ok := eigen(a)
		if !ok {
			t.Fatal(n)
		}
		for i := range n {
			for r := range n {
				product, dot := 0.0, 0.0
				for k := range n {
					product += kept[r][k] * v[k][i]
					dot += v[k][r] * v[k][i]
				}
				near(t, "a·v", product, values[i]*v[r][i], 1e-12)
				want := 0.0
				if r == i {
					want = 1
				}
				near(t, "product of two vectors", dot, want, 1e-12)
			}
		}
	}
}

func TestMean(t *testing.T) {
	got := Mean([]float32{1, 2, 3, 4, 10, 20, 30, 40}, 2, 2) // two rows of two slots
	for i, want := range []float64{2, 3, 20, 30} {
		near(t, "mean", got[i], want, 0)
	}
}

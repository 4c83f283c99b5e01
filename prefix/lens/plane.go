package lens

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/lapack"
	"gonum.org/v1/gonum/lapack/gonum"
)

// Plane is points of many dimensions on the two axes on which they differ most: their
// principal components.
type Plane struct {
	Points [][2]float64 // one for each row, the mean of all at 0
	Part   [2]float64   // of the variance that each axis shows, 0 to 1
}

// Project makes a plane of rows of equal length, two at least. The rows are few and long, so
// the components come from the products of the centred rows with each other, XXᵀ = UΛUᵀ:
// the points are UΛ^½, and Λ is in the proportion of the variances.
func Project(rows [][]float64) (*Plane, error) {
	n := len(rows)
	if n < 2 {
		return nil, fmt.Errorf("lens: a map of %d points; it needs two", n)
	}
	d := len(rows[0])
	mean := make([]float64, d)
	for r, row := range rows {
		if len(row) != d {
			return nil, fmt.Errorf("lens: point %d has %d numbers, the first %d", r, len(row), d)
		}
		for i, v := range row {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, errNotFinite
			}
			mean[i] += v / float64(n)
		}
	}
	products, total := make([][]float64, n), 0.0
	for r, a := range rows {
		products[r] = make([]float64, n)
		for s, b := range rows[:r+1] {
			sum := 0.0
			for i, m := range mean {
				sum += (a[i] - m) * (b[i] - m)
			}
			products[r][s], products[s][r] = sum, sum
		}
		total += products[r][r]
	}
	values, vectors, ok := eigen(products)
	if !ok {
		return nil, fmt.Errorf("lens: the principal components of %d points were not found", n)
	}
	p := &Plane{Points: make([][2]float64, n)}
	for axis := range min(2, n) {
		at := n - 1 - axis
		value := max(0, values[at])
		if total > 0 {
			p.Part[axis] = value / total
		}
		scale := math.Sqrt(value)
		if vectors[0][at] > 0 { // an axis has no direction of its own: the first point is on its left, or below
			scale = -scale
		}
		for r := range n {
			p.Points[r][axis] = scale * vectors[r][at]
		}
	}
	return p, nil
}

// eigen diagonalises a symmetric matrix: a·v[·][i] = values[i]·v[·][i], in ascending order. LAPACK's
// DSYEV is called by itself, since gonum's mat would bring 300 kB of other matrices into the worker.
func eigen(a [][]float64) (values []float64, v [][]float64, ok bool) {
	n := len(a)
	flat := slices.Concat(a...)
	values = make([]float64, n)
	work := make([]float64, max(1, 3*n))
	ok = gonum.Implementation{}.Dsyev(lapack.EVCompute, blas.Upper, n, flat, n, values, work, len(work))
	for r := range n {
		v = append(v, flat[r*n:(r+1)*n])
	}
	return values, v, ok
}

// Mean is a prefix as one point: its keys and values [rows, slots, width], mean over the
// slots, so that prefixes of different lengths can be compared.
func Mean(kv []float32, slots, width int) []float64 {
	all := make([]float64, len(kv)/slots)
	for i, v := range kv {
		all[i/(slots*width)*width+i%width] += float64(v) / float64(slots)
	}
	return all
}

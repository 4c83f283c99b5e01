package lens

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
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
	products := mat.NewSymDense(n, nil)
	for r, a := range rows {
		for s, b := range rows[:r+1] {
			sum := 0.0
			for i, m := range mean {
				sum += (a[i] - m) * (b[i] - m)
			}
			products.SetSym(r, s, sum)
		}
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(products, true) {
		return nil, fmt.Errorf("lens: the principal components of %d points were not found", n)
	}
	var u mat.Dense
	eigen.VectorsTo(&u)
	p := &Plane{Points: make([][2]float64, n)}
	total := mat.Trace(products)
	values := eigen.Values(nil) // in ascending order
	for axis := range min(2, n) {
		at := n - 1 - axis
		value := max(0, values[at])
		if total > 0 {
			p.Part[axis] = value / total
		}
		scale := math.Sqrt(value)
		if u.At(0, at) > 0 { // an axis has no direction of its own: the first point is on its left, or below
			scale = -scale
		}
		for r := range n {
			p.Points[r][axis] = scale * u.At(r, at)
		}
	}
	return p, nil
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

package lens

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// Plane is points of many dimensions on the two axes on which they differ most: their
// principal components.
type Plane struct {
	Points [][2]float64 // one for each row, the mean of all at 0
	Part   [2]float64   // of the variance that each axis shows, 0 to 1
}

// Project makes a plane of rows of equal length, two at least.
func Project(rows [][]float64) (*Plane, error) {
	n := len(rows)
	if n < 2 {
		return nil, fmt.Errorf("lens: a map of %d points; it needs two", n)
	}
	d := len(rows[0])
	x := mat.NewDense(n, d, nil)
	for r, row := range rows {
		if len(row) != d {
			return nil, fmt.Errorf("lens: point %d has %d numbers, the first %d", r, len(row), d)
		}
		for _, v := range row {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, errNotFinite
			}
		}
		x.SetRow(r, row)
	}
	p := &Plane{Points: make([][2]float64, n)}
	var pc stat.PC
	if !pc.PrincipalComponents(x, nil) {
		return nil, fmt.Errorf("lens: the principal components of %d points were not found", n)
	}
	var axes mat.Dense
	pc.VectorsTo(&axes)
	total := 0.0
	vars := pc.VarsTo(nil)
	for _, v := range vars {
		total += v
	}
	mean := make([]float64, d)
	for _, row := range rows {
		for i, v := range row {
			mean[i] += v / float64(n)
		}
	}
	for axis := range min(2, len(vars)) {
		if total > 0 {
			p.Part[axis] = vars[axis] / total
		}
		sign := 1.0 // an axis has no direction of its own: the first point is on its left, or below
		for r, row := range rows {
			for i, v := range row {
				p.Points[r][axis] += sign * (v - mean[i]) * axes.At(i, axis)
			}
			if r == 0 && p.Points[0][axis] > 0 {
				sign, p.Points[0][axis] = -1, -p.Points[0][axis]
			}
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

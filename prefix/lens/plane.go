package lens

import (
	"fmt"
	"math"
	"slices"
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
	values, vectors := eigen(products)
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		if values[i] > values[j] {
			return -1
		} else if values[i] < values[j] {
			return 1
		}
		return 0
	})
	p := &Plane{Points: make([][2]float64, n)}
	for axis, at := range order[:min(2, n)] {
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

// eigen diagonalises a symmetric matrix in its place: a·v[·][i] = values[i]·v[·][i]. Jacobi's method
// (Golub and Van Loan, Matrix Computations, §8.5): a turn in the plane of two axes takes away one
// element off the diagonal, and after a few rounds over all of them none is left. Gonum's
// solver for all kinds of matrices is 300 kB of the worker; these have a row for each prefix of a shelf.
func eigen(a [][]float64) (values []float64, v [][]float64) {
	n := len(a)
	v = make([][]float64, n)
	for i := range v {
		v[i] = make([]float64, n)
		v[i][i] = 1
	}
	for range 64 { // they converge quadratically: ten are many
		off, all := 0.0, 0.0
		for p := range n {
			for q := range n {
				if all += a[p][q] * a[p][q]; p != q {
					off += a[p][q] * a[p][q]
				}
			}
		}
		if off <= 1e-32*all {
			break
		}
		for p := range n {
			for q := p + 1; q < n; q++ {
				if a[p][q] == 0 {
					continue
				}
				theta := (a[q][q] - a[p][p]) / (2 * a[p][q])
				t := math.Copysign(1/(math.Abs(theta)+math.Hypot(theta, 1)), theta)
				c := 1 / math.Hypot(t, 1)
				s := t * c
				for k := range n {
					a[k][p], a[k][q] = c*a[k][p]-s*a[k][q], s*a[k][p]+c*a[k][q]
				}
				for k := range n {
					a[p][k], a[q][k] = c*a[p][k]-s*a[q][k], s*a[p][k]+c*a[q][k]
					v[k][p], v[k][q] = c*v[k][p]-s*v[k][q], s*v[k][p]+c*v[k][q]
				}
			}
		}
	}
	for i := range a {
		values = append(values, a[i][i])
	}
	return values, v
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

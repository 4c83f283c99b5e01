package cpu

import (
	"math"

	"prelude/engine"
)

func (c *plan[T]) muon(o *engine.Muon) {
	stats := c.at(o.Stats)
	if stats[2] != 0 {
		return
	}
	p, m, g := c.at(o.P), c.at(o.M), c.at(o.G)
	rows, cols := c.p.Dim(o.P, 1), c.p.Dim(o.P, 2)
	beta, lr := T(o.Beta), c.at(o.Hyper)[0]*T(o.Step(rows, cols))
	n := rows * cols
	x, next := make([]T, n), make([]T, n)
	for at := 0; at < len(p); at += n {
		var sq float64
		for i := range n {
			gi := g[at+i] * stats[1]
			m[at+i] = beta*m[at+i] + gi
			x[i] = gi + beta*m[at+i]
			sq += float64(x[i]) * float64(x[i])
		}
		scale := T(1 / (math.Sqrt(sq) + engine.MuonEps))
		for i := range x {
			x[i] *= scale
		}
		for range engine.MuonRounds {
			newtonSchulz(next, x, rows, cols)
			x, next = next, x
		}
		for i := range x {
			p[at+i] -= lr * x[i]
		}
	}
}

// newtonSchulz is a round: y = a·x + (b·A + c·A²)·x with A = x·xᵀ.
func newtonSchulz[T Float](y, x []T, rows, cols int) {
	gram, poly := make([]T, rows*rows), make([]T, rows*rows)
	for i := range rows {
		for j := range rows {
			for k := range cols {
				gram[i*rows+j] += x[i*cols+k] * x[j*cols+k]
			}
		}
	}
	for i := range rows {
		for j := range rows {
			var sq T
			for k := range rows {
				sq += gram[i*rows+k] * gram[k*rows+j]
			}
			poly[i*rows+j] = engine.MuonB*gram[i*rows+j] + engine.MuonC*sq
		}
	}
	for i := range rows {
		for j := range cols {
			sum := engine.MuonA * x[i*cols+j]
			for k := range rows {
				sum += poly[i*rows+k] * x[k*cols+j]
			}
			y[i*cols+j] = sum
		}
	}
}

package cpu

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"

	"prelude/engine"
)

// gemm is c = op(a)·op(b) + beta·c, row-major, with leading dimensions.
func gemm[T Float](ta, tb bool, m, n, k int, a []T, lda int, b []T, ldb int, beta T, c []T, ldc int) {
	if m == 0 || n == 0 {
		return
	}
	if k == 0 {
		for i := range m {
			for j := range n {
				c[i*ldc+j] *= beta
			}
		}
		return
	}
	t := func(on bool) blas.Transpose {
		if on {
			return blas.Trans
		}
		return blas.NoTrans
	}
	switch a := any(a).(type) {
	case []float32:
		gonum.Implementation{}.Sgemm(t(ta), t(tb), m, n, k, 1, a, lda, any(b).([]float32), ldb, float32(beta), any(c).([]float32), ldc)
	case []float64:
		gonum.Implementation{}.Dgemm(t(ta), t(tb), m, n, k, 1, a, lda, any(b).([]float64), ldb, float64(beta), any(c).([]float64), ldc)
	}
}

func (c *plan[T]) linear(o *engine.Linear) {
	s := c.p.Spec(o.W)
	rows, in, out := c.rows(o.X), c.p.Dim(o.X, -1), c.p.Dim(o.Y, -1)
	x, y, bias := c.at(o.X), c.at(o.Y)[:rows*out], c.at(o.Bias)
	if o.Add == engine.None {
		clear(y)
	} else if o.Add != o.Y {
		copy(y, c.at(o.Add)[:rows*out])
	}
	if bias != nil {
		for r := range rows {
			for j := range out {
				y[r*out+j] += bias[j]
			}
		}
	}
	// A panel is a range of W's rows: outputs of x·Wᵀ, or inputs of x·W.
	step := panelRows(s)
	for from := 0; from < s.Rows(); from += step {
		to := min(from+step, s.Rows())
		w := c.weightRows(o.W, from, to)
		if o.In {
			gemm(false, false, rows, out, to-from, x[from:], in, w, out, 1, y, out)
		} else {
			gemm(false, true, rows, to-from, in, x, in, w, in, 1, y[from:], out)
		}
	}
}

func (c *plan[T]) outer(o *engine.Outer) {
	rows, m, n := c.rows(o.A), c.p.Dim(o.Y, 0), c.p.Dim(o.Y, -1)
	y := c.at(o.Y)
	if o.Add == engine.None {
		clear(y)
	} else if o.Add != o.Y {
		copy(y, c.at(o.Add))
	}
	gemm(true, false, m, n, rows, c.at(o.A), m, c.at(o.B), n, 1, y, n)
}

func (c *plan[T]) sumRows(o *engine.SumRows) {
	rows, n := c.rows(o.X), c.p.Dim(o.X, -1)
	x, y := c.at(o.X), c.at(o.Y)
	if o.Add == engine.None {
		clear(y)
	} else if o.Add != o.Y {
		copy(y, c.at(o.Add))
	}
	for r := range rows {
		for j := range n {
			y[j] += x[r*n+j]
		}
	}
}

func (c *plan[T]) embed(o *engine.Embed) {
	ids, y := c.i32(o.IDs), c.at(o.Y)
	n := c.p.Dim(o.Y, -1)
	for r := range c.rows(o.Y) {
		id := int(ids[r])
		for j, w := range c.weightRows(o.W, id, id+1) {
			y[r*n+j] = w * T(o.Scale)
		}
	}
}

func (c *plan[T]) embedBackward(o *engine.EmbedBackward) {
	ids, dy, dw := c.i32(o.IDs), c.at(o.DY), c.at(o.DW)
	n := c.p.Dim(o.DY, -1)
	for r := range c.rows(o.DY) {
		row := dw[int(ids[r])*n:][:n]
		for j := range row {
			row[j] += T(o.Scale) * dy[r*n+j]
		}
	}
}

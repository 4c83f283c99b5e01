package cpu

import "prelude/engine"

func (c *plan[T]) headLinear(o *engine.HeadLinear) {
	x, w, y := c.at(o.X), c.at(o.W), c.at(o.Y)
	heads, out, in := c.p.Dim(o.W, 0), c.p.Dim(o.W, 1), c.p.Dim(o.W, 2)
	a, b := in, out // columns of a head in x and in y
	if o.Transposed {
		a, b = out, in
	}
	for j := range heads {
		gemm(false, !o.Transposed, c.rows(o.X), b, a, x[j*a:], heads*a, w[j*out*in:], in, 0, y[j*b:], heads*b)
	}
}

func (c *plan[T]) headOuter(o *engine.HeadOuter) {
	a, b, y := c.at(o.A), c.at(o.B), c.at(o.Y)
	heads, m, n := c.p.Dim(o.Y, 0), c.p.Dim(o.Y, 1), c.p.Dim(o.Y, 2)
	clear(y)
	for j := range heads {
		gemm(true, false, m, n, c.rows(o.A), a[j*m:], heads*m, b[j*n:], heads*n, 0, y[j*m*n:], n)
	}
}

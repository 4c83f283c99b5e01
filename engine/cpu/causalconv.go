package cpu

import "prelude/engine"

// taps calls f for each tap of row t that falls on a row: row i of x, or of left if isLeft.
func (c *plan[T]) taps(o *engine.CausalConv, t int, f func(tap, i int, isLeft bool)) {
	lo, hi := int(c.i32(o.Lo)[t]), int(c.i32(o.Hi)[t])
	n := c.p.Dim(o.Left, 0)
	for tap := range c.p.Dim(o.W, 0) {
		i := hi - 1 - tap*o.Dilation
		switch {
		case i >= lo:
			f(tap, i, false)
		case n+i-lo >= 0 && o.Left != engine.None:
			f(tap, n+i-lo, true)
		}
	}
}

func (c *plan[T]) causalConv(o *engine.CausalConv) {
	x, w, left, y, d := c.at(o.X), c.at(o.W), c.at(o.Left), c.at(o.Y), c.p.Dim(o.X, -1)
	for t := range c.rows(o.Y) {
		row := y[t*d:][:d]
		clear(row)
		c.taps(o, t, func(tap, i int, isLeft bool) {
			from := x
			if isLeft {
				from = left
			}
			for j := range d {
				row[j] += w[tap*d+j] * from[i*d+j]
			}
		})
	}
}

func (c *plan[T]) causalConvBackward(o *engine.CausalConvBackward) {
	x, w, left, dy, d := c.at(o.X), c.at(o.W), c.at(o.Left), c.at(o.DY), c.p.Dim(o.X, -1)
	dx, dw, dleft := c.at(o.DX), c.at(o.DW), c.at(o.DLeft)
	clear(dx)
	clear(dw)
	clear(dleft)
	for t := range c.rows(o.Y) {
		g := dy[t*d:][:d]
		c.taps(&o.CausalConv, t, func(tap, i int, isLeft bool) {
			from, to := x, dx
			if isLeft {
				from, to = left, dleft
			}
			for j := range d {
				if dw != nil {
					dw[tap*d+j] += g[j] * from[i*d+j]
				}
				if to != nil {
					to[i*d+j] += g[j] * w[tap*d+j]
				}
			}
		})
	}
}

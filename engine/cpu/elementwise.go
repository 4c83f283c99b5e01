package cpu

import "prelude/engine"

func (c *plan[T]) fill(o *engine.Fill) {
	y := c.at(o.Y)
	for i := range y {
		y[i] = T(o.Value)
	}
}

func (c *plan[T]) copy(o *engine.Copy) { copy(c.at(o.Y), c.at(o.X)[:c.liveLen(o.X)]) }

func (c *plan[T]) binary(o *engine.Binary) {
	n, cols := c.liveLen(o.A), c.p.Dim(o.A, -1)
	a, b, y := c.at(o.A), c.at(o.B), c.at(o.Y)
	spread, _ := c.p.SpreadOf(o.A, o.B)
	for i := range n {
		j := i
		switch spread {
		case engine.ByCol:
			j = i % cols
		case engine.ByRow:
			j = i / cols
		case engine.Uniform:
			j = 0
		}
		if o.Fn == engine.Add {
			y[i] = a[i] + b[j]
		} else {
			y[i] = a[i] * b[j]
		}
	}
}

func (c *plan[T]) rowDot(o *engine.RowDot) {
	a, b, y := c.at(o.A), c.at(o.B), c.at(o.Y)
	n := c.p.Dim(o.A, -1)
	for r := range c.rows(o.A) {
		var s T
		for j := r * n; j < (r+1)*n; j++ {
			if b == nil {
				s += a[j]
			} else {
				s += a[j] * b[j]
			}
		}
		y[r] = s
	}
}

func (c *plan[T]) largest(o *engine.Largest) {
	x, y := c.at(o.X), c.at(o.Y)
	n := c.p.Dim(o.X, -1)
	for r := range c.rows(o.X) {
		best := -1
		for j, v := range x[r*n : (r+1)*n] {
			if v == v && (best < 0 || v > x[r*n+best]) {
				best = j
			}
		}
		y[r] = T(max(best, 0))
	}
}

func (c *plan[T]) sumAll(o *engine.SumAll) {
	var s T
	for _, v := range c.at(o.X)[:c.liveLen(o.X)] {
		s += v
	}
	c.at(o.Y)[0] = s
}

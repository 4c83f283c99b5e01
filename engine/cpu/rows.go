package cpu

import "prelude/engine"

func (c *plan[T]) gatherRows(o *engine.GatherRows) {
	x, y, idx := c.at(o.X), c.at(o.Y), c.i32(o.Idx)
	n := c.p.Dim(o.X, -1)
	for i := range c.rows(o.Y) {
		copy(y[i*n:(i+1)*n], x[int(idx[i])*n:])
	}
}

func (c *plan[T]) scatterRows(o *engine.ScatterRows) {
	x, y, idx := c.at(o.X), c.at(o.Y), c.i32(o.Idx)
	n, rows := c.p.Dim(o.X, -1), c.rows(o.Y)
	if o.Add == engine.None {
		clear(y[:rows*n])
	} else if o.Add != o.Y {
		copy(y[:rows*n], c.at(o.Add))
	}
	for i := range c.rows(o.X) {
		for j := range n {
			y[int(idx[i])*n+j] += x[i*n+j]
		}
	}
}

func (c *plan[T]) storeRows(o *engine.StoreRows) {
	x, y, idx := c.at(o.X), c.at(o.Dst), c.i32(o.Idx)
	n := c.p.Dim(o.X, -1)
	for i := range c.rows(o.X) {
		copy(y[int(idx[i])*n:][:n], x[i*n:])
	}
}

func (c *plan[T]) concatRows(o *engine.ConcatRows) {
	y := c.at(o.Y)
	n := copy(y, c.at(o.A))
	copy(y[n:], c.at(o.B))
}

func (c *plan[T]) splitCols(o *engine.SplitCols) {
	x, y := c.at(o.X), c.at(o.Y)
	n := len(x)
	wide := c.p.Dim(o.X, -1)
	if o.Merge {
		wide = c.p.Dim(o.Y, -1)
	}
	rows, cols := n/wide, wide/o.Groups
	for g := range o.Groups {
		for r := range rows {
			split, merged := (g*rows+r)*cols, r*wide+g*cols
			if o.Merge {
				copy(y[merged:merged+cols], x[split:])
			} else {
				copy(y[split:split+cols], x[merged:])
			}
		}
	}
}

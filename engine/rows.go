package engine

// GatherRows is y_i = x[idx_i]: x [rows, n], idx I32 [m], y [m, n]. Indices must be
// distinct where the gradient of x is needed.
type GatherRows struct{ X, Idx, Y Buffer }

// GatherRows picks rows of x.
func (p *Program) GatherRows(x, idx Buffer) Buffer {
	p.want("gather", "indices", idx, 0)
	y := p.Temp("gather", p.Info(idx).Rows, p.Dim(idx, 0), p.Dim(x, -1))
	p.emit(&GatherRows{X: x, Idx: idx, Y: y})
	return y
}

func (o *GatherRows) ports() (in, out []*Buffer) { return []*Buffer{&o.X, &o.Idx}, []*Buffer{&o.Y} }
func (o *GatherRows) bounds() []bound            { return []bound{index("gather: row", o.Idx, o.X)} }
func (o *GatherRows) cost(p *Program) Cost       { return Cost{Bytes: 8 * float64(p.Spec(o.Y).Len())} }

// dx[idx_i] = dy_i + add[idx_i], and add elsewhere.
func (o *GatherRows) backward(g *Grads) {
	if !g.Needs(o.X) {
		return
	}
	dx, add := g.target(o.X)
	g.p.emit(&ScatterRows{X: g.Of(o.Y), Idx: o.Idx, Add: add, Y: dx})
}

// ScatterRows is y = add (0 where None) with x_i added to row idx_i, the gradient of
// [GatherRows]. Indices are distinct. Y may be Add. All live rows of y are written.
type ScatterRows struct{ X, Idx, Add, Y Buffer }

// ScatterRows adds the rows of x to zeros with the rows and domain of like.
func (p *Program) ScatterRows(x, idx, like Buffer) Buffer {
	y := p.like("scatter", like, p.Dim(x, -1))
	p.emit(&ScatterRows{X: x, Idx: idx, Y: y})
	return y
}

func (o *ScatterRows) ports() (in, out []*Buffer) {
	return []*Buffer{&o.X, &o.Idx, &o.Add}, []*Buffer{&o.Y}
}
func (o *ScatterRows) bounds() []bound      { return []bound{index("scatter: row", o.Idx, o.Y)} }
func (o *ScatterRows) cost(p *Program) Cost { return Cost{} }
func (o *ScatterRows) backward(g *Grads) {
	dy := g.Of(o.Y)
	if g.Needs(o.Add) {
		g.share(o.Add, dy)
	}
	if g.Needs(o.X) {
		g.sum(o.X, g.p.GatherRows(dy, o.Idx))
	}
}

// StoreRows writes x_i into row idx_i of the tensor dst, such as keys and values into a
// cache. Dst counts as read and written, so later operations see the new rows.
type StoreRows struct{ X, Idx, Dst Buffer }

// StoreRows writes rows into a tensor of the device. It has no gradient.
func (p *Program) StoreRows(x, idx, dst Buffer) {
	if p.Info(dst).Life != Persist {
		p.Failf("store: %q is not a tensor", p.Info(dst).Name)
	}
	p.want("store", "indices", idx, p.Spec(x).Rows())
	p.emit(&StoreRows{X: x, Idx: idx, Dst: dst})
}

func (o *StoreRows) ports() (in, out []*Buffer) {
	return []*Buffer{&o.X, &o.Idx, &o.Dst}, []*Buffer{&o.Dst}
}
func (o *StoreRows) bounds() []bound      { return []bound{index("store: row", o.Idx, o.Dst)} }
func (o *StoreRows) cost(p *Program) Cost { return Cost{Bytes: 8 * float64(p.Spec(o.X).Len())} }
func (o *StoreRows) backward(g *Grads)    {}

// ConcatRows is y = [a; b]: [m, n] and [k, n] to [m+k, n]. All rows are live.
type ConcatRows struct{ A, B, Y Buffer }

// ConcatRows puts b below a. Neither may have a domain.
func (p *Program) ConcatRows(a, b Buffer) Buffer {
	if p.Info(a).Rows != AllRows || p.Info(b).Rows != AllRows {
		p.Failf("concat: rows with a live count")
	}
	p.want("concat", "b", b, 0, p.Dim(a, -1))
	y := p.Temp("concat", AllRows, p.Dim(a, 0)+p.Dim(b, 0), p.Dim(a, -1))
	p.emit(&ConcatRows{A: a, B: b, Y: y})
	return y
}

func (o *ConcatRows) ports() (in, out []*Buffer) { return []*Buffer{&o.A, &o.B}, []*Buffer{&o.Y} }
func (o *ConcatRows) cost(*Program) Cost         { return Cost{} }
func (o *ConcatRows) backward(g *Grads) {
	p, dy := g.p, g.Of(o.Y)
	if g.Needs(o.A) {
		g.share(o.A, p.View(dy, 0, p.Spec(o.A).Shape...))
	}
	if g.Needs(o.B) {
		g.share(o.B, p.View(dy, p.Spec(o.A).Len(), p.Spec(o.B).Shape...))
	}
}

// SplitCols is y[g] = columns [g·n, (g+1)·n) of x: [rows, groups·n] to [groups, rows, n].
// Merge is the inverse: [groups, rows, n] to [rows, groups·n].
type SplitCols struct {
	X, Y   Buffer
	Groups int
	Merge  bool
}

// SplitCols cuts rows into groups of columns. All rows are live.
func (p *Program) SplitCols(x Buffer, groups int) Buffer {
	rows, n := p.Spec(x).Rows(), p.Dim(x, -1)
	if groups <= 0 || n%groups != 0 || p.Info(x).Rows != AllRows {
		p.Failf("split: %v into %d groups", p.Spec(x), groups)
		return None
	}
	y := p.Temp("split", AllRows, groups, rows, n/groups)
	p.emit(&SplitCols{X: x, Y: y, Groups: groups})
	return y
}

func (o *SplitCols) ports() (in, out []*Buffer) { return []*Buffer{&o.X}, []*Buffer{&o.Y} }
func (o *SplitCols) cost(*Program) Cost         { return Cost{} }
func (o *SplitCols) backward(g *Grads) {
	if g.Needs(o.X) {
		i := g.p.Info(o.X)
		d := g.p.Temp("d split", i.Rows, i.Spec.Shape...)
		g.p.emit(&SplitCols{X: g.Of(o.Y), Y: d, Groups: o.Groups, Merge: !o.Merge})
		g.sum(o.X, d)
	}
}

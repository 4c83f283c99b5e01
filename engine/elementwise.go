package engine

import "slices"

// BinaryFn is the function of a [Binary].
type BinaryFn uint8

const (
	Add BinaryFn = iota // a + b
	Mul                 // a · b
)

// Binary is y = fn(a, b), elementwise; a and y have the same shape. B has that shape too,
// or is [cols] (one row for all rows), [rows, 1] (one number for each row) or [1]. Y may
// be A.
type Binary struct {
	A, B, Y Buffer
	Fn      BinaryFn
}

// Spread is how the second operand of a [Binary] is repeated over the first.
type Spread uint8

const (
	Same    Spread = iota // elementwise
	ByCol                 // b [cols]
	ByRow                 // b [rows, 1]
	Uniform               // b [1]
)

// SpreadOf is how b is repeated over a; it is not ok where the shapes do not fit.
func (p *Program) SpreadOf(a, b Buffer) (Spread, bool) {
	as, bs := p.Spec(a), p.Spec(b)
	switch {
	case slices.Equal(as.Shape, bs.Shape):
		return Same, true
	case bs.Len() == 1:
		return Uniform, true
	case len(bs.Shape) == 1 && bs.Shape[0] == as.Cols():
		return ByCol, true
	case bs.Cols() == 1 && bs.Rows() == as.Rows():
		return ByRow, true
	}
	return Same, false
}

// Add is a + b.
func (p *Program) Add(a, b Buffer) Buffer { return p.binary(Add, a, b) }

// Mul is a ⊙ b.
func (p *Program) Mul(a, b Buffer) Buffer { return p.binary(Mul, a, b) }

func (p *Program) binary(fn BinaryFn, a, b Buffer) Buffer {
	if _, ok := p.SpreadOf(a, b); !ok {
		p.Failf("binary: %v does not spread over %v", p.Spec(b), p.Spec(a))
	}
	if d := p.Info(b).Rows; d != AllRows && d != p.Info(a).Rows {
		p.Failf("binary: %q has live rows of another domain than %q", p.Info(b).Name, p.Info(a).Name)
	}
	y := p.like("binary", a, p.Dim(a, -1))
	p.emit(&Binary{Fn: fn, A: a, B: b, Y: y})
	return y
}

func (o *Binary) ports() (in, out []*Buffer) { return []*Buffer{&o.A, &o.B}, []*Buffer{&o.Y} }
func (o *Binary) cost(p *Program) Cost       { return Cost{FLOPs: float64(p.Spec(o.Y).Len())} }

// Add: da = dy, db = dy summed over the spread. Mul: da = dy⊙b, db = dy⊙a summed.
func (o *Binary) backward(g *Grads) {
	p, dy := g.p, g.Of(o.Y)
	if g.Needs(o.A) {
		if o.Fn == Add {
			g.share(o.A, dy)
		} else {
			g.sum(o.A, p.Mul(dy, o.B))
		}
	}
	if !g.Needs(o.B) {
		return
	}
	spread, _ := p.SpreadOf(o.A, o.B)
	if (spread == Same || spread == ByRow) && p.Info(o.A).Rows != p.Info(o.B).Rows {
		p.Failf("binary: no gradient for %q, all of whose rows meet the live rows of %q", p.Info(o.B).Name, p.Info(o.A).Name)
	}
	if o.Fn == Mul {
		if spread == ByRow {
			g.sum(o.B, p.rowDot(dy, o.A, o.B))
			return
		}
		dy = p.Mul(dy, o.A)
	}
	switch spread {
	case Same:
		if o.Fn == Add {
			g.share(o.B, dy)
		} else {
			g.sum(o.B, dy)
		}
	case ByCol:
		g.sum(o.B, p.SumRows(dy))
	case ByRow:
		g.sum(o.B, p.rowDot(dy, None, o.B))
	case Uniform:
		s := p.like("Σ", o.B, p.Dim(o.B, -1))
		p.emit(&SumAll{X: dy, Y: s})
		g.sum(o.B, s)
	}
}

// Largest is y_t = argmax_j x_tj, the first of several: [rows, n] to [rows, 1], as a number. What is
// NaN is not counted; of a row of nothing else y is 0. It has no gradient.
//
// Where x = h·Wᵀ is the product of a frozen weight, without bias, H and W are its factors, None
// otherwise: a device that has rounded them computes the largest of x again, in x, before it chooses.
type Largest struct{ X, H, W, Y Buffer }

// Largest says of every row where its largest number stands: rows are of at most 2²⁴ numbers, which
// float32 counts.
func (p *Program) Largest(x Buffer) Buffer {
	if n := p.Dim(x, -1); n > 1<<24 {
		p.Failf("largest: rows of %d numbers, at most %d", n, 1<<24)
	}
	y := p.like("largest", x, 1)
	o := &Largest{X: x, Y: y}
	for _, op := range p.ops {
		if l, ok := op.(*Linear); ok && l.Y == x && l.Bias == None && l.Add == None && !l.In && p.MayRound(l.W) {
			o.H, o.W = l.X, l.W
		}
	}
	p.emit(o)
	return y
}

func (o *Largest) ports() (in, out []*Buffer) {
	return []*Buffer{&o.X, &o.H, &o.W}, []*Buffer{&o.Y}
}
func (o *Largest) cost(p *Program) Cost { return Cost{Bytes: 4 * float64(p.Spec(o.X).Len())} }
func (o *Largest) backward(g *Grads)    {}

// RowDot is y_t = ⟨a_t, b_t⟩, or Σ a_t where b is None: [rows, n] to [rows, 1].
type RowDot struct{ A, B, Y Buffer }

func (p *Program) rowDot(a, b, like Buffer) Buffer {
	y := p.like("rowdot", like, 1)
	p.emit(&RowDot{A: a, B: b, Y: y})
	return y
}

// RowDot is ⟨a_t, b_t⟩ for every row.
func (p *Program) RowDot(a, b Buffer) Buffer {
	y := p.like("rowdot", a, 1)
	p.emit(&RowDot{A: a, B: b, Y: y})
	return y
}

func (o *RowDot) ports() (in, out []*Buffer) { return []*Buffer{&o.A, &o.B}, []*Buffer{&o.Y} }
func (o *RowDot) cost(p *Program) Cost       { return Cost{FLOPs: 2 * float64(p.Spec(o.A).Len())} }

// da = dy⊙b, db = dy⊙a, dy spread by row.
func (o *RowDot) backward(g *Grads) {
	p, dy := g.p, g.Of(o.Y)
	if o.B == None {
		if g.Needs(o.A) {
			d := p.like("d", o.A, p.Dim(o.A, -1))
			p.emit(&Fill{Y: d})
			p.emit(&Binary{Fn: Add, A: d, B: dy, Y: d})
			g.sum(o.A, d)
		}
		return
	}
	if g.Needs(o.A) {
		g.sum(o.A, p.Mul(o.B, dy))
	}
	if g.Needs(o.B) {
		g.sum(o.B, p.Mul(o.A, dy))
	}
}

// SumAll is y = Σ x over the live rows; y [1].
type SumAll struct{ X, Y Buffer }

// SumAll adds up all live elements of x.
func (p *Program) SumAll(x Buffer) Buffer {
	y := p.Temp("Σ "+p.Info(x).Name, AllRows, 1)
	p.emit(&SumAll{X: x, Y: y})
	return y
}

func (o *SumAll) ports() (in, out []*Buffer) { return []*Buffer{&o.X}, []*Buffer{&o.Y} }
func (o *SumAll) cost(p *Program) Cost       { return Cost{FLOPs: float64(p.Spec(o.X).Len())} }
func (o *SumAll) backward(g *Grads) {
	if g.Needs(o.X) {
		d := g.p.like("d", o.X, g.p.Dim(o.X, -1))
		g.p.emit(&Fill{Y: d})
		g.p.emit(&Binary{Fn: Add, A: d, B: g.Of(o.Y), Y: d})
		g.sum(o.X, d)
	}
}

// Fill is y = value, all rows of it.
type Fill struct {
	Y     Buffer
	Value float64
}

func (o *Fill) ports() (in, out []*Buffer) { return nil, []*Buffer{&o.Y} }
func (o *Fill) cost(p *Program) Cost       { return Cost{} }
func (o *Fill) backward(*Grads)            {}

// Copy is y = x, live rows only. Shapes may differ, lengths may not.
type Copy struct{ X, Y Buffer }

// CopyTo writes x into the tensor y.
func (p *Program) CopyTo(x, y Buffer) {
	if p.Spec(x).Len() != p.Spec(y).Len() {
		p.Failf("copy: %v into %v", p.Spec(x), p.Spec(y))
	}
	p.emit(&Copy{X: x, Y: y})
}

func (o *Copy) ports() (in, out []*Buffer) { return []*Buffer{&o.X}, []*Buffer{&o.Y} }
func (o *Copy) cost(p *Program) Cost       { return Cost{} }
func (o *Copy) backward(g *Grads) {
	if g.Needs(o.X) {
		d := g.p.like("d", o.X, g.p.Dim(o.X, -1))
		g.p.emit(&Copy{X: g.Of(o.Y), Y: d})
		g.sum(o.X, d)
	}
}

// View makes y a part of x; it costs nothing. Its gradient is the same part of x's.
type View struct{ X, Y Buffer }

// View is the elements [off, off+len) of x in another shape. Views that need gradients
// must not overlap.
func (p *Program) View(x Buffer, off int, shape ...int) Buffer {
	root, base := p.Root(x)
	i := p.Info(x)
	s := Spec{i.Spec.DType, shape}
	if off < 0 || off+s.Len() > i.Spec.Len() || i.Spec.DType.Block() != 1 {
		p.Failf("view: [%d, %d) of %q %v", off, off+s.Len(), i.Name, i.Spec)
		return None
	}
	rows := AllRows
	if off == 0 && len(shape) > 0 && shape[0] == p.Dim(x, 0) {
		rows = i.Rows // the same rows in another shape
	} else if i.Rows != AllRows {
		p.Failf("view: part of %q, whose rows have a live count", i.Name)
	}
	y := p.add(Info{Name: i.Name, Spec: s, Life: i.Life, Rows: rows, Root: root, Off: base + off})
	p.emit(&View{X: root, Y: y})
	return y
}

func (o *View) ports() (in, out []*Buffer) { return []*Buffer{&o.X}, []*Buffer{&o.Y} }
func (o *View) cost(*Program) Cost         { return Cost{} }
func (o *View) backward(*Grads)            {} // Grads.new has made it a view

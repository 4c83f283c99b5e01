package engine

// HeadLinear is a linear map of each head's own: columns [j·n, (j+1)·n) of a row are
// head j's, and
//
//	y_{t,j} = W_j·x_{t,j}
//
// with x [rows, heads·in], W [heads, out, in], y [rows, heads·out]; or by W's
// transpose where Transposed, x [rows, heads·out] and y [rows, heads·in].
//
//	dx_{t,j} = W_jᵀ·dy_{t,j}      dW_j = Σ_t dy_{t,j}·x_{t,j}ᵀ
type HeadLinear struct {
	X, W, Y    Buffer
	Transposed bool
}

// HeadLinear multiplies each head's columns by the head's own matrix (F32).
func (p *Program) HeadLinear(x, w Buffer) Buffer {
	heads, out, in := p.Dim(w, 0), p.Dim(w, 1), p.Dim(w, 2)
	p.want("head linear", "weight", w, 0, 0, 0)
	p.want("head linear", "rows", x, 0, heads*in)
	y := p.like("heads·", x, heads*out)
	p.emit(&HeadLinear{X: x, W: w, Y: y})
	return y
}

func (o *HeadLinear) ports() (in, out []*Buffer) { return []*Buffer{&o.X, &o.W}, []*Buffer{&o.Y} }

func (o *HeadLinear) cost(p *Program) Cost {
	return Cost{FLOPs: 2 * float64(p.Spec(o.X).Rows()) * float64(p.Spec(o.W).Len())}
}

func (o *HeadLinear) backward(g *Grads) {
	p, dy := g.p, g.Of(o.Y)
	if g.Needs(o.X) {
		dx := p.like("d heads", o.X, p.Dim(o.X, -1))
		p.emit(&HeadLinear{X: dy, W: o.W, Y: dx, Transposed: !o.Transposed})
		g.sum(o.X, dx)
	}
	if g.Needs(o.W) {
		i := p.Info(o.W)
		dw := p.Temp("d "+i.Name, AllRows, i.Spec.Shape...)
		a, b := dy, o.X
		if o.Transposed {
			a, b = o.X, dy
		}
		p.emit(&HeadOuter{A: a, B: b, Y: dw})
		g.sum(o.W, dw)
	}
}

// HeadOuter is y_j = Σ_t a_{t,j}·b_{t,j}ᵀ over the live rows: a [rows, heads·m],
// b [rows, heads·n], y [heads, m, n].
type HeadOuter struct{ A, B, Y Buffer }

func (o *HeadOuter) ports() (in, out []*Buffer) { return []*Buffer{&o.A, &o.B}, []*Buffer{&o.Y} }
func (o *HeadOuter) cost(p *Program) Cost {
	return Cost{FLOPs: 2 * float64(p.Spec(o.A).Rows()) * float64(p.Spec(o.Y).Len())}
}
func (o *HeadOuter) backward(g *Grads) { g.p.Failf("head outer: no second derivatives") }

package engine

// Linear is y = x·Wᵀ + bias + add, with x [rows, in], W [out, in] (or [in, out] if
// In), bias [out], add and y [rows, out]. Y may be Add itself.
//
//	dx = dy·W      dW = dyᵀ·x      dbias = Σ_rows dy      dadd = dy
type Linear struct {
	X, W, Bias, Add, Y Buffer
	In                 bool // W is stored [in, out]
}

// Linear multiplies rows by a weight matrix of any type; bias and add may be None.
func (p *Program) Linear(x, w, bias, add Buffer) Buffer {
	out := p.Dim(w, 0)
	p.want("linear", "weight", w, 0, p.Dim(x, -1))
	if bias != None {
		p.want("linear", "bias", bias, out)
	}
	y := p.like(p.Info(w).Name+"·", x, out)
	p.emit(&Linear{X: x, W: w, Bias: bias, Add: add, Y: y})
	return y
}

func (o *Linear) ports() (in, out []*Buffer) {
	return []*Buffer{&o.X, &o.W, &o.Bias, &o.Add}, []*Buffer{&o.Y}
}

func (o *Linear) cost(p *Program) Cost {
	return Cost{FLOPs: 2 * float64(p.Spec(o.X).Rows()) * float64(p.Spec(o.W).Len())}
}

func (o *Linear) backward(g *Grads) {
	dy := g.Of(o.Y)
	if g.Needs(o.X) {
		dx, add := g.target(o.X)
		g.p.emit(&Linear{X: dy, W: o.W, Add: add, Y: dx, In: !o.In})
	}
	if g.Needs(o.W) {
		dw, add := g.target(o.W)
		a, b := dy, o.X
		if o.In {
			a, b = o.X, dy
		}
		g.p.emit(&Outer{A: a, B: b, Add: add, Y: dw})
	}
	if g.Needs(o.Bias) {
		db, add := g.target(o.Bias)
		g.p.emit(&SumRows{X: dy, Add: add, Y: db})
	}
	if g.Needs(o.Add) {
		g.share(o.Add, dy)
	}
}

// Outer is y = Σ_t a_tᵀ b_t + add over the live rows of a [rows, m] and b [rows, n]:
// the gradient of a weight; y [m, n].
type Outer struct{ A, B, Add, Y Buffer }

func (o *Outer) ports() (in, out []*Buffer) {
	return []*Buffer{&o.A, &o.B, &o.Add}, []*Buffer{&o.Y}
}
func (o *Outer) cost(p *Program) Cost {
	return Cost{FLOPs: 2 * float64(p.Spec(o.A).Rows()) * float64(p.Spec(o.Y).Len())}
}
func (o *Outer) backward(g *Grads) { g.p.Failf("outer: no second derivatives") }

// SumRows is y = Σ_t x_t + add over the live rows of x [rows, n]; y [n].
type SumRows struct{ X, Add, Y Buffer }

// SumRows adds up the live rows of x.
func (p *Program) SumRows(x Buffer) Buffer {
	y := p.Temp("Σ "+p.Info(x).Name, AllRows, p.Dim(x, -1))
	p.emit(&SumRows{X: x, Y: y})
	return y
}

func (o *SumRows) ports() (in, out []*Buffer) { return []*Buffer{&o.X, &o.Add}, []*Buffer{&o.Y} }
func (o *SumRows) cost(p *Program) Cost       { return Cost{FLOPs: float64(p.Spec(o.X).Len())} }

// dx_t = dy for every row.
func (o *SumRows) backward(g *Grads) {
	dy := g.Of(o.Y)
	if g.Needs(o.Add) {
		g.share(o.Add, dy)
	}
	if g.Needs(o.X) {
		dx, add := g.target(o.X)
		if add == None {
			g.p.emit(&Fill{Y: dx})
			add = dx
		}
		g.p.emit(&Binary{Fn: Add, A: add, B: dy, Y: dx})
	}
}

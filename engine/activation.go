package engine

// UnaryFn is the function of a [Unary] or a [Gated].
type UnaryFn uint8

const (
	Scale    UnaryFn = iota // αx
	Tanh                    // tanh x
	Sigmoid                 // 1/(1+e^−x)
	SiLU                    // x·σ(x)
	GELU                    // x·Φ(x), by erf
	GELUTanh                // its tanh form, 0.5x(1+tanh(√(2/π)(x+0.044715x³))): "gelu_new"
	ReLU                    // max(x, 0)
	Exp                     // e^x
	Log                     // log x, for x > 0
	ELU1                    // elu(x)+1: x+1 for x > 0, else e^x
	Clamp01                 // min(max(x, 0), 1)
	AddConst                // x + α
)

// Unary is y = fn(x), elementwise; α is Alpha.
type Unary struct {
	X, Y  Buffer
	Fn    UnaryFn
	Alpha float64
}

// Unary applies fn elementwise.
func (p *Program) Unary(fn UnaryFn, x Buffer, alpha float64) Buffer {
	y := p.like("act", x, p.Dim(x, -1))
	p.emit(&Unary{Fn: fn, X: x, Y: y, Alpha: alpha})
	return y
}

func (o *Unary) ports() (in, out []*Buffer) { return []*Buffer{&o.X}, []*Buffer{&o.Y} }
func (o *Unary) cost(p *Program) Cost       { return Cost{FLOPs: 8 * float64(p.Spec(o.X).Len())} }
func (o *Unary) backward(g *Grads) {
	if g.Needs(o.X) {
		d := g.p.like("d act", o.X, g.p.Dim(o.X, -1))
		g.p.emit(&UnaryBackward{X: o.X, DY: g.Of(o.Y), DX: d, Fn: o.Fn, Alpha: o.Alpha})
		g.sum(o.X, d)
	}
}

// UnaryBackward is dx = fn′(x)·dy.
type UnaryBackward struct {
	X, DY, DX Buffer
	Fn        UnaryFn
	Alpha     float64
}

func (o *UnaryBackward) ports() (in, out []*Buffer) {
	return []*Buffer{&o.X, &o.DY}, []*Buffer{&o.DX}
}
func (o *UnaryBackward) cost(p *Program) Cost { return Cost{FLOPs: 10 * float64(p.Spec(o.X).Len())} }
func (o *UnaryBackward) backward(g *Grads)    { g.p.Failf("unary: no second derivatives") }

// Gated is y = fn(a) ⊙ b: SwiGLU with SiLU (Shazeer 2020, arXiv 2002.05202).
type Gated struct {
	A, B, Y Buffer
	Fn      UnaryFn
}

// Gated multiplies b by the activated gate a.
func (p *Program) Gated(fn UnaryFn, a, b Buffer) Buffer {
	p.want("gated", "b", b, p.Spec(a).Shape...)
	y := p.like("gated", a, p.Dim(a, -1))
	p.emit(&Gated{Fn: fn, A: a, B: b, Y: y})
	return y
}

func (o *Gated) ports() (in, out []*Buffer) { return []*Buffer{&o.A, &o.B}, []*Buffer{&o.Y} }
func (o *Gated) cost(p *Program) Cost       { return Cost{FLOPs: 9 * float64(p.Spec(o.Y).Len())} }
func (o *Gated) backward(g *Grads) {
	b := &GatedBackward{A: o.A, B: o.B, DY: g.Of(o.Y), Fn: o.Fn}
	b.DA, b.DB = g.p.like("d gate", o.A, g.p.Dim(o.A, -1)), g.p.like("d up", o.B, g.p.Dim(o.B, -1))
	g.p.emit(b)
	if g.Needs(o.A) {
		g.sum(o.A, b.DA)
	}
	if g.Needs(o.B) {
		g.sum(o.B, b.DB)
	}
}

// GatedBackward is da = fn′(a)·b·dy, db = fn(a)·dy.
type GatedBackward struct {
	A, B, DY, DA, DB Buffer
	Fn               UnaryFn
}

func (o *GatedBackward) ports() (in, out []*Buffer) {
	return []*Buffer{&o.A, &o.B, &o.DY}, []*Buffer{&o.DA, &o.DB}
}
func (o *GatedBackward) cost(p *Program) Cost { return Cost{FLOPs: 14 * float64(p.Spec(o.A).Len())} }
func (o *GatedBackward) backward(g *Grads)    { g.p.Failf("gated: no second derivatives") }

package engine

// CausalConv is a causal depthwise convolution. The window of row t ends at row e = hi_t − 1
// of x. It sees the rows of its own sequence, which begins at row lo_t, and before them the
// rows of left, which precede every sequence:
//
//	y_t = Σ_τ w_τ ⊙ x_{e−τ·dil}            e−τ·dil ≥ lo_t
//	    + Σ_τ w_τ ⊙ left_{n+e−τ·dil−lo_t}  e−τ·dil < lo_t, where left has such a row
//
// Shapes: x [keys, d], w [taps, d], left [n, d] or None, lo, hi I32 [rows], y [rows, d].
// Lo and hi are the ranges of attention, here never empty: without a cache hi_t = t+1; with
// one, x is the cache. There is a gradient only without a cache:
//
//	dx_s = Σ_τ w_τ ⊙ dy_{s+τ·dil}    dw_τ = Σ_t dy_t ⊙ x_{t−τ·dil}    dleft likewise
//
// METHODS §1.4.
type CausalConv struct {
	X, W, Left, Lo, Hi, Y Buffer
	Dilation              int
}

// CausalConv convolves rows with the rows before them; left may be None.
func (p *Program) CausalConv(x, w, left, lo, hi Buffer, dilation int) Buffer {
	d := p.Dim(x, -1)
	p.want("causal convolution", "kernel", w, 0, d)
	p.want("causal convolution", "lo", lo, 0)
	p.want("causal convolution", "hi", hi, p.Dim(lo, 0))
	if left != None {
		p.want("causal convolution", "left context", left, 0, d)
	}
	if dilation < 1 {
		p.Failf("causal convolution: dilation %d, want at least 1", dilation)
	}
	y := p.Temp("conv", p.Info(lo).Rows, p.Dim(lo, 0), d)
	p.emit(&CausalConv{X: x, W: w, Left: left, Lo: lo, Hi: hi, Y: y, Dilation: dilation})
	return y
}

func (o *CausalConv) ports() (in, out []*Buffer) {
	return []*Buffer{&o.X, &o.W, &o.Left, &o.Lo, &o.Hi}, []*Buffer{&o.Y}
}

func (o *CausalConv) bounds() []bound {
	all := ranges("causal convolution", o.Lo, o.Hi, o.X)
	all[1].above = o.Lo // row hi−1 is the row's own
	return all
}

func (o *CausalConv) cost(p *Program) Cost {
	return Cost{FLOPs: 2 * float64(p.Spec(o.Y).Rows()) * float64(p.Spec(o.W).Len())}
}

func (o *CausalConv) backward(g *Grads) {
	p := g.p
	if p.Info(o.X).Rows != p.Info(o.Y).Rows || p.Dim(o.X, 0) != p.Dim(o.Y, 0) {
		p.Failf("causal convolution: no gradient through a cache")
		return
	}
	b := &CausalConvBackward{CausalConv: *o, DY: g.Of(o.Y)}
	var sums [3]Buffer
	of := [3]Buffer{o.X, o.W, o.Left}
	for i, d := range [3]*Buffer{&b.DX, &b.DW, &b.DLeft} {
		if g.Needs(of[i]) {
			s := p.Info(of[i])
			*d = p.Temp("d "+s.Name, s.Rows, s.Spec.Shape...)
			sums[i] = *d
		}
	}
	p.emit(b)
	for i, d := range sums {
		if d != None {
			g.sum(of[i], d)
		}
	}
}

// CausalConvBackward overwrites the gradients that are not None.
type CausalConvBackward struct {
	CausalConv
	DY            Buffer
	DX, DW, DLeft Buffer
}

func (o *CausalConvBackward) ports() (in, out []*Buffer) {
	return []*Buffer{&o.X, &o.W, &o.Left, &o.Lo, &o.Hi, &o.DY}, []*Buffer{&o.DX, &o.DW, &o.DLeft}
}
func (o *CausalConvBackward) cost(p *Program) Cost {
	return Cost{FLOPs: 2 * o.CausalConv.cost(p).FLOPs}
}
func (o *CausalConvBackward) backward(g *Grads) {
	g.p.Failf("causal convolution: no second derivatives")
}

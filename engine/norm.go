package engine

// NormKind tells RMSNorm and LayerNorm apart.
type NormKind uint8

const (
	RMSNorm   NormKind = iota // Zhang and Sennrich 2019, arXiv 1910.07467
	LayerNorm                 // Ba et al. 2016, arXiv 1607.06450
)

// Norm normalises x over groups of n = len(gain) consecutive elements of a row
// (the whole row, or each head):
//
//	RMSNorm    r = 1/√(mean(x²)+ε)         y = x·r ⊙ (gain+plus)
//	LayerNorm  r = 1/√(var(x)+ε)           y = (x−mean)·r ⊙ gain + bias
//
// Plus is 1 where a file stores gain−1 (Gemma), else 0. Bias may be None.
type Norm struct {
	X, Gain, Bias, Y Buffer
	Kind             NormKind
	Eps, Plus        float64
}

// RMSNorm normalises rows, or groups of len(gain) elements in a row.
func (p *Program) RMSNorm(x, gain Buffer, eps, plus float64) Buffer {
	return p.norm(&Norm{X: x, Gain: gain, Kind: RMSNorm, Eps: eps, Plus: plus})
}

// LayerNorm normalises rows; bias may be None.
func (p *Program) LayerNorm(x, gain, bias Buffer, eps float64) Buffer {
	return p.norm(&Norm{X: x, Gain: gain, Bias: bias, Kind: LayerNorm, Eps: eps})
}

func (p *Program) norm(o *Norm) Buffer {
	n := p.Dim(o.Gain, 0)
	p.want("norm", "gain", o.Gain, 0)
	if o.Bias != None {
		p.want("norm", "bias", o.Bias, n)
	}
	if n == 0 || p.Dim(o.X, -1)%n != 0 {
		p.Failf("norm: rows of %d elements are no whole groups of %d", p.Dim(o.X, -1), n)
	}
	o.Y = p.like("norm", o.X, p.Dim(o.X, -1))
	p.emit(o)
	return o.Y
}

func (o *Norm) ports() (in, out []*Buffer) {
	return []*Buffer{&o.X, &o.Gain, &o.Bias}, []*Buffer{&o.Y}
}
func (o *Norm) cost(p *Program) Cost { return Cost{FLOPs: 5 * float64(p.Spec(o.X).Len())} }

func (o *Norm) backward(g *Grads) {
	b := &NormBackward{X: o.X, Gain: o.Gain, DY: g.Of(o.Y), Kind: o.Kind, Eps: o.Eps, Plus: o.Plus}
	if g.Needs(o.X) {
		b.DX, b.Add = g.target(o.X)
	}
	if g.Needs(o.Gain) {
		b.DGain = g.p.Temp("dgain", AllRows, g.p.Dim(o.Gain, 0))
	}
	if g.Needs(o.Bias) {
		b.DBias = g.p.Temp("dbias", AllRows, g.p.Dim(o.Bias, 0))
	}
	g.p.emit(b)
	if b.DGain != None {
		g.sum(o.Gain, b.DGain)
	}
	if b.DBias != None {
		g.sum(o.Bias, b.DBias)
	}
}

// NormBackward recomputes x̂ from x. With u = dy ⊙ (gain+plus), means over the group:
//
//	RMSNorm    dx = r·(u − x̂·mean(u⊙x̂)) + add
//	LayerNorm  dx = r·(u − mean(u) − x̂·mean(u⊙x̂)) + add
//	dgain = Σ dy⊙x̂      dbias = Σ dy
//
// DX, DGain and DBias may each be None; DX may be Add.
type NormBackward struct {
	X, Gain, DY, Add, DX, DGain, DBias Buffer
	Kind                               NormKind
	Eps, Plus                          float64
}

func (o *NormBackward) ports() (in, out []*Buffer) {
	return []*Buffer{&o.X, &o.Gain, &o.DY, &o.Add}, []*Buffer{&o.DX, &o.DGain, &o.DBias}
}
func (o *NormBackward) cost(p *Program) Cost { return Cost{FLOPs: 12 * float64(p.Spec(o.X).Len())} }
func (o *NormBackward) backward(g *Grads)    { g.p.Failf("norm: no second derivatives") }

package engine

// RoPE rotates the first 2·r elements of every head of headDim elements, pairing
// element i with i+r (the half-split order of Hugging Face; Su et al. 2021,
// arXiv 2104.09864). Cos and Sin are tables [positions, r]; pos I32 [rows].
//
//	y_i = x_i·c − x_{i+r}·s      y_{i+r} = x_{i+r}·c + x_i·s
//
// Inverse rotates back; it is the gradient: dx = RoPE⁻¹(dy).
type RoPE struct {
	X, Pos, Cos, Sin, Y Buffer
	HeadDim             int
	Inverse             bool
}

// RoPE rotates x [rows, heads·headDim] by the positions pos.
func (p *Program) RoPE(x, pos, cos, sin Buffer, headDim int) Buffer {
	return p.rotate(x, pos, cos, sin, headDim, false)
}

// Unrotate rotates x back by the positions pos.
func (p *Program) Unrotate(x, pos, cos, sin Buffer, headDim int) Buffer {
	return p.rotate(x, pos, cos, sin, headDim, true)
}

func (p *Program) rotate(x, pos, cos, sin Buffer, headDim int, inverse bool) Buffer {
	r := p.Dim(cos, 1)
	p.want("rope", "positions", pos, p.Spec(x).Rows())
	p.want("rope", "sine table", sin, p.Dim(cos, 0), r)
	if headDim <= 0 || 2*r > headDim || p.Dim(x, -1)%headDim != 0 {
		p.Failf("rope: rows of %d elements, heads of %d, %d rotated pairs", p.Dim(x, -1), headDim, r)
	}
	y := p.like("rope", x, p.Dim(x, -1))
	p.emit(&RoPE{X: x, Pos: pos, Cos: cos, Sin: sin, Y: y, HeadDim: headDim, Inverse: inverse})
	return y
}

func (o *RoPE) ports() (in, out []*Buffer) {
	return []*Buffer{&o.X, &o.Pos, &o.Cos, &o.Sin}, []*Buffer{&o.Y}
}
func (o *RoPE) bounds() []bound { return []bound{index("rope: position", o.Pos, o.Cos)} }
func (o *RoPE) cost(p *Program) Cost {
	n := float64(p.Spec(o.X).Len())
	return Cost{FLOPs: 3 * n, Bytes: 8 * n}
}

func (o *RoPE) backward(g *Grads) {
	if g.Needs(o.X) {
		d := g.p.like("d rope", o.X, g.p.Dim(o.X, -1))
		g.p.emit(&RoPE{X: g.Of(o.Y), Pos: o.Pos, Cos: o.Cos, Sin: o.Sin, Y: d, HeadDim: o.HeadDim, Inverse: !o.Inverse})
		g.sum(o.X, d)
	}
}

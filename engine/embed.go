package engine

// Embed looks up rows of a table: y_t = scale · W[ids_t], W [vocab, d] of any type,
// ids I32 [rows], y [rows, d].
//
//	dW[ids_t] += scale · dy_t
type Embed struct {
	IDs, W, Y Buffer
	Scale     float64
}

// Embed looks up token embeddings. Scale is 1 but for Gemma (√d).
func (p *Program) Embed(ids, w Buffer, scale float64) Buffer {
	p.want("embed", "ids", ids, 0)
	p.want("embed", "table", w, 0, 0)
	y := p.Temp("embed", p.Info(ids).Rows, p.Dim(ids, 0), p.Dim(w, 1))
	p.emit(&Embed{IDs: ids, W: w, Y: y, Scale: scale})
	return y
}

func (o *Embed) ports() (in, out []*Buffer) { return []*Buffer{&o.IDs, &o.W}, []*Buffer{&o.Y} }
func (o *Embed) bounds() []bound            { return []bound{index("embed: id", o.IDs, o.W)} }
func (o *Embed) cost(p *Program) Cost       { return Cost{Bytes: 8 * float64(p.Spec(o.Y).Len())} }

func (o *Embed) backward(g *Grads) {
	if !g.Needs(o.W) {
		return
	}
	dw, add := g.target(o.W)
	if add == None {
		g.p.emit(&Fill{Y: dw})
	} else if add != dw {
		g.p.emit(&Copy{X: add, Y: dw})
	}
	g.p.emit(&EmbedBackward{IDs: o.IDs, DY: g.Of(o.Y), DW: dw, Scale: o.Scale})
}

// EmbedBackward adds dw[ids_t] += scale · dy_t in row order, in place.
type EmbedBackward struct {
	IDs, DY, DW Buffer
	Scale       float64
}

func (o *EmbedBackward) ports() (in, out []*Buffer) {
	return []*Buffer{&o.IDs, &o.DY, &o.DW}, []*Buffer{&o.DW}
}
func (o *EmbedBackward) bounds() []bound      { return []bound{index("embed: id", o.IDs, o.DW)} }
func (o *EmbedBackward) cost(p *Program) Cost { return Cost{Bytes: 12 * float64(p.Spec(o.DY).Len())} }
func (o *EmbedBackward) backward(g *Grads)    { g.p.Failf("embed: no second derivatives") }

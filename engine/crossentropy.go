package engine

// CrossEntropy is the head and the loss in one operation. The logits z = h·Wᵀ + bias never
// exist as a whole, and none is computed twice. Row i has k targets with weights. A weight
// of 0 masks its target; the weights contain the denominator of the mean:
//
//	loss = Σ_i Σ_j w_ij·(lse_i − z_i[t_ij])
//	dz_i = (Σ_j w_ij)·p_i − Σ_j w_ij·1[t_ij]      dh = dz·W      dW = dzᵀ·h
//
// With Rest, weights have a k+1st column for the class of all other tokens, whose
// probability is p_r = 1 − Σ_j p(t_ij) (distillation from a teacher's top k):
//
//	loss += −w_r·log p_r     dz = W·p − w on the targets, p·(W − w_r/p_r) elsewhere,
//
// W is the sum of all weights of the row. The targets of a row must then be distinct.
//
// With a Cap c above 0, logits are c·tanh(z/c) in the place of z (soft-capping: Gemma Team 2024,
// arXiv 2408.00118), and dz is multiplied by 1 − tanh²(z/c).
//
// Shapes: h [n, d], W [vocab, d] of any type, bias [vocab] or None, targets I32
// [n, k], weights [n, k(+1)], loss [1], and Each [n], the rows' own losses, where they are
// asked for. Reverse mode sets the outputs DH [n, d], DW
// [vocab, d] and DBias [vocab], the gradients for a loss gradient of 1; those that are None
// are not computed.
type CrossEntropy struct {
	H, W, Bias, Targets, Weights Buffer
	Loss, Each, DH, DW, DBias    Buffer
	Rest                         bool
	Cap                          float64
}

// CrossEntropy appends the fused head and loss of the rows h, without a cap.
func (p *Program) CrossEntropy(h, w, bias, targets, weights Buffer, rest bool) Buffer {
	return p.CappedCrossEntropy(h, w, bias, targets, weights, rest, 0)
}

// CappedCrossEntropy is CrossEntropy of soft-capped logits; a cap of 0 is none.
func (p *Program) CappedCrossEntropy(h, w, bias, targets, weights Buffer, rest bool, cap float64) Buffer {
	n, k := p.Dim(h, 0), p.Dim(targets, 1)
	p.want("cross-entropy", "rows", h, 0, 0)
	p.want("cross-entropy", "head", w, 0, p.Dim(h, 1))
	p.want("cross-entropy", "targets", targets, n, 0)
	if rest {
		k++
	}
	p.want("cross-entropy", "weights", weights, n, k)
	if bias != None {
		p.want("cross-entropy", "bias", bias, p.Dim(w, 0))
	}
	p.wantCap("cross-entropy", cap)
	loss := p.Temp("loss", AllRows, 1)
	p.emit(&CrossEntropy{H: h, W: w, Bias: bias, Targets: targets, Weights: weights, Loss: loss, Rest: rest, Cap: cap})
	return loss
}

// EachLoss gives the losses of the rows that a cross-entropy is the sum of, [rows].
func (p *Program) EachLoss(loss Buffer) Buffer {
	for _, op := range p.ops {
		if o, ok := op.(*CrossEntropy); ok && o.Loss == loss {
			if o.Each == None {
				o.Each = p.Temp("losses", p.Info(o.H).Rows, p.Dim(o.H, 0))
			}
			return o.Each
		}
	}
	p.Failf("each loss: buffer %q is not the loss of a cross-entropy", p.Info(loss).Name)
	return None
}

// wantCap reports a soft cap that is none.
func (p *Program) wantCap(what string, cap float64) {
	if !(cap >= 0 && cap <= 1e6) {
		p.Failf("%s: a soft cap of %g, want 0 (none) to 1e6", what, cap)
	}
}

func (o *CrossEntropy) ports() (in, out []*Buffer) {
	return []*Buffer{&o.H, &o.W, &o.Bias, &o.Targets, &o.Weights}, []*Buffer{&o.Loss, &o.Each, &o.DH, &o.DW, &o.DBias}
}
func (o *CrossEntropy) bounds() []bound {
	return []bound{index("cross-entropy: target", o.Targets, o.W)}
}

func (o *CrossEntropy) cost(p *Program) Cost {
	f := 2 * float64(p.Dim(o.H, 0)) * float64(p.Spec(o.W).Len())
	if o.DH != None {
		f *= 2
	}
	return Cost{FLOPs: f}
}

func (o *CrossEntropy) backward(g *Grads) {
	p := g.p
	unit := g.one(o.Loss)
	pass := func(of Buffer, d *Buffer) {
		if !g.Needs(of) {
			return
		}
		i := p.Info(of)
		*d = p.Temp("d "+i.Name, i.Rows, i.Spec.Shape...)
		if unit {
			g.sum(of, *d)
		} else {
			g.sum(of, p.Mul(*d, g.Of(o.Loss)))
		}
	}
	pass(o.H, &o.DH)
	pass(o.W, &o.DW)
	pass(o.Bias, &o.DBias)
}

package engine

// Attention is softmax attention over two sources of keys and values: a prefix
// shared by all rows, and the content. Query row t sees the prefix slots
// [PLo[t], PHi[t]) (all of them where PLo is None) and the content keys
// [Lo[t], Hi[t]); query head i reads key/value head i·kvHeads/heads.
//
//	s_j = cap(scale·⟨q_t, k_j⟩) + rel_h[clamp(kpos_j − qpos_t + ⌊n/2⌋, 0, n−1)]  (content)
//	s_l = cap(scale·⟨q_t, pk_l⟩) + pbias + rel_h[… ppos_l …]                     (prefix)
//	o_t = Σ softmax(s)·v       lse_t = log Σ exp(s)
//
// Shapes: q, o [rows, heads·headDim]; k, v [keys, kvHeads·headDim]; pk, pv [slots,
// kvHeads·headDim]; lo, hi, plo, phi I32 [rows]; pbias [rows|1, heads|1, slots|1];
// rel [heads, n] with I32 qpos [rows], kpos [keys], ppos [slots] (T5); lse [rows, heads].
// With a Cap c above 0, cap(x) is c·tanh(x/c) (soft-capping: Gemma Team 2024, arXiv 2408.00118), else x.
// Without ppos the prefix has no relative bias. A row that sees nothing gets o = 0 and
// lse = −1e30. A prefix bias of −1e30 removes its slot exactly.
//
// K, V, Lo and Hi may all be None: the attention is to the prefix alone (LLaMA-Adapter's
// separate softmax). PK and PV may both be None: there is no prefix. Li and Liang 2021,
// METHODS §1.2.
type Attention struct {
	Q, K, V, Lo, Hi         Buffer
	PK, PV, PLo, PHi, PBias Buffer
	Rel, QPos, KPos, PPos   Buffer
	O, LSE                  Buffer
	Heads, KVHeads, HeadDim int
	Scale, Cap              float64
}

// Attention appends o with new buffers for O and LSE and returns the output.
func (p *Program) Attention(o Attention) Buffer {
	rows, kv := p.Spec(o.Q).Rows(), o.KVHeads*o.HeadDim
	p.want("attention", "query", o.Q, 0, o.Heads*o.HeadDim)
	if o.KVHeads <= 0 || o.Heads%o.KVHeads != 0 {
		p.Failf("attention: %d heads are no multiple of %d key/value heads", o.Heads, o.KVHeads)
		return None
	}
	if o.K != None {
		p.want("attention", "keys", o.K, 0, kv)
		p.want("attention", "values", o.V, p.Dim(o.K, 0), kv)
		p.want("attention", "lo", o.Lo, rows)
		p.want("attention", "hi", o.Hi, rows)
	}
	if o.PK != None {
		slots := p.Dim(o.PK, 0)
		p.want("attention", "prefix keys", o.PK, 0, kv)
		p.want("attention", "prefix values", o.PV, slots, kv)
		if o.PLo != None {
			p.want("attention", "plo", o.PLo, rows)
			p.want("attention", "phi", o.PHi, rows)
		}
		if o.PBias != None {
			s := p.Spec(o.PBias).Shape
			if len(s) != 3 || s[0] != 1 && s[0] != rows || s[1] != 1 && s[1] != o.Heads || s[2] != 1 && s[2] != slots {
				p.Failf("attention: prefix bias has shape %v, want [%d|1 %d|1 %d|1]", s, rows, o.Heads, slots)
			}
		}
	}
	p.wantCap("attention", o.Cap)
	if o.K == None && o.PK == None {
		p.Failf("attention: neither content nor prefix")
	}
	if o.Rel != None {
		p.want("attention", "relative bias", o.Rel, o.Heads, 0)
		p.want("attention", "query positions", o.QPos, rows)
		if o.K != None {
			p.want("attention", "key positions", o.KPos, p.Dim(o.K, 0))
		}
		if o.PPos != None {
			p.want("attention", "slot positions", o.PPos, p.Dim(o.PK, 0))
		}
	}
	rd := p.Info(o.Q).Rows
	o.O = p.Temp("attention", rd, rows, o.Heads*o.HeadDim)
	o.LSE = p.Temp("lse", rd, rows, o.Heads)
	p.emit(&o)
	return o.O
}

func (o *Attention) reads() []*Buffer {
	return []*Buffer{&o.Q, &o.K, &o.V, &o.Lo, &o.Hi, &o.PK, &o.PV, &o.PLo, &o.PHi, &o.PBias, &o.Rel, &o.QPos, &o.KPos, &o.PPos}
}

func (o *Attention) ports() (in, out []*Buffer) { return o.reads(), []*Buffer{&o.O, &o.LSE} }

func (o *Attention) bounds() []bound {
	all := append(ranges("attention", o.Lo, o.Hi, o.K), ranges("attention to the prefix", o.PLo, o.PHi, o.PK)...)
	return append(all, position("attention: query position", o.QPos), position("attention: key position", o.KPos), position("attention: slot position", o.PPos))
}

// cost counts a causal half of the content scores: 4·d·((n+1)/2 + slots) a row.
func (o *Attention) cost(p *Program) Cost {
	keys := 0.0
	if o.K != None {
		keys = float64(p.Dim(o.K, 0)+1) / 2
	}
	if o.PK != None {
		keys += float64(p.Dim(o.PK, 0))
	}
	return Cost{FLOPs: 4 * float64(p.Spec(o.Q).Len()) * keys}
}

func (o *Attention) backward(g *Grads) {
	b := &AttentionBackward{Attention: *o, DO: g.Of(o.O)}
	p := g.p
	// The kernel overwrites its outputs, so a second contribution is added after it.
	type later struct{ of, d Buffer }
	var sums []later
	want := func(x Buffer) Buffer {
		if !g.Needs(x) {
			return None
		}
		if g.Of(x) == None {
			d, _ := g.target(x)
			return d
		}
		i := p.Info(x)
		d := p.Temp("d "+i.Name, i.Rows, i.Spec.Shape...)
		sums = append(sums, later{x, d})
		return d
	}
	b.DQ, b.DK, b.DV = want(o.Q), want(o.K), want(o.V)
	b.DPK, b.DPV, b.DPBias, b.DRel = want(o.PK), want(o.PV), want(o.PBias), want(o.Rel)
	p.emit(b)
	for _, s := range sums {
		g.sum(s.of, s.d)
	}
}

// AttentionBackward recomputes the weights from q, k and lse (flash style: Dao et
// al. 2022, arXiv 2205.14135, algorithm 4). With G = do, δ_t = ⟨G_t, o_t⟩ and
// a = exp(s − lse):
//
//	ds = a⊙(G·vᵀ − δ)   dx = cap′·ds   dq = scale·Σ dx·k   dk = scale·Σ dx·q   dv = Σ a·G
//
// with cap′ = 1 − tanh²(x/c), or 1 without a Cap, and the same for the prefix; dpbias and drel sum ds over what they are shared by.
// Each D output may be None; all are overwritten.
type AttentionBackward struct {
	Attention
	DO                                 Buffer
	DQ, DK, DV, DPK, DPV, DPBias, DRel Buffer
}

func (o *AttentionBackward) ports() (in, out []*Buffer) {
	return append(o.reads(), &o.O, &o.LSE, &o.DO),
		[]*Buffer{&o.DQ, &o.DK, &o.DV, &o.DPK, &o.DPV, &o.DPBias, &o.DRel}
}
func (o *AttentionBackward) cost(p *Program) Cost {
	c := o.Attention.cost(p)
	return Cost{FLOPs: 2 * c.FLOPs}
}
func (o *AttentionBackward) backward(g *Grads) { g.p.Failf("attention: no second derivatives") }

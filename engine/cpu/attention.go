package cpu

import (
	"math"

	"prelude/engine"
)

// hidden is the score of what is not seen, and the lse of a row that sees nothing.
const hidden = -1e30

// attn is one attention's memory.
type attn[T Float] struct {
	*engine.Attention
	q, k, v, pk, pv, bias, rel, o, lse []T
	lo, hi, plo, phi, qpos, kpos, ppos []int32
	slots, rels, kv                    int
	bT, bH, bL                         int // strides of the prefix bias
}

func (c *plan[T]) attn(o *engine.Attention) attn[T] {
	a := attn[T]{Attention: o, q: c.at(o.Q), k: c.at(o.K), v: c.at(o.V), pk: c.at(o.PK), pv: c.at(o.PV),
		bias: c.at(o.PBias), rel: c.at(o.Rel), o: c.at(o.O), lse: c.at(o.LSE),
		lo: c.i32(o.Lo), hi: c.i32(o.Hi), plo: c.i32(o.PLo), phi: c.i32(o.PHi),
		qpos: c.i32(o.QPos), kpos: c.i32(o.KPos), ppos: c.i32(o.PPos),
		slots: c.p.Dim(o.PK, 0), rels: c.p.Dim(o.Rel, 1), kv: o.KVHeads * o.HeadDim}
	if o.PBias != engine.None {
		s := c.p.Spec(o.PBias).Shape
		stride := func(i, n int) int {
			if s[i] == 1 {
				return 0
			}
			return n
		}
		a.bT, a.bH, a.bL = stride(0, s[1]*s[2]), stride(1, s[2]), stride(2, 1)
	}
	return a
}

// ranges gives row t's prefix slots and content keys.
func (a *attn[T]) ranges(t int) (plo, phi, lo, hi int) {
	phi = a.slots
	if a.plo != nil {
		plo, phi = int(a.plo[t]), int(a.phi[t])
	}
	if a.k != nil {
		lo, hi = int(a.lo[t]), int(a.hi[t])
	}
	return plo, max(plo, phi), lo, max(lo, hi)
}

func dot[T Float](a, b []T) T {
	var s T
	for i := range a {
		s += a[i] * b[i]
	}
	return s
}

func (a *attn[T]) relAt(h int, kpos, qpos int32) int {
	return h*a.rels + min(max(int(kpos-qpos)+a.rels/2, 0), a.rels-1)
}

func (a *attn[T]) biasAt(t, h, l int) int { return t*a.bT + h*a.bH + l*a.bL }

// capped is the soft cap of a score.
func (a *attn[T]) capped(x T) T { return softCap(x, a.Cap) }

// softCap is cap·tanh(x/cap), or x where cap is 0.
func softCap[T Float](x T, cap float64) T {
	if cap == 0 {
		return x
	}
	return T(cap * math.Tanh(float64(x)/cap))
}

// capSlope is the derivative of softCap, by its value y.
func capSlope[T Float](y T, cap float64) T {
	if cap == 0 {
		return 1
	}
	return T(1 - float64(y)*float64(y)/(cap*cap))
}

// scores fills s with row t's scores of head h: prefix slots, then content keys.
func (a *attn[T]) scores(s []T, t, h, plo, phi, lo, hi int) []T {
	hd, g := a.HeadDim, h*a.KVHeads/a.Heads*a.HeadDim
	q := a.q[(t*a.Heads+h)*hd:][:hd]
	s = s[:0]
	for l := plo; l < phi; l++ {
		v := a.capped(dot(q, a.pk[l*a.kv+g:][:hd]) * T(a.Scale))
		if a.bias != nil {
			v += a.bias[a.biasAt(t, h, l)]
		}
		if a.ppos != nil {
			v += a.rel[a.relAt(h, a.ppos[l], a.qpos[t])]
		}
		s = append(s, v)
	}
	for j := lo; j < hi; j++ {
		v := a.capped(dot(q, a.k[j*a.kv+g:][:hd]) * T(a.Scale))
		if a.rel != nil {
			v += a.rel[a.relAt(h, a.kpos[j], a.qpos[t])]
		}
		s = append(s, v)
	}
	return s
}

func (c *plan[T]) attention(o *engine.Attention) {
	a := c.attn(o)
	s := c.dev.scores
	for t := range c.rows(o.Q) {
		plo, phi, lo, hi := a.ranges(t)
		for h := range a.Heads {
			g := h * a.KVHeads / a.Heads * a.HeadDim
			out := a.o[(t*a.Heads+h)*a.HeadDim:][:a.HeadDim]
			clear(out)
			s = a.scores(s, t, h, plo, phi, lo, hi)
			m := T(hidden)
			for _, v := range s {
				m = max(m, v)
			}
			if m <= hidden/2 {
				a.lse[t*a.Heads+h] = hidden
				continue
			}
			var z T
			for i, v := range s {
				e := T(math.Exp(float64(v - m)))
				s[i] = e
				z += e
			}
			for i, e := range s {
				v := a.pv
				j := plo + i
				if i >= phi-plo {
					v, j = a.v, lo+i-(phi-plo)
				}
				w := e / z
				for d := range out {
					out[d] += w * v[j*a.kv+g+d]
				}
			}
			a.lse[t*a.Heads+h] = m + T(math.Log(float64(z)))
		}
	}
}

func (c *plan[T]) attentionBackward(o *engine.AttentionBackward) {
	a := c.attn(&o.Attention)
	do, dq := c.at(o.DO), c.at(o.DQ)
	dk, dv, dpk, dpv, dbias, drel := c.at(o.DK), c.at(o.DV), c.at(o.DPK), c.at(o.DPV), c.at(o.DPBias), c.at(o.DRel)
	for _, d := range [][]T{dq, dk, dv, dpk, dpv, dbias, drel} {
		clear(d)
	}
	s := c.dev.scores
	hd := a.HeadDim
	for t := range c.rows(o.Q) {
		plo, phi, lo, hi := a.ranges(t)
		for h := range a.Heads {
			lse := a.lse[t*a.Heads+h]
			if lse <= hidden/2 {
				continue
			}
			g := h * a.KVHeads / a.Heads * hd
			row := (t*a.Heads + h) * hd
			q, G := a.q[row:][:hd], do[row:][:hd]
			delta := dot(G, a.o[row:][:hd])
			for i, v := range a.scores(s, t, h, plo, phi, lo, hi) {
				w := T(math.Exp(float64(v - lse)))
				j, key, val, dkey, dval := plo+i, a.pk, a.pv, dpk, dpv
				if i >= phi-plo {
					j, key, val, dkey, dval = lo+i-(phi-plo), a.k, a.v, dk, dv
				}
				at := j*a.kv + g
				ds := w * (dot(G, val[at:][:hd]) - delta)
				if dval != nil {
					for d := range hd {
						dval[at+d] += w * G[d]
					}
				}
				dx := ds * T(a.Scale)
				if a.Cap != 0 {
					dx *= capSlope(a.capped(dot(q, key[at:][:hd])*T(a.Scale)), a.Cap)
				}
				if dkey != nil {
					for d := range hd {
						dkey[at+d] += dx * q[d]
					}
				}
				if dq != nil {
					for d := range hd {
						dq[row+d] += dx * key[at+d]
					}
				}
				if i < phi-plo {
					if dbias != nil {
						dbias[a.biasAt(t, h, j)] += ds
					}
					if drel != nil && a.ppos != nil {
						drel[a.relAt(h, a.ppos[j], a.qpos[t])] += ds
					}
				} else if drel != nil {
					drel[a.relAt(h, a.kpos[j], a.qpos[t])] += ds
				}
			}
		}
	}
}

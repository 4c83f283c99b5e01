package cpu

import (
	"math"

	"prelude/engine"
)

// chunk is the number of rows whose logits exist at a time.
const chunk = 64

func (c *plan[T]) crossEntropy(o *engine.CrossEntropy) {
	s := c.p.Spec(o.W)
	vocab, d := s.Shape[0], s.Shape[1]
	k, wk := c.p.Dim(o.Targets, 1), c.p.Dim(o.Weights, 1)
	h, bias, dh, dw, dbias := c.at(o.H), c.at(o.Bias), c.at(o.DH), c.at(o.DW), c.at(o.DBias)
	targets, weights := c.i32(o.Targets), c.at(o.Weights)
	clear(dw)
	clear(dbias)
	n := c.rows(o.H)
	z, own := c.dev.z, c.dev.own[:k]
	step := panelRows(s)
	var loss float64
	each := c.at(o.Each)
	for at := 0; at < n; at += chunk {
		rows := min(chunk, n-at)
		hs := h[at*d : (at+rows)*d]
		for from := 0; from < vocab; from += step {
			to := min(from+step, vocab)
			gemm(false, true, rows, to-from, d, hs, d, c.weightRows(o.W, from, to), d, 0, z[from:], vocab)
		}
		for r := range rows {
			row := ceRow(z[r*vocab:][:vocab], bias, targets[(at+r)*k:][:k], weights[(at+r)*wk:][:wk], own, o.Rest, o.Cap)
			loss += row
			if each != nil {
				each[at+r] = T(row)
			}
		}
		if dh != nil {
			out := dh[at*d : (at+rows)*d]
			clear(out)
			for from := 0; from < vocab; from += step {
				to := min(from+step, vocab)
				gemm(false, false, rows, d, to-from, z[from:], vocab, c.weightRows(o.W, from, to), d, 1, out, d)
			}
		}
		if dw != nil {
			gemm(true, false, vocab, d, rows, z, vocab, hs, d, 1, dw, d)
		}
		for r := 0; dbias != nil && r < rows; r++ {
			for j := range vocab {
				dbias[j] += z[r*vocab+j]
			}
		}
	}
	c.at(o.Loss)[0] = T(loss)
}

// ceRow turns a row of logits into their gradient and returns its loss. Own is scratch
// memory for one number for each target; cap is a soft cap, 0 for none.
func ceRow[T Float](z, bias []T, targets []int32, weights []T, own []float64, rest bool, cap float64) float64 {
	m := math.Inf(-1)
	for j := range z {
		if bias != nil {
			z[j] += bias[j]
		}
		z[j] = softCap(z[j], cap)
		m = max(m, float64(z[j]))
	}
	var sum float64
	for _, v := range z {
		sum += math.Exp(float64(v) - m)
	}
	lse := m + math.Log(sum)
	var all, top, loss float64
	for i, t := range targets {
		w := float64(weights[i])
		all += w
		top += math.Exp(float64(z[t]) - lse)
		if w != 0 {
			loss += w * (lse - float64(z[t]))
		}
	}
	off := all // factor of p off the targets
	if rest {
		w := float64(weights[len(targets)])
		all += w
		pr := max(1-top, 1e-12)
		off = all - w/pr
		if w != 0 {
			loss -= w * math.Log(pr)
		}
	}
	// The targets' own gradients overwrite what the loop gives them: all·p less every weight of
	// the token, times the cap's slope.
	for i, t := range targets {
		own[i] = all * math.Exp(float64(z[t])-lse)
		for k, same := range targets {
			if same == t {
				own[i] -= float64(weights[k])
			}
		}
		own[i] *= float64(capSlope(z[t], cap))
	}
	for j, v := range z {
		z[j] = T(off * math.Exp(float64(v)-lse) * float64(capSlope(v, cap)))
	}
	for i, t := range targets {
		z[t] = T(own[i])
	}
	return loss
}

package cpu

import (
	"math"

	"prelude/engine"
)

func (c *plan[T]) gradStats(o *engine.GradStats) {
	var sq float64
	bad := false
	for i, b := range o.G {
		for _, v := range c.at(b) {
			f := float64(v)
			bad = bad || math.IsNaN(f) || math.IsInf(f, 0)
			if i < o.Grads {
				sq += f * f
			}
		}
	}
	s := c.at(o.Stats)
	if bad || math.IsInf(float64(T(math.Sqrt(sq))), 0) {
		s[0], s[1], s[2] = 0, 0, 1
		return
	}
	norm := math.Sqrt(sq)
	scale := 1.0
	if o.Clip > 0 && norm > o.Clip {
		scale = o.Clip / norm
	}
	s[0], s[1], s[2] = T(norm), T(scale), 0
}

func (c *plan[T]) adamW(o *engine.AdamW) {
	stats, hyper := c.at(o.Stats), c.at(o.Hyper)
	if stats[2] != 0 {
		return
	}
	p, m, v, g := c.at(o.P), c.at(o.M), c.at(o.V), c.at(o.G)
	b1, b2, lr := T(o.Beta1), T(o.Beta2), hyper[0]*T(o.Rate)
	for i := range p {
		gi := g[i] * stats[1]
		m[i] = b1*m[i] + (1-b1)*gi
		v[i] = b2*v[i] + (1-b2)*gi*gi
		p[i] -= lr * (m[i]*hyper[1]/(T(math.Sqrt(float64(v[i]*hyper[2])))+T(o.Eps)) + T(o.Decay)*p[i])
	}
}

func (c *plan[T]) record(o *engine.Record) {
	log := c.at(o.Log)
	n := c.p.Dim(o.Log, 1)
	at := int(c.i32(o.Step)[0]) % c.p.Dim(o.Log, 0) * n
	for _, b := range o.X {
		at += copy(log[at:], c.at(b))
	}
}

package cpu

import (
	"math"

	"prelude/engine"
)

const rootTwoOverPi = 0.7978845608028654

// act is fn(x) and fn′(x), in float64.
func act(fn engine.UnaryFn, x, alpha float64) (y, dy float64) {
	switch fn {
	case engine.Scale:
		return alpha * x, alpha
	case engine.AddConst:
		return x + alpha, 1
	case engine.Tanh:
		t := math.Tanh(x)
		return t, 1 - t*t
	case engine.Sigmoid:
		s := sigmoid(x)
		return s, s * (1 - s)
	case engine.SiLU:
		s := sigmoid(x)
		return x * s, s * (1 + x*(1-s))
	case engine.GELU:
		phi := 0.5 * math.Erfc(-x/math.Sqrt2)
		return x * phi, phi + x*math.Exp(-x*x/2)/math.Sqrt(2*math.Pi)
	case engine.GELUTanh:
		t := math.Tanh(rootTwoOverPi * (x + 0.044715*x*x*x))
		return 0.5 * x * (1 + t), 0.5*(1+t) + 0.5*x*(1-t*t)*rootTwoOverPi*(1+3*0.044715*x*x)
	case engine.ReLU:
		if x > 0 {
			return x, 1
		}
		return 0, 0
	case engine.Exp:
		e := math.Exp(x)
		return e, e
	case engine.Log:
		return math.Log(x), 1 / x
	case engine.ELU1:
		if x > 0 {
			return x + 1, 1
		}
		e := math.Exp(x)
		return e, e
	case engine.Clamp01:
		if x <= 0 {
			return 0, 0
		} else if x >= 1 {
			return 1, 0
		}
		return x, 1
	}
	panic("cpu: unknown activation")
}

func sigmoid(x float64) float64 {
	if x >= 0 {
		return 1 / (1 + math.Exp(-x))
	}
	e := math.Exp(x)
	return e / (1 + e)
}

func (c *plan[T]) unary(o *engine.Unary) {
	y := c.at(o.Y)
	for i, x := range c.at(o.X)[:c.liveLen(o.X)] {
		v, _ := act(o.Fn, float64(x), o.Alpha)
		y[i] = T(v)
	}
}

func (c *plan[T]) unaryBackward(o *engine.UnaryBackward) {
	dy, dx := c.at(o.DY), c.at(o.DX)
	for i, x := range c.at(o.X)[:c.liveLen(o.X)] {
		_, d := act(o.Fn, float64(x), o.Alpha)
		dx[i] = T(d) * dy[i]
	}
}

func (c *plan[T]) gated(o *engine.Gated) {
	b, y := c.at(o.B), c.at(o.Y)
	for i, a := range c.at(o.A)[:c.liveLen(o.A)] {
		v, _ := act(o.Fn, float64(a), 0)
		y[i] = T(v) * b[i]
	}
}

func (c *plan[T]) gatedBackward(o *engine.GatedBackward) {
	b, dy, da, db := c.at(o.B), c.at(o.DY), c.at(o.DA), c.at(o.DB)
	for i, a := range c.at(o.A)[:c.liveLen(o.A)] {
		v, d := act(o.Fn, float64(a), 0)
		da[i] = T(d) * b[i] * dy[i]
		db[i] = T(v) * dy[i]
	}
}

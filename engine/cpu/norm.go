package cpu

import (
	"math"

	"prelude/engine"
)

// moments are the mean (0 for RMSNorm) and 1/√(variance+ε) of a group.
func moments[T Float](kind engine.NormKind, x []T, eps float64) (mean, r T) {
	n := T(len(x))
	if kind == engine.LayerNorm {
		for _, v := range x {
			mean += v
		}
		mean /= n
	}
	var sq T
	for _, v := range x {
		sq += (v - mean) * (v - mean)
	}
	return mean, T(1 / math.Sqrt(float64(sq/n)+eps))
}

func (c *plan[T]) norm(o *engine.Norm) {
	gain, bias := c.at(o.Gain), c.at(o.Bias)
	n := len(gain)
	x, y := c.at(o.X)[:c.liveLen(o.X)], c.at(o.Y)
	for at := 0; at < len(x); at += n {
		mean, r := moments(o.Kind, x[at:at+n], o.Eps)
		for j := range n {
			v := (x[at+j] - mean) * r * (gain[j] + T(o.Plus))
			if bias != nil {
				v += bias[j]
			}
			y[at+j] = v
		}
	}
}

func (c *plan[T]) normBackward(o *engine.NormBackward) {
	gain, dgain, dbias := c.at(o.Gain), c.at(o.DGain), c.at(o.DBias)
	n := len(gain)
	clear(dgain)
	clear(dbias)
	x, dy, dx, add := c.at(o.X)[:c.liveLen(o.X)], c.at(o.DY), c.at(o.DX), c.at(o.Add)
	for at := 0; at < len(x); at += n {
		mean, r := moments(o.Kind, x[at:at+n], o.Eps)
		var mu, mux T // means of u and of u⊙x̂
		for j := range n {
			xh := (x[at+j] - mean) * r
			u := dy[at+j] * (gain[j] + T(o.Plus))
			mu += u
			mux += u * xh
			if dgain != nil {
				dgain[j] += dy[at+j] * xh
			}
			if dbias != nil {
				dbias[j] += dy[at+j]
			}
		}
		if dx == nil {
			continue
		}
		mu /= T(n)
		mux /= T(n)
		if o.Kind == engine.RMSNorm {
			mu = 0
		}
		for j := range n {
			xh := (x[at+j] - mean) * r
			v := r * (dy[at+j]*(gain[j]+T(o.Plus)) - mu - xh*mux)
			if add != nil {
				v += add[at+j]
			}
			dx[at+j] = v
		}
	}
}

func (c *plan[T]) rope(o *engine.RoPE) {
	pos, x, y := c.i32(o.Pos), c.at(o.X), c.at(o.Y)
	cos, sin := c.at(o.Cos), c.at(o.Sin)
	r, width := c.p.Dim(o.Cos, 1), c.p.Dim(o.X, -1)
	copy(y[:c.liveLen(o.X)], x)
	for t := range c.rows(o.X) {
		at := int(pos[t]) * r
		for h := t * width; h < (t+1)*width; h += o.HeadDim {
			for i := range r {
				cs, sn := cos[at+i], sin[at+i]
				if o.Inverse {
					sn = -sn
				}
				a, b := x[h+i], x[h+i+r]
				y[h+i] = a*cs - b*sn
				y[h+i+r] = b*cs + a*sn
			}
		}
	}
}

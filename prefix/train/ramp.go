package train

import (
	"context"
	"errors"
	"math"
)

// Ramp takes so many steps, while the learning rate rises geometrically from low to high,
// and calls each with the rate and the loss of every one, until it returns false: the range
// test of Smith (arXiv 1506.01186, §3.3). Nothing is evaluated, and the prefix that is left
// is of no use. A loss that is not a number is given as it is.
func (r *Run) Ramp(ctx context.Context, low, high float64, steps int, each func(rate, loss float64) bool) error {
	switch {
	case steps < 2 || !(low > 0) || !(high > low) || math.IsInf(high, 0):
		return errors.New("train: a ramp has at least two steps, from a learning rate above 0 to a higher one")
	case r.step > 0:
		return errors.New("train: the run has begun")
	}
	l := newLoop(r, Events{})
	for r.step < steps {
		rate := low * math.Pow(high/low, float64(r.step)/float64(steps-1))
		if err := l.stepAt(ctx, rate); err != nil {
			return err
		}
		info, err := r.readLog(ctx)
		if err != nil {
			return err
		}
		if !each(rate, info.Loss[0]) {
			return nil
		}
	}
	return nil
}

// RateOf suggests a learning rate by a ramp's losses: where the smoothed loss falls
// fastest, by the logarithm of the rate, before it is lowest. It is 0 where the loss
// never falls.
func RateOf(rates, losses []float64) float64 {
	smooth := smoothRamp(losses)
	lowest := 0
	for i, v := range smooth {
		if v < smooth[lowest] {
			lowest = i
		}
	}
	best, rate := 0.0, 0.0
	for i := rampSlope; i <= lowest; i++ {
		fall := (smooth[i-rampSlope] - smooth[i]) / math.Log(rates[i]/rates[i-rampSlope])
		if fall > best {
			best, rate = fall, math.Sqrt(rates[i]*rates[i-rampSlope])
		}
	}
	return rate
}

// Diverged says whether a ramp has gone far enough: the smoothed loss is half as high
// again as at its lowest, or no number.
func Diverged(losses []float64) bool {
	n := len(losses)
	if n == 0 {
		return false
	}
	if last := losses[n-1]; math.IsNaN(last) || math.IsInf(last, 0) {
		return true
	}
	smooth := smoothRamp(losses)
	lowest := math.Inf(1)
	for _, v := range smooth {
		lowest = min(lowest, v)
	}
	return n > rampSlope && smooth[n-1] > 1.5*lowest
}

// rampSlope is over how many steps a slope is taken; the smoothing forgets as fast.
const rampSlope = 8

// smoothRamp is an exponential mean, corrected for its start.
func smoothRamp(losses []float64) []float64 {
	const keep = 1 - 1.0/rampSlope
	out := make([]float64, len(losses))
	sum, weight := 0.0, 0.0
	for i, v := range losses {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			sum, weight = keep*sum+(1-keep)*v, keep*weight+(1-keep)
		}
		if out[i] = math.Inf(1); weight > 0 {
			out[i] = sum / weight
		}
	}
	return out
}

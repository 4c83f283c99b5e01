package train

import (
	"context"
	"errors"
	"math"
	"slices"
)

// Ramp takes so many steps, while the learning rate rises geometrically from low to high,
// and calls each with the rate and the loss of every one, until it returns false: the range
// test of Smith (arXiv 1506.01186, §3.3). It goes round the same few batches, so that two
// losses a round apart are of the same examples and differ by what was learned alone.
// Nothing is evaluated, and the prefix that is left is of no use. A loss that is not a
// number is given as it is.
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
		if err := l.stepOn(ctx, l.batches.At(l.step%rampRound), rate); err != nil {
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

// rampRound is how many batches a ramp goes round.
const rampRound = 4

// RateOf suggests a learning rate by a ramp's losses, the lower of two readings: where their
// mean over a round falls fastest, by the logarithm of the rate, and a tenth of the rate at
// which it is lowest. It is 0 where the loss never falls.
func RateOf(rates, losses []float64) float64 {
	rounds := roundMeans(losses)
	lowest := 0
	for i, v := range rounds {
		if v < rounds[lowest] {
			lowest = i
		}
	}
	best, rate := 0.0, 0.0
	for i := rampRound; i <= lowest; i++ {
		// The mean of a round that ends with loss j is that of the rates around j − 1½; a
		// loss is that of the step before it.
		from, to := rates[i-rampRound], rates[i+rampRound-2]
		if fall := rounds[i-rampRound] - rounds[i]; fall > best {
			best, rate = fall, math.Sqrt(from*to)
		}
	}
	if rate == 0 {
		return 0
	}
	return min(rate, rates[lowest+rampRound-2]/10)
}

// Diverged says whether a ramp has gone far enough: the mean of the last round is half as
// high again as at its lowest, or a loss is no number.
func Diverged(losses []float64) bool {
	n := len(losses)
	if n == 0 {
		return false
	}
	if last := losses[n-1]; math.IsNaN(last) || math.IsInf(last, 0) {
		return true
	}
	rounds := roundMeans(losses)
	return len(rounds) > 0 && rounds[len(rounds)-1] > 1.5*slices.Min(rounds)
}

// roundMeans are the means of each round of losses that follow one another.
func roundMeans(losses []float64) (means []float64) {
	for i := rampRound; i <= len(losses); i++ {
		sum := 0.0
		for _, v := range losses[i-rampRound : i] {
			sum += v
		}
		if math.IsNaN(sum) || math.IsInf(sum, 0) {
			break
		}
		means = append(means, sum/rampRound)
	}
	return means
}

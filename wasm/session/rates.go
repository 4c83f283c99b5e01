package session

import (
	"context"
	"math"

	"prelude/prefix/train"
	"prelude/ui/wire"
)

// The ramp of a learning rate range test: from a hundredth of the method's own rate to
// thirty times it, in so many steps.
const (
	rampSteps            = 48
	rampBelow, rampAbove = 1e-2, 30
)

// FindRate tries learning rates out on what a request would train, and suggests one. Tried
// is told each step, and ends it by returning false; what was tried until then counts.
func (s *Session) FindRate(ctx context.Context, o wire.Train, tried func(rate, loss float64) bool) (wire.RateFound, error) {
	if s.model == nil {
		return wire.RateFound{}, ErrNoModel
	}
	o.LR = 0
	o, m, err := s.resolve(o)
	if err != nil {
		return wire.RateFound{}, err
	}
	if m.Sweep() != nil {
		return wire.RateFound{}, hint("Choose a fixed length.", "a rate can't be tried out while lengths are")
	}
	from, err := s.startOf(ctx, o)
	if err != nil {
		return wire.RateFound{}, err
	}
	s.forgetAhead()
	r, err := s.newRun(ctx, o, from)
	if err != nil {
		return wire.RateFound{}, err
	}
	defer func() {
		r.Close()
		for _, t := range r.Tensors {
			t.Close()
		}
	}()
	found := wire.RateFound{ID: o.ID, Own: r.LR()}
	var rates, losses []float64
	err = r.Ramp(ctx, rampBelow*r.LR(), min(rampAbove*r.LR(), wire.MostLR), rampSteps, func(rate, loss float64) bool {
		rates, losses = append(rates, rate), append(losses, loss)
		told := loss
		if math.IsNaN(loss) || math.IsInf(loss, 0) { // JSON has no word for it
			told = 0
		}
		return (told == 0 || tried(rate, told)) && !train.Diverged(losses)
	})
	if err != nil && ctx.Err() == nil {
		return wire.RateFound{}, err
	}
	found.Rate = train.RateOf(rates, losses)
	return found, nil
}

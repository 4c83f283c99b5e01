package session

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"prelude/prefix"
	"prelude/prefix/data"
	"prelude/prefix/train"
	"prelude/ui/wire"
)

// measured is one length's validation, example by example.
type measured struct {
	slots  int
	loss   []float64 // mean of each example
	tokens []int
}

func (m measured) mean() float64 {
	sum, n := 0.0, 0
	for i, l := range m.loss {
		sum += l * float64(m.tokens[i])
		n += m.tokens[i]
	}
	return sum / float64(n)
}

// worse is how much worse m is than best on the same examples, and that difference's
// standard error. What makes an example hard is common to both and drops out.
func (m measured) worse(best measured) (mean, deviation float64) {
	n, tokens := len(m.loss), 0.0
	for _, t := range m.tokens {
		tokens += float64(t)
	}
	mean = m.mean() - best.mean()
	for i := range m.loss {
		d := float64(m.tokens[i]) * (m.loss[i] - best.loss[i] - mean)
		deviation += d * d
	}
	return mean, math.Sqrt(deviation*float64(n)/float64(max(1, n-1))) / tokens
}

// points describes the lengths and picks the shortest that is not worse than the best by
// more than one standard error (Breiman et al. 1984, §3.4.3, on paired differences).
func points(all []measured) (list []wire.LengthPoint, picked int) {
	best := slices.MinFunc(all, func(a, b measured) int { return cmp.Compare(a.mean(), b.mean()) })
	for _, m := range all {
		worse, deviation := m.worse(best)
		list = append(list, wire.LengthPoint{Slots: m.slots, Loss: m.mean(), Error: deviation})
		if picked == 0 && worse <= deviation {
			picked = m.slots
		}
	}
	return list, picked
}

// mostCurve bounds the validation examples that a curve of lengths reads.
const mostCurve = 64

// judges are the examples that lengths are compared on.
func (s *Session) judges() []data.Tokens {
	val := s.lesson.data.Val
	if len(val) == 0 {
		val = s.lesson.data.Train
	}
	return val[:min(len(val), mostCurve)]
}

// curve measures a nested prefix at its lengths and sets the one that is picked.
func (s *Session) curve(ctx context.Context, id int, t *tuned, w Watch) error {
	e, err := train.NewEvaluator(ctx, s.model.Frozen, t.method, t.tensors, s.judges(), 1)
	if err != nil {
		return err
	}
	defer e.Close()
	var all []measured
	for _, n := range ladder(t.method.Slots()) {
		if err := t.method.SetLength(ctx, t.tensors, n); err != nil {
			return err
		}
		m := measured{slots: n}
		if m.loss, m.tokens, err = e.Each(ctx); err != nil {
			return err
		}
		all = append(all, m)
		list, _ := points(all)
		w.lengths(wire.Lengths{ID: id, Key: t.key, Points: list})
		if w.Between != nil {
			w.Between()
		}
	}
	list, picked := points(all)
	w.lengths(wire.Lengths{ID: id, Key: t.key, Points: list, Picked: picked})
	return s.SetLength(ctx, t.key, picked)
}

// ladder is about twelve lengths up to n: the first ones all, then wider apart.
func ladder(n int) (all []int) {
	for x := 1.0; int(math.Round(x)) < n; x = max(x+1, x*math.Pow(float64(n), 1./9)) {
		all = append(all, int(math.Round(x)))
	}
	return append(all, n)
}

// sweep tries lengths out, each in a run of its own, and returns the training of the one
// that it picks: half of the steps or minutes goes into each part. Stopped in a trial it
// returns done, and that trial's prefix stays. Lengths that o says were tried are not tried again;
// the first of the others goes on from the checkpoint, if there is one.
func (s *Session) sweep(ctx context.Context, o wire.Train, lengths []int, c *train.Checkpoint, w Watch) (next wire.Train, done *wire.Trained, err error) {
	trial := o
	trial.Tried = nil
	trial.Steps, trial.Minutes = o.Steps/(2*len(lengths)), o.Minutes/float64(2*len(lengths))
	if o.Steps > 0 {
		trial.Steps = max(trial.Steps, 10)
	}
	tried := o.Tried
	saved := w.Saved
	w.Copied = nil
	if saved != nil {
		w.Saved = func(_ wire.Train, step int, file []byte) {
			ask := o
			ask.Resume, ask.Tried = false, slices.Clip(tried)
			saved(ask, step, file)
		}
	}
	var all []measured
	for i, n := range lengths {
		if i < len(o.Tried) {
			if err := s.checkTried(o.Tried[i], n); err != nil {
				return o, nil, err
			}
		} else {
			w.stage(wire.Progress{ID: o.ID, Stage: fmt.Sprintf("Trying %d of %d lengths: %d slots", i+1, len(lengths), n), Done: int64(i), Total: int64(len(lengths))})
			trial.Method = prefix.Choice(o.Method).OfLength(n)
			d, err := s.run(ctx, trial, start{checkpoint: c}, w)
			c = nil
			if err != nil {
				return o, nil, fmt.Errorf("at a length of %d: %w", n, err)
			}
			if d.Why == "stopped" {
				return o, &d, nil
			}
			x, err := s.tried(ctx, n)
			if err != nil {
				return o, nil, err
			}
			tried = append(slices.Clip(tried), x)
			if err := s.Forget(s.tuned.key); err != nil {
				return o, nil, err
			}
		}
		m := measured{tried[i].Slots, tried[i].Loss, tried[i].Tokens}
		if k := len(all) - 1; k >= 0 && all[k].slots == m.slots {
			continue // the start had no more to give
		}
		all = append(all, m)
		list, _ := points(all)
		w.lengths(wire.Lengths{ID: o.ID, Points: list})
	}
	list, picked := points(all)
	w.lengths(wire.Lengths{ID: o.ID, Points: list, Picked: picked})
	next = o
	next.Tried = nil
	next.Method = prefix.Choice(o.Method).OfLength(picked)
	next.Minutes /= 2
	if o.Steps > 0 {
		next.Steps = max(10, o.Steps/2)
	}
	w.stage(wire.Progress{ID: o.ID, Stage: fmt.Sprintf("Training with %d slots", picked), Total: 1})
	return next, nil, nil
}

// tried is what the trial of a length comes to, whose prefix is in use.
func (s *Session) tried(ctx context.Context, length int) (x wire.Tried, err error) {
	e, err := train.NewEvaluator(ctx, s.model.Frozen, s.tuned.method, s.tuned.tensors, s.judges(), 1)
	if err != nil {
		return x, err
	}
	defer e.Close()
	x = wire.Tried{Length: length, Slots: s.tuned.method.Slots()} // a start of whole examples may take fewer
	x.Loss, x.Tokens, err = e.Each(ctx)
	return x, err
}

// checkTried refuses what is said to be the trial of a length but can't be.
func (s *Session) checkTried(x wire.Tried, length int) error {
	if n := len(s.judges()); x.Length != length || x.Slots < 1 || len(x.Loss) != n || len(x.Tokens) != n || slices.Min(x.Tokens) < 1 {
		return hint("Start the training again.", "what is kept of a trial of %d slots is not of these lengths and examples", x.Length)
	}
	return nil
}

package session

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"

	"prelude/prefix"
	"prelude/prefix/train"
	"prelude/ui/wire"
)

// prepared is a training that is ready for its first step, made before anyone asked for it.
type prepared struct {
	key string // of all that it was made from
	run *train.Run
}

// Ahead does what a training with these options will need before its first step: the bare
// model's loss on the held-out examples, the start, its programs, and the start's loss. It
// is for the time in which a person still looks at the page. Where ctx ends it, what is
// finished is kept. Where there is nothing to train on it does nothing.
func (s *Session) Ahead(ctx context.Context, o wire.Train) error {
	if s.model == nil || s.examples == nil || o.Text || s.examples.form != nil {
		return nil
	}
	o, m, err := s.resolve(o)
	if err != nil || m.Sweep() != nil || o.Method["start"] == "prefix" {
		return nil // Train says what is wrong
	}
	key := s.aheadKey(o)
	if s.ahead != nil && s.ahead.key == key {
		return s.ahead.run.Begin(ctx)
	}
	s.forgetAhead()
	if _, known := s.bases[s.lesson.id]; !known && s.lesson.id != "" {
		base, err := train.BareLoss(ctx, s.model.Frozen, s.lesson.data)
		if err != nil {
			return err
		}
		s.setBase(base)
	}
	run, err := s.newRun(ctx, o, nil)
	if err != nil {
		return err
	}
	s.ahead = &prepared{key, run}
	return run.Begin(ctx)
}

// aheadKey names all that a prepared training depends on, of what may differ.
func (s *Session) aheadKey(o wire.Train) string { return s.lesson.id + " " + preparation(o) }

// preparation names what a resolved request is prepared by: limits, rates and schedules are
// no part of it.
func preparation(o wire.Train) string {
	return fmt.Sprintf("batch %d seed %d %s %v", o.Batch, o.Seed, o.Optimizer, prefix.Choice(o.Method).Complete())
}

// SamePreparation says whether what Ahead does for one request serves another one too.
func SamePreparation(a, b wire.Train) bool {
	a, errA := a.Resolve()
	b, errB := b.Resolve()
	return errA == nil && errB == nil && !a.Text && !b.Text && preparation(a) == preparation(b)
}

// takeAhead is the prepared training if it is this one; another one is dropped.
func (s *Session) takeAhead(o wire.Train, from *prefix.Finished) *train.Run {
	a := s.ahead
	if a == nil {
		return nil
	}
	if from == nil && a.key == s.aheadKey(o) && a.run.Retarget(s.options(o)) == nil {
		s.ahead = nil
		return a.run
	}
	s.forgetAhead()
	return nil
}

// forgetAhead gives back what was prepared.
func (s *Session) forgetAhead() {
	if s.ahead == nil {
		return
	}
	s.ahead.run.Close()
	for _, t := range s.ahead.run.Tensors {
		t.Close()
	}
	s.ahead = nil
}

// setBase remembers the bare model's loss on the lesson's held-out examples.
func (s *Session) setBase(loss float64) {
	if s.lesson.id == "" {
		return
	}
	if s.bases == nil || len(s.bases) >= mostBases {
		s.bases = map[string]float64{}
	}
	s.bases[s.lesson.id] = loss
}

// mostBases bounds how many data sets' base losses are remembered.
const mostBases = 64

// id names the examples as this model reads them: content, options, model and precision.
func (s *Session) id(e *examples) string {
	opts, err := json.Marshal(e.opts)
	if err != nil {
		return ""
	}
	held := ""
	for _, side := range []string{validationSide, testSide} {
		if f := e.held[side]; f != nil {
			held += " " + side + " " + f.hash
		}
	}
	return fmt.Sprintf("%s%s %s %s %v on %s", e.hash, held, opts, s.model.Fingerprint, s.model.Frozen.Precision, s.Device.Name())
}

// options are a request as the training loop takes it.
func (s *Session) options(o wire.Train) train.Options {
	return train.Options{Steps: o.Steps, Time: minutes(o), Batch: o.Batch, LR: o.LR, WarmUp: o.WarmUp, Schedule: o.Schedule, Optimizer: o.Optimizer, Seed: o.Seed,
		Patience: o.Patience, Eval: o.Eval, Budget: s.budget(), Base: s.bases[s.lesson.id]}
}

// newRun prepares a training on the session's device.
func (s *Session) newRun(ctx context.Context, o wire.Train, from *prefix.Finished) (*train.Run, error) {
	m, err := prefix.New(maps.Clone(o.Method), s.model.Arch.Info())
	if err != nil {
		return nil, err
	}
	given := s.lesson.given
	given.Prefix = from
	r, err := train.New(ctx, s.model.Frozen, m, s.lesson.data, given, s.options(o))
	if err == nil {
		s.setBase(r.Base())
	}
	return r, err
}

package session

import (
	"context"

	"prelude/engine"
	"prelude/prefix"
	"prelude/prefix/data"
	"prelude/prefix/train"
	"prelude/ui/wire"
)

// mostShown is how many tokens of examples are in the context at most where nobody has asked:
// their keys and values take room beside a training.
const mostShown = 4096

// shownAtOnce is how many held-out examples are read at once behind them.
const shownAtOnce = 8

// Standing measures what a prefix has to beat, where there are examples to do that on. What is
// known of a model with its data is not measured again; where ctx ends it, nothing is kept.
func (s *Session) Standing(ctx context.Context) (wire.Standing, error) {
	if s.model == nil || s.examples == nil || s.examples.form != nil {
		return wire.Standing{}, hint("Load them first.", "there is no model, or there are no examples to compare on")
	}
	l, err := s.prepare(wire.DefaultTrain())
	if err != nil {
		return wire.Standing{}, err
	}
	if known, ok := s.standings[l.id]; ok {
		return known, nil
	}
	val := l.data.Val
	if len(val) == 0 || len(l.data.Train) == 0 {
		return wire.Standing{}, hint("Give more examples.", "there are too few examples to set some aside for validation")
	}
	found := wire.Standing{Hash: s.examples.hash, Base: s.bases[l.id], Of: len(l.data.Train)}
	if found.Base == 0 {
		if found.Base, err = train.BareLoss(ctx, s.model.Frozen, l.data); err != nil {
			return found, err
		}
	}
	if found.InContext, found.Shots, err = s.contextLoss(ctx, val); err != nil {
		return found, err
	}
	if s.standings == nil || len(s.standings) >= mostBases {
		s.standings = map[string]wire.Standing{}
	}
	s.standings[l.id] = found
	return found, nil
}

// contextLoss is the loss with as many training examples in the context as fit.
func (s *Session) contextLoss(ctx context.Context, val []data.Tokens) (loss float64, shots int, err error) {
	var m *prefix.Method
	var tensors map[string]engine.Tensor
	if s.encDec() {
		val, shots = s.shown(val)
	} else {
		if m, tensors, shots, err = s.contextMethod(ctx, val, mostShown); err != nil {
			return 0, 0, err
		}
		defer func() {
			for _, t := range tensors {
				t.Close()
			}
		}()
	}
	e, err := train.NewEvaluator(ctx, s.model.Frozen, m, tensors, val, shownAtOnce)
	if err != nil {
		return 0, 0, err
	}
	defer e.Close()
	loss, err = e.Loss(ctx)
	return loss, shots, err
}

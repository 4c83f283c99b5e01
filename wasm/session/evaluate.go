package session

import (
	"context"
	"fmt"
	"slices"

	"prelude/engine"
	"prelude/prefix"
	"prelude/prefix/data"
	"prelude/prefix/train"
)

// Losses are validation losses in nats a completion token.
type Losses struct {
	Base, Tuned, InContext float64
	Shots                  int // examples in context
}

// Evaluate measures validation losses: of the bare model, of the prefix, and of the
// training examples given in context (as many as fit).
func (s *Session) Evaluate(ctx context.Context) (Losses, error) {
	var l Losses
	if s.model == nil {
		return l, ErrNoModel
	}
	if s.examples == nil {
		return l, hint("Give a file of examples.", "there are no examples to measure on")
	}
	if _, err := s.read(s.examples); err != nil {
		return l, err
	}
	val := s.examples.split.valTokens
	if len(val) == 0 {
		return l, fmt.Errorf("there are too few examples to set some aside for validation")
	}
	plain := make([]data.Tokens, len(val))
	for i, t := range val {
		plain[i] = bare(t)
	}
	measure := func(t *tuned, on []data.Tokens) (float64, error) {
		var m *prefix.Method
		var tensors map[string]engine.Tensor
		if t != nil {
			m, tensors = t.method, t.tensors
		}
		e, err := train.NewEvaluator(ctx, s.model.Frozen, m, tensors, on, 8)
		if err != nil {
			return 0, err
		}
		defer e.Close()
		return e.Loss(ctx)
	}
	var err error
	if l.Base, err = measure(nil, plain); err != nil {
		return l, err
	}
	if t := s.tuned; t != nil {
		for _, x := range val {
			if err := t.checkSoft(x); err != nil {
				return l, err
			}
		}
		if l.Tuned, err = measure(t, cutFronts(val, t.method.Front())); err != nil {
			return l, err
		}
	}
	if s.encDec() {
		shown, n := s.shown(val)
		l.Shots = n
		l.InContext, err = measure(nil, shown)
		return l, err
	}
	m, tensors, n, err := s.contextMethod(ctx, plain)
	if err != nil {
		return l, err
	}
	defer func() {
		for _, t := range tensors {
			t.Close()
		}
	}()
	l.Shots = n
	l.InContext, err = measure(&tuned{method: m, tensors: tensors}, plain)
	return l, err
}

// inContext joins whole training examples, as many as fit beside the longest one of val.
func (s *Session) inContext(val []data.Tokens) (ids []int32, n int) {
	room := s.model.Arch.Info().Context
	for _, t := range val {
		room = min(room, s.model.Arch.Info().Context-len(t.IDs))
	}
	for _, t := range s.examples.split.trainTokens {
		t = bare(t)
		if len(ids)+len(t.IDs) > room {
			break
		}
		ids = append(ids, t.IDs...)
		n++
	}
	return ids, n
}

// shown is val with whole training examples before each prompt, for an encoder: as many as
// fit before the longest.
func (s *Session) shown(val []data.Tokens) (all []data.Tokens, n int) {
	room := s.model.Arch.Info().Context
	for _, t := range val {
		room = min(room, s.model.Arch.Info().Context-len(t.Source))
	}
	var before []int32
	for _, t := range s.examples.split.trainTokens {
		if len(before)+len(t.Whole()) > room {
			break
		}
		before = append(before, t.Whole()...)
		n++
	}
	for _, t := range val {
		t.Source = slices.Concat(before, t.Source)
		all = append(all, t)
	}
	return all, n
}

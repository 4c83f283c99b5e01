package session

import (
	"context"
	"slices"

	"prelude/engine"
	"prelude/prefix"
	"prelude/prefix/data"
)

// contextMethod is the training examples as a prefix that is not trained: as many as fit into
// the model's context and into so many tokens.
func (s *Session) contextMethod(ctx context.Context, plain []data.Tokens, most int) (*prefix.Method, map[string]engine.Tensor, int, error) {
	context, n := s.inContext(plain, most)
	if n == 0 {
		return nil, nil, 0, hint("Shorten the examples.", "not one of them fits into the model's context beside what is asked")
	}
	m, err := prefix.InContext(ctx, s.model.Frozen, context)
	if err != nil {
		return nil, nil, 0, err
	}
	tensors, err := m.Alloc(ctx, s.Device)
	return m, tensors, n, err
}

// inContext joins whole training examples, as many as fit beside the longest one of val.
func (s *Session) inContext(val []data.Tokens, most int) (ids []int32, n int) {
	room := min(most, s.model.Arch.Info().Context)
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

package session

import (
	"context"

	"prelude/prefix"
	"prelude/ui/wire"
)

// variant is a prefix of the shelf made loose: what answers where something of it is changed.
type variant struct {
	tuned
	of, with int // keys
	loose    *prefix.Loose
}

// dropVariant gives a variant's memory back; it is made again when next asked for.
func (s *Session) dropVariant() {
	if s.variant != nil {
		s.variant.close()
		s.variant = nil
	}
}

// WhatIf answers a prompt with a changed prefix. The first request makes a copy that can be
// changed; those that follow set its tensors, and compile nothing.
func (s *Session) WhatIf(ctx context.Context, o wire.WhatIf, emit func(wire.Sample) bool) error {
	if s.model == nil {
		return ErrNoModel
	}
	if err := s.loosen(ctx, o.Key, o.With); err != nil {
		return err
	}
	v := s.variant
	if err := v.loose.Set(ctx, v.tensors, prefix.WhatIf{Scale: o.Scale, Slots: o.Slots, Layers: o.Layers, Share: o.Share}); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if o.MaxTokens <= 0 {
		o.MaxTokens = wire.DefaultAnswer
	}
	if err := s.answer(ctx, &v.tuned, wire.Generate{ID: o.ID, Prompt: o.Prompt, Before: o.Before, MaxTokens: o.MaxTokens}, emit); err != nil {
		return err
	}
	return ctx.Err()
}

// loosen makes the variant of a prefix, with the one that it can be blended with or 0.
func (s *Session) loosen(ctx context.Context, of, with int) error {
	if v := s.variant; v != nil && v.of == of && v.with == with {
		return nil
	}
	t, err := s.prefix(of)
	if err != nil {
		return err
	}
	var other *prefix.Finished
	if with != 0 {
		x, err := s.prefix(with)
		if err != nil {
			return err
		}
		if err := x.method.Mixable(); err != nil {
			return Hint{err, "Choose another one."}
		}
		if other, err = x.method.Finished(ctx, s.model.Frozen, x.tensors); err != nil {
			return err
		}
	}
	loose, err := t.method.Loosen(ctx, s.model.Frozen, t.tensors, other)
	if err != nil {
		return Hint{err, "Choose another one."}
	}
	s.dropVariant()
	v := &variant{tuned: tuned{key: of, name: t.name, method: loose.Method, card: t.card}, of: of, with: with, loose: loose}
	if v.tensors, err = loose.Method.Alloc(ctx, s.Device); err != nil {
		return err
	}
	s.variant = v
	return nil
}

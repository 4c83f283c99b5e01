package session

import (
	"bytes"
	"context"
	"slices"

	"prelude/prefix"
	"prelude/prefix/adapter"
	"prelude/ui/wire"
)

// A page outlives its worker: it holds a copy of each prefix, and the next worker lays
// them on its shelf again.

// Copy is a prefix of the shelf as a zip, of which [Session.Again] makes the same one; nil
// for a blend, which its parts make, and for one in training.
func (s *Session) Copy(ctx context.Context, key int) ([]byte, error) {
	t, err := s.prefix(key)
	if err != nil || t.origin == blend || t.origin == training {
		return nil, err
	}
	if t.method.Nested() { // what is written is what counts: for the copy, all of it
		n, err := t.method.Counting(ctx, t.tensors)
		if err != nil {
			return nil, err
		}
		if err := t.method.SetLength(ctx, t.tensors, t.method.Slots()); err != nil {
			return nil, err
		}
		defer t.method.SetLength(ctx, t.tensors, n)
	}
	return s.zip(ctx, t, t.card.Run)
}

// zip is a prefix as its tensors have it now, after so much of a training.
func (s *Session) zip(ctx context.Context, t *tuned, run adapter.Run) ([]byte, error) {
	card := t.card
	card.Model, card.Name, card.Run = s.card(), t.name, run
	a, err := s.adapter(ctx, t, card)
	if err != nil {
		return nil, err
	}
	var zip bytes.Buffer
	err = a.Write(&zip)
	return zip.Bytes(), err
}

// adapter is a prefix as a file: in the format that it came in, if that holds it, or in
// the one that suits it best.
func (s *Session) adapter(ctx context.Context, t *tuned, card adapter.Prelude) (*adapter.Adapter, error) {
	a, err := t.method.Adapter(ctx, s.model.Frozen, t.tensors, card, t.format)
	if err != nil && t.format != "" { // a method that this format does not hold
		a, err = t.method.Adapter(ctx, s.model.Frozen, t.tensors, card, "")
	}
	return a, err
}

// Again lays a prefix on the shelf and puts it in use, under the key that it had and in its
// place, the shelf being in the order of keys: out of its copy, or, a blend, out of its parts,
// which are there. Where that is to be quiet, what is in use stays so.
func (s *Session) Again(ctx context.Context, o wire.Again, zip []byte) error {
	item, inUse := o.Item, s.tuned
	if s.model == nil {
		return ErrNoModel
	}
	if _, err := s.prefix(item.Key); err == nil || item.Key <= 0 {
		return hint("Reload the page.", "a prefix %d can't be put back on the shelf", item.Key)
	}
	if item.Origin == blend {
		if len(item.Parts) != 2 {
			return hint("Reload the page.", "%s is a blend of %d prefixes, want 2", item.Name, len(item.Parts))
		}
		if err := s.Blend(ctx, wire.Blend{First: item.Parts[0], Second: item.Parts[1], Share: item.Share}); err != nil {
			return err
		}
	} else if err := s.again(ctx, item, zip); err != nil {
		return err
	}
	// It has taken the next key: give it its own.
	t := s.tuned
	last := s.lastKey - 1
	t.key, t.name = item.Key, item.Name
	s.lastKey = max(last, item.Key)
	slices.SortFunc(s.shelf, func(a, b *tuned) int { return a.key - b.key })
	if o.Quiet {
		s.tuned = inUse
	}
	return nil
}

func (s *Session) again(ctx context.Context, item wire.Shelved, zip []byte) error {
	if _, err := s.Import(ctx, zip); err != nil {
		return err
	}
	t := s.tuned
	t.origin = item.Origin
	if !item.Nested {
		return nil
	}
	m, err := t.method.Renest(s.model.Arch)
	if err != nil {
		return err
	}
	return s.replace(ctx, t, m, item.Slots)
}

// replace gives a prefix a method of other tensors, of which so many slots count.
func (s *Session) replace(ctx context.Context, t *tuned, m *prefix.Method, slots int) error {
	tensors, err := m.Alloc(ctx, s.Device)
	if err != nil {
		return err
	}
	t.close()
	t.method, t.tensors = m, tensors
	if err := m.SetLength(ctx, tensors, slots); err != nil {
		return err
	}
	return m.Read(ctx, tensors)
}

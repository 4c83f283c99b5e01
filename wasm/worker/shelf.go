//go:build js && wasm

package main

import (
	"context"

	"prelude/engine/wire"
	"prelude/prefix"
)

// onShelf answers what is asked of the shelf; false for other messages.
func (w *worker) onShelf(ctx context.Context, m wire.Message) bool {
	s := &w.session
	act := func(id int, f func() error) {
		w.fail(id, w.idle(func() error {
			err := f()
			if err == nil {
				w.shelf(ctx)
			}
			return err
		}))
	}
	switch m := m.(type) {
	case wire.Use:
		act(0, func() error { return s.Use(m.Key) })
	case wire.Forget:
		act(0, func() error { return s.Forget(m.Key) })
	case wire.Blend:
		act(m.ID, func() error { return s.Blend(ctx, m) })
	case wire.SetLength:
		act(m.ID, func() error { return s.SetLength(ctx, m.Key, m.Length) })
	default:
		return false
	}
	return true
}

// shelf tells the page what the session holds.
func (w *worker) shelf(ctx context.Context) {
	list, err := w.session.Shelf(ctx)
	if err != nil {
		w.fail(0, err)
		return
	}
	w.send(list)
}

func presets() []wire.Preset {
	var all []wire.Preset
	for _, p := range prefix.Presets() {
		all = append(all, wire.Preset{ID: p.ID, Label: p.Label, Sentence: p.Sentence, Formula: p.Formula, Choice: p.Choice})
	}
	return all
}

package dispatch

import (
	"context"
	"fmt"

	"prelude/ui/wire"
)

// onShelf answers what is asked of the shelf; false for other messages.
func (w *Worker) onShelf(ctx context.Context, m wire.Message, blob Blob) bool {
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
	case wire.Again:
		act(m.ID, func() error {
			w.copied[m.Item.Key] = true // the page has it
			return s.Again(ctx, m, bytesOf(blob))
		})
	default:
		return false
	}
	return true
}

// shelf tells the page what the session holds, with a copy of each prefix once it is
// finished.
func (w *Worker) shelf(ctx context.Context) {
	list, err := w.session.Shelf(ctx)
	if err != nil {
		w.fail(0, err)
		return
	}
	w.send(list)
	for _, x := range list.Items {
		if w.copied[x.Key] || x.Origin == "training" || x.Origin == "blend" {
			continue
		}
		w.copied[x.Key] = true
		zip, err := w.session.Copy(ctx, x.Key)
		if err != nil {
			w.fail(0, fmt.Errorf("%s would be lost if the engine stopped: %w", x.Name, err))
			w.send(wire.Copy{Key: x.Key})
			continue
		}
		w.host.Send(wire.Copy{Key: x.Key}, zip)
	}
}

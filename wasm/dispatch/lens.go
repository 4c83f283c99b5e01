package dispatch

import (
	"context"
	"errors"

	"prelude/ui/wire"
)

// onLens answers what is asked of a prefix's workings; false for other messages.
func (w *Worker) onLens(ctx context.Context, cancel context.CancelFunc, m wire.Message) bool {
	s := &w.session
	switch m := m.(type) {
	case wire.Look:
		defer w.current.begin(m.ID, cancel)()
		seen, err := s.Look(ctx, m)
		if err == nil {
			w.send(seen)
		}
		w.fail(m.ID, cancelled(err))
	case wire.Inspect:
		defer w.current.begin(m.ID, cancel)()
		w.fail(m.ID, w.idle(func() error {
			seen, err := s.Inspect(ctx, m)
			if err == nil {
				w.send(seen)
			}
			return cancelled(err)
		}))
	case wire.WhatIf:
		defer w.current.begin(m.ID, cancel)()
		w.fail(m.ID, w.idle(func() error {
			return cancelled(s.WhatIf(ctx, m, func(p wire.Sample) bool {
				w.send(p)
				w.host.Breathe()
				return ctx.Err() == nil
			}))
		}))
	default:
		return false
	}
	return true
}

// cancelled says of an error that the request was cancelled, where it was.
func cancelled(err error) error {
	if errors.Is(err, context.Canceled) {
		return errCancelled
	}
	return err
}

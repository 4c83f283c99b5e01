package dispatch

import (
	"context"
	"fmt"

	"prelude/ui/wire"
)

// onText answers what is asked about a text to learn; false for other messages.
func (w *Worker) onText(ctx context.Context, m wire.Message, blob Blob) bool {
	switch m := m.(type) {
	case wire.Text:
		w.fail(m.ID, w.idle(func() error {
			w.send(wire.Progress{ID: m.ID, Stage: "Trying out how fast this model reads and writes", Total: 1})
			w.host.Breathe()
			content := []byte(m.Content)
			if m.Content == "" {
				content = bytesOf(blob)
			}
			read, err := w.session.SetText(ctx, m.Name, m.Kind, content)
			if err == nil {
				read.ID = m.ID
				w.send(read)
			}
			return err
		}))
	case wire.Write:
		w.fail(m.ID, w.idle(func() error {
			_, end := w.begin(ctx, "writing")
			defer end()
			var done wire.Written
			err := w.session.Write(ctx, m, func(x wire.Written) {
				if x.Done {
					done = x
					return
				}
				w.send(x)
			}, w.between)
			if err != nil {
				return err
			}
			return w.written(done)
		}))
	case wire.Conversations:
		w.fail(m.ID, w.idle(func() error {
			x, err := w.session.GiveConversations(m.ID, bytesOf(blob))
			if err != nil {
				return err
			}
			return w.written(x)
		}))
	default:
		return false
	}
	return true
}

// written tells that no more conversations come, with a file of all.
func (w *Worker) written(x wire.Written) error {
	file, err := w.session.Conversations()
	if err != nil {
		return err
	}
	if file == nil {
		w.send(x)
		return nil
	}
	x.Hash = fmt.Sprintf("%x", w.host.Sum(file)())
	w.host.Send(x, file)
	return nil
}

package dispatch

import (
	"context"

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
			return w.session.Write(ctx, m, func(x wire.Written) { w.send(x) }, w.between)
		}))
	default:
		return false
	}
	return true
}

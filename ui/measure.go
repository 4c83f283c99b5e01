package ui

import (
	"time"

	"prelude/ui/wire"
)

// measuring is how much of the model's context the message in the box takes, with the
// conversation that it goes on from.
type measuring struct {
	id  int            // the request under way, else 0
	due bool           // one is to be sent
	of  string         // the text that was measured
	got *wire.Measured // nil: not known
}

// measurePause is how long nobody types before a message is measured.
const measurePause = 300 * time.Millisecond

// measure asks how long the message in the box is, once nobody types any more.
func (a *App) measure() {
	m := &a.compare.size
	if m.due {
		return
	}
	m.due = true
	a.host.Later(measurePause, func() {
		m.due = false
		c := &a.compare
		if m.id != 0 || a.engine != "ready" || a.model.loaded == nil {
			return
		}
		if m.of = c.prompt; m.of == "" {
			m.got = nil
			return
		}
		var before []*turn
		if a.follows() {
			before = c.talk
		}
		keys := []int{0}
		for _, x := range a.shelf.on() {
			keys = append(keys, x.Key)
		}
		a.lastID++
		m.id = a.lastID
		a.host.Send(wire.Measure{ID: m.id, Ask: a.question(m.of, before, keys)}, nil)
	})
}

// onMeasured takes the answer; where the person has typed on, it is asked again.
func (a *App) onMeasured(m wire.Measured) {
	size := &a.compare.size
	if m.ID != size.id {
		return
	}
	size.id, size.got = 0, &m
	if size.of != a.compare.prompt {
		a.measure()
	}
}

// leftOut says what of a question is not read, "" where all of it is.
func leftOut(turns, bytes int) string {
	switch {
	case turns > 0 && bytes > 0:
		return say("measure.both", say("measure.first-turns", turns), say("measure.first-bytes", bytes))
	case turns > 0:
		return say("measure.first-turns", turns)
	case bytes > 0:
		return say("measure.first-bytes", bytes)
	}
	return ""
}

// sizeText says how much the message takes.
func (c *ComparePanel) sizeText() string {
	m := c.App.compare.size.got
	if m == nil || c.App.compare.prompt == "" {
		return ""
	}
	if out := leftOut(m.Turns, m.Bytes); out != "" {
		return say("measure.too-long-and-the", plural(m.Tokens, "token"), count(m.Room), out)
	}
	return say("measure.of-the-that-the", count(m.Tokens), plural(m.Room, "token"))
}

func (c *ComparePanel) sizeClass() string {
	if m := c.App.compare.size.got; m != nil && m.Turns+m.Bytes > 0 {
		return "help warn-text"
	}
	return "help"
}

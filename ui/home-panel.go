package ui

import (
	"prelude/ui/wire"
)

func (c *HomePanel) title() string {
	if x := c.App.inUse(); x != nil {
		return say("home.prefix-in-use", named(x.Name))
	}
	return say("home.no-prefix-yet")
}

func (c *HomePanel) note() string {
	if x := c.App.inUse(); x != nil {
		return shelfWords(*x)
	}
	if c.App.home.reading != nil && c.App.home.id == 0 {
		return say("home.waits-for-a-model", c.App.home.from)
	}
	if len(c.App.shelf.Items) > 0 {
		return say("home.choose-one-of-the")
	}
	return say("home.train-one-above-or")
}

func (c *HomePanel) notes() []string {
	if x := c.App.inUse(); x != nil {
		return c.App.shelf.notes[x.Key]
	}
	return nil
}

func (c *HomePanel) stage() string {
	if p := c.App.home.progress; p != nil && p.Stage != "" {
		return told(p.Stage)
	}
	if c.App.home.reading != nil {
		return say("home.reading", c.App.home.from)
	}
	return say("home.writing-the-adapter")
}

func (c *HomePanel) saved() bool { return c.App.home.exported != nil && c.App.home.saved }

// exportNote is what the worker says of an export, as a sentence.
func (c *HomePanel) exportNote() string {
	return capital(sentence(told(c.App.home.exported.Note)))
}

func (c *HomePanel) savedText() string {
	e := c.App.home.exported
	s := say("home.saved", zipFile(e.Name))
	if c.App.home.zip != nil {
		s += " (" + size(int64(c.App.home.zip.Len())) + ")"
	}
	if e.PEFT {
		return say("home.peft-can-load-it", s)
	}
	return say("home.peft-cant-load-it", s)
}

func (c *HomePanel) forLlamaCpp() { c.App.exportFor(wire.ForLlamaCpp) }
func (c *HomePanel) forPage()     { c.App.exportFor(wire.ForPage) }

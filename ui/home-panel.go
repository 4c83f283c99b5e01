package ui

import (
	"strings"

	"prelude/ui/wire"
)

func (c *HomePanel) title() string {
	if x := c.App.inUse(); x != nil {
		return "Prefix in use: " + x.Name
	}
	return "No prefix yet"
}

func (c *HomePanel) note() string {
	if x := c.App.inUse(); x != nil {
		return shelfWords(*x)
	}
	if c.App.home.reading != nil && c.App.home.id == 0 {
		return c.App.home.from + " waits for a model."
	}
	if len(c.App.shelf.Items) > 0 {
		return "Choose one of the shelf above."
	}
	return "Train one above, or load one below."
}

func (c *HomePanel) notes() []string {
	if x := c.App.inUse(); x != nil {
		return c.App.shelf.notes[x.Key]
	}
	return nil
}

func (c *HomePanel) stage() string {
	if p := c.App.home.progress; p != nil && p.Stage != "" {
		return p.Stage
	}
	if c.App.home.reading != nil {
		return "Reading " + c.App.home.from
	}
	return "Writing the adapter"
}

func (c *HomePanel) saved() bool { return c.App.home.exported != nil && c.App.home.saved }

// exportNote is what the worker says of an export, as a sentence.
func (c *HomePanel) exportNote() string {
	note := []rune(c.App.home.exported.Note)
	return strings.ToUpper(string(note[:1])) + strings.TrimSuffix(string(note[1:]), ".") + "."
}

func (c *HomePanel) savedText() string {
	e := c.App.home.exported
	s := "Saved " + zipFile(e.Name)
	if c.App.home.zip != nil {
		s += " (" + size(int64(c.App.home.zip.Len())) + ")"
	}
	if e.PEFT {
		return s + ". PEFT can load it."
	}
	return s + ". PEFT can’t load it; this page can."
}

func (c *HomePanel) forLlamaCpp() { c.App.exportFor(wire.ForLlamaCpp) }
func (c *HomePanel) forPage()     { c.App.exportFor(wire.ForPage) }

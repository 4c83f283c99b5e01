package ui

import (
	"strings"

	"prelude/ui/about"
	"prelude/ui/wire"

	"github.com/vugu/vugu"
)

// The sections of the page follow. Each draws its part of the App.

// Page is the root component.
type Page struct{ App *App }

func (c *Page) version() string {
	return say("components.prelude-licence", about.Version, about.Licence)
}
func (c *Page) source() string { return about.Source }

// other is the address of the page as one long sheet, or from there of its panels.
func (c *Page) other() string {
	if c.App.view == viewAll {
		return "#"
	}
	return "#" + viewAll
}

func (c *Page) otherWord() string {
	if c.App.view == viewAll {
		return say("page.one-panel")
	}
	return say("page.everything")
}

// Masthead is the page's head: name, promise, what runs.
type Masthead struct{ App *App }

// ModelPanel chooses and loads the model.
type ModelPanel struct{ App *App }

// DataPanel takes the examples and shows how they were read.
type DataPanel struct{ App *App }

// TrainPanel has the settings of a training.
type TrainPanel struct{ App *App }

// MethodPicker offers the axes of the method.
type MethodPicker struct{ App *App }

// MethodPanel has the MethodPicker on a page of its own.
type MethodPanel struct{ App *App }

// Chart draws the loss curves of a run. ID names it on the page.
type Chart struct {
	App  *App
	ID   string
	Of   *run
	View *chartView
	p    plot
}

// ComparePanel is the conversation with the base model and the prefixes.
type ComparePanel struct{ App *App }

// HomePanel exports, imports and forgets the prefix.
type HomePanel struct{ App *App }

// SharePanel publishes a prefix and lists the published ones.
type SharePanel struct{ App *App }

// Notice is the message that belongs to one place of the page, if there is one.
type Notice struct {
	App *App
	At  place
}

// Field is a labelled box for one short text or number.
type Field struct {
	ID, Label, Value, Help, Placeholder, Unit, Mode string
	Disabled                                        bool
	Set                                             func(string)
}

// Drop is a zone that takes files, dropped or chosen.
type Drop struct {
	App              *App
	ID, Title, Small string
	Accept           string
	Many             bool
	Over             *bool
	Take             func([]File)
}

// Answer is what one model said.
type Answer struct {
	App             *App
	ID, Title, Note string
	Key             int  // of the prefix that answers, 0 for the base model
	At              int  // its turn, from 0
	Last            bool // of the newest turn
	From            *answer
}

func (c *Drop) files(e vugu.DOMEvent) {
	files := c.App.host.Files(e)
	if !c.Many && len(files) > 1 {
		files = files[:1]
	}
	if len(files) > 0 {
		c.Take(files)
	}
}

func (c *Drop) hover(e vugu.DOMEvent, over bool) {
	e.PreventDefault()
	*c.Over = over
}

func (c *Drop) class() string {
	if *c.Over {
		return "drop over"
	}
	return "drop"
}

// first takes a single file.
func first(take func(File)) func([]File) {
	return func(files []File) { take(files[0]) }
}

// space splits leading white space from a text, made visible.
func space(text string) (mark, rest string) {
	rest = strings.TrimLeft(text, " ")
	return strings.Repeat("·", len(text)-len(rest)), rest
}

// peftWord says on a choice whether PEFT loads what it trains.
func peftWord(c wire.Choice) string {
	if c.PEFT {
		return "PEFT"
	}
	return say("components.prelude-only")
}

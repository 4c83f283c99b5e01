package ui

import (
	"fmt"
	"strconv"
	"strings"

	"prelude/ui/wire"
)

// fact is one name and value of a list of facts.
type fact struct{ name, value, more string }

func (c *Field) helpID() *string {
	if c.Help == "" {
		return nil
	}
	id := c.ID + "-help"
	return &id
}

func (c *Drop) noun() string {
	if c.Many {
		return say("panels.files")
	}
	return say("panels.a-file")
}

func (c *Masthead) model() string {
	m := c.App.model.loaded
	return m.Name + " · " + params(m.Params)
}

// current marks the link to the view that is shown.
func (c *Masthead) current(view string) *string {
	if c.App.view != view {
		return nil
	}
	page := "page"
	return &page
}

// loading says how far a model is that loads; the workbench says more.
func (c *Masthead) loading() string {
	m := &c.App.model
	if m.id == 0 || c.App.shows(viewTrain) {
		return ""
	}
	return strings.TrimSpace((&ModelPanel{c.App}).stage() + " " + progressText(m.progress, true))
}

func progressMax(p *wire.Progress) *string {
	if p == nil || p.Total <= 1 {
		return nil
	}
	s := fmt.Sprint(p.Total)
	return &s
}

// progressValue is nil where how far is not known: the bar then only moves.
func progressValue(p *wire.Progress) *int64 {
	if p == nil || p.Total <= 1 {
		return nil
	}
	return &p.Done
}

func progressText(p *wire.Progress, bytes bool) string {
	switch {
	case p == nil || p.Total <= 1:
		return ""
	case bytes && p.Total > 10_000:
		return say("all.of", size(p.Done), size(p.Total))
	}
	return say("all.of", count(p.Done), count(p.Total))
}

func itoa(n int) string { return strconv.Itoa(n) }

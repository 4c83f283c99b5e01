package ui

import (
	"strings"

	"prelude/ui/wire"
)

// kept are the models that were fetched into this browser.
type kept struct {
	wire.Kept
	id      int    // the deletion under way, else 0
	lasting string // whether the browser keeps them for good, in a sentence; "" before it was asked
}

func (a *App) onKept(m wire.Kept) {
	delete(a.asked, m.ID)
	if m.ID == a.kept.id {
		a.kept.id = 0
	}
	a.kept.Kept = m
	if len(m.Models) > 0 && a.kept.lasting == "" {
		a.askLasting(false)
	}
}

// askLasting finds out whether the browser keeps fetched models until they are deleted. It
// is asked to when a person first fetches one: some browsers ask them in turn.
func (a *App) askLasting(ask bool) {
	a.kept.lasting = "…"
	a.host.Persist(ask, func(granted bool) {
		a.kept.lasting = say("kept.this-browser-may-delete")
		if granted {
			a.kept.lasting = say("kept.this-browser-keeps-them")
		}
	})
}

// deleteKept takes a model out of the browser's storage. Where it is loaded, it stays so.
func (a *App) deleteKept(model string) {
	a.kept.id = a.ask(atModel, func(id int) wire.Message { return wire.Delete{ID: id, Model: model} }, nil)
}

// sourceOf says where a fetched model came from.
func sourceOf(model string) source {
	if strings.Contains(model, "://") {
		return source{url: model}
	}
	return source{hub: model}
}

func (c *ModelPanel) keptTitle(m wire.KeptModel) string {
	if s := sourceOf(m.Model); s.url != "" {
		_, rest, _ := strings.Cut(s.url, "://")
		return rest
	}
	return m.Model
}

func (c *ModelPanel) keptNote(m wire.KeptModel) string {
	if !m.Whole && m.Bytes >= m.Of {
		return say("kept.not-finished-are-here", size(m.Bytes))
	}
	if m.Bytes < m.Of {
		return say("kept.broken-off-with-here", size(m.Bytes))
	}
	return say("kept.loads-without-the-network")
}

func (c *ModelPanel) keptAction(m wire.KeptModel) string {
	if !m.Whole {
		return say("all.go-on")
	}
	return say("all.load")
}

func (c *ModelPanel) keptRoom() string {
	k := c.App.kept
	room := say("kept.used", size(k.Used))
	if k.Quota > 0 {
		room = say("kept.of-the-this-browser", size(k.Used), size(k.Quota))
	}
	return room + ". " + k.lasting
}

func (c *ModelPanel) isKeptLoaded(m wire.KeptModel) bool {
	now := &c.App.model
	return now.id == 0 && now.loaded != nil && now.source != nil && now.source.hub+now.source.url == m.Model
}

// busyKept says whether fetched models are to be left alone: one is being read or deleted.
func (c *ModelPanel) busyKept() bool {
	return c.App.model.id != 0 || c.App.kept.id != 0 || c.App.engine != "ready"
}

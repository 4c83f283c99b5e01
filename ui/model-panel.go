package ui

import (
	"strings"

	"prelude/ui/wire"
)

func (c *ModelPanel) none() string {
	if c.App.engine == "starting" {
		return "Starting the engine…"
	}
	return "No model comes with this page: bring your own below."
}

func (c *ModelPanel) isLoaded(name string) bool {
	m := &c.App.model
	return m.id == 0 && m.loaded != nil && m.source != nil && m.source.bundled == name
}

func (c *ModelPanel) row(name string) string {
	if c.isLoaded(name) {
		return "row on"
	}
	return "row"
}

func (c *ModelPanel) stage() string {
	title := c.App.model.source.title(c.App.ready.Models)
	if p := c.App.model.progress; p != nil && p.Stage != "" {
		return title + ": " + p.Stage
	}
	return "Loading " + title
}

func (c *ModelPanel) facts() []fact {
	m := c.App.model.loaded
	return []fact{
		{name: "Family", value: m.Family},
		{name: "Parameters", value: params(m.Params)},
		{name: "Weights", value: size(m.WeightBytes)},
		{name: "Context", value: count(m.Context) + " tokens"},
		{name: "Layers", value: count(m.Layers)},
		{name: "Vocabulary", value: count(m.Vocab)},
	}
}

func (c *ModelPanel) devices() []wire.DeviceInfo {
	return append([]wire.DeviceInfo{{Name: "auto", OK: true, Why: "A short trial picks the fastest device for this model."}}, c.App.ready.Devices...)
}

// why says why this device was chosen, as a sentence.
func (c *ModelPanel) why() string {
	return strings.TrimSuffix(c.App.model.loaded.DeviceWhy, ".") + "."
}

package ui

import (
	"strings"

	"prelude/ui/wire"
)

func (c *ModelPanel) none() string {
	if c.App.engine == "starting" {
		return say("model.starting-the-engine")
	}
	return say("model.no-model-comes-with")
}

func (c *ModelPanel) isLoaded(name string) bool {
	m := &c.App.model
	return m.id == 0 && m.loaded != nil && m.source != nil && m.source.bundled == name
}

// busy says whether a model can't be loaded now. While another is on its way it can: that
// gives way, also one that began by itself while a person reached for the button.
func (c *ModelPanel) busy(name string) bool {
	m := &c.App.model
	return c.App.engine != "ready" || m.id != 0 && m.source != nil && m.source.bundled == name
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
		return say("all.colon", title, told(p.Stage))
	}
	return say("model.loading", title)
}

func (c *ModelPanel) facts() []fact {
	m := c.App.model.loaded
	return []fact{
		{name: say("model.family"), value: m.Family},
		{name: say("model.parameters"), value: params(m.Params)},
		{name: say("model.weights"), value: size(m.WeightBytes)},
		{name: say("model.context"), value: say("model.tokens", count(m.Context))},
		{name: say("all.layers"), value: count(m.Layers)},
		{name: say("model.vocabulary"), value: count(m.Vocab)},
	}
}

func (c *ModelPanel) devices() []wire.DeviceInfo {
	return append([]wire.DeviceInfo{{Name: "auto", OK: true, Why: say("model.a-short-trial-picks")}}, c.App.ready.Devices...)
}

// why says why this device was chosen, as a sentence.
func (c *ModelPanel) why() string {
	return sentence(told(strings.TrimSuffix(c.App.model.loaded.DeviceWhy, ".")))
}

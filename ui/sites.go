package ui

import (
	"prelude/ui/wire"
)

// encDec says whether the loaded model is an encoder-decoder.
func (a *App) encDec() bool { return a.model.loaded != nil && a.model.loaded.EncDec }

// refused says why the loaded model can't have an option, a preset or a text, by the keys
// of [wire.Loaded.Refused]; "" where it can.
func (a *App) refused(key string) string {
	if a.model.loaded != nil && a.model.loaded.Refused[key] != "" {
		return say("sites.not-with-this-model", told(a.model.loaded.Refused[key]))
	}
	return ""
}

// suit gives up choices that the loaded model can't have, for the default.
func (a *App) suit() {
	for _, axis := range a.ready.Axes {
		if a.refused(axis.ID+"."+a.set.method[axis.ID]) != "" {
			a.set.method[axis.ID] = defaultChoice(axis)
		}
	}
}

// turn sets a switch of the method.
func (a *App) turn(key string, on bool) {
	value := "off"
	if on {
		value = "on"
	}
	a.choose(key, value)
}

// axes are those that say something of the loaded model.
func (c *MethodPicker) axes() (all []wire.Axis) {
	for _, axis := range c.App.ready.Axes {
		if !axis.EncDec || c.App.encDec() {
			all = append(all, axis)
		}
	}
	return all
}

// choice is what is chosen on an axis in a few words: of switches, those that are on.
func (c *MethodPicker) choice(axis wire.Axis) string {
	ch := c.chosen(axis)
	var on []string
	switches := false
	for _, s := range ch.Settings {
		if s.Kind != "switch" {
			continue
		}
		if switches = true; c.App.set.method[c.key(axis, s)] == "on" {
			on = append(on, told(s.Label))
		}
	}
	switch {
	case !switches:
		return told(ch.Label)
	case on == nil:
		return say("sites.nowhere")
	}
	return joined(on...)
}

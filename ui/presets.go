package ui

import (
	"cmp"
	"fmt"

	"prelude/ui/wire"
)

// usePreset makes the choices of a named method. Axes that it does not name get their
// default, and settings keep what stands in their boxes unless the method names them.
func (a *App) usePreset(p wire.Preset) { a.set.take(a.ready.Axes, p) }

func (s *settings) take(axes []wire.Axis, p wire.Preset) {
	for _, axis := range axes {
		s.method[axis.ID] = presetChoice(axis, p)
	}
	for key, value := range p.Choice {
		s.method[key] = value
	}
}

// presetChoice is a preset's choice on an axis.
func presetChoice(axis wire.Axis, p wire.Preset) string {
	if id, ok := p.Choice[axis.ID]; ok {
		return id
	}
	return defaultChoice(axis)
}

// isPreset says whether the choices on all axes are those of a preset.
func (s *settings) isPreset(axes []wire.Axis, p wire.Preset) bool {
	for _, axis := range axes {
		if s.method[axis.ID] != presetChoice(axis, p) {
			return false
		}
	}
	for key, value := range p.Choice {
		if s.method[key] != value {
			return false
		}
	}
	return true
}

func (c *MethodPicker) isPreset(p wire.Preset) bool {
	return c.App.set.isPreset(c.App.ready.Axes, p)
}

// presetSentence says what a preset is, or why the model can't have it.
func (c *MethodPicker) presetSentence(p wire.Preset) string {
	return cmp.Or(c.App.refused("preset."+p.ID), told(p.Sentence))
}

func (c *MethodPicker) presetPressed(p wire.Preset) string { return fmt.Sprint(c.isPreset(p)) }

func (c *MethodPicker) presetClass(p wire.Preset) string {
	if c.isPreset(p) {
		return "preset on"
	}
	return "preset"
}

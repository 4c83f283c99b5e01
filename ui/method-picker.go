package ui

import (
	"cmp"

	"prelude/ui/wire"
)

func (c *MethodPicker) chosen(axis wire.Axis) wire.Choice {
	if ch := choiceOf(axis, c.App.set.method[axis.ID]); ch != nil {
		return *ch
	}
	return wire.Choice{}
}

// sentence says what a choice is, or why the model can't have it.
func (c *MethodPicker) sentence(axis wire.Axis, ch wire.Choice) string {
	return cmp.Or(c.App.refused(axis.ID+"."+ch.ID), told(ch.Sentence))
}

func (c *MethodPicker) peft() string {
	if c.App.encDec() && c.App.set.peft(c.App.ready.Axes) {
		return say("method-picker.peft-loads-a-prefix")
	}
	if c.App.set.peft(c.App.ready.Axes) {
		return say("method-picker.this-choice-exports-to")
	}
	return say("method-picker.this-choice-exports-to-a-file")
}

func (c *MethodPicker) key(axis wire.Axis, s wire.Setting) string {
	return settingKey(c.chosen(axis), s)
}

func (c *MethodPicker) setter(key string) func(string) {
	return func(v string) { c.App.choose(key, v) }
}

func (c *MethodPicker) tagClass(ch wire.Choice) string {
	if ch.PEFT {
		return "tag small"
	}
	return "tag small faint"
}

// mode is the keyboard that a setting wants.
func mode(s wire.Setting) string {
	switch s.Kind {
	case "int":
		return "numeric"
	case "float":
		return "decimal"
	}
	return "text"
}

package dispatch

import (
	"prelude/prefix"
	"prelude/ui/wire"
)

// Axes lists the methods that there are.
func Axes() []wire.Axis {
	var all []wire.Axis
	for _, a := range prefix.Axes() {
		if len(a.Options) == 0 {
			continue
		}
		x := wire.Axis{ID: a.ID, Label: a.Label, EncDec: a.EncDec}
		for i, o := range a.Options {
			c := wire.Choice{ID: o.ID, Label: o.Label, Sentence: o.Sentence, Default: i == 0, PEFT: o.PEFT}
			for _, s := range o.Settings {
				c.Settings = append(c.Settings, wire.Setting(s))
			}
			x.Choices = append(x.Choices, c)
		}
		all = append(all, x)
	}
	return all
}

// presets lists the methods that have a name.
func presets() []wire.Preset {
	var all []wire.Preset
	for _, p := range prefix.Presets() {
		all = append(all, wire.Preset{ID: p.ID, Label: p.Label, Sentence: p.Sentence, Formula: p.Formula, Choice: p.Choice})
	}
	return all
}

package ui

import "fmt"

func (c *TrainPanel) segment(by string) string {
	if c.App.set.by == by {
		return "segment on"
	}
	return "segment"
}

func (c *TrainPanel) amount() string {
	if c.App.set.by == "steps" {
		return c.App.set.steps
	}
	return c.App.set.minutes
}

func (c *TrainPanel) setAmount(v string) {
	if c.App.set.by == "steps" {
		c.App.set.steps = v
	} else {
		c.App.set.minutes = v
	}
}

func (c *TrainPanel) pressed(by string) string { return fmt.Sprint(c.App.set.by == by) }

// method names the method that is chosen: a preset, or the choices that differ from one.
func (c *TrainPanel) method() string {
	for _, p := range c.App.ready.Presets {
		if c.App.set.isPreset(c.App.ready.Axes, p) {
			return told(p.Label)
		}
	}
	if len(c.App.ready.Axes) == 0 {
		return "…"
	}
	return say("train.your-own-combination")
}

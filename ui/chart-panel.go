package ui

import (
	"fmt"
	"math"

	"github.com/vugu/vugu"
)

// Compute lays the chart out anew before each drawing. All charts are as wide as the
// training's.
func (c *Chart) Compute() {
	c.View.width = c.App.chart.width
	c.p = c.View.layout(c.Of)
}

func (c *Chart) box() string { return fmt.Sprintf("0 0 %d %d", c.p.width, c.p.height) }

// label is the chart in words, for a screen reader.
func (c *Chart) label() string {
	return say("chart.loss-by-step-arrow", c.Of.summary())
}

func (c *Chart) point(e vugu.DOMEvent) {
	c.View.point(c.Of, e.PropFloat64("offsetX"))
}

func (c *Chart) key(e vugu.DOMEvent) {
	if c.View.key(c.Of, e.PropString("key")) {
		e.PreventDefault()
	}
}

// readout is what stands at the cursor, or the last step where none is set.
func (c *Chart) readout() string {
	if c.p.read == nil {
		return ""
	}
	s := say("chart.step-loss-smoothed", count(c.p.read.step), lossText(c.p.read.loss), lossText(c.p.read.smooth))
	if v := c.p.read.val; v != nil {
		s += " " + say("all.validation", lossText(v.loss))
		if v.by != "" {
			s += ", " + v.by
		}
	}
	return s
}

// class tells a loss that was estimated from one of all held-out examples.
func (d dot) class() string {
	if d.by != "" {
		return "dot hollow"
	}
	return "dot"
}

// bestX keeps the best point's label inside the drawing.
func (c *Chart) bestX() float64 {
	const half = 34
	return math.Min(math.Max(c.p.best.x, c.p.x.from+half), c.p.x.to-half)
}

// bestY puts the label below the point, and above it where the axis' numbers stand below.
func (c *Chart) bestY() float64 {
	const below, above = 20, 14
	if c.p.best.y+below > c.p.y.from-4 {
		return c.p.best.y - above
	}
	return c.p.best.y + below
}

package ui

import (
	"fmt"
	"math"
	"strings"

	"prelude/ui/wire"
)

// LengthChart shows what validation says of several lengths. A press on one sets it: the
// length of a nested prefix, or the number of slots of the next training.
type LengthChart struct {
	App *App
	p   lengthPlot
}

// lengthPlot is the chart in CSS pixels. Lengths stand at equal distances.
type lengthPlot struct {
	width, height int
	y             scale
	line          string
	points        []lengthDot
	yTicks        []tick
}

type lengthDot struct {
	x, y, low, high float64 // low and high end the whisker
	slots           int
	picked, on      bool
}

const lengthHeight = 188

func (c *LengthChart) Compute() {
	c.p = layoutLengths(c.App.run.lengths, max(240, c.App.chart.width), c.current())
}

func layoutLengths(l *wire.Lengths, width, current int) lengthPlot {
	p := lengthPlot{width: width, height: lengthHeight}
	if l == nil || len(l.Points) == 0 {
		return p
	}
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, x := range l.Points {
		lo, hi = math.Min(lo, x.Loss-x.Error), math.Max(hi, x.Loss+x.Error)
	}
	pad := math.Max(0.08*(hi-lo), 0.01)
	p.y = scale{math.Max(0, lo-pad), hi + pad, float64(p.height - chartBottom), chartTop}
	p.yTicks = ticks(p.y, 4, nil, false)
	x := scale{-0.5, float64(len(l.Points)) - 0.5, chartLeft, float64(width - chartRight)}
	var path strings.Builder
	for i, q := range l.Points {
		d := lengthDot{x: x.px(float64(i)), y: p.y.px(q.Loss), low: p.y.px(q.Loss - q.Error), high: p.y.px(q.Loss + q.Error),
			slots: q.Slots, picked: q.Slots == l.Picked, on: q.Slots == current}
		move(&path, d.x, d.y)
		p.points = append(p.points, d)
	}
	p.line = path.String()
	return p
}

// nested is the prefix whose length the chart sets; nil where each length was a trial of
// its own, or the prefix is gone.
func (c *LengthChart) nested() *wire.Shelved {
	if l := c.App.run.lengths; l.Key != 0 {
		return c.App.shelf.item(l.Key)
	}
	return nil
}

// current is the length that is set.
func (c *LengthChart) current() int {
	l := c.App.run.lengths
	if l == nil {
		return 0
	}
	if x := c.nested(); x != nil {
		return x.Slots
	}
	return l.Picked
}

func (c *LengthChart) box() string { return fmt.Sprintf("0 0 %d %d", c.p.width, c.p.height) }

// label is the chart in words.
func (c *LengthChart) label() string {
	var parts []string
	for _, q := range c.App.run.lengths.Points {
		parts = append(parts, fmt.Sprintf("%s: %s", plural(q.Slots, "slot"), lossText(q.Loss)))
	}
	return say("lengths.validation-loss-by-length", joined(parts...))
}

// say is the chart's result in a sentence.
func (c *LengthChart) say() string {
	l := c.App.run.lengths
	if l.Picked == 0 {
		return say("lengths.validation-by-length-so")
	}
	best := l.Points[0]
	for _, q := range l.Points {
		if q.Loss < best.Loss {
			best = q
		}
	}
	s := say("lengths.have-the-lowest-validation", plural(l.Picked, "slot"))
	if best.Slots != l.Picked {
		s = say("lengths.enough", l.Picked, count(best.Slots))
	}
	if l.Key != 0 {
		return say("lengths.one-training-gave-all", s)
	}
	return say("lengths.a-press-on-another", s)
}

// set takes a length.
func (c *LengthChart) set(n int) {
	if x := c.nested(); x != nil {
		c.App.setLength(x.Key, n)
		return
	}
	c.App.choose("length", "fixed")
	for _, axis := range c.App.ready.Axes {
		if axis.ID == "source" {
			c.App.choose(c.App.set.method["source"]+".slots", itoa(n))
		}
	}
}

// canSet says whether a press means anything now.
func (c *LengthChart) canSet() bool {
	l := c.App.run.lengths
	return !c.App.training() && l.Picked != 0 && (l.Key == 0 || c.nested() != nil)
}

func (c *LengthChart) class(d lengthDot) string {
	s := "length-dot"
	if d.on {
		s += " on"
	}
	return s
}

func (c *LengthChart) segment(d lengthDot) string {
	if d.on {
		return "segment on"
	}
	return "segment"
}

func (c *LengthChart) pressed(d lengthDot) string { return fmt.Sprint(d.on) }

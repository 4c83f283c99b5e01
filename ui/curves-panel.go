package ui

import (
	"math"
	"slices"

	"github.com/vugu/vugu"
)

// CurvesPanel draws several runs in one chart.
type CurvesPanel struct {
	App *App
	p   curvesPlot
}

func (c *CurvesPanel) Compute() {
	a := c.App
	end := 0
	if a.run.active() && a.curveOf(a.run.n) {
		end = a.run.shown()
	}
	c.p = a.curves.layout(a.drawn(), end)
}

// curveOf says whether a run is drawn.
func (a *App) curveOf(n int) bool {
	return slices.ContainsFunc(a.drawn(), func(r *runRecord) bool { return r.N == n })
}

func (c *CurvesPanel) box() string { return "0 0 " + itoa(c.p.width) + " " + itoa(c.p.height) }

func (c *CurvesPanel) class(what string, s series) string { return what + " curve-" + itoa(s.look) }

// name is a run with its value at the cursor.
func (c *CurvesPanel) name(s series) string {
	if v := c.value(s); v != "" {
		return s.name + "  " + v
	}
	return s.name
}

func (c *CurvesPanel) value(s series) string {
	at := c.App.curves.cursor
	if math.IsNaN(at) {
		return ""
	}
	v, by, ok := s.near(at)
	switch {
	case !ok:
		return "—"
	case by != "":
		return joined(c.word(v), by)
	}
	return c.word(v)
}

func (c *CurvesPanel) word(v float64) string {
	switch c.App.curves.quantity {
	case "loss", "val":
		return lossText(v)
	case "tokens":
		return rate(v)
	}
	return short(v, 3)
}

// where says at which step the values are.
func (c *CurvesPanel) where() string {
	if at := c.App.curves.cursor; !math.IsNaN(at) {
		return say("all.step", count(int(at)))
	}
	return ""
}

func (c *CurvesPanel) quantity() string {
	for _, q := range quantities {
		if q.id == c.App.curves.quantity {
			return say(q.label)
		}
	}
	return ""
}

// label is the chart in words.
func (c *CurvesPanel) label() string {
	var parts []string
	for _, s := range c.p.all {
		if n := len(s.y); n > 0 {
			parts = append(parts, say("curves.ends-at", s.name, c.word(s.y[n-1])))
		}
	}
	return say("curves.by-step-arrow-keys", c.quantity(), joined(parts...))
}

// spoken is what stands at the cursor, for those who move it by keyboard and can't see it.
func (c *CurvesPanel) spoken() string {
	if math.IsNaN(c.App.curves.cursor) {
		return ""
	}
	parts := []string{c.where()}
	for _, s := range c.p.all {
		parts = append(parts, s.name+" "+c.value(s))
	}
	return joined(parts...)
}

func (c *CurvesPanel) key(e vugu.DOMEvent) {
	if c.App.curves.key(c.p, e.PropString("key")) {
		e.PreventDefault()
	}
}

func (c *CurvesPanel) down(e vugu.DOMEvent) {
	at := e.PropFloat64("offsetX")
	c.App.curves.drag = &[2]float64{at, at}
}

func (c *CurvesPanel) leave() { c.App.curves.cursor, c.App.curves.drag = math.NaN(), nil }

// dragged is the part that is being chosen, in pixels.
func (c *CurvesPanel) dragged() (from, width float64) {
	if d := c.App.curves.drag; d != nil {
		return math.Min(d[0], d[1]), math.Abs(d[1] - d[0])
	}
	return 0, 0
}

func (c *CurvesPanel) dragFrom() string  { from, _ := c.dragged(); return px(from) }
func (c *CurvesPanel) dragWidth() string { _, width := c.dragged(); return px(width) }

func (c *CurvesPanel) smoothing(s string) string {
	if s == "1" {
		return say("curves.none")
	}
	return say("curves.steps", s)
}

// saveCurves offers the chart as a file: the runs' curves as a table, or as a drawing.
func (c *CurvesPanel) save(kind string) {
	if kind == "svg" {
		c.App.host.Save("curves.svg", c.App.host.Bytes(c.p.svg(c.quantity())))
		return
	}
	c.App.host.Save("curves.csv", c.App.host.Bytes(table(c.App.drawn())))
}

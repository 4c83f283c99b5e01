package ui

import (
	"fmt"
	"math"
	"strings"

	"prelude/ui/wire"
)

// finder tries learning rates out: a short training in which the rate rises, and the rate
// that the curve suggests.
type finder struct {
	id       int // the test under way, else 0
	progress *wire.Progress
	rates    []float64
	losses   []float64
	found    *wire.RateFound
}

func (f *finder) stop() { f.id, f.progress = 0, nil }

func (f *finder) tried(m wire.RateTried) {
	if m.ID == f.id {
		f.rates, f.losses = append(f.rates, m.Rate), append(f.losses, m.Loss)
	}
}

// findRate begins the test.
func (a *App) findRate() {
	delete(a.notices, atFinder)
	if why := a.cannotTrain(); why != "" || a.run.active() {
		a.refuse(atFinder, orElse(why, say("all.a-training-is-under")), "")
		return
	}
	s := a.set
	s.lr = ""
	t, err := s.request(0, a.ready.Axes)
	if err == nil {
		t, err = a.study.request(t)
	}
	if err != nil {
		a.refuse(atFinder, sentence(err.Error()), "")
		return
	}
	a.finder = finder{}
	a.finder.id = a.ask(atFinder, func(id int) wire.Message { return wire.FindRate{ID: id, Train: t} }, nil)
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func (a *App) stopFinding() { a.host.Send(wire.Stop{}, nil) }

func (a *App) onRateFound(m wire.RateFound) {
	if m.ID != a.finder.id {
		return
	}
	delete(a.asked, m.ID)
	a.finder.stop()
	a.finder.found = &m
}

// takeRate puts the rate that was found into its box.
func (a *App) takeRate() {
	if f := a.finder.found; f != nil && f.Rate > 0 {
		a.set.lr = short(f.Rate, 2)
	}
}

// FinderPanel shows the test: a button, its curve, what it suggests.
type FinderPanel struct {
	App *App
	p   finderPlot
}

// finderPlot is the curve in CSS pixels, over the logarithm of the rate.
type finderPlot struct {
	width, height  int
	x, y           scale
	line           string
	xTicks, yTicks []tick
	found          float64 // x of the suggestion, 0 where there is none
}

const finderHeight = 168

func (c *FinderPanel) Compute() {
	c.p = layoutFinder(&c.App.finder, max(240, min(c.App.chart.width, 640)))
}

func layoutFinder(f *finder, width int) finderPlot {
	p := finderPlot{width: width, height: finderHeight}
	if len(f.rates) < 2 {
		return p
	}
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, v := range f.losses {
		lo, hi = math.Min(lo, v), math.Max(hi, v)
	}
	first := f.losses[0]
	hi = math.Min(hi, first+1.2*math.Max(first-lo, 0.05)) // what diverges leaves the drawing
	pad := math.Max(0.06*(hi-lo), 0.01)
	p.x = scale{math.Log10(f.rates[0]), math.Log10(f.rates[len(f.rates)-1]), chartLeft, float64(width - chartRight)}
	p.y = scale{lo - pad, hi + pad, float64(p.height - chartBottom), chartTop}
	var path strings.Builder
	for i, v := range f.losses {
		move(&path, p.x.px(math.Log10(f.rates[i])), p.y.inside(v))
	}
	p.line = path.String()
	p.yTicks = ticks(p.y, 4, nil, false)
	for e := math.Ceil(p.x.lo); e <= p.x.hi; e++ {
		p.xTicks = append(p.xTicks, tick{p.x.px(e), powerOfTen(int(e))})
	}
	if f.found != nil && f.found.Rate > 0 {
		p.found = p.x.inside(math.Log10(f.found.Rate))
	}
	return p
}

// powerOfTen writes 10ⁿ as a number that a person reads.
func powerOfTen(n int) string {
	if n < -4 || n > 4 {
		return fmt.Sprintf("1e%d", n)
	}
	return short(math.Pow(10, float64(n)), 1)
}

func (c *FinderPanel) box() string { return fmt.Sprintf("0 0 %d %d", c.p.width, c.p.height) }

func (c *FinderPanel) going() string {
	f := &c.App.finder
	if n := len(f.rates); n > 0 {
		return say("finder.step-at-a-rate", n, short(f.rates[n-1], 2))
	}
	return say("finder.preparing")
}

// say is what the test found, in a sentence.
func (c *FinderPanel) say() string {
	f := c.App.finder.found
	switch {
	case f == nil:
		return ""
	case f.Rate == 0:
		return say("finder.the-loss-never-fell", short(f.Own, 2))
	}
	return say("finder.a-rate-of-about", short(f.Rate, 2), short(f.Own, 2))
}

func (c *FinderPanel) label() string {
	return say("finder.loss-by-learning-rate", c.say())
}

func (c *FinderPanel) rate() string { return short(c.App.finder.found.Rate, 2) }

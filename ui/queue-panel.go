package ui

import (
	"math"
	"time"

	"prelude/ui/wire"
)

// QueuePanel asks for a sweep, lists what waits and sums up what came.
type QueuePanel struct{ App *App }

func (c *QueuePanel) kind() (label, help string) {
	for _, k := range sweepKinds {
		if k.id == c.App.queue.boxes.what {
			return k.label, k.help
		}
	}
	return "", ""
}

func (c *QueuePanel) valuesLabel() string { label, _ := c.kind(); return say(label + "-values") }
func (c *QueuePanel) valuesHelp() string {
	if _, help := c.kind(); help != "" {
		return say(help)
	}
	return ""
}

func (c *QueuePanel) values() string { b := &c.App.queue.boxes; return b.values[b.what] }

func (c *QueuePanel) setValues(v string) { b := &c.App.queue.boxes; b.values[b.what] = v }

func (c *QueuePanel) setWhat(v string) { c.App.queue.boxes.what = v }

// presets are the methods that the model can have.
func (c *QueuePanel) presets() (all []wire.Preset) {
	for _, p := range c.App.ready.Presets {
		if c.App.refused("preset."+p.ID) == "" {
			all = append(all, p)
		}
	}
	return all
}

// asks says how many runs the boxes ask for, and for how long. It is drawn with every step of
// a training, so it counts them without making them.
func (c *QueuePanel) asks() string {
	b := &c.App.queue.boxes
	n := len(valuesIn(b.values[b.what]))
	if b.what == "method" {
		n = 0
		for _, p := range c.presets() {
			if b.methods[p.ID] {
				n++
			}
		}
	}
	if seeds, err := number("", b.seeds, 1, mostSeeds, true); err == nil && b.what != "seed" {
		n *= int(seeds)
	}
	t, err := c.App.set.request(0, c.App.ready.Axes)
	if err != nil || n == 0 {
		return ""
	}
	if takes := time.Duration(n) * c.App.takes(t); takes > 0 {
		return say("queue.about-in-all", plural(n, "run"), span(takes))
	}
	return plural(n, "run") + "."
}

// waits says how many trainings wait, and how long all of it takes.
func (c *QueuePanel) waits() string {
	q := &c.App.queue
	n := len(q.waiting)
	s := say("queue.trainings-wait", n)
	if left := c.App.queueLeft(); left > 0 {
		s += say("queue.about-for-all", span(left))
	}
	if q.held != "" {
		return say("queue.held", s, trimmed(reason(q.held)))
	}
	return s + "."
}

func trimmed(s string) string {
	for len(s) > 0 && s[len(s)-1] == '.' {
		s = s[:len(s)-1]
	}
	return s
}

// title names what waits.
func (c *QueuePanel) title(q queuedRecord) string {
	if q.Sweep.N == 0 {
		return c.App.method(q.Ask)
	}
	s := sweepWord(q.Sweep.What) + " " + q.Sweep.Value
	if q.Sweep.What == "method" {
		s = q.Sweep.Value
	}
	if q.Sweep.What != "seed" && q.Ask.Seed != 0 {
		s += say("queue.seed", q.Ask.Seed)
	}
	return s
}

func (c *QueuePanel) takes(q queuedRecord) string {
	if d := c.App.takes(q.Ask); d > 0 {
		return span(d)
	}
	return ""
}

// sweep is the one whose result is shown: that of the chart, or the newest.
func (c *QueuePanel) sweep() int {
	if n := c.App.curves.sweep; n > 0 && len(c.App.ofSweep(n)) > 0 {
		return n
	}
	for i := len(c.App.runs) - 1; i >= 0; i-- {
		if r := c.App.runs[i]; r.Sweep != nil && r.Done != nil {
			return r.Sweep.N
		}
	}
	return 0
}

func (c *QueuePanel) groups() []group { return c.App.groups(c.sweep()) }

// what is what the runs of the sweep differ in.
func (c *QueuePanel) what() string {
	for _, r := range c.App.ofSweep(c.sweep()) {
		return sweepWord(r.Sweep.What)
	}
	return ""
}

// sweepWord says what differs between the runs of a sweep, as their records name it.
func sweepWord(what string) string {
	if what == "learning rate" {
		what = "rate"
	}
	return say("sweep." + what)
}

func (g group) loss() string {
	if math.IsNaN(g.sd) {
		return lossText(g.mean)
	}
	return lossText(g.mean) + " ± " + lossText(g.sd)
}

func (g group) took() string { return span(seconds(g.seconds)) }

// use puts the settings of the group's best run into the boxes.
func (c *QueuePanel) use(g group) {
	best := g.runs[0]
	for _, r := range g.runs {
		if r.Done.BestLoss < best.Done.BestLoss {
			best = r
		}
	}
	c.App.useSettings(best)
}

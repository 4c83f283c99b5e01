package ui

import (
	"fmt"
	"strings"
	"time"

	"prelude/ui/wire"

	"github.com/vugu/vugu"
)

// ExperimentsPanel lists what papers say of prefixes, to be rerun here.
type ExperimentsPanel struct{ App *App }

// ExperimentCard is one experiment: what it says, its controls, what it found.
type ExperimentCard struct {
	App  *App
	Item wire.Experiment
}

// open is the fold's state at first: a page of its own begins with what it is for.
func (c *ExperimentsPanel) open() *string {
	if c.App.view == viewAll {
		return nil
	}
	return new(string)
}

func (c *ExperimentsPanel) toggle(e vugu.DOMEvent) {
	if e.PropBool("target", "open") {
		c.App.listExperiments()
	}
}

func (c *ExperimentsPanel) note() string {
	x := &c.App.experiments
	switch {
	case c.App.engine != "ready":
		return say("all.the-engine-is-not")
	case x.timed:
		return say("experiments.each-starts-from-a")
	case x.listing != 0 && len(x.items) > 0:
		return say("experiments.trying-out-how-fast")
	case len(x.items) > 0:
		return say("experiments.how-long-they-take")
	}
	return say("experiments.asking-the-engine")
}

func (c *ExperimentCard) title() string {
	return capital(told(c.Item.Title))
}

// part is the one that is chosen, nil where there are none.
func (c *ExperimentCard) part() *wire.ExperimentPart {
	for i, p := range c.Item.Parts {
		if p.Name == c.App.experiments.part[c.Item.Name] {
			return &c.Item.Parts[i]
		}
	}
	return nil
}

func (c *ExperimentCard) says() string {
	if p := c.part(); p != nil && p.Says != "" {
		return p.Says
	}
	return c.Item.Says
}

func (c *ExperimentCard) paper() string {
	if p := c.part(); p != nil && p.Paper != "" {
		return p.Paper
	}
	return c.Item.Paper
}

func (c *ExperimentCard) partLabel() string {
	if p := c.part(); p != nil && p.Says != "" {
		return say("experiments.claim")
	}
	return say("all.task")
}

func (c *ExperimentCard) chosen() string { return c.App.experiments.part[c.Item.Name] }

func (c *ExperimentCard) choose(part string) { c.App.experiments.part[c.Item.Name] = part }

func (c *ExperimentCard) running() bool { return c.App.experiments.running(c.Item.Name) }

func (c *ExperimentCard) blocked() bool { return c.App.engine != "ready" || c.App.training() }

func (c *ExperimentCard) runLabel() string {
	if f := c.found(); f != nil && f.ended == "done" && len(c.Item.Parts) == 0 {
		return say("experiments.run-again")
	}
	return say("experiments.run")
}

// going is the small print beside the button.
func (c *ExperimentCard) going() string {
	x := &c.App.experiments
	if c.running() {
		if x.stopped {
			return say("experiments.stopping")
		}
		s := told(x.now.Stage)
		if d := x.left(c.Item); d > 0 {
			s += " " + say("experiments.about-left", span(short5(d)))
		}
		return strings.TrimPrefix(s, " · ")
	}
	var all []string
	if d := x.takes(c.Item); d > 0 {
		s := say("experiments.about-on-this-device", span(roughly(d)))
		if d > 5*time.Minute {
			s += say("experiments.longer-than-on-most")
		}
		all = append(all, s)
	} else if x.timed {
		all = append(all, say("experiments.too-slow-a-device"))
	}
	all = append(all, say("experiments.fetches", size(c.Item.Bytes)))
	if x.id == 0 && c.App.training() {
		return say("experiments.waits-for-the-training")
	}
	s := strings.Join(all, "; ")
	return capital(s) + "."
}

// short5 rounds what is left to five seconds.
func short5(d time.Duration) time.Duration { return max(d.Round(5*time.Second), 5*time.Second) }

func (c *ExperimentCard) progress() string { return fmt.Sprint(c.App.experiments.now.Total) }

func (c *ExperimentCard) progressAt() int64 { return c.App.experiments.now.Done }

func (c *ExperimentCard) found() *found { return c.App.experiments.found[c.Item.Name] }

func (c *ExperimentCard) rows() []wire.ExperimentRow {
	if f := c.found(); f != nil {
		return f.table()
	}
	return nil
}

func (c *ExperimentCard) matrix() *matrix {
	if f := c.found(); f != nil {
		return f.matrix()
	}
	return nil
}

func (c *ExperimentCard) curve() *lossCurve {
	if f := c.found(); f != nil {
		return f.curve()
	}
	return nil
}

func (c *ExperimentCard) notes() []string {
	if f := c.found(); f != nil {
		return f.notes
	}
	return nil
}

// verdict is a row's bound with whether it is reached; a row without one has none.
func verdict(r wire.ExperimentRow) (class, word string) {
	switch {
	case r.Want == "":
		return "", ""
	case r.Met:
		return "tag small ok", say("experiments.reached")
	}
	return "tag small missed", say("experiments.missed")
}

func verdictClass(r wire.ExperimentRow) string { class, _ := verdict(r); return class }
func verdictWord(r wire.ExperimentRow) string  { _, word := verdict(r); return word }

// outcome is the last run in a sentence.
func (c *ExperimentCard) outcome() string {
	f := c.found()
	if f == nil || f.ended == "" {
		return ""
	}
	switch f.ended {
	case "done":
		return say("experiments.took", f.tally(), span(seconds(f.seconds)))
	case "stopped":
		return say("experiments.stopped-after-what-was", span(seconds(f.seconds)))
	}
	return say("all.interrupted", reason(f.ended))
}

func (c *ExperimentCard) cellClass(x matrixCell) string {
	if x.own {
		return "own"
	}
	return ""
}

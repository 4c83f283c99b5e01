package ui

import (
	"fmt"
	"strings"
)

// RunPanel starts a run and shows it: the curve, its figures, the answers as it learns.
type RunPanel struct{ App *App }

// id is "run" where there is a run to be seen.
func (c *RunPanel) id() string {
	if c.App.run.status == runNone {
		return "no-run"
	}
	return "run"
}

// what says in one line what would be trained on.
func (c *RunPanel) what() string {
	a := c.App
	parts := []string{a.model.loaded.Name}
	switch {
	case a.data.file != nil && a.data.set != nil:
		parts = append(parts, a.data.file.Name, plural(a.data.set.Train, "example"))
	case a.study.file != nil:
		parts = append(parts, a.study.file.Name)
	}
	return strings.Join(parts, " · ")
}

func (c *RunPanel) summary() string {
	if c.App.run.status == runNone {
		return say("run.the-loss-falls-here")
	}
	return c.App.run.summary()
}

// progressClass hides the bar where nothing is trained; its room is kept.
func (c *RunPanel) progressClass() string {
	if c.App.run.active() {
		return ""
	}
	return "hidden"
}

// nextClass shows the ways on from a prefix once there is one; their room is kept before, so
// that nothing moves.
func (c *RunPanel) nextClass() string {
	if c.App.run.active() || c.App.inUse() == nil {
		return "next hidden"
	}
	return "next"
}

func (c *RunPanel) tiles() []fact {
	r := &c.App.run
	tiles := []fact{
		{name: say("run.step"), value: "—"}, {name: say("all.training-loss"), value: "—"}, {name: say("all.validation-loss"), value: "—"},
		{name: say("run.tokens-s"), value: "—"}, {name: say("run.time-left"), value: "—"},
	}
	if r.text {
		tiles[1].name, tiles[2].name = say("run.difference"), say("run.on-new-questions")
	}
	if len(r.losses) > 0 {
		tiles[0].value = count(r.at())
		if t := r.total(); t > 0 && (r.active() || r.at() == t) { // one that ended early had no use for its plan
			tiles[0].more = say("all.of-2", count(t))
		}
		s := smoothed(r.losses)
		tiles[1].value = lossText(s[len(s)-1])
		if r.last.TokensSec > 0 {
			tiles[3].value = rate(r.last.TokensSec)
		}
	}
	if n := len(r.evals); n > 0 {
		tiles[2].value = lossText(r.evals[n-1].Loss)
		if estimated(r.evals[n-1]) != "" { // the chart says by how many: here it would move what is below
			tiles[2].more = say("run.estimate")
		} else if n > 1 {
			tiles[2].more = say("all.from", lossText(r.evals[0].Loss))
		}
	}
	switch {
	case r.done != nil:
		tiles[4] = fact{name: say("run.time-taken"), value: span(seconds(r.done.Seconds))}
	case r.active():
		if left, gone := r.clock(); left > 0 {
			tiles[4].value = span(left)
			if gone > 0 {
				tiles[4].more = say("all.after", span(gone))
			}
		}
	}
	return tiles
}

func (c *RunPanel) plan() []fact {
	p := c.App.run.planned
	facts := []fact{
		{name: say("all.steps"), value: count(p.Steps)},
		{name: say("run.memory"), value: size(p.PeakBytes)},
		{name: say("run.trainable"), value: params(p.Trainable)},
		{name: say("all.slots"), value: count(p.Slots)},
		{name: say("all.learning-rate"), value: short(p.LR, 2)},
	}
	if p.StepMillis > 0 { // it was measured, to plan for a time
		facts = append(facts, fact{name: say("run.a-step-takes"), value: span2(p.StepMillis)})
	}
	return facts
}

// span2 writes milliseconds, or seconds where there are many.
func span2(millis float64) string {
	if millis >= 1000 {
		return say("all.s", short(millis/1000, 2))
	}
	return say("run.ms", short(millis, 2))
}

func (c *RunPanel) planNotes() []string {
	p := c.App.run.planned
	notes := p.Notes
	if p.Recompute {
		notes = append([]string{say("run.block-activations-are-computed")}, notes...)
	}
	return notes
}

func (c *RunPanel) startLabel() string {
	if c.App.run.status == runDone || c.App.run.status == runBroken {
		return say("all.train-again")
	}
	return say("run.start-training")
}

func (c *RunPanel) progress() *string {
	t := c.App.run.total()
	if t == 0 {
		return nil
	}
	s := fmt.Sprint(t)
	return &s
}

func (c *RunPanel) announce() string {
	r := &c.App.run
	if !r.active() {
		return r.summary()
	}
	// A screen reader hears quarters, not steps.
	share := 0.0
	if total := r.total(); total > 0 {
		share = float64(r.at()) / float64(total)
	} else if left, gone := r.clock(); gone > 0 {
		share = float64(gone) / float64(gone+left)
	}
	if quarters := int(4 * share); r.status == runGoing && quarters > 0 && quarters < 4 {
		return say("run.done", r.word(), count(25*quarters))
	}
	return r.word()
}

// going is the small print beside the buttons while a run is under way.
func (c *RunPanel) going() string {
	r := &c.App.run
	switch {
	case r.status == runStarting && r.progress != nil:
		return told(r.progress.Stage)
	case r.status == runStarting:
		return say("run.measuring-a-step-to")
	case r.status == runGoing && r.progress != nil && r.progress.Total > 1:
		return sentence(told(r.progress.Stage))
	case r.status == runPaused:
		return say("run.paused-ask-the-models")
	case r.status == runStopping:
		return say("run.stopping-what-was-learned")
	}
	return say("run.you-can-ask-both")
}

func (c *RunPanel) progressAt() *int {
	if c.App.run.total() == 0 {
		return nil
	}
	at := c.App.run.at()
	return &at
}

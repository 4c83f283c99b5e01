package ui

import (
	"fmt"
	"time"

	"prelude/ui/wire"

	"github.com/vugu/vugu"
)

// StudyPanel takes a text to learn and lets the model write about it.
type StudyPanel struct{ App *App }

func (c *StudyPanel) note() string {
	s := &c.App.study
	words := size(s.file.Size)
	if c.App.model.loaded == nil {
		return say("all.waits-for-a-model", words)
	}
	if s.read != nil {
		words += " " + say("study.tokens", count(s.read.Tokens))
		if s.read.Chunks > 1 {
			words += " " + say("study.studied-in", plural(s.read.Chunks, "part"))
		}
	}
	return words
}

func (c *StudyPanel) other(e vugu.DOMEvent) {
	if files := c.App.host.Files(e); len(files) > 0 {
		c.App.openData(files[0])
	}
}

func (c *StudyPanel) stage() string {
	if p := c.App.study.progress; p != nil && p.Stage != "" {
		return told(p.Stage)
	}
	return say("study.reading-the-text")
}

func (c *StudyPanel) segment(kind string) string {
	if c.App.study.kind == kind {
		return "segment on"
	}
	return "segment"
}

func (c *StudyPanel) pressed(kind string) string { return fmt.Sprint(c.App.study.kind == kind) }

// facts weigh the text in context against the prefix in its place.
func (c *StudyPanel) facts() []fact {
	s := &c.App.study
	facts := []fact{{name: say("study.text-in-context"), value: plural(s.read.Tokens, "token")},
		{name: say("study.its-memory"), value: size(int64(s.read.Tokens) * int64(s.read.SlotBytes))}}
	if n, err := number("", s.slots, 1, 512, true); err == nil {
		facts = append(facts, fact{name: say("study.prefix-instead"), value: plural(int(n), "slot")},
			fact{name: say("study.its-memory"), value: size(int64(n) * int64(s.read.SlotBytes))})
	}
	return facts
}

func (c *StudyPanel) full() bool {
	n, err := number("", c.App.study.conversations, 1, 1e5, true)
	return err == nil && int(n) <= c.App.study.written.Count
}

func (c *StudyPanel) planTitle() string {
	s := &c.App.study
	if c.full() {
		return say("study.written", plural(s.written.Count, "question"))
	}
	if d := s.writingTakes(); d > 0 {
		return say("study.writing-takes-about", span(roughly(d)))
	}
	return ""
}

// roughly rounds an estimate to what it is worth.
func roughly(d time.Duration) time.Duration {
	if d > 2*time.Minute {
		return d.Round(time.Minute)
	}
	return max(d.Round(10*time.Second), 10*time.Second)
}

func (c *StudyPanel) planText() string {
	s := &c.App.study
	what := say("study.the-model-asks-itself")
	if s.kind == "instruction" {
		what = say("study.the-model-thinks-up")
	}
	batch, err := number("", c.App.set.batch, 1, 256, true)
	if err != nil {
		batch = 8
	}
	return say("study.in-step-3-the", what, span2(s.stepTakes(int(batch)).Seconds()*1e3))
}

func (c *StudyPanel) writeLabel() string {
	s := &c.App.study
	switch {
	case c.full():
		return say("study.all-written")
	case s.written.Count > 0:
		return say("study.write-on")
	}
	return say("study.let-the-model-write")
}

// going is the small print beside the buttons.
func (c *StudyPanel) going() string {
	s := &c.App.study
	w := s.written
	switch {
	case s.status == runStopping:
		return say("study.stopping-what-is-written")
	case s.status == runPaused:
		return say("study.paused")
	case s.writing() && w.Count == 0:
		return say("study.the-first-ones-are")
	case s.writing():
		return say("study.of-written-left", count(w.Count), count(w.Total), span(seconds(w.LeftSec)))
	case w.Count > 0:
		return say("study.and-answers-are-there", plural(w.Count, "question"))
	}
	return say("study.you-can-pause-and")
}

func (c *StudyPanel) latest() *wire.Example {
	if n := len(c.App.study.said); n > 0 {
		return &c.App.study.said[n-1]
	}
	return nil
}

package ui

import (
	"fmt"
	"strconv"

	"prelude/ui/wire"
)

// judging is the section where the whole held-out set is answered.
type judging struct {
	id       int // the request under way, else 0
	measure  string
	progress *wire.Progress
	found    *wire.Judged
	shown    int // rows
}

func (j *judging) stop() { j.id, j.progress = 0, nil }

// JudgePanel shows how the held-out set was answered.
type JudgePanel struct{ App *App }

// cannotJudge says what is missing.
func (a *App) cannotJudge() string {
	switch why := a.unsettled(); {
	case a.training():
		return say("judge.a-training-is-under")
	case why != "":
		return why
	case a.model.loaded == nil:
		return say("all.load-a-model-first")
	case a.data.set == nil || a.data.set.Val == 0:
		return say("judge.there-are-no-held")
	}
	return ""
}

// judge asks for the answers of the base model, of the examples in context, and of every
// prefix that is switched on.
func (a *App) judge() { a.judgeRows(false) }

// judgeTest asks for those of the test set, and remembers that it was looked at.
func (a *App) judgeTest() { a.judgeRows(true) }

func (a *App) judgeRows(test bool) {
	if why := a.cannotJudge(); why != "" {
		a.refuse(atCompare, why, "")
		return
	}
	j := &a.judging
	j.found = nil
	var keys []int
	for _, x := range a.shelf.on() {
		keys = append(keys, x.Key)
	}
	j.id = a.ask(atCompare, func(id int) wire.Message {
		return wire.Judge{ID: id, Base: true, InContext: true, Keys: keys, Measure: j.measure, Test: test}
	}, nil)
}

func (a *App) cancelJudge() {
	a.host.Send(wire.Cancel{ID: a.judging.id}, nil)
	delete(a.asked, a.judging.id)
	a.judging.stop()
}

func (a *App) onJudged(m wire.Judged) {
	if m.ID != a.judging.id {
		return
	}
	delete(a.asked, m.ID)
	a.judging.stop()
	a.judging.found, a.judging.shown = &m, 20
	a.data.tested = a.data.tested || m.Test && a.data.set != nil && a.data.set.Hash == m.Hash
}

// hasTest says whether there is a test set.
func (c *JudgePanel) hasTest() bool { return c.App.data.set != nil && c.App.data.set.Test > 0 }

func (c *JudgePanel) progress() string {
	if p := c.App.judging.progress; p != nil && p.Total > 1 {
		return say("judge.of-answers", count(p.Done), count(p.Total))
	}
	return say("judge.measuring-losses")
}

// verdict is the three numbers of the promise in a sentence.
func (c *JudgePanel) verdict() string {
	j := c.App.judging.found
	var parts []string
	for _, x := range j.Candidates {
		name := candidate(x)
		if x.Which == "context" {
			name = say("all.in-context", plural(j.Shots, "example"))
		}
		parts = append(parts, fmt.Sprintf("%s %s", name, lossText(x.Loss.Value)))
	}
	what := say("judge.held-out-loss")
	if j.Test {
		what = say("judge.loss-on-the-test")
	}
	return say("judge.verdict", what, joined(parts...), plural(len(j.Rows), "example"), len(j.Candidates), span(seconds(j.Seconds)))
}

// candidate is the name of one whose answers are judged.
func candidate(x wire.Candidate) string {
	switch x.Which {
	case "base":
		return say("all.base")
	case "context":
		return say("judge.in-context")
	}
	return named(x.Name)
}

// title is a candidate's name in the table of figures: of the examples in context, how many.
func (c *JudgePanel) title(x wire.Candidate) string {
	if x.Which == "context" {
		return fmt.Sprintf("%s (%d)", candidate(x), c.App.judging.found.Shots)
	}
	return candidate(x)
}

// figureText is a figure with its interval.
func figureText(f wire.Figure) string {
	value, low, high := f.Numbers()
	return say("judge.figure", value, low, high)
}

// pairs say who is better than whom.
func (c *JudgePanel) pairs() (all []string) {
	found := c.App.judging.found
	for _, p := range found.Pairs {
		a, b := found.Candidates[p.First], found.Candidates[p.Second]
		loss := strconv.FormatFloat(p.Loss, 'f', 0, 64)
		if len(a.Figures) == 0 {
			all = append(all, say("judge.better", candidate(a), candidate(b), loss))
			continue
		}
		all = append(all, say("judge.better-also", candidate(a), candidate(b), loss, strconv.FormatFloat(p.Score, 'f', 0, 64), told(a.Figures[0].Name)))
	}
	return all
}

func (c *JudgePanel) rows() []wire.JudgedRow {
	j := &c.App.judging
	return j.found.Rows[:min(j.shown, len(j.found.Rows))]
}

func (c *JudgePanel) more() bool { return c.App.judging.shown < len(c.App.judging.found.Rows) }

// ranked says whether labels were ranked.
func (c *JudgePanel) ranked() bool {
	all := c.App.judging.found.Candidates
	return len(all) > 0 && all[0].Ranking != nil
}

// last says whether a candidate is the last one, whose labels are shown at once.
func (c *JudgePanel) last(x wire.Candidate) bool {
	all := c.App.judging.found.Candidates
	return x.Which == all[len(all)-1].Which && x.Key == all[len(all)-1].Key
}

// mark is the small print under an answer.
func (c *JudgePanel) mark(w wire.RowAnswer) string {
	s := " " + say("judge.score-loss", short(w.Score, 2), lossText(w.Loss))
	if w.Label != "" {
		s = " " + say("judge.likeliest", w.Label, short(w.Sure, 2), s)
	}
	if !w.Ended {
		s += say("judge.cut-at-the-limit")
	}
	return s
}

// saveJudged saves the rows.
func (a *App) saveJudged(kind string) {
	if text, err := a.judging.found.Write(kind); err == nil {
		a.host.Save("held-out."+kind, a.host.Bytes(string(text)))
	}
}

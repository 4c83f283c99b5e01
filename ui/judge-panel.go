package ui

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

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
	switch {
	case a.training():
		return "A training is under way: it can be done after it."
	case a.engine != "ready" || a.model.loaded == nil:
		return "Load a model first."
	case a.data.id != 0:
		return "The examples are still being read."
	case a.data.set == nil || a.data.set.Val == 0:
		return "There are no held-out examples."
	}
	return ""
}

// judge asks for the answers of the base model, of the examples in context, and of every
// prefix that is switched on.
func (a *App) judge() {
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
		return wire.Judge{ID: id, Base: true, InContext: true, Keys: keys, Measure: j.measure}
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
}

func (c *JudgePanel) progress() string {
	if p := c.App.judging.progress; p != nil && p.Total > 1 {
		return count(p.Done) + " of " + count(p.Total) + " answers"
	}
	return "Measuring losses…"
}

// verdict is the three numbers of the promise in a sentence.
func (c *JudgePanel) verdict() string {
	j := c.App.judging.found
	var parts []string
	for _, x := range j.Candidates {
		name := x.Name
		if x.Which == "context" {
			name = plural(j.Shots, "example") + " in context"
		}
		parts = append(parts, fmt.Sprintf("%s %s", name, lossText(x.Loss.Value)))
	}
	return fmt.Sprintf("Held-out loss: %s. %s answered by %d in %s.", strings.Join(parts, ", "), plural(len(j.Rows), "example"), len(j.Candidates), span(seconds(j.Seconds)))
}

func (c *JudgePanel) heads() (heads []string) {
	heads = []string{"loss", "perplexity", "bits a byte"}
	if j := c.App.judging.found; len(j.Candidates) > 0 {
		for _, f := range j.Candidates[0].Figures {
			heads = append(heads, f.Name)
		}
	}
	return heads
}

func (c *JudgePanel) cells(x wire.Candidate) []string {
	cells := []string{figureText(x.Loss), short(x.Perplexity, 3), short(x.BitsPerByte, 3)}
	for _, f := range x.Figures {
		cells = append(cells, figureText(f))
	}
	return cells
}

// figureText writes a figure with its interval.
func figureText(f wire.Figure) string {
	s := short(f.Value, 3)
	if f.Interval {
		s += " (" + short(f.Low, 3) + " to " + short(f.High, 3) + ")"
	}
	return s
}

// pairs says who is better than whom, in words.
func (c *JudgePanel) pairs() (list []string) {
	j := c.App.judging.found
	for _, p := range j.Pairs {
		a, b := j.Candidates[p.First], j.Candidates[p.Second]
		list = append(list, fmt.Sprintf("%s is better than %s in %.0f of 100 resamples by loss, in %.0f by %s.", a.Name, b.Name, p.Loss, p.Score, a.Figures[0].Name))
	}
	return list
}

func (c *JudgePanel) rows() []wire.JudgedRow {
	j := &c.App.judging
	return j.found.Rows[:min(j.shown, len(j.found.Rows))]
}

func (c *JudgePanel) more() bool { return c.App.judging.shown < len(c.App.judging.found.Rows) }

// mark is the small print under an answer.
func (c *JudgePanel) mark(w wire.RowAnswer) string {
	s := " score " + short(w.Score, 2) + ", loss " + lossText(w.Loss)
	if !w.Ended {
		s += ", cut at the limit"
	}
	return s
}

// saveJudged saves the rows.
func (a *App) saveJudged(kind string) {
	j := a.judging.found
	var text strings.Builder
	if kind == "csv" {
		text.WriteString("prompt,expected")
		for _, x := range j.Candidates {
			name := quoteCSV(x.Name)
			text.WriteString("," + name + "," + quoteCSV(x.Name+" score") + "," + quoteCSV(x.Name+" loss"))
		}
		text.WriteByte('\n')
	}
	for _, r := range j.Rows {
		if kind == "jsonl" {
			line, err := json.Marshal(r)
			if err != nil {
				continue
			}
			text.Write(line)
			text.WriteByte('\n')
			continue
		}
		text.WriteString(quoteCSV(r.Prompt) + "," + quoteCSV(r.Expected))
		for _, w := range r.Answers {
			text.WriteString("," + quoteCSV(w.Text) + "," + number64(w.Score) + "," + number64(w.Loss))
		}
		text.WriteByte('\n')
	}
	a.host.Save("held-out."+kind, a.host.Bytes(text.String()))
}

func number64(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

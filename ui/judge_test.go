package ui

import (
	"strings"
	"testing"

	"prelude/ui/wire"
)

// The held-out set is answered by all that are switched on; the verdict names the three
// numbers, and what is saved starts no formula in a spreadsheet.
func TestJudging(t *testing.T) {
	a, s := trained(t)
	a.Receive(onShelf(2), nil)
	a.switchOn(1, false)
	a.judge()
	m, n := last[wire.Judge](s)
	if n != 1 || !m.Base || !m.InContext || len(m.Keys) != 1 || m.Keys[0] != 2 {
		t.Fatalf("asked %+v", m)
	}
	a.Receive(wire.Progress{ID: m.ID, Done: 3, Total: 30}, nil)
	c := &JudgePanel{App: a}
	if c.progress() != "3 of 30 answers" {
		t.Errorf("says %q", c.progress())
	}
	row := wire.JudgedRow{Prompt: "=1+1", Expected: " two", Answers: []wire.RowAnswer{{Text: "a, b"}, {Text: "c"}, {Text: "two", Ended: true, Score: 1}}}
	figures := []wire.Figure{{Name: "ROUGE-L", Value: 0.5, Low: 0.4, High: 0.6}}
	found := wire.Judged{ID: m.ID, Measure: "text", Shots: 8, Rows: make([]wire.JudgedRow, 30), Seconds: 3,
		Candidates: []wire.Candidate{{Name: "Base", Which: "base", Loss: wire.Figure{Value: 3}, Figures: figures}, {Name: "In context", Which: "context", Loss: wire.Figure{Value: 2}, Figures: figures}, {Name: "mine", Which: "tuned", Loss: wire.Figure{Value: 1.5}, Figures: figures}},
		Pairs:      []wire.Pair{{First: 2, Second: 1, Loss: 94, Score: 88}}}
	for i := range found.Rows {
		found.Rows[i] = row
	}
	a.Receive(found, nil)
	if v := c.verdict(); !strings.Contains(v, "Base 3.000, 8 examples in context 2.000, mine 1.500") {
		t.Errorf("says %q", v)
	}
	if p := a.judging.found.Verdicts(); len(p) != 1 || p[0] != "mine is better than In context in 94 of 100 resamples by loss, in 88 by ROUGE-L." {
		t.Errorf("says %q", p)
	}
	if len(c.rows()) != 20 || !c.more() || len(found.Heads()) != 4 || len(found.Candidates[0].Cells()) != 4 {
		t.Errorf("%d rows, heads %q", len(c.rows()), found.Heads())
	}
	a.saveJudged("csv")
	a.saveJudged("jsonl")
	if strings.Join(s.saved, " ") != "held-out.csv held-out.jsonl" {
		t.Errorf("saved %q", s.saved)
	}
	a.judge()
	a.cancelJudge()
	if x, _ := last[wire.Cancel](s); x.ID == 0 || a.judging.id != 0 {
		t.Error("it can't be cancelled")
	}
}

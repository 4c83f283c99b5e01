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

// A ranking's cells are shaded by their share of the row, right and wrong apart; bins without
// rows have no bar, and the drawing is said in words.
func TestJudgeRanking(t *testing.T) {
	c := &JudgeRanking{Name: "mine", Ranking: &wire.Ranking{Labels: []string{"bad", "good"}, Counts: [][]int{{3, 1}, {0, 4}},
		Bins: []wire.Bin{{High: 0.1}, {Low: 0.6, High: 0.7, Count: 3, Sure: 0.65, Right: 0}, {Low: 0.9, High: 1, Count: 5, Sure: 0.95, Right: 1}}}}
	for _, test := range []struct {
		i, k int
		want string
	}{{0, 0, "heat right heat-3"}, {0, 1, "heat wrong heat-1"}, {1, 0, "heat"}, {1, 1, "heat right heat-5"}} {
		if got := c.heat(test.i, test.k); got != test.want {
			t.Errorf("row %d, column %d is %q, want %q", test.i, test.k, got, test.want)
		}
	}
	bars := c.bars()
	if len(bars) != 2 || bars[1].height != 150 || bars[1].count != "5" || bars[0].height != 1 {
		t.Errorf("bars %+v", bars)
	}
	if got := c.spoken(); !strings.Contains(got, "3 rows with a probability of about 0.65: 0 right; 5 rows") {
		t.Errorf("says %q", got)
	}
	if c.count(0) != "" || c.count(4) != "4" {
		t.Error("empty cells count")
	}
}

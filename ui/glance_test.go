package ui

import (
	"strings"
	"testing"

	"prelude/ui/wire"
)

// A loss that was estimated by some of the held-out examples says so, and is never what a run
// that is done is known by.
func TestEstimatedLossesSayWhatTheyAre(t *testing.T) {
	r := run{status: runGoing, losses: make([]float64, 40), first: 1}
	for _, e := range []wire.Eval{{Step: 0, Loss: 3, Of: 16}, {Step: 10, Loss: 2, Rows: 4, Of: 16}, {Step: 20, Loss: 1.8, Of: 16}, {Step: 30, Loss: 1.7, Rows: 4, Of: 16}} {
		r.eval(e)
	}
	if b, ok := r.best(); !ok || b.Step != 30 || estimated(b) != "estimated by 4 of 16" {
		t.Errorf("while it trains the best is %+v, %q", b, estimated(b))
	}
	r.finish(wire.Trained{Steps: 40, BestStep: 20, BestLoss: 1.8})
	if b, _ := r.best(); b.Step != 20 || b.Loss != 1.8 {
		t.Errorf("once it is done the best is %+v", b)
	}
	record := runRecord{First: 1, Losses: r.losses, Evals: r.evals, Done: r.done}
	if b := record.best(); b != 1.8 {
		t.Errorf("the record's best is %v", b)
	}
	var text strings.Builder
	record.table(&text)
	for _, line := range []string{",0,,3,,,", ",10,0,,2,4,", ",20,0,1.8,,,", ",30,0,,1.7,4,"} {
		if !strings.Contains(text.String(), line) {
			t.Errorf("the table lacks %q:\n%s", line, text.String())
		}
	}
	p := chartView{width: 600, cursor: 30}.layout(&r)
	var drawn []string
	for _, d := range p.dots {
		drawn = append(drawn, d.class())
	}
	if got := strings.Join(drawn, ", "); got != "dot, dot hollow, dot, dot hollow" || !p.estimates {
		t.Errorf("drawn as %s", got)
	}
	c := newCurves()
	c.quantity = "val"
	several := c.layout([]*runRecord{&record}, 0)
	if _, by, _ := several.all[0].near(35); by != "estimated by 4 of 16" || len(several.all[0].dots) != 2 {
		t.Errorf("several runs: %q, %d marks", by, len(several.all[0].dots))
	}
	if n := strings.Count(several.svg("loss"), "<circle"); n != 3 { // two, and the legend's
		t.Errorf("%d marks in the file", n)
	}
}

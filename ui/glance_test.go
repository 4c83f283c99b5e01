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
	if s := text.String(); strings.Contains(s, "1.7") || !strings.Contains(s, "1.8") {
		t.Errorf("the table has an estimate, or lacks the loss of all:\n%s", s)
	}
}

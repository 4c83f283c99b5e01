package ui

import (
	"testing"

	"prelude/ui/wire"
)

// The chart's axis follows the run: not a plan of thousands of steps, and to the last step in
// the end.
func TestAxisFollowsTheRun(t *testing.T) {
	r := run{status: runGoing, first: 1, losses: make([]float64, 9), last: wire.Step{Total: 4000}}
	if got := r.shown(); got != 20 {
		t.Errorf("after 9 steps of 4,000 the axis ends at %d, want 20", got)
	}
	r.losses = make([]float64, 180)
	if got := r.shown(); got < 200 || got > 400 {
		t.Errorf("after 180 steps of 4,000 the axis ends at %d", got)
	}
	r.last.Total = 200
	if got := r.shown(); got != 200 {
		t.Errorf("after 180 steps of 200 the axis ends at %d, want 200", got)
	}
	r.status = runDone
	if got := r.shown(); got != 180 {
		t.Errorf("a run that ended after 180 steps has an axis to %d", got)
	}
}

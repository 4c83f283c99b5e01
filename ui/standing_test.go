package ui

import (
	"strings"
	"testing"

	"prelude/ui/wire"
)

// The three numbers stand in the summary by themselves: two once they are measured, the third
// with the first validation; those of other data are not shown.
func TestStanding(t *testing.T) {
	a, _ := trained(t)
	a.data.set.Hash, a.run.hash = "h", "h"
	a.Receive(wire.Standing{Hash: "other", Base: 3, InContext: 2, Shots: 8, Of: 8}, nil)
	if a.compared() {
		t.Error("another file's numbers are shown")
	}
	a.Receive(wire.Standing{Hash: "h", Base: 3, InContext: 2, Shots: 8, Of: 9}, nil)
	if !a.compared() {
		t.Fatal("not shown")
	}
	c := &Standing{App: a}
	say := func() string {
		var all []string
		for _, f := range c.numbers() {
			all = append(all, f.name+" "+f.value+" "+f.more)
		}
		return strings.Join(all, "; ")
	}
	a.run.evals = nil
	if got, want := say(), "Base model 3.000 ; 8 of 9 examples in context 2.000 −33"+thin+"%; Tuned — "; got != want {
		t.Errorf("says %q, want %q", got, want)
	}
	a.run.evals = []wire.Eval{{Step: 5, Loss: 1.5, Base: 3}}
	if got := say(); !strings.HasSuffix(got, "; Tuned 1.500 −50"+thin+"%") {
		t.Errorf("says %q", got)
	}
}

package ui

import (
	"strings"
	"testing"

	"prelude/ui/wire"
)

// A run of the tour has its station's method and the person's other settings, and leaves
// these as they are; its result stands in the tour.
func TestTourRun(t *testing.T) {
	a, s := withData(t)
	a.set.batch = "3"
	before := map[string]string{}
	for key, value := range a.set.method {
		before[key] = value
	}
	a.openTour()
	a.goTour(5)
	if id := Stations()[a.tour.at].ID; id != "start" {
		t.Fatalf("station %q", id)
	}
	a.tourRun()
	m, n := last[wire.Train](s)
	if n != 1 || m.Method["start"] != "gaussian" || m.Method["kv.slots"] != "16" || m.Batch != 3 || m.Minutes != tourMinutes || m.Steps != 0 {
		t.Fatalf("asked for %+v", m)
	}
	for key, value := range before {
		if a.set.method[key] != value {
			t.Errorf("the setting %s became %q", key, a.set.method[key])
		}
	}
	c := &TourPanel{a}
	if c.results() != nil {
		t.Error("there is a result before the run has ended")
	}
	a.Receive(wire.Planned{ID: m.ID, Steps: 20, Trainable: 5000, Slots: 16}, nil)
	a.Receive(wire.Trained{ID: m.ID, Steps: 20, BestLoss: 1, BaseLoss: 4}, nil)
	got := c.results()
	if len(got) != 2 || got[0].loss != "4.000" || got[1].loss != "1.000" || got[1].width != "100.0" || !got[1].here || c.runLabel() != "Train again" {
		t.Errorf("results %+v", got)
	}
	if facts := c.facts(); !strings.Contains(facts, "16 slots") {
		t.Errorf("facts %q", facts)
	}
}

// Each station's drawing has all rows and columns, and its legend names every kind of cell.
func TestTourDrawings(t *testing.T) {
	a, _ := withData(t)
	c := &TourPanel{a}
	for i, s := range Stations() {
		a.goTour(i)
		for _, row := range s.draw(drawnSlots+drawnTokens, c.layers()) {
			if len(row) != drawnSlots+drawnTokens {
				t.Errorf("%s: a row of %d", s.ID, len(row))
			}
		}
		if len(c.cells()) == 0 || len(c.legend()) == 0 || len(s.Says) == 0 {
			t.Errorf("%s has no drawing", s.ID)
		}
	}
	a.goTour(99)
	if !c.last() {
		t.Errorf("at %d", a.tour.at)
	}
}

func TestTourHasAnAddress(t *testing.T) {
	a, s := withData(t)
	s.address = "https://example.org/#tour"
	a.Follow()
	if !a.tour.open {
		t.Error("#tour did not open it")
	}
}

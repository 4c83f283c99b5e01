package ui

import (
	"strings"
	"testing"

	"prelude/ui/wire"
)

func experimentList() []wire.Experiment {
	return []wire.Experiment{
		{Name: "E1", Title: "a prefix can’t teach", Says: "It only adds.", Paper: "arXiv 2310.19698", Bytes: 233448, Seconds: 90},
		{Name: "E2", Title: "a prefix elicits", Bytes: 1601664, Parts: []wire.ExperimentPart{{Name: "ascending", Label: "ascending", Seconds: 100}, {Name: "add1", Label: "add1", Says: "It adds one.", Paper: "arXiv 1", Seconds: 400}}},
	}
}

// listed is a page whose experiments have been asked for, with their times.
func listed(t *testing.T) (*App, *stage) {
	t.Helper()
	a, s := open(t)
	a.listExperiments()
	id := a.experiments.listing
	a.Receive(wire.Experiments{ID: id, Items: experimentList()}, nil)
	if a.experiments.timed || a.experiments.listing != id {
		t.Fatal("the first list ends the asking")
	}
	a.Receive(wire.Experiments{ID: id, Items: experimentList(), Timed: true}, nil)
	sent := len(s.sent)
	if a.listExperiments(); len(s.sent) != sent {
		t.Error("what is known is asked for again")
	}
	return a, s
}

// An experiment has the device while it runs, its curves and rows grow, and a second part
// fills in what the first has left.
func TestExperimentGrows(t *testing.T) {
	a, s := listed(t)
	e2 := experimentList()[1]
	card := &ExperimentCard{App: a, Item: e2}
	a.startExperiment(e2)
	id := a.experiments.id
	if m := s.sent[len(s.sent)-1].(wire.RunExperiment); m.Name != "E2" || m.Part != "ascending" || !a.training() || !strings.Contains(a.cannotTrain(), "experiment") {
		t.Errorf("asked for %+v, training %v", m, a.training())
	}
	a.Receive(wire.Progress{ID: id, Stage: "Training: prefix, ascending", Done: 10, Total: 1000}, nil)
	if w := card.going(); !strings.Contains(w, "Training: prefix") || !strings.Contains(w, "left") {
		t.Errorf("while it runs: %q", w)
	}
	a.Receive(wire.ExperimentStep{ID: id, Curve: "one", First: 1, Total: 4, Loss: []float64{3, 2}}, nil)
	a.Receive(wire.ExperimentStep{ID: id, Curve: "one", First: 2, Loss: []float64{1.5}, Val: true}, nil)
	a.Receive(wire.ExperimentStep{ID: id, Curve: "two", First: 1, Total: 4, Loss: []float64{1}}, nil)
	a.Receive(wire.ExperimentStep{ID: id - 1, Curve: "three", First: 1, Total: 4, Loss: []float64{1}}, nil)
	if c := card.curve(); c.name != "two" || len(card.found().curves) != 2 || len(card.found().curves[0].run.losses) != 2 || len(card.found().curves[0].run.evals) != 1 {
		t.Errorf("curves %+v", card.found().curves)
	}
	rows := []wire.ExperimentRow{
		{What: "ascending, pretrained", Paper: "32 %", Ours: "27.00 %", On: "ascending"},
		{What: "add1, pretrained", Paper: "29 %", Ours: "23.80 %", On: "add1"},
		{What: "ascending, prefix of 1", Paper: "94 %", Ours: "92.70 %", Want: "≥ 89 %", Met: true, For: "ascending", On: "ascending"},
		{What: "add1, prefix for ascending", Ours: "0.40 %", For: "ascending", On: "add1"},
	}
	a.Receive(wire.ExperimentResult{ID: id, Rows: rows[:3], Seconds: 4}, nil)
	a.Receive(wire.ExperimentResult{ID: id, Rows: rows, Seconds: 9, Done: true}, nil)
	card.Item = a.experiments.items[1]
	if a.training() || card.outcome() != "What the paper says holds here. Took 9\u202fs." || !strings.HasPrefix(card.going(), "About 10") {
		t.Errorf("done: %q, %q", card.outcome(), card.going())
	}
	card.choose("add1")
	if card.says() != "It adds one." || card.paper() != "arXiv 1" || !strings.Contains(card.going(), "longer than on most") {
		t.Errorf("the part says %q by %q, %q", card.says(), card.paper(), card.going())
	}
	a.startExperiment(e2)
	a.stopExperiment()
	if _, ok := s.sent[len(s.sent)-1].(wire.Stop); !ok || card.going() != "Stopping." {
		t.Errorf("stop sent %+v, %q", s.sent[len(s.sent)-1], card.going())
	}
	a.Receive(wire.ExperimentResult{ID: a.experiments.id, Rows: []wire.ExperimentRow{{What: "add1, prefix of 1", Paper: "99 %", Ours: "1.00 %", Want: "≥ 94 %", For: "add1", On: "add1"}}, Done: true, Why: "stopped"}, nil)
	if a.training() || !strings.Contains(card.outcome(), "Stopped after") {
		t.Errorf("stopped: %q", card.outcome())
	}
	m := card.matrix()
	var text []string
	for _, r := range m.rows {
		text = append(text, r.name)
		for _, x := range r.cells {
			text = append(text, x.text)
		}
	}
	if got := strings.Join(text, " "); got != "none 27.0 23.8 ascending 92.7 0.4 add1 · 1.0" {
		t.Errorf("matrix %q", got)
	}
	if n := len(card.rows()); n != 4 || card.found().tally() != "1 of 2 claims hold here." {
		t.Errorf("%d rows in the table, %q", n, card.found().tally())
	}
}

// What goes wrong with an experiment is said in its section; the engine's end interrupts it
// and another can be started afterwards.
func TestExperimentFails(t *testing.T) {
	a, _ := listed(t)
	e1 := experimentList()[0]
	card := &ExperimentCard{App: a, Item: e1}
	a.startExperiment(e1)
	a.Receive(wire.Error{ID: a.experiments.id, Message: "checkpoint e1.safetensors: 404", Hint: "Later."}, nil)
	if a.training() || a.notices[atExperiments].message != "checkpoint e1.safetensors: 404" || !strings.Contains(card.outcome(), "an error") {
		t.Errorf("after an error: %+v, %q", a.notices, card.outcome())
	}
	a.startExperiment(e1)
	if _, there := a.notices[atExperiments]; there || !a.training() {
		t.Error("a new start leaves the old error")
	}
	a.Crashed("panic")
	if a.training() || card.outcome() != "Interrupted: the engine stopped." {
		t.Errorf("after a crash: %q", card.outcome())
	}
	a.Restart()
	a.startExperiment(e1)
	if a.training() {
		t.Error("an experiment starts before the engine is there")
	}
}

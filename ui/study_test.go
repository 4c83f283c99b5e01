package ui

import (
	"strings"
	"testing"

	"prelude/ui/wire"
)

// What a dropped text file is, its name and its content say together.
func TestTextOrExamples(t *testing.T) {
	for _, c := range []struct {
		name, content string
		text          bool
	}{
		{"a.txt", "Dear all,", true},
		{"a.MD", "# Title", true},
		{"a.txt", "\ufeff {\"prompt\": 1}", false},
		{"a.txt", "[1]", false},
		{"a.jsonl", "Dear all,", false},
		{"txt", "Dear all,", false},
	} {
		if got := isText(c.name) && !examplesInside(c.content); got != c.text {
			t.Errorf("%s with %q is a text: %v", c.name, c.content, got)
		}
	}
}

func studying(t *testing.T) (*App, *stage) {
	t.Helper()
	a, s := open(t)
	a.takeData(File{Name: "mill.md", Size: 9}, text("# A mill."))
	id := a.study.id
	a.Receive(wire.TextRead{ID: id, Name: "mill.md", Kind: "document", Tokens: 250, Chunks: 1, Slots: 62, SlotBytes: 46080, RoundMillis: 20000, Round: 8, RowMillis: 10}, nil)
	return a, s
}

// Nothing can be learned before something is written; what is written stays when the
// writing is stopped, and training then asks for the text.
func TestWritingAndLearning(t *testing.T) {
	a, s := studying(t)
	if d := a.study.writingTakes().Seconds(); d != 160 {
		t.Errorf("64 questions at 20 s a round of 8 take %v s", d)
	}
	if why := a.cannotTrain(); !strings.Contains(why, "write some") {
		t.Errorf("before anything is written: %q", why)
	}
	a.startWriting()
	id := a.study.id
	if !a.training() || a.cannotTrain() == "" {
		t.Error("while the model writes, other things may begin")
	}
	a.pause(&a.study.status)
	a.Receive(wire.State{State: "paused"}, nil)
	if a.study.status != runPaused {
		t.Errorf("paused, the status is %v", a.study.status)
	}
	a.resume(&a.study.status)
	a.halt(&a.study.status)
	said := []wire.Example{{Prompt: "Who keeps it?", Completion: "Tamsin."}}
	a.Receive(wire.Written{ID: id, Count: 8, Total: 64, Said: said, Tokens: 60}, nil)
	a.Receive(wire.Written{ID: id, Count: 8, Total: 64, Tokens: 60, Done: true}, nil)
	if a.training() || a.study.written.Count != 8 || a.compare.prompt != "Who keeps it?" {
		t.Errorf("stopped: %+v, prompt %q", a.study, a.compare.prompt)
	}
	if d := a.study.writingTakes().Seconds(); d != 140 {
		t.Errorf("the other 56 take %v s", d)
	}
	a.study.slots = "0"
	if a.startTraining(); a.training() || !strings.Contains(a.notices[atTrain].message, "Length of the prefix") {
		t.Errorf("no slots: %+v", a.notices[atTrain])
	}
	a.study.slots = "40"
	a.startTraining()
	m, ok := s.sent[len(s.sent)-1].(wire.Train)
	if !ok || !m.Text || m.Slots != 40 || m.ID == 0 {
		t.Errorf("asked for %+v", s.sent[len(s.sent)-1])
	}
	a.Receive(wire.Trained{ID: m.ID, Steps: 9, BestStep: 9, BestLoss: 0.2, BaseLoss: 0.9, Why: "stopped"}, nil)
	if w := a.run.summary(); !strings.Contains(w, "differs from the text in context by 0.200") || !strings.Contains(w, "without either it is 0.900") {
		t.Errorf("summary %q", w)
	}
}

func TestTextsTooLong(t *testing.T) {
	a, _ := open(t)
	a.takeData(File{Name: "long.txt", Size: maxText + 1}, text("x"))
	if a.study.file != nil || !strings.Contains(a.notices[atData].message, "may have") {
		t.Errorf("%+v", a.notices[atData])
	}
}

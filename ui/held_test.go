package ui

import (
	"testing"

	"prelude/ui/wire"
)

// A file of one's own goes to the worker, and again to the next one; one that is refused, or
// another file of examples, leaves nothing of it.
func TestHeld(t *testing.T) {
	a, s := trained(t)
	set := *a.data.set
	a.sendHeld(validationSide, heldFile{name: "val.jsonl", bytes: text("v")})
	m, n := last[wire.Held](s)
	if n != 1 || m.Side != "validation" || m.Name != "val.jsonl" || a.data.reading(m.ID) == nil {
		t.Fatalf("sent %+v", m)
	}
	set.ID, set.ValFile, set.Test = m.ID, "val.jsonl", 7
	a.Receive(set, nil)
	c := &HeldPanel{App: a}
	if c.file(validationSide) != "val.jsonl" || c.busy() {
		t.Errorf("holds %q", c.file(validationSide))
	}
	a.sendData() // as a new worker asks for
	d, _ := last[wire.Data](s)
	set.ID, set.ValFile = d.ID, ""
	a.Receive(set, nil)
	if m, n = last[wire.Held](s); n != 2 || m.Name != "val.jsonl" {
		t.Fatalf("%d times, the last is %+v", n, m)
	}
	a.Receive(wire.Error{ID: m.ID, Message: "no"}, nil)
	if len(a.data.held) != 0 || a.data.id != 0 {
		t.Errorf("a refused file is held: %+v", a.data.held)
	}

	j := &JudgePanel{App: a}
	if !j.hasTest() {
		t.Fatal("there is a test set")
	}
	a.judgeTest()
	ask, _ := last[wire.Judge](s)
	if !ask.Test || a.data.tested {
		t.Errorf("asked %+v", ask)
	}
	a.Receive(wire.Judged{ID: ask.ID, Test: true, Hash: a.data.set.Hash}, nil)
	if !a.data.tested {
		t.Error("it is not said that the test set was looked at")
	}
	c.share = "10"
	c.apply()
	if r, _ := last[wire.Reparse](s); r.Opts.TestShare != 0.1 || a.data.tested {
		t.Errorf("asked %+v", r)
	}
	c.share = "70"
	c.apply()
	if _, said := a.notices[atData]; !said {
		t.Error("70 percent are set aside")
	}
}

package ui

import (
	"fmt"
	"maps"
	"math"
	"strings"
	"testing"
	"time"

	"prelude/ui/wire"
)

// result plays the training that was asked for last, to its end.
func (s *stage) result(t *testing.T, a *App, loss float64) {
	t.Helper()
	m, _ := last[wire.Train](s)
	if m.ID != a.run.id || !a.run.active() {
		t.Fatalf("training %d was asked for, %d is under way (%v)", m.ID, a.run.id, a.run.status)
	}
	a.Receive(wire.Planned{ID: m.ID, Steps: 4, Slots: 8, LR: 0.01}, nil)
	a.Receive(wire.Eval{Step: 0, Loss: 2.4, Base: 3}, nil)
	a.Receive(wire.Step{First: 1, Loss: []float64{2.4, 2.2, 2, 1.9}, Total: 4, LR: 0.01, GradNorm: 1, TokensSec: 100}, nil)
	a.Receive(wire.Eval{Step: 4, Loss: loss, Base: 3, Best: true}, nil)
	key := a.nextKey()
	s.shelf.Items = append(s.shelf.Items[:len(s.shelf.Items):len(s.shelf.Items)], wire.Shelved{Key: key, Name: fmt.Sprint("prefix ", key), Origin: "trained", Step: 4, ValLoss: loss})
	s.shelf.InUse = key
	a.Receive(s.shelf, nil)
	a.Receive(wire.Copy{Key: key}, text(fmt.Sprint("zip ", key)))
	a.Receive(wire.Trained{ID: m.ID, Steps: 4, BestStep: 4, BestLoss: loss, BaseLoss: 3, Why: "step limit", Seconds: 8}, nil)
	serve(a, s)
	s.settle()
}

func sweeping(t *testing.T, what, values, seeds string) (*App, *stage, *disk) {
	t.Helper()
	d := &disk{files: map[string]text{}}
	a, s := sitWithExamples(t, d)
	a.set.by, a.set.steps = "steps", "4"
	a.queue.boxes.what, a.queue.boxes.seeds = what, seeds
	a.queue.boxes.values[what] = values
	a.startSweep()
	s.settle()
	return a, s, d
}

// A sweep trains its values one after another, each a run of its own; the best prefix stays
// on the shelf, and seeds have a mean and a deviation.
func TestSweep(t *testing.T) {
	a, s, _ := sweeping(t, "rate", "0.001, 0.01", "2")
	if len(a.queue.waiting) != 3 || a.run.asked.LR != 0.001 || a.run.asked.Seed != 1 {
		t.Fatalf("%d wait behind %+v", len(a.queue.waiting), a.run.asked)
	}
	for i, loss := range []float64{2, 2.2, 1.5, 1.7} {
		if want := []float64{0.001, 0.001, 0.01, 0.01}[i]; a.run.asked.LR != want || a.run.asked.Seed != uint64(1+i%2) {
			t.Errorf("run %d: rate %v, seed %d", i, a.run.asked.LR, a.run.asked.Seed)
		}
		s.result(t, a, loss)
		if left := a.queueLeft(); i == 0 && left != 16*time.Second { // two that wait; the one under way has said nothing
			t.Errorf("%v left", left)
		}
	}
	if a.run.active() || len(a.runs) != 4 || len(a.queue.waiting) != 0 {
		t.Fatalf("%d runs, %d wait", len(a.runs), len(a.queue.waiting))
	}
	g := a.groups(1)
	if len(g) != 2 || g[0].mean != 2.1 || math.Abs(g[0].sd-math.Sqrt(0.02)) > 1e-9 || !g[1].best || g[0].best || g[1].loss() != "1.600 ± 0.141" || g[0].seconds != 8 {
		t.Errorf("groups %+v", g)
	}
	if len(a.shelf.Items) != 1 || a.shelf.Items[0].ValLoss != 1.5 || a.shelf.InUse != a.shelf.Items[0].Key {
		t.Errorf("on the shelf %+v", a.shelf.Items)
	}
	if n := len(a.drawn()); n != 4 {
		t.Errorf("%d runs are drawn", n)
	}
	// What was put away is laid out again, as it was.
	worst := a.runs[1]
	if len(worst.Copies) != 1 || worst.Prefix != 0 || !strings.HasPrefix(worst.copyWord(worst.Copies[0]), "best, step 4") {
		t.Fatalf("a run whose prefix is not the best keeps %+v", worst.Copies)
	}
	a.layOut(worst, worst.Copies[0])
	m, _ := last[wire.Again](s)
	if m.Item.Key != 5 || m.Item.Name != "Run 2, step 4" || s.blob(wire.Again{}) != text("zip 2") {
		t.Errorf("laid out as %+v with %v", m.Item, s.blob(wire.Again{}))
	}
	serve(a, s)
	if a.originOf(5) != "from a.jsonl, run 2" || a.shelf.item(5) == nil {
		t.Errorf("it is %q", a.originOf(5))
	}
}

// Seeds alone make one row; lengths and methods change what they say.
func TestSweepKinds(t *testing.T) {
	a, s, _ := sweeping(t, "seed", "3, 4, 5", "9")
	for _, loss := range []float64{1, 2, 3} {
		s.result(t, a, loss)
	}
	if g := a.groups(1); len(g) != 1 || g[0].loss() != "2.000 ± 1.000" || len(g[0].runs) != 3 {
		t.Errorf("groups %+v", g)
	}
	for _, x := range []struct{ what, values, want string }{
		{"rate", "fast", "is not a number"}, {"rate", "", "some values"}, {"rate", "0.1, 99", "is more than"},
		{"seed", "1.5", "not a"}, {"rate", strings.Repeat("0.1,", 101), "at most 100"}, {"method", "", "at least one method"},
	} {
		a.queue.boxes.what = x.what
		a.queue.boxes.values[x.what] = x.values
		a.startSweep()
		if got := a.notices[atQueue].message; !strings.Contains(got, x.want) || len(a.queue.waiting) > 0 || a.run.active() {
			t.Errorf("%s %q: says %q", x.what, x.values, got)
		}
	}
}

// What waits when the page is left waits when it comes again, whatever the moment; no run is
// lost or trained twice.
func TestQueueIsKept(t *testing.T) {
	d := &disk{files: map[string]text{}}
	var moments []map[string]text
	a, s := sitWithExamples(t, d)
	a.set.by, a.set.steps = "steps", "4"
	a.queue.boxes.values["rate"] = "0.001, 0.01, 0.1"
	d.after = func() { moments = append(moments, maps.Clone(d.files)) }
	a.startSweep()
	s.settle()
	begun := len(moments)
	for _, loss := range []float64{2, 1.5, 1.8} {
		s.result(t, a, loss)
	}
	for i, files := range moments[begun:] {
		b, s2 := sit(t, &disk{files: files})
		for range 6 {
			switch {
			case b.cut():
				b.continueRun()
				s2.result(t, b, 1.9)
			case len(b.queue.waiting) > 0 && !b.run.active():
				if b.queue.held == "" {
					t.Fatalf("after %d writes: what waits begins by itself", i)
				}
				b.goOn()
			case b.run.active():
				s2.result(t, b, 1.9)
			}
		}
		rates := map[float64]int{}
		for _, r := range b.runs {
			if r.Done != nil {
				rates[r.Ask.LR]++
			}
		}
		if fmt.Sprint(rates) != "map[0.001:1 0.01:1 0.1:1]" {
			t.Errorf("after %d writes: %v runs by rate", i, rates)
		}
	}
}

// A failure holds the queue; stopping all of it ends the run and lets go of the rest.
func TestQueueHoldsAndStops(t *testing.T) {
	a, s, _ := sweeping(t, "rate", "0.001, 0.01, 0.1", "1")
	a.Receive(wire.Error{ID: a.run.id, Message: "no memory"}, nil)
	if a.run.active() || a.queue.held == "" || len(a.queue.waiting) != 2 {
		t.Fatalf("after an error: %v, held %q", a.run.status, a.queue.held)
	}
	a.goOn()
	if !a.run.active() || a.run.asked.LR != 0.01 {
		t.Fatalf("goes on with %+v", a.run.asked)
	}
	a.stopAll()
	if _, n := last[wire.Stop](s); n != 1 || len(a.queue.waiting) != 0 {
		t.Errorf("%d stops, %d wait", n, len(a.queue.waiting))
	}
	s.result(t, a, 1.9)
	if a.run.active() {
		t.Error("another begins")
	}
	// Other examples: what was queued for the first ones is not trained on them.
	b, s2, _ := sweeping(t, "rate", "0.001, 0.01", "1")
	b.data.set.Hash = "other"
	s2.result(t, b, 1.9)
	if b.run.active() || !strings.Contains(b.queue.held, "other examples") {
		t.Errorf("held %q", b.queue.held)
	}
}

// Copies of a run go with it, come back with an undo, and stray ones are swept out.
func TestCopiesAreKept(t *testing.T) {
	d := &disk{files: map[string]text{}}
	a, s := sitWithExamples(t, d)
	a.set.keep = "2"
	a.startTraining()
	m, _ := last[wire.Train](s)
	if m.Keep != 2 {
		t.Errorf("asks for copies every %d steps", m.Keep)
	}
	a.Receive(wire.Eval{Step: 2, Loss: 2, Base: 3}, nil)
	for step := 1; step <= mostCopies+4; step++ {
		a.Receive(wire.Snapshot{ID: m.ID, Step: step, Name: "KV 1", Kind: "Keys and values", Of: 8}, text(fmt.Sprint("copy ", step)))
	}
	s.settle()
	files := func() (n int) {
		for name := range d.files {
			if strings.Contains(name, ".copy-") {
				n++
			}
		}
		return n
	}
	if files() != mostCopies || len(a.run.copies) != mostCopies || a.run.copies[0].Item.Step != 5 {
		t.Errorf("%d files; %d copies from step %d", files(), len(a.run.copies), a.run.copies[0].Item.Step)
	}
	s.finish(a, m.ID)
	b, s2 := sit(t, d)
	r := b.runs[0]
	if len(r.Copies) != mostCopies {
		t.Fatalf("opened again with %d copies", len(r.Copies))
	}
	b.deleteRun(r)
	b.undeleteRun()
	s2.settle()
	if files() != mostCopies || len(b.runs[0].Copies) != mostCopies {
		t.Errorf("after an undo %d files", files())
	}
	// One that was cut in the middle is refused by the worker, and leaves nothing behind.
	b.layOut(b.runs[0], b.runs[0].Copies[0])
	again, _ := last[wire.Again](s2)
	b.Receive(wire.Error{ID: again.ID, Message: "zip: not a valid zip file"}, nil)
	s2.settle()
	if b.shelf.wanted()[again.Item.Key] || d.files[prefixName("f-tiny", again.Item.Key)] != "" || b.notices[atRuns].message == "" || b.cannotLayOut(b.runs[0]) != "" {
		t.Errorf("a copy that was cut: %+v, %q", b.notices[atRuns], b.cannotLayOut(b.runs[0]))
	}
	delete(d.files, b.runs[0].Copies[0].File)
	b.layOut(b.runs[0], b.runs[0].Copies[0])
	if !strings.Contains(b.notices[atRuns].message, "no longer exists") {
		t.Errorf("a copy that is gone: %+v", b.notices[atRuns])
	}
	b.deleteRun(b.runs[0])
	c, _ := sit(t, d) // the page is left before the next deletion
	if files() != 0 || len(c.runs) != 0 {
		t.Errorf("%d files are left of a deleted run", files())
	}
}

// A clock that jumps back changes neither the order of the runs nor what is said of them.
func TestTheClockJumpsBack(t *testing.T) {
	d := &disk{files: map[string]text{}}
	a, s := sit(t, d)
	for n, began := range []int64{2_000_000_000, 1_000_000_000, -5} {
		r := (&run{n: n + 1, first: 1, losses: []float64{2, 1}, asked: wire.Train{Minutes: 1}, ended: leftAlone}).record()
		r.Began = began
		if n == 1 {
			r.Done = &wire.Trained{Steps: 2, Seconds: -40, BestLoss: 1, BaseLoss: 2}
		}
		a.keepRecord(runName(n+1), r)
	}
	s.settle()
	b, _ := sit(t, d)
	c := &RunsPanel{App: b}
	var order []int
	for _, r := range c.list() {
		order = append(order, r.N)
		if strings.Contains(c.words(r), "-") {
			t.Errorf("says %q", c.words(r))
		}
	}
	if fmt.Sprint(order) != "[3 2 1]" || len(b.sitting.unread) > 0 {
		t.Errorf("runs in the order %v; %q", order, b.sitting.unread)
	}
	going := run{status: runGoing, asked: wire.Train{Minutes: 1}, losses: []float64{1}, last: wire.Step{LeftSec: 20}}
	if left, gone := going.clock(); left != 20*time.Second || gone != 40*time.Second {
		t.Errorf("%v left after %v", left, gone)
	}
	if left, gone := (&run{status: runStarting, asked: wire.Train{Minutes: 1}}).clock(); left != time.Minute || gone != 0 {
		t.Errorf("before the first step %v left after %v", left, gone)
	}
	late := run{status: runGoing, asked: wire.Train{Minutes: 1}, losses: []float64{1}, last: wire.Step{LeftSec: 90}}
	if left, gone := late.clock(); gone != 0 || left != 90*time.Second {
		t.Errorf("%v left after %v", left, gone)
	}
}

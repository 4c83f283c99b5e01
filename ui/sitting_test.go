package ui

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"prelude/ui/wire"
)

// sit opens the page on a disk and loads its model.
func sit(t *testing.T, d *disk) (*App, *stage) {
	t.Helper()
	s := &stage{address: "http://localhost/", answers: map[string]string{}, disk: d}
	a := New(s)
	a.Start()
	a.Receive(ready, nil)
	serve(a, s)
	s.settle()
	return a, s
}

// sitWithExamples opens the page on a disk, loads its model and brings a.jsonl.
func sitWithExamples(t *testing.T, d *disk) (*App, *stage) {
	t.Helper()
	a, s := sit(t, d)
	a.openData(File{Name: "a.jsonl", Size: 5, Ref: text("hello")})
	serve(a, s)
	return a, s
}

// serve plays the worker: it answers what was asked since the last call.
func serve(a *App, s *stage) {
	for ; s.answered < len(s.sent); s.answered++ {
		switch m := s.sent[s.answered].(type) {
		case wire.Load:
			a.Receive(wire.Loaded{ID: m.ID, Name: m.Bundled, Fingerprint: "f-" + m.Bundled, Context: 512, Device: "simd"}, nil)
		case wire.Data:
			a.Receive(wire.Dataset{ID: m.ID, Name: m.Name, Hash: "h", Count: 10, Train: 8, Val: 2, HeldOut: []wire.Example{{Prompt: "p1", Completion: " c1"}}}, nil)
		case wire.Text:
			a.Receive(wire.TextRead{ID: m.ID, Name: m.Name, Kind: m.Kind, Slots: 16, Round: 8}, nil)
		case wire.Conversations:
			a.Receive(wire.Written{ID: m.ID, Count: 8, Total: 8, Tokens: 60, Done: true, Hash: "h1"}, s.blobs[s.answered])
		case wire.Held:
			set := *a.data.before.set
			set.ID = m.ID
			if m.Side == validationSide {
				set.ValFile = m.Name
			} else {
				set.TestFile = m.Name
			}
			a.Receive(set, nil)
		case wire.Again:
			s.shelf.Items = append(s.shelf.Items, m.Item)
			if !m.Quiet {
				s.shelf.InUse = m.Item.Key
			}
			a.Receive(s.shelf, nil)
		case wire.Use:
			s.shelf.InUse = m.Key
			a.Receive(s.shelf, nil)
		case wire.Forget:
			s.shelf.Items = slices.DeleteFunc(slices.Clone(s.shelf.Items), func(x wire.Shelved) bool { return x.Key == m.Key })
			a.Receive(s.shelf, nil)
		}
	}
}

// train plays a training of four steps that has a checkpoint after two; it stops before the
// end where whole is false.
func (s *stage) train(t *testing.T, a *App, whole bool) {
	t.Helper()
	a.startTraining()
	m, _ := last[wire.Train](s)
	a.Receive(wire.Planned{ID: m.ID, Steps: 4, Slots: 32}, nil)
	a.Receive(wire.Eval{Step: 0, Loss: 2.4, Base: 3}, nil)
	a.Receive(wire.Step{First: 1, Loss: []float64{2.4, 2.2}, Total: 4}, nil)
	a.Receive(wire.Checkpoint{ID: m.ID, Step: 2, Train: m}, text("checkpoint of step 2"))
	a.Receive(wire.Step{First: 3, Loss: []float64{2}, Total: 4}, nil)
	s.settle()
	if whole {
		s.finish(a, m.ID)
	}
}

func (s *stage) finish(a *App, id int) {
	a.Receive(wire.Step{First: 4, Loss: []float64{1.9}, Total: 4}, nil)
	a.Receive(wire.Eval{Step: 4, Loss: 1.5, Base: 3, Best: true}, nil)
	key := 1
	for _, x := range s.shelf.Items {
		key = max(key, x.Key+1)
	}
	s.shelf.Items = append(slices.Clone(s.shelf.Items), wire.Shelved{Key: key, Name: fmt.Sprint("prefix ", key), Origin: "trained", Slots: 32, Of: 32})
	s.shelf.InUse = key
	a.Receive(s.shelf, nil)
	a.Receive(wire.Copy{Key: key}, text(fmt.Sprint("zip ", key)))
	a.Receive(wire.Trained{ID: id, Steps: 4, BestStep: 4, BestLoss: 1.5, BaseLoss: 3, Why: "step limit", Seconds: 2}, nil)
	s.settle()
}

// The page opened again is as it was: model, examples and their options, settings, the run
// and its curve, the shelf, what was asked and answered.
func TestTheSittingIsKept(t *testing.T) {
	d := &disk{files: map[string]text{}}
	a, s := sitWithExamples(t, d)
	a.data.opts.Space, a.form.template = true, "{prompt}"
	a.set.batch, a.set.by, a.set.steps = "4", "steps", "4"
	s.train(t, a, true)
	a.compare.prompt, a.compare.touched = "why?", true
	a.generate()
	g, _ := last[wire.Generate](s)
	a.Receive(wire.Sample{ID: g.ID, Which: "base", Text: "so", Done: true}, nil)
	a.Receive(wire.Sample{ID: g.ID, Which: "tuned", Key: 1, Text: "therefore", Done: true, End: true, Tokens: 2}, nil)
	s.settle()

	b, s2 := sit(t, d)
	load, n := last[wire.Load](s2)
	if n != 1 || load.Bundled != "tiny" {
		t.Errorf("%d loads, the last %+v", n, load)
	}
	if x, _ := last[wire.Data](s2); x.Name != "a.jsonl" || !x.Opts.Space || b.form.template != "{prompt}" || s2.blob(wire.Data{}) != text("hello") {
		t.Errorf("examples %+v with %v", x, s2.blob(wire.Data{}))
	}
	if b.set.batch != "4" || b.set.by != "steps" {
		t.Errorf("settings %+v", b.set)
	}
	if b.run.done == nil || b.run.done.BestLoss != 1.5 || !slices.Equal(b.run.losses, []float64{2.4, 2.2, 2, 1.9}) || len(b.run.evals) != 2 || b.cut() {
		t.Errorf("run %+v", b.run)
	}
	if again, _ := last[wire.Again](s2); again.Item.Name != "prefix 1" || s2.blob(wire.Again{}) != text("zip 1") || b.inUse() == nil || b.inUse().Key != 1 {
		t.Errorf("shelf %+v", b.shelf.Items)
	}
	if b.originOf(1) != "from a.jsonl, run 1" {
		t.Errorf("the prefix is %q", b.originOf(1))
	}
	if x := b.compare.newest(); x == nil || b.compare.prompt != "why?" || x.prompt != "why?" || x.text(0) != "so" || x.text(1) != "therefore" || !x.answers[1].end {
		t.Errorf("answers %+v", b.compare)
	}
}

// Files of one's own to measure on are kept beside the examples, and go with them.
func TestFilesToMeasureOnAreKept(t *testing.T) {
	d := &disk{files: map[string]text{}}
	a, s := sitWithExamples(t, d)
	a.openHeld(validationSide, File{Name: "val.jsonl", Size: 4, Ref: text("mine")})
	serve(a, s)
	a.openHeld(testSide, File{Name: "test.jsonl", Size: 4, Ref: text("last")})
	serve(a, s)
	a.data.tested = true
	a.keepSoon()
	s.settle()

	b, s2 := sit(t, d)
	serve(b, s2)
	if b.data.set == nil || b.data.set.ValFile != "val.jsonl" || b.data.set.TestFile != "test.jsonl" || !b.data.tested {
		t.Errorf("opened again: %+v, tested %v", b.data.set, b.data.tested)
	}
	if f := b.data.held[validationSide]; f.bytes != text("mine") || b.data.held[testSide].bytes != text("last") {
		t.Errorf("held %+v", b.data.held)
	}
	files := len(d.files)
	b.sendHeld(validationSide, heldFile{})
	serve(b, s2)
	b.keepSoon()
	s2.settle()
	if len(d.files) != files-1 {
		t.Errorf("%d files after one was taken away, %d before", len(d.files), files)
	}
	b.openData(File{Name: "b.jsonl", Size: 5, Ref: text("other")})
	serve(b, s2)
	s2.settle()
	if c, s3 := sit(t, d); len(c.data.held) != 0 || c.data.file.Name != "b.jsonl" || len(d.files) != files-2 {
		t.Errorf("another file of examples keeps %+v, %d files, and asks %v", c.data.held, len(d.files), s3.sent)
	}

	b.openHeld(testSide, File{Name: "test.jsonl", Size: 4, Ref: text("last")})
	serve(b, s2)
	b.keepSoon()
	s2.settle()
	delete(d.files, b.data.held[testSide].kept)
	if c, s4 := sit(t, d); len(c.sitting.unread) != 1 || !strings.Contains(c.sitting.unread[0], "test.jsonl") || len(c.data.held) != 0 {
		t.Errorf("a file that is gone: %q, asked %v", c.sitting.unread, s4.sent)
	}
}

// A text is kept with what was written about it, and a run that learned it goes on over that; over
// nothing else.
func TestATextIsKept(t *testing.T) {
	d := &disk{files: map[string]text{}}
	a, s := sit(t, d)
	a.takeText(File{Name: "mill.md", Size: 5}, text("a mill"), "document")
	serve(a, s)
	a.study.slots = "24"
	a.startWriting()
	a.Receive(wire.Written{ID: a.study.id, Count: 8, Total: 64, Tokens: 60, Done: true, Hash: "h1"}, text("conversations"))
	s.train(t, a, false)
	s.settle()

	b, s2 := sit(t, d)
	serve(b, s2)
	if x, _ := last[wire.Text](s2); x.Name != "mill.md" || x.Kind != "document" || s2.blob(wire.Text{}) != text("a mill") || s2.blob(wire.Conversations{}) != text("conversations") {
		t.Errorf("the worker was given %+v", x)
	}
	if b.study.written.Count != 8 || b.study.slots != "24" || !b.cut() || b.cannotContinue() != "" {
		t.Errorf("study %+v, cut %v, %q", b.study, b.cut(), b.cannotContinue())
	}
	b.continueRun()
	if m, _ := last[wire.Train](s2); !m.Resume || !m.Text || s2.blob(wire.Train{}) != text("checkpoint of step 2") {
		t.Errorf("asked for %+v", m)
	}

	c, s3 := sit(t, d)
	serve(c, s3)
	c.startWriting()
	c.Receive(wire.Written{ID: c.study.id, Count: 16, Total: 64, Tokens: 60, Done: true, Hash: "h2"}, text("more conversations"))
	if c.cannotContinue() == "" {
		t.Error("a run goes on over other conversations")
	}
	c.keepSoon()
	s3.settle()
	e, s4 := sit(t, d)
	serve(e, s4)
	if s4.blob(wire.Conversations{}) != text("more conversations") {
		t.Errorf("kept is %v", s4.blob(wire.Conversations{}))
	}
	e.run.status = runBroken
	e.dropText()
	e.keepSoon()
	s4.settle()
	for name := range d.files {
		if strings.HasPrefix(name, "examples-") {
			t.Errorf("%s is kept of a text that was dropped", name)
		}
	}
}

// The model is loaded as soon as its choice is known. Whatever comes of it first, the worker's
// word or the rest of the sitting, the page is as it was, and nothing of what has not been read
// yet is taken for deleted.
func TestTheModelComesWhileTheSittingIsRead(t *testing.T) {
	d := &disk{files: map[string]text{}}
	a, s := sitWithExamples(t, d)
	a.set.batch = "4"
	s.train(t, a, true)
	a.keepSitting()
	kept := maps.Clone(d.files)
	for early := range 12 { // turns of the disk before the worker begins, and before it has loaded
		d := &disk{files: maps.Clone(kept), slow: true}
		s := &stage{address: "http://localhost/", answers: map[string]string{}, disk: d}
		b := New(s)
		b.Start()
		for range min(early/2, len(d.turns)) {
			d.turn()
		}
		b.Receive(ready, nil)
		for range min(early%3, len(d.turns)) {
			d.turn()
		}
		if _, n := last[wire.Load](s); early/2+early%3 > 0 && n != 1 {
			t.Errorf("%d turns: %d loads once the choice is known", early, n)
		}
		serve(b, s)
		s.settle()
		for len(d.turns) > 0 {
			d.turn()
			serve(b, s)
			s.settle()
		}
		serve(b, s)
		s.settle()
		x, sets := last[wire.Data](s)
		again, prefixes := last[wire.Again](s)
		_, loads := last[wire.Load](s)
		if loads != 1 || sets != 1 || x.Name != "a.jsonl" || prefixes != 1 || again.Item.Name != "prefix 1" || b.set.batch != "4" || b.run.done == nil || b.inUse() == nil {
			t.Errorf("%d turns: %d loads, %d sets of examples, %d prefixes, batch %q", early, loads, sets, prefixes, b.set.batch)
		}
		for name := range kept {
			if _, there := d.files[name]; !there {
				t.Errorf("%d turns: %s is deleted", early, name)
			}
		}
	}
}

// Whatever the moment at which the page dies, what is kept can be opened; a run under way
// goes on from its checkpoint, or from its start, and a finished one is there with its prefix.
func TestDyingAtAnyWrite(t *testing.T) {
	d := &disk{files: map[string]text{}}
	var moments []map[string]text
	d.after = func() { moments = append(moments, maps.Clone(d.files)) }
	a, s := sitWithExamples(t, d)
	s.train(t, a, true)
	s.train(t, a, true)
	if len(moments) < 10 {
		t.Fatalf("only %d writes", len(moments))
	}
	continued, replaced := 0, 0
	for i, files := range moments {
		b, s2 := sit(t, &disk{files: maps.Clone(files)})
		finished := 0
		for _, r := range b.runs {
			if r.Done != nil {
				finished++
				if r.Prefix != 0 && b.shelf.item(r.Prefix) == nil {
					t.Errorf("after %d writes run %d is finished, and its prefix is not there", i+1, r.N)
				}
			}
		}
		if len(b.sitting.unread) > 0 {
			t.Errorf("after %d writes: %q", i+1, b.sitting.unread)
		}
		if !b.cut() {
			continue
		}
		continued++
		if why := b.cannotContinue(); why != "" {
			t.Errorf("after %d writes: %s", i+1, why)
			continue
		}
		b.continueRun()
		m, n := last[wire.Train](s2)
		if n != 1 || b.run.status != runStarting {
			t.Fatalf("after %d writes: %d trainings", i+1, n)
		}
		if own := len(b.shelf.Items) - finished; len(m.Replaces) != own {
			t.Errorf("after %d writes: %v give way, of %d prefixes and %d finished runs", i+1, m.Replaces, len(b.shelf.Items), finished)
		}
		replaced += len(m.Replaces)
		if len(b.run.saved) > 0 != m.Resume || m.Resume && s2.blob(wire.Train{}) != text("checkpoint of step 2") {
			t.Errorf("after %d writes: %+v from %v", i+1, m, s2.blob(wire.Train{}))
		}
		at := 1
		if m.Resume {
			at = 3
		}
		whole := []float64{2.4, 2.2, 2}
		b.Receive(wire.Step{First: at, Loss: whole[at-1:], Total: 4}, nil)
		s2.finish(b, m.ID)
		if !slices.Equal(b.run.losses, []float64{2.4, 2.2, 2, 1.9}) || b.run.done == nil {
			t.Errorf("after %d writes: %v", i+1, b.run.losses)
		}
		serve(b, s2)
		s2.settle()
		for name := range s2.disk.files {
			if strings.Contains(name, "checkpoint") {
				t.Errorf("%s is left", name)
			}
		}
		c, _ := sit(t, s2.disk)
		if len(b.shelf.Items) != len(b.runs) || len(c.shelf.Items) != len(b.runs) {
			t.Errorf("after %d writes: %d runs have %d prefixes, and %d when opened again", i+1, len(b.runs), len(b.shelf.Items), len(c.shelf.Items))
		}
	}
	if continued < 4 || replaced == 0 {
		t.Errorf("only %d of %d moments have a run to continue, with %d prefixes that give way", continued, len(moments), replaced)
	}
}

// A checkpoint that can't be read gives way to the one before it, and that to the start.
func TestTheCheckpointBefore(t *testing.T) {
	d := &disk{files: map[string]text{}}
	a, s := sitWithExamples(t, d)
	s.train(t, a, false)
	m, _ := last[wire.Train](s)
	for _, step := range []int{3, 4} {
		a.Receive(wire.Checkpoint{ID: m.ID, Step: step, Train: m}, text(fmt.Sprint("checkpoint of step ", step)))
	}
	s.settle()
	var kept []string
	for name := range d.files {
		if strings.Contains(name, "checkpoint") {
			kept = append(kept, name)
		}
	}
	if len(kept) != 2 {
		t.Errorf("kept %q, want the last two", kept)
	}
	b, s2 := sit(t, d)
	b.continueRun()
	for want := range slices.Values([]string{"checkpoint of step 4", "checkpoint of step 3", "<nil>"}) {
		m, _ := last[wire.Train](s2)
		if got := fmt.Sprint(s2.blob(wire.Train{})); got != want {
			t.Errorf("goes on from %q, want %q", got, want)
		}
		b.Receive(wire.Error{ID: m.ID, Message: "the checkpoint was changed or cut"}, nil)
	}
	if b.run.status != runBroken || b.notices[atTrain].message == "" {
		t.Errorf("after all have failed the run is %v", b.run.status)
	}
}

// Trials of lengths count their steps anew: the checkpoint of one does not take another's place.
func TestCheckpointsOfTrials(t *testing.T) {
	d := &disk{files: map[string]text{}}
	a, s := sitWithExamples(t, d)
	s.train(t, a, false)
	m, _ := last[wire.Train](s)
	for range 3 {
		a.Receive(wire.Checkpoint{ID: m.ID, Step: 4, Train: m}, text(fmt.Sprint("checkpoint after trials: ", len(m.Tried))))
		m.Tried = append(m.Tried, wire.Tried{})
	}
	s.settle()
	b, s2 := sit(t, d)
	b.continueRun()
	for _, want := range []string{"checkpoint after trials: 2", "checkpoint after trials: 1"} {
		m, _ := last[wire.Train](s2)
		if got := fmt.Sprint(s2.blob(wire.Train{}), " with ", len(m.Tried)); got != want+" with "+want[len(want)-1:] {
			t.Errorf("goes on from %q, want %q", got, want)
		}
		b.Receive(wire.Error{ID: m.ID, Message: "the checkpoint was changed or cut"}, nil)
	}
}

// A prefix from outside is shown once it is kept: the tab may be closed at that moment. One that
// can't be kept is shown too.
func TestAnImportIsKeptBeforeItIsShown(t *testing.T) {
	d := &disk{files: map[string]text{}}
	a, s := sit(t, d)
	panel := &ShelfPanel{App: a}
	d.lazy = true
	imported := func(key int) {
		s.shelf.Items = append(slices.Clone(s.shelf.Items), wire.Shelved{Key: key, Name: fmt.Sprint("prefix ", key), Origin: "imported", Slots: 32, Of: 32})
		s.shelf.InUse = key
		a.Receive(s.shelf, nil)
	}
	imported(1)
	if len(panel.items()) != 0 {
		t.Fatal("shown before there is a copy")
	}
	a.Receive(wire.Copy{Key: 1}, text("zip 1"))
	for turns := 0; len(panel.items()) == 0; turns++ {
		if len(d.turns) == 0 {
			t.Fatalf("not shown after %d writings; there are %v", turns, slices.Collect(maps.Keys(d.files)))
		}
		d.turn()
	}
	// The tab is closed here: nothing that waits is written any more.
	b, s2 := sit(t, &disk{files: maps.Clone(d.files)})
	if again, _ := last[wire.Again](s2); again.Item.Name != "prefix 1" || s2.blob(wire.Again{}) != text("zip 1") || len((&ShelfPanel{App: b}).items()) != 1 || b.shelf.InUse != 1 {
		t.Errorf("opened again: %+v", b.shelf.Items)
	}

	for len(d.turns) > 0 {
		d.turn()
	}
	d.lazy, d.full = false, true
	imported(2)
	a.Receive(wire.Copy{Key: 2}, text("zip 2"))
	if len(panel.items()) != 2 || a.sitting.trouble == "" {
		t.Errorf("without room %d are shown, trouble %q", len(panel.items()), a.sitting.trouble)
	}
	imported(3)
	a.Receive(wire.Copy{Key: 3}, nil)
	if len(panel.items()) != 3 {
		t.Error("one that can't be copied is not shown")
	}
}

// The sample that the page opens with is in place the next time too, also where the page was left
// before it was.
func TestLeftBeforeTheSampleIsThere(t *testing.T) {
	d := &disk{files: map[string]text{}}
	a, s := sit(t, d)
	a.Changed()
	s.settle()
	if a.data.file != nil || d.files[sittingFile] == "" {
		t.Fatalf("examples %+v, kept %v", a.data.file, d.files)
	}
	s2 := &stage{address: "http://localhost/", answers: map[string]string{"hashed/sample": "hello"}, disk: d}
	b := New(s2)
	b.Start()
	b.Receive(ready, nil)
	serve(b, s2)
	s2.settle()
	if b.data.set == nil || b.data.file.Name != sampleName {
		t.Errorf("opened again with %+v", b.data.file)
	}
	// What a person brought is not replaced.
	b.openData(File{Name: "a.jsonl", Size: 5, Ref: text("world")})
	serve(b, s2)
	s2.settle()
	s3 := &stage{address: "http://localhost/", answers: s2.answers, disk: d}
	c := New(s3)
	c.Start()
	c.Receive(ready, nil)
	serve(c, s3)
	s3.settle()
	if c.data.file == nil || c.data.file.Name != "a.jsonl" {
		t.Errorf("opened with %+v", c.data.file)
	}
}

// A model that a person chooses while what was kept is still being read, or while the first one
// begins to load by itself, is the one that is loaded.
func TestAChoiceOfModelIsNotLost(t *testing.T) {
	for _, early := range []bool{true, false} {
		d := &disk{files: map[string]text{}}
		if early {
			before, s := sit(t, d)
			before.Changed()
			s.settle()
			d.slow = true
		}
		s := &stage{address: "http://localhost/", answers: map[string]string{"hashed/sample": "hello"}, disk: d}
		a := New(s)
		a.Start()
		a.Receive(ready, nil)
		c := &ModelPanel{App: a}
		if loads, n := last[wire.Load](s); n > 0 == early {
			t.Fatalf("early %v: %d loads, the last %+v", early, n, loads)
		}
		if c.busy("big") {
			t.Fatalf("early %v: the other model can't be chosen", early)
		}
		a.loadBundled("big")
		for len(d.turns) > 0 {
			d.turn()
		}
		serve(a, s)
		s.settle()
		if a.model.loaded == nil || a.model.loaded.Name != "big" || a.data.file == nil {
			t.Errorf("early %v: %+v is loaded, examples %+v", early, a.model.loaded, a.data.file)
		}
		if _, n := last[wire.Load](s); early && n != 1 {
			t.Errorf("loaded %d times", n)
		}
	}
}

// Another model leaves the prefixes of the first where they are; they come back with it.
func TestPrefixesBelongToTheirModel(t *testing.T) {
	d := &disk{files: map[string]text{}}
	a, s := sitWithExamples(t, d)
	s.train(t, a, true)
	a.loadBundled("big")
	s.shelf = wire.Shelf{}
	serve(a, s)
	s.settle()
	c := &ShelfPanel{App: a}
	if len(a.shelf.Items) != 0 || len(a.away()) != 1 || c.away(a.away()[0]) != "Kept for tiny: prefix 1." {
		t.Fatalf("with another model: %+v and %d away", a.shelf.Items, len(a.away()))
	}
	a.Receive(wire.Unloaded{}, nil) // what is too large pushes both out
	s.settle()
	b, s2 := sit(t, d)
	if len(b.away()) != 1 {
		t.Fatalf("opened again: %d away", len(b.away()))
	}
	c = &ShelfPanel{App: b}
	c.load(b.away()[0])
	serve(b, s2)
	if b.inUse() == nil || b.inUse().Name != "prefix 1" || len(b.away()) != 0 {
		t.Errorf("with its model: %+v", b.shelf.Items)
	}
}

func TestForgettingIsUndone(t *testing.T) {
	d := &disk{files: map[string]text{}}
	a, s := sitWithExamples(t, d)
	s.train(t, a, true)
	a.forget(1)
	serve(a, s)
	s.settle()
	if _, there := d.files[zipName("f-tiny", 1)]; there || len(a.shelf.Items) != 0 {
		t.Error("what was forgotten is kept")
	}
	a.unforget()
	serve(a, s)
	s.settle()
	if d.files[zipName("f-tiny", 1)] != "zip 1" || a.shelf.item(1) == nil || a.originOf(1) == "" || a.shelf.InUse != 1 {
		t.Errorf("undone: %+v", a.shelf.Items)
	}
	r := a.runs[0]
	a.deleteRun(r)
	s.settle()
	if _, there := d.files[runName(1)]; there || len(a.runs) != 0 {
		t.Error("a deleted run is kept")
	}
	a.undeleteRun()
	s.settle()
	if _, there := d.files[runName(1)]; !there {
		t.Error("the run does not come back")
	}
	s.train(t, a, true)
	a.forget(1)
	serve(a, s)
	a.unforget()
	if m, _ := last[wire.Again](s); !m.Quiet || m.Item.Key != 1 {
		t.Errorf("one that was not in use comes again with %+v", m)
	}
	serve(a, s)
}

// Where nothing can be kept everything goes on, and the page says so; once there is room
// again all is kept.
func TestNoRoom(t *testing.T) {
	d := &disk{files: map[string]text{}, full: true}
	a, s := sitWithExamples(t, d)
	s.train(t, a, true)
	if a.run.done == nil || !strings.Contains(a.sitting.trouble, "the room is used up") {
		t.Errorf("says %q", a.sitting.trouble)
	}
	d.full = false
	a.Changed()
	s.settle()
	a.keepRun()
	if a.sitting.trouble != "" || d.files[sittingFile] == "" || d.files[runName(1)] == "" || d.files[a.sitting.data.File] != "hello" {
		t.Errorf("says %q, keeps %q", a.sitting.trouble, slices.Sorted(maps.Keys(d.files)))
	}
	b, _ := open(t) // a browser that forbids it
	if b.sitting.state != sittingNowhere || !strings.Contains(b.sitting.trouble, "forbids") {
		t.Errorf("says %q", b.sitting.trouble)
	}
}

// Of two tabs one keeps the sitting; the other says so, and can take over.
func TestTwoTabs(t *testing.T) {
	d := &disk{files: map[string]text{}}
	a, s := sitWithExamples(t, d)
	s.settle()
	before := maps.Clone(d.files)
	s2 := &stage{address: "http://localhost/", answers: map[string]string{}, disk: d, taken: true}
	b := New(s2)
	b.Start()
	b.Receive(ready, nil)
	serve(b, s2)
	b.set.batch = "3"
	b.Changed()
	s2.settle()
	if b.sitting.state != sittingElsewhere || !maps.Equal(before, d.files) || b.model.loaded == nil {
		t.Fatalf("the second tab is %v, and the files changed: %v", b.sitting.state, !maps.Equal(before, d.files))
	}
	b.takeOver()
	s.lost()
	serve(b, s2)
	if x, n := last[wire.Data](s2); n != 1 || x.Name != "a.jsonl" || b.sitting.state != sittingOpen {
		t.Errorf("taken over with %d readings", n)
	}
	a.set.batch = "7"
	a.Changed()
	s.settle()
	if a.sitting.state != sittingElsewhere || strings.Contains(string(d.files[sittingFile]), `"batch":"7"`) {
		t.Error("the first tab still keeps")
	}
}

func TestForgetEverything(t *testing.T) {
	d := &disk{files: map[string]text{}}
	a, s := sitWithExamples(t, d)
	s.train(t, a, true)
	a.forgetEverything()
	if len(d.files) != 0 || !strings.Contains(a.sitting.gone, "Nothing of the session is left") {
		t.Errorf("left %q; says %q", slices.Sorted(maps.Keys(d.files)), a.sitting.gone)
	}
	serve(a, s)
	s.settle()
	b, _ := sit(t, d)
	if len(b.runs) != 0 || len(b.shelf.Items) != 0 || b.data.bytes != nil {
		t.Errorf("opened again with %d runs and %d prefixes", len(b.runs), len(b.shelf.Items))
	}
}

// Records of another version, cut or strange, are named and left as they are.
func TestStrangeRecords(t *testing.T) {
	for name, content := range map[string]string{
		sittingFile:            `{"format":"prelude.sitting","version":99}`,
		"run-7.json":           `{"format":"prelude.run","version":1,"losses":[1,2`,
		"run-8.json":           `{"format":"prelude.run","version":2}`,
		"prefix-f-tiny-3.json": `[]`,
		"new-kind.json":        `{}`,
	} {
		d := &disk{files: map[string]text{name: text(content)}}
		a, s := sit(t, d)
		if len(a.sitting.unread) != 1 || !strings.HasPrefix(a.sitting.unread[0], name) {
			t.Errorf("%s: says %q", name, a.sitting.unread)
		}
		a.openData(File{Name: "a.jsonl", Size: 5, Ref: text("hello")})
		serve(a, s)
		s.train(t, a, true)
		left := d.files[name]
		if name == sittingFile {
			left = d.files["unread.json"]
		}
		if left != text(content) {
			t.Errorf("%s was written over with %.60q", name, left)
		}
	}
	// An empty file is one whose first content was never whole: there was nothing yet.
	if a, _ := sit(t, &disk{files: map[string]text{"run-7.json": "", sittingFile: ""}}); len(a.sitting.unread) != 0 || len(a.runs) != 0 {
		t.Errorf("says %q", a.sitting.unread)
	}
	// A prefix whose file is gone is named.
	d := &disk{files: map[string]text{}}
	a, s := sitWithExamples(t, d)
	s.train(t, a, true)
	delete(d.files, zipName("f-tiny", 1))
	if b, _ := sit(t, d); len(b.sitting.unread) != 1 || !strings.Contains(b.sitting.unread[0], "prefix 1") {
		t.Errorf("says %q", b.sitting.unread)
	}
}

// A model that came from dropped files is asked for, and the rest is there.
func TestTheModelFileIsGone(t *testing.T) {
	d := &disk{files: map[string]text{sittingFile: `{"format":"prelude.sitting","version":1,"model":{"files":["mine.gguf"],"name":"mine","fingerprint":"f9"},"settings":{"by":"steps","steps":"7"}}`}}
	a, s := sit(t, d)
	if _, n := last[wire.Load](s); n != 0 || !strings.Contains(a.notices[atModel].hint, "mine.gguf") || a.set.steps != "7" {
		t.Errorf("%d loads; says %+v", n, a.notices[atModel])
	}
}

// Many runs open, and their differing settings are said.
func TestManyRuns(t *testing.T) {
	d := &disk{files: map[string]text{}}
	a, s := sit(t, d)
	for n := 1; n <= 200; n++ {
		r := (&run{n: n, losses: make([]float64, 300), first: 1, asked: wire.Train{Steps: 300, Seed: uint64(n), Method: map[string]string{"source": "kv"}}}).record()
		a.keepRecord(runName(n), r)
	}
	s.settle()
	b, _ := sit(t, d)
	c := &RunsPanel{App: b}
	if len(b.runs) != 200 || c.list()[0].N != 200 || c.differs(b.runs[9]) != "Differs from Run 200: seed (200 → 10)" || c.differs(b.runs[199]) != "Differs from Run 199: seed (199 → 200)" {
		t.Errorf("%d runs; %q, %q", len(b.runs), c.differs(b.runs[9]), c.differs(b.runs[199]))
	}
	if n := len(c.list()); n != runsAtOnce || c.more() != 200-n { // the rest on a press: each row is drawn with every step
		t.Errorf("%d runs are shown, %d more", n, c.more())
	}
	b.exportRuns("csv")
	if x, _ := b.host.(*stage), 0; len(x.saved) != 1 || x.saved[0] != "runs.csv" {
		t.Errorf("saved %q", x.saved)
	}
}

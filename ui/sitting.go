package ui

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"prelude/ui/wire"
)

// sitting is what of this page stays in the browser: everything, as it changes, so that the
// page is as it was when it is opened again.
type sitting struct {
	state   sittingState
	pen     *pen
	trouble string          // why something is not kept, "" where all is
	failed  map[string]bool // files that could not be written last time
	begin   func()          // what waits until what was kept is there
	model   modelRecord     // of the kept sitting, until another model is loaded
	data    *dataRecord     // the examples as they are kept
	files   int             // the last number of a file of examples
	unread  []string        // files that this page can't read, and why
	run     int             // the run that stands on the page, by its number
	lastRun int             // the highest number of a run
	asking  bool            // whether to forget everything
	gone    string          // what was forgotten, in a sentence
	soon    bool            // a look at what has changed is on its way
	early   bool            // the model's choice is known while the rest is still being read
}

type sittingState int

const (
	sittingClosed    sittingState = iota // nothing was asked yet
	sittingOpening                       // what is kept is being read
	sittingOpen                          // all that changes is kept
	sittingElsewhere                     // another tab keeps it
	sittingNowhere                       // the browser keeps nothing
)

const (
	sittingFile  = "sitting.json"
	formatAll    = "prelude.sitting"
	formatRun    = "prelude.run"
	formatPrefix = "prelude.prefix"
)

// openSitting reads what was kept, unless another tab has it open.
func (a *App) openSitting(take bool) {
	a.sitting = sitting{state: sittingOpening, begin: a.sitting.begin}
	s := &a.sitting
	s.pen = newPen(a.host.Store(), a.onKeeping)
	a.host.Own(take, func(own bool) {
		if !own {
			a.sitting.state = sittingElsewhere
			a.beginWaiting()
			return
		}
		if !take {
			s.pen.store.Read(sittingFile, func(b Bytes, err error) { a.glimpse(b) })
		}
		s.pen.store.List(func(names []string, err error) {
			if err != nil {
				a.opened(nil, err)
				return
			}
			var records []string
			for _, name := range names {
				if strings.HasSuffix(name, ".json") {
					records = append(records, name)
				}
			}
			readAll(s.pen.store, names0(records), func(files map[string]Bytes) {
				for _, name := range names {
					s.pen.sizes[name] = 0
				}
				for name, b := range files {
					s.pen.sizes[name] = b.Len()
				}
				a.opened(files, nil)
			})
		})
	}, func() {
		a.sitting.state = sittingElsewhere
	})
}

// glimpse takes from the sitting's record, before anything else is read, what the model needs to be
// loaded: that takes longer than all the rest.
func (a *App) glimpse(b Bytes) {
	var all sittingRecord
	if a.sitting.state != sittingOpening || b == nil || readRecord(b, formatAll, &all) != nil || strings.Contains(a.host.Location(), "#p=") {
		return
	}
	if _, again := all.Model.source(); !again {
		return
	}
	a.restoreChoices(all)
	a.sitting.early = true
	if a.engine == "ready" {
		a.loadEarly()
	}
}

// loadEarly loads the kept sitting's model. What the page does when it has come waits until the
// sitting is read.
func (a *App) loadEarly() {
	a.loadFirst()
	a.sitting.begin = func() { a.set.adopt(a.ready.Axes) }
}

// restoreChoices puts the model's choice and the settings back as they were.
func (a *App) restoreChoices(all sittingRecord) {
	a.set = all.Settings.settings()
	a.model.exact = all.Model.Exact
	if all.Model.Device != "" {
		a.model.device = all.Model.Device
	}
	a.sitting.model, a.held = all.Model, all.Model.Fingerprint
	a.hub.restore(all.HubBase)
}

// names0 is names in order: what depends on others comes after them.
func names0(names []string) []string { return slices.Sorted(slices.Values(names)) }

// opened takes in what was kept.
func (a *App) opened(files map[string]Bytes, err error) {
	s := &a.sitting
	if err != nil { // nothing is written over what could not be read
		s.state = sittingNowhere
		s.trouble = say("sitting.nothing-of-this-page", err.Error())
		a.beginWaiting()
		return
	}
	var all sittingRecord
	if b := files[sittingFile]; b != nil {
		if err := readRecord(b, formatAll, &all); err != nil {
			s.cannotRead(sittingFile, err)
			s.pen.write("unread.json", b) // this page writes its own in its place
			all = sittingRecord{}
		}
	}
	var prefixes []prefixRecord
	for _, name := range names0(keysOf(files)) {
		b := files[name]
		if n, ok := numbered(name, "run-"); ok {
			s.lastRun = max(s.lastRun, n)
		}
		switch {
		case name == sittingFile || name == "unread.json":
		case strings.HasPrefix(name, "run-"):
			var r runRecord
			if err := readRecord(b, formatRun, &r); err != nil {
				s.cannotRead(name, err)
				continue
			}
			a.runs = append(a.runs, &r)
		case strings.HasPrefix(name, "prefix-"):
			var p prefixRecord
			if err := readRecord(b, formatPrefix, &p); err != nil {
				s.cannotRead(name, err)
				continue
			}
			prefixes = append(prefixes, p)
		default:
			s.cannotRead(name, errors.New(say("sitting.its-kind-is-unknown")))
		}
	}
	a.sortRuns()
	a.dropStray()
	a.restore(all, prefixes)
}

func keysOf[V any](m map[string]V) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	return keys
}

func (s *sitting) cannotRead(name string, err error) {
	s.unread = append(s.unread, fmt.Sprintf("%s: %v", name, err))
}

// restore puts the page back as it was: what is read from files comes first.
func (a *App) restore(all sittingRecord, prefixes []prefixRecord) {
	s := &a.sitting
	var want []string
	for _, p := range prefixes {
		if p.Item.Origin != "blend" {
			want = append(want, zipName(p.Model.Fingerprint, p.Item.Key))
		}
	}
	want = append(append(want, all.Data.files()...), all.Study.files()...)
	readAll(s.pen.store, want, func(files map[string]Bytes) {
		for name, b := range files {
			s.pen.sizes[name] = b.Len()
		}
		for _, p := range prefixes {
			a.restorePrefix(p, files[zipName(p.Model.Fingerprint, p.Item.Key)])
		}
		for name := range s.pen.sizes {
			n, _ := numbered(name, "examples-")
			s.files = max(s.files, n)
		}
		for fingerprint, key := range all.InUse {
			if x := a.shelves[fingerprint]; x != nil {
				x.InUse = key
			}
		}
		if all.Format != "" {
			a.restoreChoices(all)
			all.Compare.restore(&a.compare)
			if all.Name != "" {
				a.home.name = all.Name
			}
			s.run = all.Run
			a.restoreQueue(all.Queue)
		}
		if d := all.Data; d != nil {
			if b := files[d.File]; b != nil {
				a.data = examples{file: &File{Name: d.Name, Size: int64(b.Len())}, bytes: b, opts: d.Opts, kept: true, tested: d.Tested, parts: d.Parts}
				a.form = form{template: d.Form.Template, val: d.Form.Val}
				s.data = d
				a.restoreHeld(d, files)
			} else {
				a.refuse(atData, say("sitting.was-in-use-and", d.Name), say("sitting.choose-the-file-again"))
			}
		}
		a.restoreStudy(all.Study, files)
		shown := a.runOf(all.Run)
		if n := len(a.runs); n > 0 && a.runs[n-1].Done == nil && a.runs[n-1].Ended == "" {
			shown = a.runs[n-1] // it was under way
		}
		if shown != nil {
			a.showRun(shown)
		}
		s.state = sittingOpen // not before: what is not there yet would be taken for deleted
		a.beginWaiting()
		if _, again := all.Model.source(); again && all.Data == nil && all.Study == nil && !strings.Contains(a.host.Location(), "#p=") {
			a.openWithSample() // the page was left before it was in place
		}
	})
}

// beginWaiting does what has waited for the kept sitting.
func (a *App) beginWaiting() {
	defer a.settle()
	if f := a.sitting.begin; f != nil {
		a.sitting.begin = nil
		f()
	}
}

// Changed is called when a person has done something: what they changed is kept soon.
func (a *App) Changed() { a.keepSoon() }

// keepSoon looks at what has changed when the page has come to rest.
func (a *App) keepSoon() {
	if a.sitting.state != sittingOpen || a.sitting.soon {
		return
	}
	a.sitting.soon = true
	a.host.Later(200*time.Millisecond, func() {
		a.sitting.soon = false
		a.keepSitting()
	})
}

// keepSitting keeps what has changed.
func (a *App) keepSitting() {
	s := &a.sitting
	if s.state != sittingOpen {
		return
	}
	if d := a.data.whole(); d != nil {
		s.data = &dataRecord{Name: d.file.Name, File: s.newFile()}
		d.kept = true
		s.pen.write(s.data.File, d.bytes)
	}
	if a.data.bytes == nil {
		s.data = nil
	}
	if s.data != nil {
		d := *s.data
		d.Opts, d.Form, d.Tested, d.Parts = a.data.opts, formRecord{a.form.template, a.form.val}, a.data.tested, a.data.parts
		if a.data.set != nil {
			d.Hash = a.data.set.Hash
			d.Held = a.keepHeld()
		}
		s.data = &d
	}
	all := sittingRecord{head: head{formatAll, recordVersion}, Model: s.model, Data: s.data, Study: a.keepStudy(), Settings: a.set.record(), Compare: a.compare.record(),
		Name: a.home.name, Run: a.run.n, InUse: map[string]int{}, Queue: a.queue.waiting, HubBase: a.hub.base}
	for fingerprint, x := range a.shelves {
		all.InUse[fingerprint] = x.InUse
	}
	if f := a.shelf.model.Fingerprint; f != "" {
		all.InUse[f] = a.shelf.InUse
	}
	a.keepRecord(sittingFile, all)
	for name := range s.pen.sizes { // examples that others have replaced
		if strings.HasPrefix(name, "examples-") && !slices.Contains(s.data.files(), name) && !slices.Contains(all.Study.files(), name) {
			s.pen.remove(name)
		}
	}
	a.keepShelf(&a.shelf)
	a.keepRun()
}

// newFile is a name for bytes that a person brought, which no others had.
func (s *sitting) newFile() string {
	delete(s.failed, fmt.Sprintf("examples-%d", s.files))
	s.files++
	return fmt.Sprintf("examples-%d", s.files)
}

// onKeeping is told what became of a change.
func (a *App) onKeeping(name string, err error) {
	s := &a.sitting
	if err == nil {
		if delete(s.failed, name); len(s.failed) == 0 {
			s.trouble = ""
		}
		return
	}
	if s.failed == nil {
		s.failed = map[string]bool{}
	}
	s.failed[name] = true
	if strings.Contains(name, "checkpoint") || strings.Contains(name, ".copy-") { // the next one has another name
		delete(s.failed, name)
	}
	if s.data != nil && name == s.data.File {
		a.data.kept, s.data = false, nil // tried again with the next change
	}
	for _, kept := range []*string{&a.study.kept, &a.study.wroteKept} {
		if *kept == name {
			*kept = ""
		}
	}
	for side, f := range a.data.held {
		if f.kept == name {
			f.kept = ""
			a.data.held[side] = f
		}
	}
	s.trouble = say("sitting.is-not-kept-everything", s.word(name), err)
}

// word says what a file holds.
func (s *sitting) word(name string) string {
	switch {
	case strings.HasPrefix(name, "examples-"):
		return say("sitting.the-file-of-examples")
	case strings.HasPrefix(name, "prefix-"):
		return say("sitting.a-prefix")
	case strings.Contains(name, "checkpoint"):
		return say("sitting.the-checkpoint-of-the")
	case strings.Contains(name, ".copy-"):
		return say("sitting.a-copy-of-a")
	case strings.HasPrefix(name, "run-"):
		return say("sitting.the-record-of-a")
	}
	return say("sitting.what-changed-on-this")
}

// takeOver makes this the tab that is kept: what the other one has kept is shown here.
func (a *App) takeOver() {
	if a.training() {
		return
	}
	a.runs, a.shelves, a.run, a.queue.waiting = nil, map[string]*shelf{}, run{}, nil
	a.curves = newCurves()
	a.sitting.begin = a.startOver
	a.openSitting(true)
}

// startOver loads the kept sitting's model into the worker that is there.
func (a *App) startOver() {
	a.set.adopt(a.ready.Axes)
	a.shelf = newShelf()
	if _, ok := a.sitting.model.source(); ok {
		if a.model.id != 0 {
			a.cancelLoad()
		}
		a.model.source = nil
	}
	a.loadFirst()
}

// Leaving says whether something is under way that ends when the page is left.
func (a *App) Leaving() bool { return a.run.active() || a.study.writing() }

// forgetEverything deletes all that is kept, and puts the page back to its beginning.
func (a *App) forgetEverything() {
	s := &a.sitting
	s.asking = false
	if a.training() || s.state != sittingOpen {
		return
	}
	bytes, n := s.pen.total(), len(s.pen.sizes)
	for _, x := range a.shelf.Items {
		a.host.Send(wire.Forget{Key: x.Key}, nil)
	}
	model := a.shelf.model
	a.run, a.runs, a.data, a.form = run{}, nil, examples{}, form{val: defaultVal}
	a.queue.waiting, a.deleted, a.curves = nil, nil, newCurves()
	a.set, a.compare, a.study = defaultSettings(), compare{gen: defaultGeneration()}, study{}
	a.set.adopt(a.ready.Axes)
	a.shelves, a.shelf, a.forgotten = map[string]*shelf{}, newShelf(), nil
	a.shelf.model = model
	a.home.forgetZip()
	a.home.name = "my-prefix"
	s.data, s.unread, s.trouble = nil, nil, ""
	store := s.pen.store
	s.pen = newPen(store, a.onKeeping)
	s.state = sittingOpening // nothing is written meanwhile
	store.List(func(names []string, err error) {
		var clear func(i int)
		clear = func(i int) {
			if i < len(names) {
				store.Delete(names[i], func(error) { clear(i + 1) })
				return
			}
			store.List(func(left []string, err error) {
				s.state = sittingOpen
				s.gone = say("sitting.forgotten-nothing-of-the", plural(n, "file"), size(bytes))
				if err != nil || len(left) > 0 {
					s.gone = say("sitting.could-not-be-deleted", plural(len(left), "file"))
				}
			})
		}
		clear(0)
	})
}

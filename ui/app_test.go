package ui

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"prelude/ui/wire"
	"prelude/ui/words"

	"github.com/vugu/vugu"
)

// stage is a Host that does everything at once and remembers it.
type stage struct {
	sent     []wire.Message
	blobs    []any
	started  int
	saved    []string
	answers  map[string]string // path → body of a 200
	posted   []string
	address  string
	later    []func()
	table    func(Table) // answers the table that is being read
	soon     []func()    // of what is put off for less than a second
	persist  []bool      // what was asked of Persist
	persists bool        // and the answer
	disk     *disk       // nil: nothing can be kept
	answered int         // of sent, by the worker that a test plays
	shelf    wire.Shelf
	taken    bool   // another tab has the sitting
	lost     func() // tells this one that it has

	languages  []string // that the person wants
	allowed    []string // hosts to fetch from, and whether as the hub
	downloads  []string // addresses
	headers    map[string]string
	download   func(Downloaded) // answers the last one
	stopped    int              // of them
	spoken     string           // the page is in
	remembered bool             // as a person's choice
}

// disk is a Store that does everything at once. It refuses to write while it is full.
type disk struct {
	files map[string]text
	full  bool
	after func() // a change
	slow  bool   // a reading waits for its turn
	lazy  bool   // a writing does
	turns []func()
}

// turn ends one reading, or writing.
func (d *disk) turn() {
	f := d.turns[0]
	d.turns = d.turns[1:]
	f()
}

func (d *disk) List(done func([]string, error)) {
	var names []string
	for name := range d.files {
		names = append(names, name)
	}
	done(names, nil)
}

func (d *disk) Read(name string, done func(Bytes, error)) {
	if d.slow {
		d.turns = append(d.turns, func() { (&disk{files: d.files}).Read(name, done) })
		return
	}
	if b, ok := d.files[name]; ok {
		done(b, nil)
		return
	}
	done(nil, errors.New("it is not there"))
}

func (d *disk) Write(name string, content Bytes, done func(error)) {
	if d.full {
		done(errors.New("the room is used up"))
		return
	}
	if d.lazy {
		d.turns = append(d.turns, func() { (&disk{files: d.files}).Write(name, content, done) })
		return
	}
	d.files[name] = content.(text)
	if d.after != nil {
		d.after()
	}
	done(nil)
}

func (d *disk) Delete(name string, done func(error)) {
	delete(d.files, name)
	if d.after != nil {
		d.after()
	}
	done(nil)
}

// noDisk is a Store of a browser that keeps nothing.
type noDisk struct{}

var errForbidden = errors.New("this browser forbids the page to keep anything")

func (noDisk) List(done func([]string, error))           { done(nil, errForbidden) }
func (noDisk) Read(_ string, done func(Bytes, error))    { done(nil, errForbidden) }
func (noDisk) Write(_ string, _ Bytes, done func(error)) { done(errForbidden) }
func (noDisk) Delete(_ string, done func(error))         { done(errForbidden) }

func (s *stage) Store() Store {
	if s.disk == nil {
		return noDisk{}
	}
	return s.disk
}

func (s *stage) Own(take bool, done func(bool), lost func()) {
	s.lost = lost
	done(take || !s.taken)
}

func (s *stage) Bytes(content string) Bytes { return text(content) }

// blob is what came with the last message of m's type.
func (s *stage) blob(m wire.Message) any {
	for i := len(s.sent) - 1; i >= 0; i-- {
		if reflect.TypeOf(s.sent[i]) == reflect.TypeOf(m) {
			return s.blobs[i]
		}
	}
	return nil
}

// settle does what was put off for less than a second, as often as something new was.
func (s *stage) settle() {
	for len(s.soon) > 0 {
		f := s.soon[0]
		s.soon = s.soon[1:]
		f()
	}
}

type text string

func (t text) Len() int       { return len(t) }
func (t text) String() string { return string(t) }

func (t text) Starts(with string) bool { return strings.HasPrefix(string(t), with) }

func (s *stage) StartWorker() { s.started++ }
func (s *stage) Send(m wire.Message, blob any) {
	if _, err := wire.Encode(m); err != nil {
		panic(err)
	}
	s.sent, s.blobs = append(s.sent, m), append(s.blobs, blob)
}
func (s *stage) Files(vugu.DOMEvent) []File { return nil }
func (s *stage) Read(f File, done func(Bytes)) {
	if f.Ref == nil {
		done(nil)
		return
	}
	done(f.Ref.(text))
}
func (s *stage) Table(_ Bytes, done func(Table))          { s.table = done }
func (s *stage) Fetch(path string, done func(int, Bytes)) { s.Request("GET", path, nil, nil, done) }
func (s *stage) Request(method, path string, body Bytes, _ map[string]string, done func(int, Bytes)) {
	if method != "GET" {
		s.posted = append(s.posted, method+" "+path)
	}
	if a, ok := s.answers[path]; ok {
		done(200, text(a))
		return
	}
	done(404, text(`{"error":{"code":"no_prefix","message":"There is no such prefix."}}`))
}
func (s *stage) Allow(host string, hub bool) {
	s.allowed = append(s.allowed, fmt.Sprint(host, " ", hub))
}
func (s *stage) Download(address string, headers map[string]string, _ int64, _ func(int64, int64), done func(Downloaded)) func() {
	s.downloads = append(s.downloads, address)
	s.headers, s.download = headers, done
	return func() { s.stopped++ }
}
func (s *stage) Save(name string, _ ...Bytes) { s.saved = append(s.saved, name) }
func (s *stage) Copy(string)                  {}
func (s *stage) Later(d time.Duration, f func()) {
	if d < time.Second {
		s.soon = append(s.soon, f)
		return
	}
	s.later = append(s.later, f)
}
func (s *stage) Persist(ask bool, done func(bool)) {
	s.persist = append(s.persist, ask)
	done(s.persists)
}
func (s *stage) Languages() []string           { return s.languages }
func (s *stage) Speak(tag string, chosen bool) { s.spoken, s.remembered = tag, chosen }
func (s *stage) Intl(string) words.Intl        { return nil }
func (s *stage) Location() string              { return s.address }
func (s *stage) Visit(fragment string)         { s.address = strings.Split(s.address, "#")[0] + "#" + fragment }
func (s *stage) Asset(name string) string      { return "hashed/" + name }

// last is the last message of a type, and how many there were.
func last[M wire.Message](s *stage) (M, int) {
	var found M
	n := 0
	for _, m := range s.sent {
		if m, ok := m.(M); ok {
			found, n = m, n+1
		}
	}
	return found, n
}

var ready = wire.Ready{
	Models:  []wire.ModelOffer{{Name: "tiny", Title: "Tiny", Bytes: 2e6}, {Name: "big", Title: "Big", Bytes: 98e6}},
	Devices: []wire.DeviceInfo{{Name: "webgpu", Why: "none here"}, {Name: "simd", OK: true}},
	Axes: []wire.Axis{{ID: "produce", Label: "Prefix", Choices: []wire.Choice{
		{ID: "kv", Label: "Keys and values", Default: true, PEFT: true, Settings: []wire.Setting{{ID: "slots", Label: "Slots", Kind: "int", Default: "32", Min: 1, Max: 512}}},
		{ID: "conv", Label: "Convolution"},
	}}},
}

// open brings a page to where a model is loaded.
func open(t *testing.T) (*App, *stage) {
	t.Helper()
	s := &stage{address: "http://localhost/", answers: map[string]string{}}
	a := New(s)
	a.Start()
	a.Receive(ready, nil)
	load, _ := last[wire.Load](s)
	a.Receive(wire.Loaded{ID: load.ID, Name: "tiny", Fingerprint: "f1", Context: 512}, nil)
	return a, s
}

// withData also has examples.
func withData(t *testing.T) (*App, *stage) {
	t.Helper()
	a, s := open(t)
	a.openData(File{Name: "a.jsonl", Size: 5, Ref: text("hello")})
	d, n := last[wire.Data](s)
	if n != 1 {
		t.Fatalf("%d Data messages, want 1", n)
	}
	a.Receive(wire.Dataset{ID: d.ID, Name: "a.jsonl", Count: 10, Train: 8, Val: 2, HeldOut: []wire.Example{{Prompt: "p1", Completion: " c1"}, {Prompt: "p2"}}}, nil)
	return a, s
}

// trained also has a prefix.
func trained(t *testing.T) (*App, *stage) {
	t.Helper()
	a, s := withData(t)
	a.startTraining()
	m, _ := last[wire.Train](s)
	a.Receive(wire.Planned{ID: m.ID, Steps: 4, Slots: 32}, nil)
	a.Receive(wire.Eval{Step: 0, Loss: 2.4, Base: 3}, nil)
	a.Receive(wire.Step{First: 1, Loss: []float64{2.4, 2.2, 2, 1.9}, Total: 4}, nil)
	a.Receive(wire.Eval{Step: 4, Loss: 1.5, Base: 3, Best: true}, nil)
	a.Receive(onShelf(1), nil)
	a.Receive(wire.Trained{ID: m.ID, Steps: 4, BestStep: 4, BestLoss: 1.5, BaseLoss: 3, Why: "step limit", Seconds: 2}, nil)
	return a, s
}

// onShelf is a shelf of so many prefixes, the last one in use.
func onShelf(n int) wire.Shelf {
	list := wire.Shelf{InUse: n}
	for key := 1; key <= n; key++ {
		list.Items = append(list.Items, wire.Shelved{Key: key, Name: "Keys and values " + itoa(key), Origin: "trained", Slots: 32, Of: 32, Step: 4, ValLoss: 1.5, BaseLoss: 3})
	}
	return list
}

func TestTheSmallModelLoadsByItself(t *testing.T) {
	a, s := open(t)
	if m, n := last[wire.Load](s); n != 1 || m.Bundled != "tiny" || m.Device != "auto" {
		t.Errorf("loaded %+v (%d times), want the first model once, on the automatic device", m, n)
	}
	if a.model.loaded == nil || a.model.id != 0 {
		t.Error("the model is not there")
	}

	big := ready
	big.Models = ready.Models[1:]
	s = &stage{}
	a = New(s)
	a.Start()
	a.Receive(big, nil)
	if _, n := last[wire.Load](s); n != 0 {
		t.Error("98 MB were loaded unasked")
	}
}

func TestExamplesWaitForTheModel(t *testing.T) {
	s := &stage{}
	a := New(s)
	a.Start()
	a.openData(File{Name: "a.jsonl", Size: 5, Ref: text("hello")})
	if _, n := last[wire.Data](s); n != 0 {
		t.Fatal("the examples went out before there was a model")
	}
	a.Receive(ready, nil)
	load, _ := last[wire.Load](s)
	a.Receive(wire.Loaded{ID: load.ID}, nil)
	if _, n := last[wire.Data](s); n != 1 || s.blobs[len(s.blobs)-1] != text("hello") {
		t.Error("the examples did not follow the model")
	}
}

func TestFilesThatAreRefusedUnread(t *testing.T) {
	for _, c := range []struct {
		name, want string
		file       File
	}{
		{"empty", "empty", File{Name: "a.jsonl"}},
		{"100 MB", "100\u202fMB", File{Name: "a.jsonl", Size: 100e6, Ref: text("x")}},
		{"gone", "could not be read", File{Name: "a.jsonl", Size: 10}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, s := withData(t)
			before := a.data.set
			a.openData(c.file)
			if n := a.notices[atData]; !strings.Contains(n.message, c.want) || n.hint == "" {
				t.Errorf("notice %+v, want one with %q and a hint", n, c.want)
			}
			if a.data.set != before {
				t.Error("the examples that were there are lost")
			}
			if _, n := last[wire.Data](s); n != 1 {
				t.Error("the file went to the worker")
			}
		})
	}
}

func TestBadLinesAreSkippedOnlyWhenSaid(t *testing.T) {
	a, s := withData(t)
	a.data.set.Errors = []wire.LineError{{Line: 17, Message: `"completion" is missing`}}
	a.startTraining()
	if _, n := last[wire.Train](s); n != 0 {
		t.Fatal("training started with unread lines")
	}
	if !strings.Contains(a.notices[atTrain].message, "1 line") {
		t.Errorf("notice %+v", a.notices[atTrain])
	}
	a.skipBad()
	r, _ := last[wire.Reparse](s)
	if !r.Opts.SkipBad {
		t.Error("the worker was not told to skip")
	}
	a.Receive(wire.Dataset{ID: r.ID, Count: 8, Train: 8, Errors: []wire.LineError{{Line: 17}}, Skipped: 1}, nil)
	a.startTraining()
	if _, n := last[wire.Train](s); n != 1 {
		t.Error("training did not start after the lines were skipped")
	}
}

// A file that is opened while the one before is still read does not lose that one's answer.
func TestReadingsOverlap(t *testing.T) {
	a, s := withData(t)
	a.addSpace()
	r, _ := last[wire.Reparse](s)
	a.openData(File{Name: "b.jsonl", Size: 1, Ref: text("x")})
	b, _ := last[wire.Data](s)
	a.Receive(wire.Dataset{ID: r.ID, Count: 7, Train: 7}, nil)
	if a.data.id != b.ID || a.data.file.Name != "b.jsonl" {
		t.Errorf("the first answer ends the second reading: %+v", a.data)
	}
	a.Receive(wire.Error{ID: b.ID, Message: "no examples"}, nil)
	if a.data.id != 0 || a.data.set == nil || a.data.set.Count != 7 || !a.data.opts.Space || a.data.file.Name != "a.jsonl" {
		t.Errorf("after the refusal: reading %d, %+v", a.data.id, a.data.set)
	}

	// Where both are refused, what was there at first stands.
	a.addSpace()
	r, _ = last[wire.Reparse](s)
	a.openData(File{Name: "c.jsonl", Size: 1, Ref: text("x")})
	c, _ := last[wire.Data](s)
	a.Receive(wire.Error{ID: r.ID, Message: "no"}, nil)
	a.Receive(wire.Error{ID: c.ID, Message: "no"}, nil)
	if a.data.id != 0 || a.data.set == nil || a.data.set.Count != 7 || !a.data.opts.Space || a.data.before != nil {
		t.Errorf("after two refusals: reading %d, %+v", a.data.id, a.data)
	}
}

func TestAnErrorStandsWhereItsCauseIs(t *testing.T) {
	a, s := withData(t)
	a.reparse(func(o *wire.DataOptions) { o.Space = true })
	r, _ := last[wire.Reparse](s)
	a.Receive(wire.Error{ID: r.ID, Message: "m", Hint: "h"}, nil)
	if a.notices[atData] != (notice{message: "m", hint: "h", worker: true}) || a.data.id != 0 {
		t.Errorf("notices %+v, reading %d", a.notices, a.data.id)
	}
	if a.data.set == nil || a.data.file.Name != "a.jsonl" || a.data.opts.Space {
		t.Error("the examples that the worker still holds are lost")
	}
	a.openData(File{Name: "noise.bin", Size: 1, Ref: text("x")})
	d, _ := last[wire.Data](s)
	a.Receive(wire.Error{ID: d.ID, Message: "no text"}, nil)
	if a.data.set == nil || a.data.file.Name != "a.jsonl" || a.data.bytes != text("hello") {
		t.Errorf("after a refused file: %+v", a.data.file)
	}
	a.dismiss(atData)
	a.Receive(wire.Error{ID: 999, Message: "of something cancelled"}, nil)
	if len(a.notices) != 0 {
		t.Errorf("notices %+v, want none", a.notices)
	}
}

func TestOneRun(t *testing.T) {
	a, s := trained(t)
	m, _ := last[wire.Train](s)
	if m.Minutes != 2 || m.Steps != 0 || m.Batch != 4 || m.Method["produce"] != "kv" || m.Method["kv.slots"] != "32" {
		t.Errorf("asked for %+v", m)
	}
	if a.run.status != runDone || a.run.at() != 4 || a.inUse() == nil || a.inUse().Slots != 32 {
		t.Errorf("run %+v, prefix %+v", a.run.status, a.inUse())
	}
	for _, want := range []string{"1.500", "step 4", "50\u202f% below the base model", "step limit"} {
		if !strings.Contains(a.run.summary(), want) {
			t.Errorf("summary %q lacks %q", a.run.summary(), want)
		}
	}
}

func TestPauseResumeStop(t *testing.T) {
	a, s := withData(t)
	a.startTraining()
	m, _ := last[wire.Train](s)
	a.Receive(wire.State{State: "training"}, nil)
	a.Receive(wire.Shelf{Items: []wire.Shelved{{Key: 1, Origin: "training"}}, InUse: 1}, nil)
	a.Receive(wire.Step{First: 1, Loss: []float64{2}, Total: 9}, nil)
	a.pause(&a.run.status)
	if a.run.status != runPausing {
		t.Error("not pausing")
	}
	a.Receive(wire.State{State: "paused"}, nil)
	if a.run.status != runPaused {
		t.Error("not paused")
	}
	a.generate()
	if g, _ := last[wire.Generate](s); !g.Base || !g.Tuned {
		t.Errorf("asked %+v, want both models while paused", g)
	}
	a.resume(&a.run.status)
	a.Receive(wire.State{State: "training"}, nil)
	a.halt(&a.run.status)
	if a.run.status != runStopping || !a.training() {
		t.Error("not stopping")
	}
	a.load(source{bundled: "big"})
	if _, n := last[wire.Load](s); n != 1 || a.notices[atModel].message == "" {
		t.Error("another model was loaded in the middle of a training")
	}
	a.Receive(wire.Trained{ID: m.ID, Steps: 1, Why: "stopped"}, nil)
	if a.run.status != runDone {
		t.Error("not done")
	}
}

func TestANewWorkerGetsEverythingAgain(t *testing.T) {
	a, s := trained(t)
	a.set.batch = "4"
	a.export("", "", nil)
	e, _ := last[wire.Export](s)
	a.Receive(wire.Exported{ID: e.ID, Name: "p", PEFT: true}, text("zip"))
	if !slices.Equal(s.saved, []string{"p.zip"}) {
		t.Errorf("saved %v", s.saved)
	}
	a.exportFor(wire.ForLlamaCpp) // leaves the adapter that the new worker gets
	e, _ = last[wire.Export](s)
	a.Receive(wire.Exported{ID: e.ID, Name: "p", For: e.For}, text("llama"))
	if e.For != wire.ForLlamaCpp || !slices.Equal(s.saved, []string{"p.zip", "p llama.cpp.zip"}) {
		t.Errorf("for %q; saved %v", e.For, s.saved)
	}
	a.Receive(wire.Error{Message: "panic: out of range", Fatal: true}, nil)
	if a.engine != "gone" || !a.notices[atTop].fatal || a.inUse() != nil {
		t.Fatalf("engine %q, notices %+v", a.engine, a.notices)
	}
	a.Restart()
	if s.started != 2 || len(a.notices) != 0 {
		t.Fatalf("%d workers, notices %+v", s.started, a.notices)
	}
	// What the new worker does not hold yet is not asked of it.
	waits := func(while string) {
		if a.cannotTrain() == "" || a.cannotContinue() == "" || a.cannotJudge() == "" {
			t.Errorf("%s: train %q, continue %q, measure %q", while, a.cannotTrain(), a.cannotContinue(), a.cannotJudge())
		}
	}
	waits("while it starts")
	a.Receive(ready, nil)
	load, n := last[wire.Load](s)
	if n != 2 || load.Bundled != "tiny" {
		t.Fatalf("load %+v, %d of them", load, n)
	}
	waits("while it loads the model")
	a.Receive(wire.Loaded{ID: load.ID, Name: "tiny", Fingerprint: "f1"}, nil)
	a.Receive(onShelf(1), nil)
	waits("while it reads the examples")
	if _, n := last[wire.Data](s); n != 2 || a.set.batch != "4" || a.inUse() == nil {
		t.Errorf("%d Data messages, batch %q, prefix %v", n, a.set.batch, a.inUse())
	}
}

func TestAFailedImportLosesNothing(t *testing.T) {
	a, s := trained(t)
	before := a.inUse()
	a.importFile(File{Name: "other.zip", Size: 3, Ref: text("PK!")})
	i, _ := last[wire.Import](s)
	a.Receive(wire.Error{ID: i.ID, Message: "this prefix is of other weights"}, nil)
	if a.inUse() != before || a.home.id != 0 || a.notices[atHome].message == "" {
		t.Errorf("prefix %v, notices %v", a.inUse(), a.notices)
	}
	a.Receive(wire.Error{Fatal: true, Message: "gone"}, nil)
	a.Restart()
	a.Receive(ready, nil)
	load, _ := last[wire.Load](s)
	a.Receive(wire.Loaded{ID: load.ID, Fingerprint: "f1"}, nil)
	if _, n := last[wire.Import](s); n != 1 {
		t.Error("the refused adapter was tried again")
	}
}

func TestAnswers(t *testing.T) {
	a, s := trained(t)
	if a.compare.prompt != "p1" || a.compare.reference() != "c1" {
		t.Errorf("prompt %q, reference %q: want the first held-out example", a.compare.prompt, a.compare.reference())
	}
	a.compare.nextHeldOut()
	if a.compare.prompt != "p2" {
		t.Errorf("prompt %q, want the next", a.compare.prompt)
	}
	a.generate()
	g, _ := last[wire.Generate](s)
	for _, m := range []wire.Sample{
		{Which: "tuned", Key: 1, Text: "A", Tokens: 1}, {Which: "base", Text: "B", Tokens: 1}, {Which: "tuned", Key: 1, Text: "C", Tokens: 2},
		{Which: "tuned", Key: 1, Done: true, End: true, Tokens: 2},
	} {
		m.ID = g.ID
		a.Receive(m, nil)
	}
	answers := a.compare.newest().answers
	if w := answers[1]; w.text.String() != "AC" || w.mark() != "finished" || a.compare.id == 0 {
		t.Errorf("tuned %q %q", w.text.String(), w.mark())
	}
	a.cancelGenerate()
	if c, n := last[wire.Cancel](s); n != 1 || c.ID != g.ID || answers[0].mark() != "stopped early" || a.compare.id != 0 {
		t.Errorf("cancel %+v, base %q", c, answers[0].mark())
	}
	a.Receive(wire.Sample{ID: g.ID, Which: "base", Text: "late"}, nil)
	if answers[0].text.String() != "B" {
		t.Error("a cancelled answer went on")
	}
}

func TestAnotherModelClearsWhatBelongsToTheOld(t *testing.T) {
	a, s := trained(t)
	a.load(source{bundled: "big"})
	load, _ := last[wire.Load](s)
	a.Receive(wire.Loaded{ID: load.ID, Name: "big", Fingerprint: "f2"}, nil)
	if a.inUse() != nil || a.run.status != runNone {
		t.Error("the old model's prefix or curve is still there")
	}
	if _, n := last[wire.Data](s); n != 2 {
		t.Error("the examples were not read again for the new model")
	}
}

func TestALinkLoadsModelAndPrefix(t *testing.T) {
	const id = "abcdefghijklmnopqrstuvwxyz234567"
	s := &stage{address: "https://example.org/#p=" + id, answers: map[string]string{
		prefixesPath + "/" + id + "/card": `{"name":"<b>x</b>","model":"big"}`,
		prefixesPath + "/" + id:           "zip",
	}}
	a := New(s)
	a.Start()
	a.Receive(ready, nil)
	load, n := last[wire.Load](s)
	if n != 1 || load.Bundled != "big" {
		t.Fatalf("load %+v", load)
	}
	a.Receive(wire.Loaded{ID: load.ID}, nil)
	if i, n := last[wire.Import](s); n != 1 || i.Name != "<b>x</b>" || s.blobs[len(s.blobs)-1] != text("zip") {
		t.Errorf("import %+v, %d of them", i, n)
	}
}

func TestNothingIsPublishedWithoutAPress(t *testing.T) {
	a, s := trained(t)
	s.answers[prefixesPath] = `{"prefix":{"id":"abc"},"secret":"s3"}`
	a.publish()
	a.draftShare()
	e, _ := last[wire.Export](s)
	a.Receive(wire.Exported{ID: e.ID, Name: "p"}, text("zip"))
	if len(s.posted) != 0 || len(s.saved) != 0 || !a.drafted() {
		t.Fatalf("posted %v, saved %v", s.posted, s.saved)
	}
	a.publish()
	if !slices.Equal(s.posted, []string{"POST " + prefixesPath}) || a.share.published.Secret != "s3" {
		t.Errorf("posted %v", s.posted)
	}
}

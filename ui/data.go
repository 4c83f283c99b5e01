package ui

import "prelude/ui/wire"

// maxData is the largest file of examples that the page reads: the worker
// holds its text in memory.
const maxData = 64e6

// examples is the section where the training data comes in.
type examples struct {
	id       int // the reading under way, else 0
	file     *File
	bytes    Bytes // what the file held; kept, so that a new worker gets it too
	opts     wire.DataOptions
	progress *wire.Progress
	set      *wire.Dataset
	over     bool    // a file hovers above the drop zone
	shown    int     // which preview is shown
	offered  []File  // dropped while others are there: to replace them, or to stand behind them
	adding   []File  // of several files those that are still to be read
	parts    []part  // the files that they come from, where those are several
	late     *notice // on one of them that was refused: told when the others are read
	edit     editor
	columns  [2]string           // chosen in the boxes of an unknown table: the prompt's and the completion's
	coming   bool                // the page's own, at its opening
	before   *examples           // what was there, until the worker has taken this
	kept     bool                // the browser keeps its bytes
	held     map[string]heldFile // files of one's own to measure on, by side
	tested   bool                // the test set has been answered
}

// A part is one of several files that the examples come from.
type part struct {
	Name  string `json:"name"`
	Count int    `json:"count"` // of its examples
}

// stop ends all readings: no worker will answer them.
func (d *examples) stop() {
	for ; d != nil; d = d.before {
		d.id, d.progress, d.edit.id = 0, nil, 0
	}
}

// keep remembers what the worker holds now, or is reading: where it refuses what comes
// next, it keeps that.
func (d *examples) keep() {
	if d.set == nil && d.id == 0 {
		return
	}
	held := *d
	if held.id == 0 {
		held.before = nil
	}
	d.before = &held
}

// reading finds the examples that are read under this id: these, or some from before that
// the worker has not answered yet; else nil.
func (d *examples) reading(id int) *examples {
	for ; d != nil && id != 0; d = d.before {
		if d.id == id {
			return d
		}
	}
	return nil
}

// taken says that the worker holds these now.
func (d *examples) taken(m *wire.Dataset) {
	d.id, d.progress = 0, nil
	d.set, d.before, d.shown = m, nil, 0
	d.edit = editor{}
}

// refused goes back to what the worker still holds.
func (d *examples) refused() {
	d.id, d.progress = 0, nil
	if d.before != nil {
		*d = *d.before
	}
}

// whole is the examples whose bytes are to be kept: those that the worker has taken and that
// are not kept yet, else nil.
func (d *examples) whole() *examples {
	if d.bytes == nil || d.set == nil || d.kept {
		return nil
	}
	return d
}

// whatIsRead stands under what is said of a file that is no examples.
func whatIsRead() string { return say("data.examples-are-read-from") }

// openFiles takes what was dropped or chosen. Where a person's own examples are there, it is
// asked what is to become of them; of several files each is read, one behind the other.
func (a *App) openFiles(files []File) {
	d := &a.data
	if d.file != nil && !d.sample() && !a.training() {
		d.offered = files
		return
	}
	a.openAll(files)
}

// openAll reads the first file, and puts the others behind it.
func (a *App) openAll(files []File) {
	if a.readable(files[0]) {
		a.data.adding = files[1:]
		a.openData(files[0])
	}
}

// replaceData puts the offered files in the place of the examples; addData behind them.
func (a *App) replaceData() {
	files := a.data.offered
	a.data.offered = nil
	a.openAll(files)
}

func (a *App) addData() {
	a.data.adding, a.data.offered = a.data.offered, nil
	a.addNext()
}

// addNext puts the next of several files behind the examples.
func (a *App) addNext() {
	d := &a.data
	if d.id != 0 || d.edit.id != 0 {
		return
	}
	if len(d.adding) == 0 {
		if d.late != nil {
			a.notices[atData], d.late = *d.late, nil
		}
		return
	}
	f := d.adding[0]
	d.adding = d.adding[1:]
	if !a.readable(f) {
		n := a.notices[atData]
		d.late = &n
		a.addNext()
		return
	}
	a.readFile(f, func(b Bytes) { a.join(f.Name, b) }, func(n notice) {
		d.late = &n
		a.addNext()
	})
}

// openData reads a file of examples.
func (a *App) openData(f File) {
	if !a.readable(f) {
		return
	}
	a.readFile(f, func(b Bytes) { a.takeData(f, b) }, a.skipped)
}

// skipped tells why a file was not read, once those that came with it are.
func (a *App) skipped(n notice) {
	a.notices[atData] = n
	if rest := a.data.adding; len(rest) > 0 {
		a.data.adding = nil
		a.openAll(rest)
		a.data.late = &n
	}
}

// readable says whether a file can be read now, and what is in the way if not.
func (a *App) readable(f File) bool {
	delete(a.notices, atData)
	switch {
	case a.training():
		a.refuse(atData, say("all.a-training-is-under"), say("data.stop-it-first-then", f.Name))
		return false
	case f.Size == 0:
		a.refuse(atData, say("all.is-empty", f.Name), say("data.a-file-of-examples"))
		return false
	case f.Size > maxData:
		a.refuse(atData, say("all.is-a-file-of", f.Name, size(f.Size), size(maxData)),
			say("data.a-prefix-learns-from"))
		return false
	}
	return true
}

// openSample takes the project's own data set, one of the page's files.
func (a *App) openSample() {
	a.fetchSample(func(status int, b Bytes) {
		if status != 200 {
			a.refuse(atData, say("data.the-sample-data-set"), say("all.check-the-connection-and"))
			return
		}
		a.takeData(File{Name: sampleName, Size: int64(b.Len())}, b)
	})
}

func (a *App) fetchSample(done func(status int, b Bytes)) {
	a.host.Fetch(a.host.Asset("sample"), done)
}

// openWithSample puts the project's own examples in place, so that a first run needs one
// button, unless the person has brought something before they came.
func (a *App) openWithSample() {
	a.data.coming = true
	a.fetchSample(func(status int, b Bytes) {
		a.data.coming = false
		if status == 200 && a.data.file == nil && a.study.file == nil {
			a.takeData(File{Name: sampleName, Size: int64(b.Len())}, b)
		}
		a.settle()
	})
}

// sampleName is the file name of the project's own examples.
const sampleName = "desks.jsonl"

// sample says whether these are the project's own examples.
func (d *examples) sample() bool {
	return d.file != nil && d.file.Ref == nil && (d.file.Name == sampleName || taskOf(d.file.Name) != nil)
}

func (a *App) takeData(f File, b Bytes) {
	if isText(f.Name) && !examplesInside(b.String()) {
		if why := a.refused("text"); why != "" {
			a.refuse(atData, say("data.is-a-text-to", f.Name, why), say("data.load-a-decoder-only"))
			return
		}
		if f.Size > maxText {
			a.refuse(atData, say("data.is-a-text-to-learn-may", f.Name, size(f.Size), size(maxText)), say("data.keep-the-part-that"))
			return
		}
		a.data, a.live = examples{}, live{}
		a.takeText(f, b, "document")
		return
	}
	a.study = study{paste: a.study.paste}
	a.data.keep()
	a.data = examples{file: &f, bytes: b, before: a.data.before, adding: a.data.adding, late: a.data.late}
	a.data.opts.Seed = 1
	a.form = form{val: defaultVal}
	a.sendData()
}

// sendData hands the examples to the worker, once there is a model to read them for.
func (a *App) sendData() {
	if a.data.bytes == nil || a.model.loaded == nil || a.engine != "ready" {
		return
	}
	name := a.data.file.Name
	a.data.id = a.ask(atData, func(id int) wire.Message {
		return wire.Data{ID: id, Name: name, Opts: a.data.opts}
	}, a.data.bytes)
}

// reparse reads the same file with other options.
func (a *App) reparse(change func(*wire.DataOptions)) {
	if a.training() {
		return
	}
	a.data.keep()
	change(&a.data.opts)
	a.data.id = a.ask(atData, func(id int) wire.Message {
		return wire.Reparse{ID: id, Opts: a.data.opts}
	}, nil)
}

func (a *App) skipBad()       { a.reparse(func(o *wire.DataOptions) { o.SkipBad = true }) }
func (a *App) addSpace()      { a.reparse(func(o *wire.DataOptions) { o.Space = !o.Space }) }
func (a *App) useChat(v bool) { a.reparse(func(o *wire.DataOptions) { o.Chat = &v }) }
func (a *App) cutLong(v bool) { a.reparse(func(o *wire.DataOptions) { o.Cut = v }) }
func (a *App) learnTurns(v bool) {
	a.reparse(func(o *wire.DataOptions) { o.Turns = v })
}

// useColumns says which columns of the file hold prompt and completion.
func (a *App) useColumns() {
	a.reparse(func(o *wire.DataOptions) { o.PromptColumn, o.CompletionColumn = a.data.columns[0], a.data.columns[1] })
}

// setSystem uses another system message; resetSystem the template's own.
func (a *App) setSystem(text string) {
	a.reparse(func(o *wire.DataOptions) { o.System = &text })
}

func (a *App) resetSystem() { a.reparse(func(o *wire.DataOptions) { o.System = nil }) }

func (a *App) dropData() {
	if a.training() {
		return
	}
	a.data = examples{}
	a.live = live{}
	delete(a.notices, atData)
}

func (a *App) onDataset(m wire.Dataset) {
	d := a.data.reading(m.ID)
	if d == nil {
		return
	}
	delete(a.asked, m.ID)
	d.taken(&m)
	if len(m.Columns) > 1 {
		a.data.guessColumns(m.Columns)
	}
	a.addNext()
	a.standing = nil
	a.bringHeld()
	a.compare.offer(m.HeldOut)
	a.live.offer(m.HeldOut)
	a.recallLive()
}

// guessColumns puts the choice that was made in the boxes, else the first columns of all.
func (d *examples) guessColumns(all []wire.Column) {
	if d.columns = [2]string{d.opts.PromptColumn, d.opts.CompletionColumn}; d.columns[0] == "" {
		d.columns = [2]string{all[0].Name, all[1].Name}
	}
}

// blocked says why these examples can't be trained on yet, "" where they can.
func (d *examples) blocked() string {
	switch {
	case d.set == nil:
		return say("data.there-are-no-examples")
	case d.set.Count == 0:
		return say("data.there-is-no-example")
	case len(d.set.Errors) > 0 && !d.opts.SkipBad:
		return say("data.of-the-examples-cant", plural(len(d.set.Errors), "line"))
	case d.set.Train == 0:
		return say("data.no-example-is-left")
	}
	return ""
}

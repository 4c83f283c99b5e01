package ui

import (
	"fmt"

	"prelude/ui/wire"
)

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
	over     bool      // a file hovers above the drop zone
	shown    int       // which preview is shown
	before   *examples // what was there, until the worker has taken this
	kept     bool      // the browser keeps its bytes
}

// stop ends all readings: no worker will answer them.
func (d *examples) stop() {
	for ; d != nil; d = d.before {
		d.id, d.progress = 0, nil
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

// openData reads a file of examples.
func (a *App) openData(f File) {
	delete(a.notices, atData)
	switch {
	case a.training():
		a.refuse(atData, "A training is under way.", "Stop it first, then open "+f.Name+".")
		return
	case f.Size == 0:
		a.refuse(atData, f.Name+" is empty.", "A file of examples has one JSON object a line, such as {\"prompt\": …, \"completion\": …}.")
		return
	case f.Size > maxData:
		a.refuse(atData, fmt.Sprintf("%s is %s; a file of examples may have %s.", f.Name, size(f.Size), size(maxData)),
			"A prefix learns from hundreds or thousands of examples: keep a part of the file, for instance its first 5,000 lines.")
		return
	}
	a.host.Read(f, func(b Bytes) {
		if b == nil {
			a.refuse(atData, f.Name+" could not be read.", "It may have been moved or changed since it was chosen: choose it again.")
			return
		}
		a.takeData(f, b)
	})
}

// openSample takes the project's own data set, one of the page's files.
func (a *App) openSample() {
	a.fetchSample(func(status int, b Bytes) {
		if status != 200 {
			a.refuse(atData, "The sample data set could not be fetched.", "Check the connection and press the button again.")
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
	a.fetchSample(func(status int, b Bytes) {
		if status == 200 && a.data.file == nil && a.study.file == nil {
			a.takeData(File{Name: sampleName, Size: int64(b.Len())}, b)
		}
	})
}

// sampleName is the file name of the project's own examples.
const sampleName = "desks.jsonl"

// sample says whether these are the project's own examples.
func (d *examples) sample() bool {
	return d.file != nil && d.file.Name == sampleName && d.file.Ref == nil
}

func (a *App) takeData(f File, b Bytes) {
	if isText(f.Name) && !examplesInside(b.String()) {
		if why := a.refused("text"); why != "" {
			a.refuse(atData, f.Name+" is a text to learn. "+why, "Load a decoder-only model for it, or give examples.")
			return
		}
		if f.Size > maxText {
			a.refuse(atData, fmt.Sprintf("%s is %s; a text to learn may have %s.", f.Name, size(f.Size), size(maxText)), "Keep the part that matters.")
			return
		}
		a.data, a.live = examples{}, live{}
		a.takeText(f, b, "document")
		return
	}
	a.study = study{paste: a.study.paste}
	a.data.keep()
	a.data = examples{file: &f, bytes: b, before: a.data.before}
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

// setSystem uses another system message; resetSystem the template's own.
func (a *App) setSystem(text string) {
	a.reparse(func(o *wire.DataOptions) { o.System = &text })
}

func (a *App) resetSystem() { a.reparse(func(o *wire.DataOptions) { o.System = nil }) }

// systemText is the system message that stands in the preview.
func (a *App) systemText() string {
	if a.data.opts.System != nil {
		return *a.data.opts.System
	}
	if a.model.loaded != nil {
		return a.model.loaded.System
	}
	return ""
}

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
	a.compare.offer(m.HeldOut)
	a.live.offer(m.HeldOut)
}

// blocked says why these examples can't be trained on yet, "" where they can.
func (d *examples) blocked() string {
	switch {
	case d.set == nil:
		return "There are no examples yet."
	case d.set.Count == 0:
		return "There is no example to train on."
	case len(d.set.Errors) > 0 && !d.opts.SkipBad:
		return plural(len(d.set.Errors), "line") + " of the examples can't be read: skip them or mend the file."
	case d.set.Train == 0:
		return "No example is left to train on."
	}
	return ""
}

package ui

import (
	"errors"
	"maps"
	"strconv"

	"prelude/ui/wire"

	"github.com/vugu/vugu"
)

// The sides that may have a file of their own.
const (
	validationSide = "validation"
	testSide       = "test"
)

// heldFile is a file of one's own to validate on, or to test on.
type heldFile struct {
	name  string
	bytes Bytes
	kept  string // where the browser keeps them, "" if it does not yet
}

// HeldPanel says what is validated on, and what is kept for a test.
type HeldPanel struct {
	App   *App
	share string // percent for testing, as it stands in its box; "" is what was read
}

// openHeld reads a file to measure on.
func (a *App) openHeld(side string, f File) {
	delete(a.notices, atData)
	if a.training() || a.data.set == nil {
		a.refuse(atData, say("held.a-file-to-measure"), say("held.bring-the-examples-first"))
		return
	}
	if f.Size > maxData {
		a.refuse(atData, say("all.is-a-file-of", f.Name, size(f.Size), size(maxData)), say("held.a-thousand-examples-measure"))
		return
	}
	a.readFile(f, func(b Bytes) { a.sendHeld(side, heldFile{name: f.Name, bytes: b}) }, func(n notice) { a.notices[atData] = n })
}

// sendHeld hands a file to measure on to the worker; one without a name takes it away.
func (a *App) sendHeld(side string, f heldFile) {
	a.data.keep()
	a.data.held = maps.Clone(a.data.held)
	if delete(a.data.held, side); f.name != "" {
		if a.data.held == nil {
			a.data.held = map[string]heldFile{}
		}
		a.data.held[side] = f
	}
	if side == testSide {
		a.data.tested = false
	}
	a.data.id = a.ask(atData, func(id int) wire.Message { return wire.Held{ID: id, Side: side, Name: f.name} }, f.bytes)
}

// keepHeld keeps the files to measure on, and gives what is recorded of them.
func (a *App) keepHeld() map[string]heldRecord {
	all := map[string]heldRecord{}
	for side, f := range a.data.held {
		if f.kept == "" {
			f.kept = a.sitting.newFile()
			a.data.held[side] = f
			a.sitting.pen.write(f.kept, f.bytes)
		}
		all[side] = heldRecord{f.name, a.data.held[side].kept}
	}
	return all
}

// restoreHeld takes the kept files to measure on: the worker is given them when it has read the
// examples.
func (a *App) restoreHeld(d *dataRecord, files map[string]Bytes) {
	for side, h := range d.Held {
		b := files[h.File]
		if b == nil {
			a.sitting.cannotRead(h.File, errors.New(say("held.file-gone", h.Name)))
			continue
		}
		if a.data.held == nil {
			a.data.held = map[string]heldFile{}
		}
		a.data.held[side] = heldFile{h.Name, b, h.File}
	}
}

// bringHeld gives a new worker the files that the one before had.
func (a *App) bringHeld() {
	if a.data.set == nil {
		return // it is being read
	}
	for side, has := range map[string]string{validationSide: a.data.set.ValFile, testSide: a.data.set.TestFile} {
		f, ok := a.data.held[side]
		if !ok || has != "" || a.data.id != 0 {
			continue
		}
		tested := a.data.tested
		a.data.held = maps.Clone(a.data.held)
		delete(a.data.held, side) // where it is refused now, it is not tried again
		a.sendHeld(side, f)
		a.data.tested = tested
	}
}

func (c *HeldPanel) summary() string {
	d := c.App.data.set
	s := say("held.measured-on-for-validation", count(d.Val))
	if d.ValFile != "" {
		s += " (" + d.ValFile + ")"
	}
	if d.Test > 0 {
		s += say("held.for-a-test", count(d.Test))
	}
	return s
}

// file is the file of a side, "" where it is a share of the examples.
func (c *HeldPanel) file(side string) string {
	if side == testSide {
		return c.App.data.set.TestFile
	}
	return c.App.data.set.ValFile
}

// busy says that nothing can be changed now.
func (c *HeldPanel) busy() bool { return c.App.training() || c.App.data.id != 0 }

func (c *HeldPanel) value() string {
	if c.share != "" {
		return c.share
	}
	return strconv.FormatFloat(100*c.App.data.opts.TestShare, 'f', -1, 64)
}

// apply sets the share for testing aside.
func (c *HeldPanel) apply() {
	v, err := number(say("held.for-a-test-2"), c.value(), 0, 33, false)
	if err != nil {
		c.App.refuse(atData, sentence(err.Error()), say("held.from-0-to-33"))
		return
	}
	c.share = ""
	c.App.reparse(func(o *wire.DataOptions) { o.TestShare = v / 100 })
	c.App.data.tested = false
}

// take is a file to measure on.
func (c *HeldPanel) take(side string, e vugu.DOMEvent) {
	if files := c.App.host.Files(e); len(files) > 0 {
		c.App.openHeld(side, files[0])
	}
}

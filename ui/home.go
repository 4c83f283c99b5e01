package ui

import (
	"strings"

	"prelude/ui/wire"
)

// home is the section where a prefix leaves and enters the page.
type home struct {
	id       int // the export or import under way, else 0
	name     string
	progress *wire.Progress
	exported *wire.Exported
	saved    bool    // the export was also offered as a download
	parts    []Bytes // of a page that is being written, as they come
	zip      Bytes   // the last exported or imported adapter: a new worker gets it again
	zipName  string
	reading  Bytes // the adapter that an import under way reads, or that waits for its model
	from     string
	claim    string // what its publisher says it is for, of one that came by a link
	over     bool
	address  string // in the box of a prefix to fetch
	finish   bool   // PEFT can't hold the prefix in use as it is; a training from it would
	then     func() // what to do once the export is there, instead of saving it
}

func (h *home) stop() { h.id, h.progress, h.then, h.reading, h.parts = 0, nil, nil, nil, nil }

// forgetZip drops the last export: the prefix in use is another one.
func (h *home) forgetZip() { h.exported, h.zip, h.zipName = nil, nil, "" }

// export asks for the adapter; then is called with it at hand, or it is saved.
func (a *App) export(task, about string, then func()) {
	if a.inUse() == nil {
		a.refuse(atHome, say("all.there-is-no-prefix"), say("all.train-one-or-import"))
		return
	}
	name := strings.TrimSpace(a.home.name)
	if name == "" {
		a.refuse(atHome, say("home.the-prefix-has-no"), say("home.give-it-one-it"))
		return
	}
	a.home.then = then
	a.home.id = a.ask(atHome, func(id int) wire.Message { return wire.Export{ID: id, Name: name, Task: task, About: about} }, nil)
}

// exportFor asks for the prefix as files for another program, or as a page of its own, and
// saves them.
func (a *App) exportFor(what string) {
	name := strings.TrimSpace(a.home.name)
	if a.inUse() == nil || name == "" {
		a.export("", "", nil) // says why not
		return
	}
	a.home.id = a.ask(atHome, func(id int) wire.Message { return wire.Export{ID: id, For: what, Name: name} }, nil)
}

// onPart keeps the next bytes of an export.
func (a *App) onPart(m wire.Part, blob any) {
	if b, ok := blob.(Bytes); ok && m.ID == a.home.id {
		a.home.parts = append(a.home.parts, b)
	}
}

func (a *App) onExported(m wire.Exported, blob any) {
	if m.ID != a.home.id {
		return
	}
	delete(a.asked, m.ID)
	then, parts := a.home.then, a.home.parts
	a.home.stop()
	zip, ok := blob.(Bytes)
	if !ok {
		a.refuse(atHome, say("home.the-export-came-without"), say("home.press-export-again-if"))
		return
	}
	switch m.For {
	case wire.ForPage:
		a.host.Save(m.Name, append(parts, zip)...)
		return
	case wire.ForLlamaCpp:
		a.host.Save(zipFile(say("home.llama-cpp", strings.TrimSuffix(m.Name, ".zip"))), zip)
		return
	}
	a.home.exported, a.home.zip, a.home.zipName, a.home.saved = &m, zip, m.Name, false
	a.home.finish = m.Finish
	if then != nil {
		then()
		return
	}
	a.home.saved = true
	a.host.Save(zipFile(m.Name), zip)
}

// zipFile is the name a prefix is saved under.
func zipFile(name string) string {
	if strings.HasSuffix(name, ".zip") {
		return name
	}
	return name + ".zip"
}

// maxAdapter is the largest adapter the page reads.
const maxAdapter = 256e6

func (a *App) importFile(f File) {
	delete(a.notices, atHome)
	switch {
	case a.training():
		a.refuse(atHome, say("all.a-training-is-under"), say("all.stop-it-first-the"))
		return
	case f.Size == 0:
		a.refuse(atHome, say("all.is-empty", f.Name), say("home.choose-the-zip-that"))
		return
	case f.Size > maxAdapter:
		a.refuse(atHome, say("home.is-an-adapter-may", f.Name, size(f.Size), size(maxAdapter)), say("home.choose-the-zip-that"))
		return
	}
	a.home.claim = ""
	a.host.Read(f, func(b Bytes) {
		if b == nil {
			a.refuse(atHome, say("all.could-not-be-read", f.Name), say("home.it-may-have-been"))
			return
		}
		a.importZip(f.Name, b)
	})
}

// importZip hands an adapter to the worker, or keeps it until a model is there.
func (a *App) importZip(name string, b Bytes) {
	a.home.reading, a.home.from = b, name
	if a.model.loaded == nil || a.engine != "ready" {
		return // onLoaded comes back to it
	}
	a.home.id = a.ask(atHome, func(id int) wire.Message { return wire.Import{ID: id, Name: name} }, b)
}

func (a *App) onImported(m wire.Imported) {
	if m.ID != a.home.id {
		return
	}
	delete(a.asked, m.ID)
	a.home.zip, a.home.zipName, a.home.exported = a.home.reading, a.home.from, nil
	a.home.stop()
	if m.Name == "" {
		m.Name = strings.TrimSuffix(a.home.zipName, ".zip")
	}
	a.shelf.notes[m.Key] = m.Notes
	if a.home.claim != "" {
		a.shelf.from[m.Key], a.home.claim = origin{Claim: a.home.claim}, ""
	}
	a.home.name = strings.TrimSuffix(m.Name, ".zip")
}

// finishOpen trains on from the prefix in use with its gates fixed at 1, so that PEFT can
// hold what comes of it: a quarter of the length that the boxes say.
func (a *App) finishOpen() {
	x := a.inUse()
	if x == nil {
		return
	}
	a.train(func(t *wire.Train) {
		t.From = x.Key
		t.Method = map[string]string{"source": "kv", "gate": "open", "length": "fixed", "start": "prefix", "weights": "frozen"}
		t.Minutes /= 4
		if t.Steps > 0 {
			t.Steps = max(10, t.Steps/4)
		}
	})
}

// python is how an export is used outside the page.
func (a *App) python() string { return a.home.exported.Python }

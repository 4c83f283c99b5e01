package ui

import (
	"fmt"
	"strings"

	"prelude/engine/wire"
)

// home is the section where a prefix leaves and enters the page.
type home struct {
	id       int // the export or import under way, else 0
	name     string
	progress *wire.Progress
	prefix   *prefix
	exported *wire.Exported
	saved    bool  // the export was also offered as a download
	zip      Bytes // the last exported or imported adapter: a new worker gets it again
	zipName  string
	reading  Bytes // the adapter that an import under way reads, or that waits for its model
	from     string
	over     bool
	then     func() // what to do once the export is there, instead of saving it
}

// prefix is the one in use.
type prefix struct {
	name    string
	kind    string // its PEFT type, where it was imported
	slots   int
	step    int
	trained bool // here, just now
	notes   []string
}

func (h *home) stop() { h.id, h.progress, h.then, h.reading = 0, nil, nil, nil }

// forgetZip drops the last export: the prefix in use is another one.
func (h *home) forgetZip() { h.exported, h.zip, h.zipName = nil, nil, "" }

// words describes the prefix in use.
func (p *prefix) words() string {
	var parts []string
	if p.slots > 0 {
		parts = append(parts, plural(p.slots, "slot"))
	}
	if p.trained && p.step > 0 {
		parts = append(parts, "best at step "+count(p.step))
	}
	if p.kind != "" {
		parts = append(parts, p.kind)
	}
	return strings.Join(parts, " · ")
}

// export asks for the adapter; then is called with it at hand, or it is saved.
func (a *App) export(task, about string, then func()) {
	if a.home.prefix == nil {
		a.refuse(atHome, "There is no prefix yet.", "Train one, or import one.")
		return
	}
	name := strings.TrimSpace(a.home.name)
	if name == "" {
		a.refuse(atHome, "The prefix has no name.", "Give it one: it becomes the name of its folder.")
		return
	}
	a.home.then = then
	a.home.id = a.ask(atHome, func(id int) wire.Message { return wire.Export{ID: id, Name: name, Task: task, About: about} }, nil)
}

func (a *App) onExported(m wire.Exported, blob any) {
	if m.ID != a.home.id {
		return
	}
	delete(a.asked, m.ID)
	then := a.home.then
	a.home.stop()
	zip, ok := blob.(Bytes)
	if !ok {
		a.refuse(atHome, "The export came without its file.", "Press export again; if it stays so, start a new worker.")
		return
	}
	a.home.exported, a.home.zip, a.home.zipName, a.home.saved = &m, zip, m.Name, false
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
		a.refuse(atHome, "A training is under way.", "Stop it first: the imported prefix would take the place of the one it trains.")
		return
	case f.Size == 0:
		a.refuse(atHome, f.Name+" is empty.", "Choose the .zip that an export made.")
		return
	case f.Size > maxAdapter:
		a.refuse(atHome, fmt.Sprintf("%s is %s; an adapter may have %s.", f.Name, size(f.Size), size(maxAdapter)), "Choose the .zip that an export made.")
		return
	}
	a.host.Read(f, func(b Bytes) {
		if b == nil {
			a.refuse(atHome, f.Name+" could not be read.", "It may have been moved since it was chosen: choose it again.")
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
	a.home.prefix = &prefix{name: m.Name, kind: m.PeftType, slots: m.Slots, notes: m.Notes}
	a.home.name = strings.TrimSuffix(m.Name, ".zip")
	a.compare.clear()
}

func (a *App) dropPrefix() {
	if a.training() {
		a.refuse(atHome, "A training is under way.", "Stop it first.")
		return
	}
	a.host.Send(wire.DropPrefix{}, nil)
	a.home.prefix = nil
	a.home.forgetZip()
	a.compare.clear()
}

// python is how an export is used outside the page: five lines.
func (a *App) python() string {
	model := "model-folder"
	if a.model.source != nil && a.model.source.hub != "" {
		model = a.model.source.hub
	}
	name := "my-prefix"
	if a.home.exported != nil {
		name = strings.TrimSuffix(a.home.exported.Name, ".zip")
	}
	return strings.Join([]string{
		"from transformers import AutoModelForCausalLM, AutoTokenizer",
		"from peft import PeftModel",
		fmt.Sprintf("tokenizer = AutoTokenizer.from_pretrained(%q)", model),
		fmt.Sprintf("model = AutoModelForCausalLM.from_pretrained(%q)", model),
		fmt.Sprintf("model = PeftModel.from_pretrained(model, %q)  # the unzipped folder", name),
	}, "\n")
}

package ui

import (
	"fmt"
	"strings"

	"prelude/ui/wire"
)

// model is the section where a model is chosen and loaded.
type model struct {
	id       int     // the load under way, else 0
	source   *source // of the model that is loaded, or being loaded
	from     *source // of the one that the worker holds
	progress *wire.Progress
	loaded   *wire.Loaded
	device   string       // what the person asked for: "auto", "webgpu", …
	exact    bool         // products with the weights in float32
	address  string       // the text in the "bring your own" box
	token    string       // for gated models of the hub; in memory only
	choose   *wire.Choose // the models of a repository, one of which is to be chosen
	over     bool         // files hover above the drop zone
}

// source says where a model comes from: exactly one of its fields is set.
type source struct {
	bundled, hub, url string
	files             []File
}

func (s source) title(offers []wire.ModelOffer) string {
	switch {
	case s.bundled != "":
		for _, o := range offers {
			if o.Name == s.bundled {
				return o.Title
			}
		}
		return s.bundled
	case s.hub != "":
		return s.hub
	case s.url != "":
		return s.url
	case len(s.files) == 1:
		return s.files[0].Name
	}
	return plural(len(s.files), "file")
}

func (m *model) stop() { m.id, m.progress = 0, nil }

// refused goes back to the model that the worker still holds, if it does.
func (m *model) refused() {
	m.stop()
	m.source = m.from
}

// load asks for a model. What is loaded stays until the new one has come.
func (a *App) load(s source) {
	if a.training() {
		a.refuse(atModel, say("all.a-training-is-under"), say("model.stop-it-first-another"))
		return
	}
	if a.model.id != 0 {
		a.cancelLoad()
	}
	a.allow(s)
	a.model.source = &s
	a.model.progress, a.model.choose = nil, nil
	if s.hub+s.url != "" && len(a.kept.Models) == 0 && a.kept.lasting == "" {
		a.askLasting(true)
	}
	a.model.id = a.ask(atModel, func(id int) wire.Message {
		return wire.Load{ID: id, Bundled: s.bundled, Hub: s.hub, Token: a.hubToken(s.hub), HubBase: a.hub.base, URL: s.url, Files: len(s.files), Device: a.model.device, Precision: a.model.precision()}
	}, nil)
	for _, f := range s.files {
		a.host.Send(wire.File{ID: a.model.id, Name: f.Name, Size: f.Size}, f.Ref)
	}
}

func (a *App) loadBundled(name string) { a.load(source{bundled: name}) }

// loadAddress loads what stands in the box: a Hugging Face id, or an address.
func (a *App) loadAddress() {
	s, err := readAddress(a.model.address, a.hubBase())
	if err != nil {
		a.refuse(atModel, err.Error(), say("model.write-a-hugging-face"))
		return
	}
	a.load(s)
}

func (a *App) loadFiles(files []File) {
	if len(files) == 0 {
		return
	}
	if problem := missingModelFile(files); problem != "" {
		a.refuse(atModel, problem, say("model.drop-one-gguf-file"))
		return
	}
	a.load(source{files: files})
}

// missingModelFile says what a set of dropped files lacks to be a model.
func missingModelFile(files []File) string {
	var gguf, config, tokenizer, weights int
	for _, f := range files {
		name := strings.ToLower(f.Name)
		switch {
		case strings.HasSuffix(name, ".gguf"):
			gguf++
		case name == "config.json":
			config++
		case name == "tokenizer.json":
			tokenizer++
		case strings.HasSuffix(name, ".safetensors"):
			weights++
		case strings.HasSuffix(name, ".json"), strings.HasSuffix(name, ".jinja"): // index, tokenizer_config, …
		default:
			return say("model.is-not-a-model", fmt.Sprintf("%q", f.Name))
		}
	}
	if gguf > 0 {
		return ""
	}
	for _, need := range []struct {
		have int
		name string
	}{{config, "config.json"}, {tokenizer, "tokenizer.json"}, {weights, say("model.a-safetensors-file")}} {
		if need.have == 0 {
			return say("model.is-missing", need.name)
		}
	}
	return ""
}

func (a *App) cancelLoad() {
	a.host.Send(wire.Cancel{ID: a.model.id}, nil)
	delete(a.asked, a.model.id)
	a.model.refused()
}

// chooseDevice loads the model again where it should run.
func (a *App) chooseDevice(name string) {
	if a.training() {
		a.refuse(atModel, say("all.a-training-is-under"), say("model.stop-it-first-the"))
		return
	}
	a.model.device = name
	if a.model.loaded != nil && a.model.source != nil {
		a.load(*a.model.source)
	}
}

// precision is the word for the worker; "" leaves it to the worker.
func (m *model) precision() string {
	if m.exact {
		return "exact"
	}
	return ""
}

// chooseExact loads the model again to compute in float32, or as the device finds fastest.
func (a *App) chooseExact(on bool) {
	before := a.model.exact
	a.model.exact = on
	if a.chooseDevice(a.model.device); a.training() {
		a.model.exact = before
	}
}

// unsettled says what the worker does not hold yet, "" where it has the model and the
// examples that the page shows. A request that came before them would fail.
func (a *App) unsettled() string {
	switch {
	case a.engine != "ready":
		return say("all.the-engine-is-not")
	case a.model.id != 0:
		return say("all.the-model-is-still")
	case a.data.id != 0:
		return say("all.the-examples-are-still")
	}
	return ""
}

func (a *App) onLoaded(m wire.Loaded) {
	if m.ID != a.model.id {
		return
	}
	if begin := a.sitting.begin; begin != nil { // it was faster than the reading of the sitting
		a.sitting.begin = func() { begin(); a.onLoaded(m) }
		return
	}
	delete(a.asked, m.ID)
	a.model.stop()
	a.model.loaded, a.model.from = &m, a.model.source
	a.sitting.model = modelRecord{Device: a.model.device}
	if a.model.source != nil {
		a.sitting.model = a.model.source.record()
		a.sitting.model.Device = a.model.device
	}
	a.sitting.model.Exact = a.model.exact
	a.sitting.model.Name, a.sitting.model.Fingerprint = m.Name, m.Fingerprint
	same := a.held == m.Fingerprint
	a.held = m.Fingerprint
	if !same {
		a.run = run{}
		a.compare.clear()
		a.live.forget()
		a.lens = lens{}
		a.whatIf.undo()
		a.data.opts.System, a.data.opts.ChatTemplate, a.data.opts.Vars = nil, "", nil
		if !m.Chat {
			a.data.opts.Chat = nil
		}
	}
	a.suit()
	a.takeShelf(m)
	if a.home.reading != nil {
		a.importZip(a.home.from, a.home.reading)
	}
	a.sendData()
	a.sendText()
}

// onUnloaded is called when a model that failed has pushed out the one before.
func (a *App) onUnloaded() {
	a.model.loaded, a.model.from = nil, nil
	if a.model.id == 0 {
		a.model.source = nil
	}
	a.stashShelf()
	a.share.draft = false
	a.compare.clear()
	a.live.forget()
}

// deviceTitle is a device's name as people write it.
func deviceTitle(name string) string {
	switch name {
	case "webgpu":
		return "WebGPU"
	case "simd":
		return "WASM SIMD"
	case "cpu":
		return say("model.plain-cpu")
	case "auto":
		return say("model.automatic")
	}
	return name
}

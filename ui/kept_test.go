package ui

import (
	"slices"
	"strings"
	"testing"

	"prelude/ui/wire"
)

func TestFetchedModels(t *testing.T) {
	a, s := open(t)
	a.Receive(wire.Kept{Models: []wire.KeptModel{{Model: "owner/name", Bytes: 62e6, Of: 98e6}, {Model: "https://models.test/a/m.gguf", Bytes: 3e6, Of: 3e6, Whole: true}}, Used: 70e6, Quota: 6e9}, nil)
	c := &ModelPanel{App: a}
	part, whole := a.kept.Models[0], a.kept.Models[1]
	if got := c.keptNote(part); !strings.Contains(got, "62.0"+thin+"MB") || c.keptAction(part) != "Continue" {
		t.Errorf("half a model: %q, %q", c.keptAction(part), got)
	}
	if c.keptAction(whole) != "Load" || c.keptTitle(whole) != "models.test/a/m.gguf" {
		t.Errorf("a whole model: %q %q", c.keptAction(whole), c.keptTitle(whole))
	}
	for _, m := range a.kept.Models {
		a.load(sourceOf(m.Model))
		load, _ := last[wire.Load](s)
		if load.Hub+load.URL != m.Model || (load.Hub != "") != (m.Model == "owner/name") {
			t.Errorf("%s: loads %+v", m.Model, load)
		}
		a.Receive(wire.Loaded{ID: load.ID, Name: "x"}, nil)
		if !c.isKeptLoaded(m) {
			t.Errorf("%s is not shown as loaded", m.Model)
		}
	}
	if !slices.Equal(s.persist, []bool{false}) || !strings.HasSuffix(c.keptRoom(), "allows. This browser may delete them when its disk fills up.") {
		t.Errorf("with models kept from before, asked %v to keep them; says %q", s.persist, c.keptRoom())
	}
	a.deleteKept(part.Model)
	d, _ := last[wire.Delete](s)
	if d.Model != part.Model || !c.busyKept() {
		t.Errorf("deletes %+v, busy %v", d, c.busyKept())
	}
	a.Receive(wire.Error{ID: d.ID, Message: "another tab has it"}, nil)
	if c.busyKept() || a.notices[atModel].message == "" {
		t.Error("a deletion that failed leaves the list blocked, or says nothing")
	}
	a.deleteKept(part.Model)
	d, _ = last[wire.Delete](s)
	a.Receive(wire.Kept{ID: d.ID, Models: []wire.KeptModel{whole}}, nil)
	if c.busyKept() || len(a.kept.Models) != 1 {
		t.Errorf("after a deletion there are %v", a.kept.Models)
	}
}

// The browser is asked to keep models when the first is fetched, once.
func TestKeepingIsAskedOnce(t *testing.T) {
	a, s := open(t)
	s.persists = true
	if len(s.persist) > 0 {
		t.Error("asked before a model is fetched")
	}
	for _, name := range []string{"owner/one", "owner/two"} {
		a.load(source{hub: name})
		a.Receive(wire.Kept{Models: []wire.KeptModel{{Model: name, Bytes: 1, Of: 2}}, Used: 1e6}, nil)
	}
	if got := (&ModelPanel{App: a}).keptRoom(); !slices.Equal(s.persist, []bool{true}) || got != "1.0"+thin+"MB used. This browser keeps them until you delete them." {
		t.Errorf("asked %v, says %q", s.persist, got)
	}
}

// A model that fails leaves the one before, or none, as the worker says.
func TestAFailedLoad(t *testing.T) {
	for _, gone := range []bool{false, true} {
		a, s := trained(t)
		a.load(source{hub: "owner/name"})
		m, _ := last[wire.Load](s)
		if gone {
			a.Receive(wire.Unloaded{}, nil)
		}
		a.Receive(wire.Error{ID: m.ID, Message: "it broke off", Hint: "fetch it again"}, nil)
		c := &ModelPanel{App: a}
		if (a.model.loaded == nil) != gone || c.isLoaded("tiny") == gone || a.model.id != 0 {
			t.Errorf("gone %v: loaded %+v, the first row says %v", gone, a.model.loaded, c.isLoaded("tiny"))
		}
		if can := a.cannotTrain() == ""; can == gone {
			t.Errorf("gone %v: can train %v", gone, can)
		}
	}
}

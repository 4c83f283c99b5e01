package ui

import (
	"strings"
	"testing"

	"prelude/ui/wire"
)

// Prefixes answer that are switched on, whichever is in use.
func TestSwitches(t *testing.T) {
	a, s := trained(t)
	a.Receive(onShelf(3), nil)
	a.switchOn(2, false)
	a.generate()
	if g, _ := last[wire.Generate](s); len(g.Keys) != 2 || g.Keys[0] != 1 || g.Keys[1] != 3 || !g.Base {
		t.Errorf("asked %+v", g)
	}
}

func TestBlending(t *testing.T) {
	a, s := trained(t)
	list := onShelf(3)
	list.Items[0].Alone = "It changes weights too."
	a.Receive(list, nil)
	a.startBlend()
	b, _ := last[wire.Blend](s)
	if b.First != 2 || b.Second != 3 || b.Share != 0.5 {
		t.Errorf("blends %+v, want the last two that can be", b)
	}
	a.Receive(wire.Error{ID: b.ID, Message: "no room"}, nil)
	if a.shelf.id != 0 || a.notices[atCompare].message != "no room" {
		t.Error("a refused blend is still under way")
	}
	list.Items = append(list.Items, wire.Shelved{Key: 4, Name: "both", Origin: "blend", Parts: []int{2, 3}, Share: 0.5})
	list.InUse = 4
	a.Receive(list, nil)
	if on := a.shelf.on(); len(on) != 2 || on[1].Key != 4 {
		t.Errorf("beside a new blend answer %+v, want it and the first", on)
	}
	c := &ShelfPanel{App: a}
	for share, want := range map[string]string{"0": "the first alone", "100": "the second alone", "75": "first 50\u202f%, second 100\u202f%"} {
		a.setShare(4, share)
		if m, _ := last[wire.Blend](s); m.Key != 4 || c.shareText(*a.shelf.item(4)) != want {
			t.Errorf("%s sends %+v and reads %q", share, m, c.shareText(*a.shelf.item(4)))
		}
	}
	if f, second := a.shelf.pair(); f == 4 || second == 4 {
		t.Error("a blend is blended by default")
	}
	a.shelf.first, a.shelf.second = "2", "2"
	a.startBlend()
	if a.notices[atCompare].message == "" {
		t.Error("a prefix is blended with itself")
	}
}

// What PEFT can't hold goes on with its gates open, from the prefix in use.
func TestFinish(t *testing.T) {
	a, s := trained(t)
	a.export("", "", nil)
	e, _ := last[wire.Export](s)
	a.Receive(wire.Exported{ID: e.ID, Name: "p", Note: "its gates", Finish: true}, text("zip"))
	if !a.home.finish {
		t.Fatal("no way to finish is offered")
	}
	a.finishOpen()
	m, n := last[wire.Train](s)
	if n != 2 || m.From != 1 || m.Method["start"] != "prefix" || m.Method["gate"] != "open" || m.Minutes != 0.5 {
		t.Errorf("trains %+v", m)
	}
}

// A press on the curve sets a nested prefix's length, or the slots of the next training.
func TestLengths(t *testing.T) {
	a, s := trained(t)
	a.run.lengths = &wire.Lengths{Key: 1, Points: []wire.LengthPoint{{Slots: 2, Loss: 2}, {Slots: 8, Loss: 1.51, Error: 0.02}, {Slots: 32, Loss: 1.5}}, Picked: 8}
	c := &LengthChart{App: a}
	c.Compute()
	if !strings.Contains(c.say(), "8 slots are enough") || !c.canSet() || len(c.p.points) != 3 {
		t.Errorf("says %q", c.say())
	}
	c.set(2)
	if m, _ := last[wire.SetLength](s); m.Key != 1 || m.Length != 2 {
		t.Errorf("set %+v", m)
	}
	a.run.lengths.Key = 0
	a.ready.Axes = append(a.ready.Axes, wire.Axis{ID: "source"})
	a.set.method["source"] = "kv"
	c.set(32)
	if a.set.method["length"] != "fixed" || a.set.method["kv.slots"] != "32" {
		t.Errorf("the next training has %+v", a.set.method)
	}
}

func TestPresets(t *testing.T) {
	a, _ := open(t)
	kernel := wire.Preset{ID: "k", Choice: map[string]string{"produce": "conv"}}
	plain := wire.Preset{ID: "p", Choice: map[string]string{"kv.slots": "32"}}
	is := func(p wire.Preset) bool { return a.set.isPreset(a.ready.Axes, p) }
	if !is(plain) || is(kernel) {
		t.Error("the default is not the plain method")
	}
	a.usePreset(kernel)
	if !is(kernel) || is(plain) || a.set.method["produce"] != "conv" {
		t.Errorf("chosen %+v", a.set.method)
	}
	a.usePreset(plain)
	if a.set.method["produce"] != "kv" {
		t.Error("an axis that a preset does not name keeps what was chosen")
	}
}

func TestPieces(t *testing.T) {
	p := wire.Preview{Prompt: "é: text", Soft: []wire.Soft{{At: 0, Slots: 2}, {At: 4, Slots: 1}, {At: 99, Slots: 1}}}
	got := pieces(p)
	want := []piece{{slots: 2}, {text: "é: "}, {slots: 1}, {text: "text"}}
	if len(got) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("piece %d is %+v, want %+v", i, got[i], want[i])
		}
	}
}

// Templates to begin with have the file's own names.
func TestStarters(t *testing.T) {
	a, _ := withData(t)
	c := &FormPanel{App: a}
	for shape, want := range map[string]string{"text/label": "{prefix:10} Text: {text}\nAnswer:{prefix:2} {label}", "source/target": "{prefix:10} Text: {source}\nAnswer:{prefix:2} {target}", "messages": "", "": ""} {
		a.data.set.Shape = shape
		got := ""
		if all := c.starters(); len(all) == 3 {
			got = all[2].text
		}
		if got != want {
			t.Errorf("%s begins with %q, want %q", shape, got, want)
		}
	}
}

// A form that can't be stays in its boxes, and what was read before stays read.
func TestForm(t *testing.T) {
	a, s := withData(t)
	a.form.val = "90"
	a.applyForm()
	if _, n := last[wire.Reparse](s); n != 0 || !strings.Contains(a.notices[atData].message, "more than 33") {
		t.Errorf("notice %+v", a.notices[atData])
	}
	a.form.val, a.form.template = "25", "{text}"
	a.applyForm()
	r, _ := last[wire.Reparse](s)
	if r.Opts.Template != "{text}" || r.Opts.ValShare != 0.25 {
		t.Errorf("asked %+v", r.Opts)
	}
	a.Receive(wire.Error{ID: r.ID, Message: "no completion"}, nil)
	if a.data.opts.Template != "" || a.form.template != "{text}" || a.data.set == nil {
		t.Errorf("after a refused template: %+v, in the box %q", a.data.opts, a.form.template)
	}
}

func TestSkippedSteps(t *testing.T) {
	a, _ := withData(t)
	a.startTraining()
	a.Receive(wire.Step{First: 1, Loss: []float64{2, 2}, Skipped: 1}, nil)
	if !strings.Contains(a.run.trouble(), "1 step had") {
		t.Errorf("says %q", a.run.trouble())
	}
	a.Receive(wire.Step{First: 3, Loss: []float64{2, 2, 2}, Skipped: 3}, nil)
	a.Receive(wire.Trained{ID: a.run.id, Why: "three steps in a row had a gradient that is not finite"}, nil)
	if got := a.run.trouble(); !strings.Contains(got, "4 steps had") || !strings.Contains(got, "best prefix before them is kept") {
		t.Errorf("says %q", got)
	}
}

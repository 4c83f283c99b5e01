package main

import (
	"reflect"
	"testing"

	"prelude/engine"
	"prelude/prefix"
	"prelude/ui"
	"prelude/ui/wire"
	"prelude/wasm/dispatch"
)

// Page and command line train alike where nothing was changed, and so does a program that
// asks for nothing: the same options, and the same method.
func TestDefaultsAreTheSame(t *testing.T) {
	page, err := ui.DefaultTraining(dispatch.Axes())
	if err != nil {
		t.Fatal(err)
	}
	if page, err = page.Resolve(); err != nil {
		t.Fatal(err)
	}
	f := newFlags("train")
	f.examples()
	flags := f.training()
	if err := f.parse(nil); err != nil {
		t.Fatal(err)
	}
	line, err := flags.request()
	if err != nil {
		t.Fatal(err)
	}
	info := engine.ModelInfo{Family: "llama", Layers: 2, Hidden: 64, Heads: 4, KVHeads: 2, HeadDim: 16, FF: 128, Vocab: 100, Context: 256}
	var methods []*prefix.Method
	for _, o := range []*wire.Train{&page, &line} {
		m, err := prefix.New(o.Method, info)
		if err != nil {
			t.Fatal(err)
		}
		methods = append(methods, m)
		o.Method = nil // the page names every choice, the command line those that differ
	}
	if !reflect.DeepEqual(page, line) {
		t.Errorf("page %+v, command line %+v", page, line)
	}
	if a, b := methods[0], methods[1]; a.Label() != b.Label() || a.Slots() != b.Slots() || a.LR() != b.LR() || !reflect.DeepEqual(a.Params(), b.Params()) {
		t.Errorf("page %s with %d slots, command line %s with %d", a.Label(), a.Slots(), b.Label(), b.Slots())
	}
	bare, err := wire.Train{Seed: page.Seed, Patience: page.Patience}.Resolve() // zero has a meaning of its own for both
	if err != nil {
		t.Fatal(err)
	}
	if bare.Method = nil; !reflect.DeepEqual(bare, page) {
		t.Errorf("a request that leaves all open is %+v, the page's %+v", bare, page)
	}
	if split := f.dataOptions(); split.Seed != page.Seed || split.ValShare != 0.2 {
		t.Errorf("the command line splits with seed %d and a share of %g", split.Seed, split.ValShare)
	}
}

// Options that make no sense are named.
func TestResolveNames(t *testing.T) {
	for name, o := range map[string]wire.Train{
		"steps": {Steps: -1}, "minutes": {Minutes: -1}, "batch size": {Batch: 1000}, "learning rate": {LR: 11},
		"patience": {Patience: -1}, "warm-up": {WarmUp: -1}, `schedule "wave"`: {Schedule: "wave"},
	} {
		if _, err := o.Resolve(); err == nil || len(err.Error()) < len(name) || err.Error()[:len(name)] != name {
			t.Errorf("%+v: error %v, want one of %s", o, err, name)
		}
	}
}

package session_test

import (
	"context"
	"testing"

	"prelude/models/tiny"
	"prelude/ui/wire"
	"prelude/wasm/session"
)

// changed is what a changed prefix answers.
func changed(t *testing.T, s *session.Session, o wire.WhatIf) string {
	t.Helper()
	o.Prompt, o.MaxTokens = "guest 3 :", 12
	text, ended := "", false
	if err := s.WhatIf(context.Background(), o, func(p wire.Sample) bool {
		text, ended = text+p.Text, p.Done
		return true
	}); err != nil {
		t.Fatal(err)
	}
	if !ended {
		t.Error("the answer does not end")
	}
	return text
}

// As trained it answers as the shelf does; without its weight as the bare model; at the other
// end of a blend as the other prefix. The shelf's own answers stay.
func TestWhatIf(t *testing.T) {
	ctx := context.Background()
	s := load(t, tiny.Folder(t, 0))
	for i := range 2 {
		train(t, s, wire.Train{Steps: 30 + 60*i, Method: map[string]string{"kv.slots": "6"}})
	}
	of := func(keys ...int) (text string) {
		if err := s.Generate(ctx, wire.Generate{Prompt: "guest 3 :", Base: len(keys) == 0, Tuned: len(keys) > 0, Keys: keys, MaxTokens: 12}, func(p wire.Sample) bool {
			text += p.Text
			return true
		}); err != nil {
			t.Fatal(err)
		}
		return text
	}
	list := shelfOf(t, s)
	slots := list.Items[0].Slots
	base, first, second := of(), of(1), of(2)
	every := make([]int, slots)
	for i := range every {
		every[i] = i
	}
	for what, x := range map[string]struct {
		o    wire.WhatIf
		want string
	}{
		"as trained":  {wire.WhatIf{Key: 1, Scale: 1}, first},
		"scale 0":     {wire.WhatIf{Key: 1}, base},
		"no slot":     {wire.WhatIf{Key: 1, Scale: 1, Slots: every}, base},
		"no layer":    {wire.WhatIf{Key: 1, Scale: 1, Layers: []int{0, 1}}, base},
		"blend, at 0": {wire.WhatIf{Key: 1, Scale: 1, With: 2}, first},
		"blend, at 1": {wire.WhatIf{Key: 1, Scale: 1, With: 2, Share: 1}, second},
	} {
		if got := changed(t, s, x.o); got != x.want {
			t.Errorf("%s: %q, want %q", what, got, x.want)
		}
	}
	if of(1) != first || len(shelfOf(t, s).Items) != 2 {
		t.Error("the shelf's prefix is another")
	}
	for what, o := range map[string]wire.WhatIf{
		"no such prefix": {Key: 9, Scale: 1}, "with itself beyond": {Key: 1, Scale: 1, With: 2, Share: 2},
		"no such slot": {Key: 1, Scale: 1, Slots: []int{slots}}, "no such layer": {Key: 1, Scale: 1, Layers: []int{2}}, "scale": {Key: 1, Scale: -1},
	} {
		o.Prompt = "guest"
		if err := s.WhatIf(ctx, o, func(wire.Sample) bool { return true }); err == nil {
			t.Errorf("%s is answered", what)
		}
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if err := s.WhatIf(ended, wire.WhatIf{Key: 1, Scale: 1, Prompt: "guest"}, func(wire.Sample) bool { return false }); err == nil {
		t.Error("a request that was cancelled is answered")
	}
	if err := s.Forget(1); err != nil {
		t.Fatal(err)
	}
	if err := s.WhatIf(ctx, wire.WhatIf{Key: 1, Scale: 1, Prompt: "guest"}, func(wire.Sample) bool { return true }); err == nil {
		t.Error("a prefix that was deleted answers")
	}
}

func TestInspect(t *testing.T) {
	ctx := context.Background()
	s := load(t, tiny.Folder(t, 0))
	train(t, s, wire.Train{Steps: 30})
	train(t, s, wire.Train{Steps: 30, Method: map[string]string{"source": "embedding", "start": "vocabulary", "embedding.slots": "3"}})
	train(t, s, wire.Train{Steps: 5, Method: map[string]string{"source": "none", "weights": "lora"}})
	inspect := func(key int) wire.Inspected {
		seen, err := s.Inspect(ctx, wire.Inspect{ID: 4, Key: key})
		if err != nil {
			t.Fatal(err)
		}
		return seen
	}
	kv := inspect(1)
	if len(kv.Slots) < 5 || kv.Slots[1].Word == "" || kv.Slots[0].Drift != 0 || kv.Slots[1].Drift <= 0 || len(kv.Layers) != 2 || len(kv.LayerDrift) != 2 || kv.Fixed != "" || kv.Slots[0].Near != nil {
		t.Errorf("keys and values: %+v", kv)
	}
	if len(kv.Points) != 4 || kv.Part[0] <= 0 || kv.Part[0]+kv.Part[1] > 1+1e-9 {
		t.Errorf("the map has %+v", kv.Points)
	}
	e := inspect(2)
	if len(e.Slots) != 3 || len(e.Slots[0].Near) != 5 || e.Slots[2].Drift <= 0 {
		t.Errorf("embeddings: %+v", e)
	}
	if l := inspect(3); len(l.Slots) != 0 || l.NoDrift == "" || l.Fixed == "" {
		t.Errorf("LoRA: %+v", l)
	}
	zip, err := s.Copy(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	other := load(t, tiny.Folder(t, 0))
	if _, err := other.Import(ctx, zip); err != nil {
		t.Fatal(err)
	}
	seen, err := other.Inspect(ctx, wire.Inspect{Key: 1})
	if err != nil || seen.NoDrift == "" || len(seen.Points) != 0 {
		t.Errorf("imported: %+v, %v", seen, err)
	}
	if _, err := other.Inspect(ctx, wire.Inspect{Key: 5}); err == nil {
		t.Error("a prefix that is not there is inspected")
	}
}

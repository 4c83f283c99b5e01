package prefix_test

import (
	"maps"
	"testing"

	"prelude/engine"
	"prelude/engine/cpu"
	"prelude/prefix"
)

// loosened are the logits of a loose prefix after a change.
func loosened(t *testing.T, f engine.Frozen, l *prefix.Loose, w prefix.WhatIf) []float64 {
	t.Helper()
	tensors := alloc(t, f, l.Method)
	if err := l.Set(ctx, tensors, w); err != nil {
		t.Fatal(err)
	}
	return logitsOf[float64](t, f, l.Method, tensors, prefix.Evaluate, sequences...)
}

// A loose prefix has the trained one's logits; without its weight, its layers or its slots the
// bare model's; and is the other prefix at the other end of the line.
func TestLoose(t *testing.T) {
	for name, model := range everyModel {
		for what, c := range map[string]prefix.Choice{
			"kv":        {"start": "gaussian", "kv.slots": "4"},
			"gates":     {"start": "gaussian", "kv.slots": "4", "gate": "log"},
			"nested":    {"start": "gaussian", "kv.slots": "4", "length": "nested"},
			"network":   {"source": "mlp", "start": "gaussian", "mlp.slots": "4"},
			"embedding": {"source": "embedding", "start": "gaussian", "embedding.slots": "4"},
			"zero-init": {"start": "gaussian", "kv.slots": "4", "gate": "zeroinit"},
			"above":     {"source": "prompts", "start": "gaussian", "prompts.slots": "4", "prompts.layers": "1"},
			"factors":   {"start": "gaussian", "kv.slots": "4", "gate": "apt"},
		} {
			f := model(t, cpu.New[float64]())
			if !suits(f, c) {
				continue
			}
			m := start(t, f, c)
			stir(m, 0.3)
			tensors := alloc(t, f, m)
			l, err := m.Loosen(ctx, f, tensors, nil)
			if err != nil {
				if f.Arch.Info().EncLayers == 0 {
					t.Errorf("%s, %s: %v", name, what, err)
				}
				continue
			}
			// Keys and values went through tensors of float32, as in every export.
			const rounded = 1e-6
			want := logitsOf[float64](t, f, m, tensors, prefix.Evaluate, sequences...)
			if e := apart(loosened(t, f, l, prefix.WhatIf{Scale: 1}), want); e > rounded {
				t.Errorf("%s, %s: as trained, logits differ by %.3g", name, what, e)
			}
			if f.Arch.Info().Positions == engine.Learned {
				continue // the bare model's text begins at position 0
			}
			bare := logitsOf[float64](t, f, nil, nil, prefix.Evaluate, sequences...)
			var layers []int
			for i := range l.Method.Layers() {
				layers = append(layers, i)
			}
			// Nothing of it is left, to the last digit; what stays is that the text begins after
			// the slots, by tables of sines in float32.
			gone := map[string][]float64{
				"scale 0":  loosened(t, f, l, prefix.WhatIf{}),
				"no layer": loosened(t, f, l, prefix.WhatIf{Scale: 1, Layers: layers}),
				"no slot":  loosened(t, f, l, prefix.WhatIf{Scale: 1, Slots: []int{0, 1, 2, 3}}),
			}
			for how, got := range gone {
				if e := apart(got, gone["scale 0"]); e > exact {
					t.Errorf("%s, %s, %s: logits differ from those of scale 0 by %.3g", name, what, how, e)
				}
				if e := apart(got, bare); e > rounded {
					t.Errorf("%s, %s, %s: logits differ from the bare model's by %.3g", name, what, how, e)
				}
			}
			for how, w := range map[string]prefix.WhatIf{"one slot": {Scale: 1, Slots: []int{2}}, "one layer": {Scale: 1, Layers: []int{0}}, "twice": {Scale: 2}} {
				if got := loosened(t, f, l, w); apart(got, want) < 1e-9 {
					t.Errorf("%s, %s: %s changes nothing", name, what, how)
				}
			}
		}
	}
}

// A slot that is switched off is one that is not there.
func TestLooseSlot(t *testing.T) {
	f := everyModel["llama"](t, cpu.New[float64]())
	m := start(t, f, prefix.Choice{"start": "gaussian", "kv.slots": "4", "length": "nested"})
	stir(m, 0.3)
	tensors := alloc(t, f, m)
	l, err := m.Loosen(ctx, f, tensors, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := loosened(t, f, l, prefix.WhatIf{Scale: 1, Slots: []int{3, 2}})
	if err := m.SetLength(ctx, tensors, 2); err != nil {
		t.Fatal(err)
	}
	if e := apart(got, logitsOf[float64](t, f, m, tensors, prefix.Evaluate, sequences...)); e > 1e-6 {
		t.Errorf("without the last two slots, logits differ from those of length 2 by %.3g", e)
	}
}

func TestLooseBlend(t *testing.T) {
	f := everyModel["llama"](t, cpu.New[float64]())
	c := prefix.Choice{"start": "gaussian", "kv.slots": "4"}
	gated := maps.Clone(c)
	gated["gate"] = "log"
	for what, choices := range map[string][2]prefix.Choice{"kv": {c, c}, "one with gates": {c, gated}} {
		var of [2]*prefix.Method
		var tensors [2]map[string]engine.Tensor
		for i := range of {
			of[i] = start(t, f, choices[i])
			stir(of[i], 0.2+0.3*float64(i))
			tensors[i] = alloc(t, f, of[i])
		}
		other, err := of[1].Finished(ctx, f, tensors[1])
		if err != nil {
			t.Fatal(err)
		}
		l, err := of[0].Loosen(ctx, f, tensors[0], other)
		if err != nil {
			t.Fatal(err)
		}
		for i := range of {
			want := logitsOf[float64](t, f, of[i], tensors[i], prefix.Evaluate, sequences...)
			if e := apart(loosened(t, f, l, prefix.WhatIf{Scale: 1, Share: float64(i)}), want); e > 1e-6 {
				t.Errorf("%s: at end %d logits differ by %.3g", what, i, e)
			}
		}
	}
	m := start(t, f, c)
	tensors := alloc(t, f, m)
	short := start(t, f, prefix.Choice{"start": "gaussian", "kv.slots": "3"})
	other, err := short.Finished(ctx, f, alloc(t, f, short))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Loosen(ctx, f, tensors, other); err == nil {
		t.Error("prefixes of 4 and 3 slots are blended")
	}
	l, err := m.Loosen(ctx, f, tensors, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range []prefix.WhatIf{{Scale: -1}, {Scale: 1, Share: 0.5}, {Scale: 1, Slots: []int{4}}, {Scale: 1, Layers: []int{-1}}} {
		if err := l.Set(ctx, alloc(t, f, l.Method), w); err == nil {
			t.Errorf("%+v is taken", w)
		}
	}
	for _, c := range []prefix.Choice{{"source": "outside"}, {"source": "none", "weights": "lora"}, {"start": "gaussian", "gate": "dynamic"}} {
		m := start(t, f, c)
		if _, err := m.Loosen(ctx, f, alloc(t, f, m), nil); err == nil {
			t.Errorf("%v is made loose", c)
		}
	}
}

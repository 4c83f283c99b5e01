package prefix_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"prelude/engine"
	"prelude/engine/cpu"
	"prelude/models/tiny"
	"prelude/prefix"
)

// Drift is the relative change of keys and values by a plain computation; what is held at its
// start has none.
func TestDrift(t *testing.T) {
	f := tiny.Llama(t, cpu.New[float64]())
	m := start(t, f, prefix.Choice{"start": "examples"})
	values := m.Values()
	before := map[string][]float32{}
	for name, x := range values {
		before[name] = slices.Clone(x)
	}
	hold := m.Params()[0].Hold
	rng := rand.New(rand.NewPCG(1, 1))
	i := f.Arch.Info()
	slots, width := m.Slots(), i.KVHeads*i.HeadDim
	kv := slices.Clone(before["prefix.kv"])
	for n := range kv {
		if !hold[n/width] {
			kv[n] += float32(rng.NormFloat64())
		}
	}
	tensors := alloc(t, f, m)
	if err := tensors["prefix.kv"].Write(ctx, 0, engine.FloatBytes(kv)); err != nil {
		t.Fatal(err)
	}
	d, err := m.Drift(ctx, f, before, tensors)
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Slots) != slots || len(d.Layers) != i.Layers || d.Slots[0] != 0 {
		t.Fatalf("%d slots, %d layers, slot 0 moved by %g", len(d.Slots), len(d.Layers), d.Slots[0])
	}
	plain := func(in func(layer, slot int) bool) float64 {
		by, of := 0.0, 0.0
		for row := range 2 * i.Layers {
			for s := range slots {
				if !in(row/2, s) {
					continue
				}
				for c := range width {
					a, b := float64(before["prefix.kv"][(row*slots+s)*width+c]), float64(kv[(row*slots+s)*width+c])
					by, of = by+(b-a)*(b-a), of+a*a
				}
			}
		}
		return math.Sqrt(by / of)
	}
	for s, got := range d.Slots {
		if want := plain(func(_, slot int) bool { return slot == s }); math.Abs(got-want) > 1e-12 {
			t.Errorf("slot %d moved by %g, want %g", s, got, want)
		}
	}
	for l, got := range d.Layers {
		if want := plain(func(layer, _ int) bool { return layer == l }); math.Abs(got-want) > 1e-12 {
			t.Errorf("layer %d moved by %g, want %g", l, got, want)
		}
	}
	if _, err := m.Drift(ctx, f, nil, tensors); err == nil {
		t.Error("a start without tensors is taken")
	}
	// What a network makes of its start has not moved before training.
	n := start(t, f, prefix.Choice{"source": "ptuning", "start": "vocabulary", "ptuning.slots": "3"})
	d, err = n.Drift(ctx, f, n.Values(), alloc(t, f, n))
	if err != nil {
		t.Fatal(err)
	}
	for s, by := range d.Slots {
		if by != 0 {
			t.Errorf("before training slot %d has moved by %g", s, by)
		}
	}
}

// Slots that start as words are nearest to these words, in every chunk of the vocabulary, by
// cosines of a plain computation.
func TestNearest(t *testing.T) {
	for name, model := range everyModel {
		f := model(t, cpu.New[float64]())
		c := prefix.Choice{"source": "embedding", "start": "vocabulary", "embedding.slots": "3"}
		if !suits(f, c) {
			continue
		}
		m := start(t, f, c)
		tensors := alloc(t, f, m)
		rows, err := m.Embeddings(ctx, f, tensors)
		if err != nil {
			t.Fatal(err)
		}
		near, err := prefix.Nearest(ctx, f, rows, 4)
		if err != nil {
			t.Fatal(err)
		}
		for s, id := range m.Words() {
			if near[s][0].ID != id || math.Abs(near[s][0].Cosine-1) > 1e-6 {
				t.Errorf("%s: slot %d began as %d, the nearest are %+v", name, s, id, near[s])
			}
			for k := 1; k < 4; k++ {
				if near[s][k].Cosine > near[s][k-1].Cosine {
					t.Errorf("%s: out of order: %+v", name, near[s])
				}
			}
		}
	}
	f := tiny.Llama(t, cpu.New[float64]())
	table, err := engine.ReadFloats(ctx, f.Weights["model.embed_tokens.weight"])
	if err != nil {
		t.Fatal(err)
	}
	i := f.Arch.Info()
	row := make([]float32, i.Hidden)
	rng := rand.New(rand.NewPCG(2, 2))
	for k := range row {
		row[k] = float32(rng.NormFloat64())
	}
	cosine := func(id int) float64 {
		ab, aa, bb := 0.0, 0.0, 0.0
		for k, v := range row {
			w := float64(table[id*i.Hidden+k])
			ab, aa, bb = ab+float64(v)*w, aa+float64(v)*float64(v), bb+w*w
		}
		return ab / math.Sqrt(aa*bb)
	}
	near, err := prefix.Nearest(ctx, f, row, i.Vocab)
	if err != nil {
		t.Fatal(err)
	}
	if len(near[0]) != i.Vocab {
		t.Fatalf("%d of %d tokens", len(near[0]), i.Vocab)
	}
	for _, x := range near[0] {
		if want := cosine(int(x.ID)); math.Abs(x.Cosine-want) > 1e-6 {
			t.Errorf("token %d has cosine %g, want %g", x.ID, x.Cosine, want)
		}
	}
}

package prefix_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"prelude/engine"
	"prelude/engine/cpu"
	"prelude/models/tiny"
	"prelude/prefix"
	"prelude/prefix/adapter"
	"prelude/prefix/data"
	"prelude/prefix/train"
)

// This file adds a method and nothing else knows of it. Every test of this package that goes
// through the options (gradients, causality, generation, freezing) runs on it too.

func init() {
	prefix.Register("source", 20, &prefix.Option{ID: "toy", Label: "One for all layers", LR: 5e-3,
		Sentence: "Learns one key and one value a slot, which every layer reads times a factor of its own.",
		Settings: []prefix.Setting{prefix.SlotsSetting, {ID: "factor", Label: "Factor at first", Kind: "float", Default: "1", Min: 0.1, Max: 10, Help: "Where the factors start."}},
		Make:     func(s *prefix.Settings) any { return toy{s.Float("factor")} }})
}

// toy is k_ℓ = f_ℓ·K and v_ℓ = f_ℓ·V with K, V [slots, kvHeads·headDim] and f [layers, 1].
type toy struct{ factor float64 }

func (t toy) Params(s *prefix.Initial) ([]prefix.Param, error) {
	kv, err := s.KV()
	n := 2 * s.Slots * s.Info.KVHeads * s.Info.HeadDim
	factors := make([]float32, s.Info.Layers)
	for l := range factors {
		factors[l] = float32(t.factor)
	}
	if err != nil {
		return nil, err
	}
	return []prefix.Param{{Name: "toy.kv", Shape: []int{2, s.Slots, n / 2 / s.Slots}, Value: slices.Clone(kv[:n])},
		{Name: "toy.factor", Shape: []int{s.Info.Layers, 1}, Value: factors}}, nil
}

func (toy) Build(b *prefix.Build) {
	width := b.Info.KVHeads * b.Info.HeadDim
	k, v := b.Slice("toy.kv", 0, b.Slots, width), b.Slice("toy.kv", 1, b.Slots, width)
	b.KV = func(layer int) (engine.Buffer, engine.Buffer) {
		f := b.Slice("toy.factor", layer, 1)
		return b.Mul(k, f), b.Mul(v, f)
	}
}

// Form is the toy itself while all its slots are there as they were trained.
func (toy) Form(cut, scaled bool) (string, error) {
	if cut || scaled {
		return "kv", nil
	}
	return "toy", nil
}

// A method that one test file registers trains, freezes, is exported and read again, and
// shows in the list.
func TestAMethodIsOneFile(t *testing.T) {
	f := tiny.Llama(t, cpu.New[float32]())
	m, err := prefix.New(prefix.Choice{"source": "toy", "start": "examples", "toy.factor": "1.5"}, f.Arch.Info())
	if err != nil {
		t.Fatal(err)
	}
	var examples train.Data
	for i := range 24 {
		a, b := int32(2+i%11), int32(14+i*7%13)
		e := data.Tokens{IDs: []int32{a, b, 1, b, a, 0}, Start: 3}
		if i%4 == 0 {
			examples.Val = append(examples.Val, e)
		} else {
			examples.Train = append(examples.Train, e)
		}
	}
	r, err := train.New(ctx, f, m, examples, prefix.StartFrom{}, train.Options{Steps: 150, LR: 0.1, Patience: 100})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	first := 0.0
	res, err := r.Train(ctx, train.Events{Eval: func(e train.EvalInfo) {
		if e.Step == 0 {
			first = e.Loss
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if res.Best.Loss > 0.9*first {
		t.Errorf("validation loss %.3f at first, %.3f at best: it does not learn", first, res.Best.Loss)
	}

	want := logitsOf[float32](t, f, m, r.Tensors, prefix.Evaluate, sequences...)
	card := adapter.Prelude{Format: adapter.Format, Model: adapter.Model{Name: "tiny", Layers: 2, KVHeads: 2, HeadDim: 4, Hidden: 16}}
	a, err := m.Adapter(ctx, f, r.Tensors, card, "")
	if err != nil {
		t.Fatal(err)
	}
	if a.Config.PeftType != adapter.Own || !strings.Contains(a.Prelude.NoPEFT, "One for all layers") {
		t.Errorf("format %q, because %q", a.Config.PeftType, a.Prelude.NoPEFT)
	}
	var zip bytes.Buffer
	if err := a.Write(&zip); err != nil {
		t.Fatal(err)
	}
	back, err := adapter.Read(bytes.NewReader(zip.Bytes()), int64(zip.Len()))
	if err != nil {
		t.Fatal(err)
	}
	again, err := prefix.FromAdapter(f.Arch, back)
	if err != nil {
		t.Fatal(err)
	}
	if again.Choice["source"] != "toy" || again.Slots() != m.Slots() {
		t.Errorf("read back: source %q, %d slots of %d", again.Choice["source"], again.Slots(), m.Slots())
	}
	if e := apart(logitsOf[float32](t, f, again, alloc(t, f, again), prefix.Evaluate, sequences...), want); e > 1e-5 {
		t.Errorf("read back: logits differ by %.3g", e)
	}

	var list strings.Builder
	if err := prefix.List(&list, "", nil); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(list.String(), "source=toy\n") || !strings.Contains(list.String(), "toy.factor=1") {
		t.Errorf("the list lacks the method:\n%s", list.String())
	}
}

package train_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"prelude/engine"
	"prelude/engine/cpu"
	"prelude/models/tiny"
	"prelude/prefix"
	"prelude/prefix/train"
)

// Muon is for keys and values that are trained as they are; all else is AdamW's, and the first slot
// keeps its start.
func TestMuonIsForKeysAndValues(t *testing.T) {
	ctx := context.Background()
	for _, x := range []struct {
		choice prefix.Choice
		want   []string
	}{
		{nil, []string{"muon.m.prefix.kv"}},
		{prefix.Choice{"gate": "zeroinit"}, []string{"adam.m.gate.zero", "adam.v.gate.zero", "muon.m.prefix.kv"}},
		{prefix.Choice{"source": "embedding"}, []string{"adam.m.prefix.embeddings", "adam.v.prefix.embeddings"}},
	} {
		f := tiny.Llama(t, cpu.New[float32]())
		m, err := prefix.New(x.choice, f.Arch.Info())
		if err != nil {
			t.Fatal(err)
		}
		r, err := train.New(ctx, f, m, task(), prefix.StartFrom{}, train.Options{Steps: 20, LR: 0.1, Seed: 1, Optimizer: "muon"})
		if err != nil {
			t.Fatal(err)
		}
		before := m.Params()
		var losses []float64
		if _, err := r.Train(ctx, train.Events{Eval: func(e train.EvalInfo) { losses = append(losses, e.Loss) }}); err != nil {
			t.Fatal(err)
		}
		if !(slices.Min(losses) < losses[0]) {
			t.Errorf("%v: validation is %v", x.choice, losses)
		}
		if err := r.Save(ctx); err != nil {
			t.Fatal(err)
		}
		var moments []string
		for name := range r.Checkpoint().State {
			if strings.HasPrefix(name, "adam.") || engine.IsMomentum(name) {
				moments = append(moments, name)
			}
		}
		slices.Sort(moments)
		if !slices.Equal(moments, x.want) {
			t.Errorf("%v: moments %v, want %v", x.choice, moments, x.want)
		}
		for _, p := range before {
			if p.Hold == nil {
				continue
			}
			now, err := engine.ReadFloats(ctx, r.Tensors[p.Name])
			if err != nil {
				t.Fatal(err)
			}
			width := len(now) / len(p.Hold)
			for row, held := range p.Hold {
				if same := slices.Equal(now[row*width:][:width], p.Value[row*width:][:width]); same != held {
					t.Errorf("%v: row %d is held: %v, is as it was: %v", x.choice, row, held, same)
				}
			}
		}
		r.Close()
	}
}

func TestUnknownOptimizer(t *testing.T) {
	f := tiny.Llama(t, cpu.New[float32]())
	m, err := prefix.New(nil, f.Arch.Info())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := train.New(context.Background(), f, m, task(), prefix.StartFrom{}, train.Options{Steps: 1, Optimizer: "sgd"}); err == nil {
		t.Error("an optimizer that nobody knows is taken")
	}
}

package train_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"prelude/engine"
	"prelude/engine/cpu"
	"prelude/models/tiny"
	"prelude/prefix"
	"prelude/prefix/data"
	"prelude/prefix/generate"
	"prelude/prefix/train"
)

// pairs are the copying game for an encoder-decoder: "a b" is answered by "b a" and the
// end token.
func pairs() train.Data {
	var d train.Data
	for i := range 40 {
		a, b := int32(4+i%11), int32(16+i*7%13)
		t := data.Tokens{Line: i + 1, Source: []int32{a, b, 1}, IDs: []int32{3, b, a, 0}, Start: 1}
		if i%5 == 4 {
			d.Val = append(d.Val, t)
		} else {
			d.Train = append(d.Train, t)
		}
	}
	return d
}

// An encoder-decoder learns by prefixes at each of its attentions and by rows before its
// inputs; its weights stay as they were, and a training goes on from a checkpoint on
// another device with the same curve.
func TestPairs(t *testing.T) {
	ctx := context.Background()
	off := func(c prefix.Choice, sites ...string) prefix.Choice {
		for _, s := range sites {
			c["sites."+s] = "off"
		}
		return c
	}
	for what, c := range map[string]prefix.Choice{
		"everywhere": {"start": "gaussian", "kv.slots": "4"},
		"encoder":    off(prefix.Choice{"start": "gaussian", "kv.slots": "4"}, "decoder", "cross"),
		"decoder":    off(prefix.Choice{"start": "examples"}, "encoder", "cross"),
		"cross":      off(prefix.Choice{"start": "gaussian", "kv.slots": "4"}, "encoder", "decoder"),
		"embeddings": {"source": "embedding", "start": "vocabulary", "embedding.slots": "4"},
	} {
		t.Run(what, func(t *testing.T) {
			f := tiny.T5(t, cpu.New[float32](), 2, 3)
			before := map[string][]byte{}
			read := func(name string, w engine.Tensor) []byte {
				raw := make([]byte, w.Spec().Bytes())
				if err := w.Read(ctx, 0, raw); err != nil {
					t.Fatal(err)
				}
				return raw
			}
			for name, w := range f.Weights {
				before[name] = read(name, w)
			}
			o := train.Options{Steps: 60, LR: 0.05, Patience: 100, Seed: 3}
			train1 := func(f engine.Frozen, between func(r *train.Run) bool, from *train.Checkpoint) (losses []float64, first float64, r *train.Run, res train.Result) {
				m, err := prefix.New(c, f.Arch.Info())
				if err != nil {
					t.Fatal(err)
				}
				if r, err = train.New(ctx, f, m, pairs(), prefix.StartFrom{}, o); err != nil {
					t.Fatal(err)
				}
				t.Cleanup(r.Close)
				if from != nil {
					if err := r.Restore(ctx, *from); err != nil {
						t.Fatal(err)
					}
				}
				ev := train.Events{Step: func(s train.StepInfo) { losses = append(losses, s.Loss...) },
					Eval: func(e train.EvalInfo) {
						if e.Step == 0 {
							first = e.Loss
						}
					}}
				if between != nil {
					ev.Between = func() bool { return between(r) }
				}
				if res, err = r.Train(ctx, ev); err != nil {
					t.Fatal(err)
				}
				return losses, first, r, res
			}
			losses, first, r, res := train1(f, nil, nil)
			mean := func(x []float64) (m float64) {
				for _, l := range x {
					m += l / float64(len(x))
				}
				return m
			}
			if early, late := mean(losses[:10]), mean(losses[50:]); late > 0.97*early || res.Best.Loss > 0.98*res.Base {
				t.Errorf("training loss %.3f, then %.3f; best %.3f, start %.3f, base %.3f: nothing learned", early, late, res.Best.Loss, first, res.Base)
			}
			for name, w := range f.Weights {
				if !bytes.Equal(read(name, w), before[name]) {
					t.Errorf("%s changed", name)
				}
			}
			g, err := generate.New(ctx, f, r.Method, r.Tensors, 16)
			if err != nil {
				t.Fatal(err)
			}
			defer g.Close()
			if _, err := g.Run(ctx, []int32{5, 17, 1}, generate.Options{MaxTokens: 4, Stop: []int32{0}}, func(int32) bool { return true }); err != nil {
				t.Error(err)
			}
			n := 0
			var saved train.Checkpoint
			train1(tiny.T5(t, cpu.New[float32](), 2, 3), func(r *train.Run) bool {
				if n++; n == 20 {
					if err := r.Save(ctx); err != nil {
						t.Fatal(err)
					}
					saved = r.Checkpoint()
				}
				return n < 22
			}, nil)
			rest, _, _, _ := train1(tiny.T5(t, cpu.New[float32](), 2, 3), nil, &saved)
			if len(rest) != 40 {
				t.Fatalf("%d steps after the checkpoint, want 40", len(rest))
			}
			for i, l := range rest {
				if l != losses[20+i] {
					t.Fatalf("step %d: loss %v, without the break %v", 21+i, l, losses[20+i])
				}
			}
		})
	}
}

// Examples that do not suit the model, or leave no room, are named.
func TestPairsThatDoNotFit(t *testing.T) {
	ctx := context.Background()
	f := tiny.T5(t, cpu.New[float32](), 2, 3)
	for want, x := range map[string]struct {
		c prefix.Choice
		d train.Data
	}{
		"line 7":                               {prefix.Choice{"start": "gaussian"}, train.Data{Train: []data.Tokens{{Line: 7, IDs: []int32{3, 4, 0}, Start: 1}}}},
		"a prompt of 60 tokens and a prefix":   {prefix.Choice{"source": "embedding", "start": "vocabulary", "embedding.slots": "5"}, train.Data{Train: []data.Tokens{{Source: make([]int32, 60), IDs: []int32{3, 4, 0}, Start: 1}}}},
		"an example of 61 tokens and a prefix": {prefix.Choice{"start": "gaussian", "kv.slots": "5"}, train.Data{Train: []data.Tokens{{Source: []int32{1}, IDs: make([]int32, 62), Start: 1}}}},
	} {
		m, err := prefix.New(x.c, f.Arch.Info())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := train.New(ctx, f, m, x.d, prefix.StartFrom{}, train.Options{Steps: 1}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want …%s…", err, want)
		}
	}
	llama := tiny.Llama(t, cpu.New[float32]())
	if _, err := train.NewEvaluator(ctx, llama, nil, nil, pairs().Train, 8); err == nil {
		t.Error("a Llama is measured on pairs")
	}
}

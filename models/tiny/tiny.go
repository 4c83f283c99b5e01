// Package tiny builds small models with fixed random weights, for tests.
package tiny

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"prelude/engine"
	"prelude/models"
)

// Vocab is the number of tokens; token 0 ends an answer.
const Vocab = 40

// Llama is a Llama of two blocks, hidden size 16 and grouped queries on dev.
func Llama(t testing.TB, dev engine.Device) engine.Frozen {
	t.Helper()
	return New(t, dev, `{"model_type":"llama","hidden_size":16,"intermediate_size":24,"num_hidden_layers":2,
		"num_attention_heads":4,"num_key_value_heads":2,"vocab_size":40,"max_position_embeddings":128,"rms_norm_eps":1e-5,
		"tie_word_embeddings":true}`)
}

// New is a model of any family with random weights: vectors near 1, matrices N(0, 0.4²).
func New(t testing.TB, dev engine.Device, config string) engine.Frozen {
	t.Helper()
	c, err := models.ParseConfig([]byte(config))
	if err != nil {
		t.Fatal(err)
	}
	arch, err := models.FromConfig(c, engine.F32)
	if err != nil {
		t.Fatal(err)
	}
	f := engine.Frozen{Arch: arch, Dev: dev, Weights: map[string]engine.Tensor{}}
	put := func(name string, s engine.Spec, x []float32) {
		w, err := dev.Alloc(s)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(context.Background(), 0, engine.FloatBytes(x)); err != nil {
			t.Fatal(err)
		}
		f.Weights[name] = w
	}
	rng := rand.New(rand.NewPCG(7, 7))
	specs := arch.Tensors()
	for _, name := range slices.Sorted(maps.Keys(specs)) {
		if arch.Constants()[name] != nil {
			continue
		}
		x := make([]float32, specs[name].Len())
		for i := range x {
			x[i] = float32(rng.NormFloat64() * 0.4)
			if len(specs[name].Shape) == 1 {
				x[i] = 1 + x[i]/4
			}
		}
		put(name, specs[name], x)
	}
	for name, x := range arch.Constants() {
		put(name, specs[name], x)
	}
	return f
}

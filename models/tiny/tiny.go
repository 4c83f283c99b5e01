// Package tiny builds small models with fixed random weights, for tests.
package tiny

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sort"
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
		"tie_word_embeddings":true}`, llamaShapes(2, 16, 8, 24))
}

func llamaShapes(layers, hidden, kv, ff int) map[string][]int {
	s := map[string][]int{"model.embed_tokens.weight": {Vocab, hidden}, "model.norm.weight": {hidden}}
	for l := range layers {
		at := fmt.Sprintf("model.layers.%d.", l)
		for name, shape := range map[string][]int{
			"input_layernorm.weight": {hidden}, "post_attention_layernorm.weight": {hidden},
			"self_attn.q_proj.weight": {hidden, hidden}, "self_attn.k_proj.weight": {kv, hidden},
			"self_attn.v_proj.weight": {kv, hidden}, "self_attn.o_proj.weight": {hidden, hidden},
			"mlp.gate_proj.weight": {ff, hidden}, "mlp.up_proj.weight": {ff, hidden}, "mlp.down_proj.weight": {hidden, ff}} {
			s[at+name] = shape
		}
	}
	return s
}

// New is a model of any family with random weights: vectors near 1, matrices N(0, 0.4²).
func New(t testing.TB, dev engine.Device, config string, shapes map[string][]int) engine.Frozen {
	t.Helper()
	c, err := models.ParseConfig([]byte(config))
	if err != nil {
		t.Fatal(err)
	}
	specs := models.Specs{}
	var names []string
	for name, shape := range shapes {
		specs[name] = engine.Spec{DType: engine.F32, Shape: shape}
		names = append(names, name)
	}
	sort.Strings(names)
	arch, err := models.New(c, specs)
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
	for _, name := range names {
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
		put(name, arch.Tensors()[name], x)
	}
	return f
}

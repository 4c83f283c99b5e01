package models

import (
	"fmt"
	"slices"

	"prelude/engine"
)

func init() { register(newGPTNeo, "gpt_neo") }

var gptNeoNames = learnedNames{embeddings: "transformer.wte.weight", positions: "transformer.wpe.weight", last: "transformer.ln_f", block: "transformer.h.%d.",
	attentionNorm: "ln_1", forwardNorm: "ln_2", query: "attn.attention.q_proj", key: "attn.attention.k_proj", value: "attn.attention.v_proj",
	output: "attn.attention.out_proj", up: "mlp.c_fc", down: "mlp.c_proj"}

// newGPTNeo reads GPT-Neo (Black et al. 2021), the TinyStories models among it: a GPT-2 whose
// scores are not scaled, without biases of q, k and v, and with layers that see a window.
func newGPTNeo(config *Config, specs Specs) (Family, error) {
	c := &fields{Config: config}
	i := engine.ModelInfo{Family: "gpt_neo", Positions: engine.Learned,
		Layers: c.upTo(maxLayers, "num_layers", 0), Hidden: c.size("hidden_size", 0), Heads: c.size("num_heads", 0),
		Vocab: c.size("vocab_size", 0), Context: c.size("max_position_embeddings", 2048)}
	i.KVHeads, i.HeadDim, i.FF = i.Heads, i.Hidden/i.Heads, c.size("intermediate_size", 4*i.Hidden)
	c.divides(&i)
	if local := c.neoLayers(i.Layers); slices.Contains(local, true) {
		i.Local, i.Window = local, c.size("window_size", 256)
	}
	m := &learned{decoder: newDecoder(i, specs), eps: c.number("layer_norm_epsilon", 1e-5), act: c.activation("activation_function", "gelu_new"), names: gptNeoNames,
		scale: func(int) float64 { return 1 }}
	m.heads(c, "lm_head.weight", gptNeoNames.embeddings, true)
	if c.err != nil {
		return nil, c.err
	}
	m.declare(false, true)
	return m, nil
}

// neoLayers reads which layers are local: attention_types is a list of pairs, each some
// types in their order and how often they follow one another.
func (f *fields) neoLayers(layers int) []bool {
	const key = "attention_types"
	pairs, ok := f.keys[key].([]any)
	if !ok && !f.Has(key) {
		pairs = []any{[]any{[]any{"global", "local"}, 12.0}}
	}
	var local []bool
	for _, pair := range pairs {
		p, _ := pair.([]any)
		if len(p) != 2 {
			continue
		}
		types, _ := p[0].([]any)
		times, _ := p[1].(float64)
		for range int(min(times, maxLayers)) {
			for _, kind := range types {
				if len(local) <= layers && (kind == "global" || kind == "local") {
					local = append(local, kind == "local")
				}
			}
		}
	}
	if len(local) != layers {
		f.fail(fmt.Errorf("models: %s is %v, want a list like [[[\"global\", \"local\"], 12]] that makes %d layers", f.at(key), f.keys[key], layers))
		return make([]bool, layers)
	}
	return local
}

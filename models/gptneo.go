package models

import (
	"fmt"
	"slices"

	"prelude/engine"
)

func init() { register(newGPTNeo, "gpt_neo") }

// gptNeo is GPT-Neo (Black et al. 2021), the TinyStories models among it: a GPT-2 whose
// scores are not scaled, without biases of q, k and v, and with layers that see a window.
type gptNeo struct {
	decoder
	eps float64
	act engine.UnaryFn
}

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
	m := &gptNeo{decoder: newDecoder(i, specs), eps: c.number("layer_norm_epsilon", 1e-5), act: c.activation("activation_function", "gelu_new")}
	m.heads(c, "lm_head.weight", "transformer.wte.weight", true)
	if c.err != nil {
		return nil, c.err
	}
	m.tensor("transformer.wte.weight", i.Vocab, i.Hidden)
	m.tensor("transformer.wpe.weight", i.Context, i.Hidden)
	m.layerNorm("transformer.ln_f", i.Hidden)
	for l := range i.Layers {
		at := layer("transformer.h.%d.", l)
		m.layerNorm(at+"ln_1", i.Hidden)
		m.layerNorm(at+"ln_2", i.Hidden)
		m.linear(at+"attn.attention.q_proj", engine.LinearMap{Role: engine.Query, Layer: l, Out: i.Hidden}, i.Hidden, false)
		m.linear(at+"attn.attention.k_proj", engine.LinearMap{Role: engine.Key, Layer: l, Out: i.Hidden}, i.Hidden, false)
		m.linear(at+"attn.attention.v_proj", engine.LinearMap{Role: engine.Value, Layer: l, Out: i.Hidden}, i.Hidden, false)
		m.linear(at+"attn.attention.out_proj", engine.LinearMap{Role: engine.AttentionOutput, Layer: l, Out: i.Hidden}, i.Hidden, true)
		m.linear(at+"mlp.c_fc", engine.LinearMap{Role: engine.Up, Layer: l, Out: i.FF}, i.Hidden, true)
		m.linear(at+"mlp.c_proj", engine.LinearMap{Role: engine.Down, Layer: l, Out: i.Hidden}, i.FF, true)
	}
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

// Forward: x = wte[ids] + wpe[pos], then for each block
//
//	n = norm(x)    x ← x + Wo·attention(Wq n, Wk n, Wv n)
//	n = norm(x)    x ← x + Wproj·gelu(Wfc n)
func (m *gptNeo) Forward(p *engine.Program, in engine.Input, h engine.Hooks) engine.Output {
	f, i := m.pass(p, in, h), m.info
	var out engine.Output
	x := f.embed("transformer.wte.weight", 1)
	if in.First == 0 {
		x = p.Add(x, p.Embed(in.Pos, f.weight("transformer.wpe.weight"), 1))
	}
	for l := in.First; l < f.end(); l++ {
		at := layer("transformer.h.%d.", l)
		p.BeginBlock()
		x = f.block(l, x)
		out.Blocks = append(out.Blocks, x)
		n := f.layerNorm(at+"ln_1", x, m.eps)
		nq := f.choose(l, n)
		q := f.linear(at+"attn.attention.q_proj", nq, engine.None)
		k := f.linear(at+"attn.attention.k_proj", n, engine.None)
		v := f.linear(at+"attn.attention.v_proj", n, engine.None)
		out.K, out.V = append(out.K, k), append(out.V, v)
		o := f.attend(l, f.rows(l), nq, q, k, v, engine.Attention{Scale: 1})
		x = f.linear(at+"attn.attention.out_proj", o, f.choose(l, x))
		n = f.layerNorm(at+"ln_2", x, m.eps)
		x = f.linear(at+"mlp.c_proj", p.Unary(m.act, f.linear(at+"mlp.c_fc", n, engine.None), 0), x)
		p.EndBlock()
	}
	out.Hidden = x
	if f.end() == i.Layers {
		out.Hidden = f.layerNorm("transformer.ln_f", x, m.eps)
	}
	return out
}

package models

import (
	"math"

	"prelude/engine"
	"prelude/models/weights"
)

func init() {
	register(newNeoX, "gpt_neox")
	checkpoints["gpt_neox"] = neoxViews
}

// neox is the family of GPT-NeoX (Black et al. 2022, arXiv 2204.06745), Pythia among
// it: LayerNorm, a rotated part of each head, attention and feed-forward part side by
// side on the same input, a head of its own.
type neox struct {
	decoder
	eps      float64
	act      engine.UnaryFn
	parallel bool
}

func newNeoX(config *Config, specs Specs) (Family, error) {
	c := &fields{Config: config}
	i := engine.ModelInfo{Family: "gpt_neox", Positions: engine.Rotary,
		Layers: c.upTo(maxLayers, "num_hidden_layers", 0), Hidden: c.size("hidden_size", 0), Heads: c.size("num_attention_heads", 0),
		FF: c.size("intermediate_size", 0), Vocab: c.size("vocab_size", 0), Context: c.size("max_position_embeddings", 2048)}
	i.KVHeads, i.HeadDim = i.Heads, i.Hidden/i.Heads
	c.divides(&i)
	m := &neox{decoder: newDecoder(i, specs), eps: c.number("layer_norm_eps", 1e-5), act: c.activation("hidden_act", "gelu"),
		parallel: c.flag("use_parallel_residual", true)}
	bias := c.flag("attention_bias", true)
	r := c.rope(nil, c.number("rotary_emb_base", 10000), c.number("rotary_pct", 0.25), i.HeadDim)
	m.heads(c, "embed_out.weight", "gpt_neox.embed_in.weight", false)
	if c.err != nil {
		return nil, c.err
	}
	m.rotary("rope", r)
	m.tensor("gpt_neox.embed_in.weight", i.Vocab, i.Hidden)
	m.layerNorm("gpt_neox.final_layer_norm", i.Hidden)
	for l := range i.Layers {
		at := layer("gpt_neox.layers.%d.", l)
		m.layerNorm(at+"input_layernorm", i.Hidden)
		m.layerNorm(at+"post_attention_layernorm", i.Hidden)
		m.linear(at+"attention.query", engine.LinearMap{Role: engine.Query, Layer: l, Out: i.Hidden}, i.Hidden, bias)
		m.linear(at+"attention.key", engine.LinearMap{Role: engine.Key, Layer: l, Out: i.Hidden}, i.Hidden, bias)
		m.linear(at+"attention.value", engine.LinearMap{Role: engine.Value, Layer: l, Out: i.Hidden}, i.Hidden, bias)
		m.linear(at+"attention.dense", engine.LinearMap{Role: engine.AttentionOutput, Layer: l, Out: i.Hidden}, i.Hidden, bias)
		m.linear(at+"mlp.dense_h_to_4h", engine.LinearMap{Role: engine.Up, Layer: l, Out: i.FF}, i.Hidden, true)
		m.linear(at+"mlp.dense_4h_to_h", engine.LinearMap{Role: engine.Down, Layer: l, Out: i.Hidden}, i.FF, true)
	}
	return m, nil
}

// neoxParts are the names of what query_key_value holds.
var neoxParts = []string{".query.", ".key.", ".value."}

// neoxViews cuts query_key_value, whose rows are q, k and v of one head after the other,
// and calls the head embed_out, as most files do and transformers 5 does not.
func neoxViews(c *Config, views map[string]weights.View) (map[string]weights.View, error) {
	heads, err := c.Int("num_attention_heads", 0)
	if err != nil {
		return nil, err
	}
	if v, ok := views["lm_head.weight"]; ok {
		views["embed_out.weight"] = v
	}
	return split(views, ".query_key_value.", neoxParts, 3*heads, func(v weights.View, part int) weights.View {
		n := v.Spec().Shape[0] / 3 / heads
		var rows []weights.View
		for h := range heads {
			rows = append(rows, v.Rows((3*h+part)*n, (3*h+part+1)*n))
		}
		return weights.Concat(rows...)
	})
}

// Forward: for each block, with attention A and feed-forward part F,
//
//	parallel      x ← x + A(norm₁ x) + F(norm₂ x)
//	sequential    x ← x + A(norm₁ x)    x ← x + F(norm₂ x)
func (m *neox) Forward(p *engine.Program, in engine.Input, h engine.Hooks) engine.Output {
	f, i := m.pass(p, in, h), m.info
	var out engine.Output
	x := f.embed("gpt_neox.embed_in.weight", 1)
	cos, sin := f.weight("rope.cos"), f.weight("rope.sin")
	for l := in.First; l < f.end(); l++ {
		at := layer("gpt_neox.layers.%d.", l)
		p.BeginBlock()
		x = f.block(l, x)
		out.Blocks = append(out.Blocks, x)
		ask := f.rows(l)
		n := f.layerNorm(at+"input_layernorm", x, m.eps)
		nq := f.choose(l, n)
		q := p.RoPE(f.linear(at+"attention.query", nq, engine.None), ask.pos, cos, sin, i.HeadDim)
		k := p.RoPE(f.linear(at+"attention.key", n, engine.None), in.Pos, cos, sin, i.HeadDim)
		v := f.linear(at+"attention.value", n, engine.None)
		out.K, out.V = append(out.K, k), append(out.V, v)
		o := f.attend(l, ask, nq, q, k, v, engine.Attention{Scale: 1 / math.Sqrt(float64(i.HeadDim))})
		x = f.choose(l, x)
		y := f.linear(at+"attention.dense", o, x)
		if !m.parallel {
			x = y
		}
		n = f.layerNorm(at+"post_attention_layernorm", x, m.eps)
		x = f.linear(at+"mlp.dense_4h_to_h", p.Unary(m.act, f.linear(at+"mlp.dense_h_to_4h", n, engine.None), 0), y)
		p.EndBlock()
	}
	out.Hidden = x
	if f.end() == i.Layers {
		out.Hidden = f.layerNorm("gpt_neox.final_layer_norm", x, m.eps)
	}
	return out
}

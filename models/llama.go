package models

import (
	"math"

	"prelude/engine"
)

func init() { register(newLlama, "llama", "qwen2", "qwen3", "mistral") }

// llama is the family of Llama (Touvron et al. 2023, arXiv 2302.13971): RMSNorm before
// attention and feed-forward part, rotary positions, grouped-query attention, SwiGLU.
// SmolLM2 and TinyLlama are it; Qwen2 adds biases to q, k and v, Qwen3 norms of the
// heads of q and k instead, Mistral a sliding window.
type llama struct {
	decoder
	eps    float64
	act    engine.UnaryFn
	qkNorm bool
}

func newLlama(config *Config, specs Specs) (Family, error) {
	c := &fields{Config: config}
	kind := c.ModelType
	i := engine.ModelInfo{Family: kind, Positions: engine.Rotary,
		Layers: c.upTo(maxLayers, "num_hidden_layers", 0), Hidden: c.size("hidden_size", 0), Heads: c.size("num_attention_heads", 0),
		FF: c.size("intermediate_size", 0), Vocab: c.size("vocab_size", 0), Context: c.size("max_position_embeddings", 2048)}
	i.KVHeads = c.size("num_key_value_heads", i.Heads)
	if kind == "qwen3" {
		i.HeadDim = c.upTo(maxHeadDim, "head_dim", 128)
	} else {
		i.HeadDim = c.upTo(maxHeadDim, "head_dim", max(1, i.Hidden/i.Heads))
	}
	c.divides(&i)
	c.refuse(nil, "final_logit_softcapping", "attn_logit_softcapping")
	c.refuse(1.0, "pretraining_tp")
	switch kind {
	case "mistral":
		c.window(&i, c.layerTypes(i.Layers, func(int) bool { return c.Has("sliding_window") }), 4096)
	case "qwen2", "qwen3":
		slides, from := c.flag("use_sliding_window", false), c.size("max_window_layers", 28)
		c.window(&i, c.layerTypes(i.Layers, func(l int) bool { return slides && l >= from }), 4096)
	default:
		c.refuse(nil, "sliding_window")
	}
	qkvBias, outBias := kind == "qwen2", false
	if kind == "llama" || kind == "qwen3" {
		qkvBias = c.flag("attention_bias", false)
		outBias = qkvBias
	}
	ffBias := kind == "llama" && c.flag("mlp_bias", false)
	m := &llama{decoder: newDecoder(i, specs), qkNorm: kind == "qwen3",
		eps: c.number("rms_norm_eps", 1e-6), act: c.activation("hidden_act", "silu")}
	r := c.whole(c.rope(nil, 10000, 1, i.HeadDim), i.HeadDim)
	m.heads(c, "lm_head.weight", "model.embed_tokens.weight", false)
	if c.err != nil {
		return nil, c.err
	}
	m.rotary("rope", r)
	m.tensor("model.embed_tokens.weight", i.Vocab, i.Hidden)
	m.tensor("model.norm.weight", i.Hidden)
	for l := range i.Layers {
		at := layer("model.layers.%d.", l)
		m.tensor(at+"input_layernorm.weight", i.Hidden)
		m.tensor(at+"post_attention_layernorm.weight", i.Hidden)
		m.linear(at+"self_attn.q_proj", engine.LinearMap{Role: engine.Query, Layer: l, Out: i.Heads * i.HeadDim}, i.Hidden, qkvBias)
		m.linear(at+"self_attn.k_proj", engine.LinearMap{Role: engine.Key, Layer: l, Out: i.KVHeads * i.HeadDim}, i.Hidden, qkvBias)
		m.linear(at+"self_attn.v_proj", engine.LinearMap{Role: engine.Value, Layer: l, Out: i.KVHeads * i.HeadDim}, i.Hidden, qkvBias)
		m.linear(at+"self_attn.o_proj", engine.LinearMap{Role: engine.AttentionOutput, Layer: l, Out: i.Hidden}, i.Heads*i.HeadDim, outBias)
		m.linear(at+"mlp.gate_proj", engine.LinearMap{Role: engine.Gate, Layer: l, Out: i.FF}, i.Hidden, ffBias)
		m.linear(at+"mlp.up_proj", engine.LinearMap{Role: engine.Up, Layer: l, Out: i.FF}, i.Hidden, ffBias)
		m.linear(at+"mlp.down_proj", engine.LinearMap{Role: engine.Down, Layer: l, Out: i.Hidden}, i.FF, ffBias)
		if m.qkNorm {
			m.tensor(at+"self_attn.q_norm.weight", i.HeadDim)
			m.tensor(at+"self_attn.k_norm.weight", i.HeadDim)
		}
	}
	return m, nil
}

// Forward: for each block
//
//	n = norm(x)    x ← x + Wo·attention(rope(Wq n), rope(Wk n), Wv n)
//	n = norm(x)    x ← x + Wdown·(silu(Wgate n) ⊙ Wup n)
func (m *llama) Forward(p *engine.Program, in engine.Input, h engine.Hooks) engine.Output {
	f, i := m.pass(p, in, h), m.info
	var out engine.Output
	x := f.embed("model.embed_tokens.weight", 1)
	cos, sin := f.weight("rope.cos"), f.weight("rope.sin")
	for l := in.First; l < f.end(); l++ {
		at := layer("model.layers.%d.", l)
		p.BeginBlock()
		x = f.block(l, x)
		out.Blocks = append(out.Blocks, x)
		ask := f.rows(l)
		n := p.RMSNorm(x, f.weight(at+"input_layernorm.weight"), m.eps, 0)
		nq := f.choose(l, n)
		q := f.linear(at+"self_attn.q_proj", nq, engine.None)
		k := f.linear(at+"self_attn.k_proj", n, engine.None)
		v := f.linear(at+"self_attn.v_proj", n, engine.None)
		if m.qkNorm {
			q = p.RMSNorm(q, f.weight(at+"self_attn.q_norm.weight"), m.eps, 0)
			k = p.RMSNorm(k, f.weight(at+"self_attn.k_norm.weight"), m.eps, 0)
		}
		q = p.RoPE(q, ask.pos, cos, sin, i.HeadDim)
		k = p.RoPE(k, in.Pos, cos, sin, i.HeadDim)
		out.K, out.V = append(out.K, k), append(out.V, v)
		o := f.attend(l, ask, nq, q, k, v, engine.Attention{Scale: 1 / math.Sqrt(float64(i.HeadDim))})
		x = f.linear(at+"self_attn.o_proj", o, f.choose(l, x))
		n = p.RMSNorm(x, f.weight(at+"post_attention_layernorm.weight"), m.eps, 0)
		gate := f.linear(at+"mlp.gate_proj", n, engine.None)
		up := f.linear(at+"mlp.up_proj", n, engine.None)
		x = f.linear(at+"mlp.down_proj", p.Gated(m.act, gate, up), x)
		p.EndBlock()
	}
	out.Hidden = x
	if f.end() == i.Layers {
		out.Hidden = p.RMSNorm(x, f.weight("model.norm.weight"), m.eps, 0)
	}
	return out
}

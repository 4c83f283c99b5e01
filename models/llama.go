package models

import (
	"math"
	"slices"

	"prelude/engine"
)

func init() { register(newLlama, "llama", "qwen2", "qwen3", "mistral") }

// llama is the family of Llama (Touvron et al. 2023, arXiv 2302.13971): RMSNorm before
// attention and feed-forward part, rotary positions, grouped-query attention, SwiGLU.
// SmolLM2, TinyLlama and Falcon 3 are it; Qwen2 adds biases to q, k and v, Qwen3 norms of
// the heads of q and k instead, Mistral a sliding window. Granite, SmolLM3 and Phi-3 differ
// by what their files say.
type llama struct {
	decoder
	eps      float64
	act      engine.UnaryFn
	qkNorm   bool
	scale    float64 // of the scores
	embed    float64 // of the embeddings
	residual float64 // of what a part adds to its input
	still    []bool  // by layer: positions don't turn queries and keys (NoPE); nil is none
	qkvBias  bool
	outBias  bool
	ffBias   bool
}

func newLlama(config *Config, specs Specs) (Family, error) {
	c := &fields{Config: config}
	kind := c.ModelType
	i := c.llamaInfo()
	if kind == "qwen3" {
		i.HeadDim = c.upTo(maxHeadDim, "head_dim", 128)
	}
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
	m := c.newLlama(i, specs)
	m.qkNorm, m.qkvBias = kind == "qwen3", kind == "qwen2"
	if kind == "llama" || kind == "qwen3" {
		m.qkvBias = c.flag("attention_bias", false)
		m.outBias = m.qkvBias
	}
	m.ffBias = kind == "llama" && c.flag("mlp_bias", false)
	return m.build(c, c.whole(c.rope(nil, 10000, 1, i.HeadDim), i.HeadDim), false)
}

// llamaInfo reads the sizes by the keys that families like Llama share.
func (f *fields) llamaInfo() engine.ModelInfo {
	i := engine.ModelInfo{Family: f.ModelType, Positions: engine.Rotary,
		Layers: f.upTo(maxLayers, "num_hidden_layers", 0), Hidden: f.size("hidden_size", 0), Heads: f.size("num_attention_heads", 0),
		FF: f.size("intermediate_size", 0), Vocab: f.size("vocab_size", 0), Context: f.size("max_position_embeddings", 2048)}
	i.KVHeads = f.size("num_key_value_heads", i.Heads)
	i.HeadDim = f.upTo(maxHeadDim, "head_dim", max(1, i.Hidden/i.Heads))
	f.divides(&i)
	f.refuse(nil, "final_logit_softcapping", "attn_logit_softcapping")
	return i
}

// newLlama is a Llama of these sizes without biases.
func (f *fields) newLlama(i engine.ModelInfo, specs Specs) *llama {
	return &llama{decoder: newDecoder(i, specs), eps: f.number("rms_norm_eps", 1e-6), act: f.activation("hidden_act", "silu"),
		scale: 1 / math.Sqrt(float64(i.HeadDim)), embed: 1, residual: 1}
}

// build lists the tensors. The head is tied where the configuration says so, else as tied says.
func (m *llama) build(c *fields, r rope, tied bool) (Family, error) {
	m.info.Context = r.within(m.info.Context)
	m.heads(c, "lm_head.weight", "model.embed_tokens.weight", tied)
	if c.err != nil {
		return nil, c.err
	}
	i := m.info
	if slices.Contains(m.still, false) || m.still == nil {
		m.rotary("rope", r)
	}
	m.tensor("model.embed_tokens.weight", i.Vocab, i.Hidden)
	m.tensor("model.norm.weight", i.Hidden)
	for l := range i.Layers {
		at := layer("model.layers.%d.", l)
		m.tensor(at+"input_layernorm.weight", i.Hidden)
		m.tensor(at+"post_attention_layernorm.weight", i.Hidden)
		m.linear(at+"self_attn.q_proj", engine.LinearMap{Role: engine.Query, Layer: l, Out: i.Heads * i.HeadDim}, i.Hidden, m.qkvBias)
		m.linear(at+"self_attn.k_proj", engine.LinearMap{Role: engine.Key, Layer: l, Out: i.KVHeads * i.HeadDim}, i.Hidden, m.qkvBias)
		m.linear(at+"self_attn.v_proj", engine.LinearMap{Role: engine.Value, Layer: l, Out: i.KVHeads * i.HeadDim}, i.Hidden, m.qkvBias)
		m.linear(at+"self_attn.o_proj", engine.LinearMap{Role: engine.AttentionOutput, Layer: l, Out: i.Hidden}, i.Heads*i.HeadDim, m.outBias)
		m.linear(at+"mlp.gate_proj", engine.LinearMap{Role: engine.Gate, Layer: l, Out: i.FF}, i.Hidden, m.ffBias)
		m.linear(at+"mlp.up_proj", engine.LinearMap{Role: engine.Up, Layer: l, Out: i.FF}, i.Hidden, m.ffBias)
		m.linear(at+"mlp.down_proj", engine.LinearMap{Role: engine.Down, Layer: l, Out: i.Hidden}, i.FF, m.ffBias)
		if m.qkNorm {
			m.tensor(at+"self_attn.q_norm.weight", i.HeadDim)
			m.tensor(at+"self_attn.k_norm.weight", i.HeadDim)
		}
	}
	return m, nil
}

// add is x + residual·W·y.
func (m *llama) add(f *pass, name string, y, x engine.Buffer) engine.Buffer {
	if m.residual == 1 {
		return f.linear(name, y, x)
	}
	return f.Add(x, f.Unary(engine.Scale, f.linear(name, y, engine.None), m.residual))
}

// Forward: for each block
//
//	n = norm(x)    x ← x + residual·Wo·attention(rope(Wq n), rope(Wk n), Wv n)
//	n = norm(x)    x ← x + residual·Wdown·(silu(Wgate n) ⊙ Wup n)
func (m *llama) Forward(p *engine.Program, in engine.Input, h engine.Hooks) engine.Output {
	f, i := m.pass(p, in, h), m.info
	var out engine.Output
	x := f.embed("model.embed_tokens.weight", m.embed)
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
		if m.still == nil || !m.still[l] {
			cos, sin := f.weight("rope.cos"), f.weight("rope.sin")
			q = p.RoPE(q, ask.pos, cos, sin, i.HeadDim)
			k = p.RoPE(k, in.Pos, cos, sin, i.HeadDim)
		}
		out.K, out.V = append(out.K, k), append(out.V, v)
		o := f.attend(l, ask, nq, q, k, v, engine.Attention{Scale: m.scale})
		x = m.add(f, at+"self_attn.o_proj", o, f.choose(l, x))
		n = p.RMSNorm(x, f.weight(at+"post_attention_layernorm.weight"), m.eps, 0)
		gate := f.linear(at+"mlp.gate_proj", n, engine.None)
		up := f.linear(at+"mlp.up_proj", n, engine.None)
		x = m.add(f, at+"mlp.down_proj", p.Gated(m.act, gate, up), x)
		p.EndBlock()
	}
	out.Hidden = x
	if f.end() == i.Layers {
		out.Hidden = p.RMSNorm(x, f.weight("model.norm.weight"), m.eps, 0)
	}
	return out
}

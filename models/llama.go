package models

import (
	"fmt"
	"math"

	"prelude/engine"
)

func init() { register(newLlama, "llama", "qwen2", "qwen3", "mistral") }

// llama is the family of Llama (Touvron et al. 2023, arXiv 2302.13971): RMSNorm before
// attention and feed-forward part, rotary positions, grouped-query attention, SwiGLU.
// SmolLM2 and TinyLlama are it; Qwen2 adds biases to q, k and v, Qwen3 norms of the
// heads of q and k instead.
type llama struct {
	info    engine.ModelInfo
	specs   Specs
	eps     float64
	rope    rope
	headOf  string // the head's tensor: the embeddings where tied
	qkNorm  bool
	qkvBias bool
	tables  map[string][]float32
}

func newLlama(c *Config, specs Specs) (Family, error) {
	m := &llama{specs: specs, qkNorm: c.ModelType == "qwen3", qkvBias: c.ModelType == "qwen2"}
	i := &m.info
	i.Family = c.ModelType
	var err error
	read := func(key string, def int) (n int) {
		if err == nil {
			n, err = c.Int(key, def)
		}
		return n
	}
	i.Layers = read("num_hidden_layers", 0)
	i.Hidden = read("hidden_size", 0)
	i.Heads = read("num_attention_heads", 0)
	i.KVHeads = read("num_key_value_heads", i.Heads)
	i.FF = read("intermediate_size", 0)
	i.Vocab = read("vocab_size", 0)
	i.Context = read("max_position_embeddings", 2048)
	if err == nil && (i.Hidden%i.Heads != 0 && !c.Has("head_dim") || i.Heads%i.KVHeads != 0) {
		err = fmt.Errorf("models: config.json: hidden_size %d, %d heads, %d key/value heads do not divide", i.Hidden, i.Heads, i.KVHeads)
	}
	if err != nil {
		return nil, err
	}
	i.HeadDim = read("head_dim", i.Hidden/i.Heads)
	for _, refuse := range []error{
		c.Refuse("hidden_act", "silu"), c.Refuse("mlp_bias", false), c.Refuse("use_sliding_window", false),
		c.Refuse("partial_rotary_factor", 1.0), c.Refuse("final_logit_softcapping"), c.Refuse("attn_logit_softcapping"),
		c.Refuse("pretraining_tp", 1.0), err,
	} {
		if refuse != nil {
			return nil, refuse
		}
	}
	if c.ModelType == "mistral" {
		if err := c.Refuse("sliding_window"); err != nil {
			return nil, err
		}
	}
	if c.ModelType != "qwen2" {
		if m.qkvBias, err = c.Bool("attention_bias", false); err != nil {
			return nil, err
		}
	}
	if m.eps, err = c.Float("rms_norm_eps", 1e-6); err != nil {
		return nil, err
	}
	if m.rope, err = ropeOf(c, nil, 10000, i.HeadDim); err != nil {
		return nil, err
	}
	i.Positions = engine.Rotary
	m.headOf = "lm_head.weight"
	if tied, err := c.Bool("tie_word_embeddings", false); err != nil {
		return nil, err
	} else if _, ok := specs[m.headOf]; tied || !ok {
		m.headOf = "model.embed_tokens.weight"
	}
	i.Linears = map[string]int{}
	for l := range i.Layers {
		for name, out := range map[string]int{"self_attn.q_proj": i.Heads * i.HeadDim, "self_attn.k_proj": i.KVHeads * i.HeadDim,
			"self_attn.v_proj": i.KVHeads * i.HeadDim, "self_attn.o_proj": i.Hidden,
			"mlp.gate_proj": i.FF, "mlp.up_proj": i.FF, "mlp.down_proj": i.Hidden} {
			i.Linears[fmt.Sprintf("model.layers.%d.%s", l, name)] = out
		}
	}
	cos, sin := m.rope.tables(min(i.Context, maxPositions))
	m.tables = map[string][]float32{"rope.cos": cos, "rope.sin": sin}
	for name, t := range m.tables {
		m.specs[name] = engine.Spec{DType: engine.F32, Shape: []int{len(t) * 2 / i.HeadDim, i.HeadDim / 2}}
	}
	return m, nil
}

// maxPositions bounds position tables: longer contexts than this do not fit a
// browser's memory in any case.
const maxPositions = 8192

func (m *llama) Info() engine.ModelInfo          { return m.info }
func (m *llama) Constants() map[string][]float32 { return m.tables }

func (m *llama) Tensors() map[string]engine.Spec {
	i := m.info
	all := map[string]engine.Spec{}
	want := func(name string, shape ...int) {
		all[name] = engine.Spec{DType: m.specs[name].DType, Shape: shape}
	}
	want("model.embed_tokens.weight", i.Vocab, i.Hidden)
	want(m.headOf, i.Vocab, i.Hidden)
	want("model.norm.weight", i.Hidden)
	for l := range i.Layers {
		at := fmt.Sprintf("model.layers.%d.", l)
		want(at+"input_layernorm.weight", i.Hidden)
		want(at+"post_attention_layernorm.weight", i.Hidden)
		want(at+"self_attn.q_proj.weight", i.Heads*i.HeadDim, i.Hidden)
		want(at+"self_attn.k_proj.weight", i.KVHeads*i.HeadDim, i.Hidden)
		want(at+"self_attn.v_proj.weight", i.KVHeads*i.HeadDim, i.Hidden)
		want(at+"self_attn.o_proj.weight", i.Hidden, i.Heads*i.HeadDim)
		want(at+"mlp.gate_proj.weight", i.FF, i.Hidden)
		want(at+"mlp.up_proj.weight", i.FF, i.Hidden)
		want(at+"mlp.down_proj.weight", i.Hidden, i.FF)
		if m.qkvBias {
			want(at+"self_attn.q_proj.bias", i.Heads*i.HeadDim)
			want(at+"self_attn.k_proj.bias", i.KVHeads*i.HeadDim)
			want(at+"self_attn.v_proj.bias", i.KVHeads*i.HeadDim)
		}
		if m.qkNorm {
			want(at+"self_attn.q_norm.weight", i.HeadDim)
			want(at+"self_attn.k_norm.weight", i.HeadDim)
		}
	}
	for name := range m.tables {
		all[name] = m.specs[name]
	}
	return all
}

// Forward: for each block
//
//	n = norm(x)    x ← x + Wo·attention(rope(Wq n), rope(Wk n), Wv n)
//	n = norm(x)    x ← x + Wdown·(silu(Wgate n) ⊙ Wup n)
func (m *llama) Forward(p *engine.Program, in engine.Input, h engine.Hooks) engine.Output {
	f := &pass{Program: p, in: in, hooks: h, info: m.info, specs: m.specs}
	i := m.info
	var out engine.Output
	x := f.embed("model.embed_tokens.weight", 1)
	cos, sin := f.weight("rope.cos"), f.weight("rope.sin")
	for l := in.First; l < f.end(); l++ {
		at := fmt.Sprintf("model.layers.%d.", l)
		p.BeginBlock()
		x = f.block(l, x)
		out.Blocks = append(out.Blocks, x)
		ask := f.rows(l, false)
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
		x = f.linear(at+"mlp.down_proj", p.Gated(engine.SiLU, gate, up), x)
		p.EndBlock()
	}
	out.Hidden = x
	if f.end() == i.Layers {
		out.Hidden = p.RMSNorm(x, f.weight("model.norm.weight"), m.eps, 0)
	}
	return out
}

func (m *llama) Encode(p *engine.Program, _ engine.Input, _ engine.Hooks) engine.Output {
	p.Failf("%s has no encoder", m.info.Family)
	return engine.Output{}
}

func (m *llama) Logits(p *engine.Program, hidden engine.Buffer, h engine.Hooks) engine.Buffer {
	f := &pass{Program: p, hooks: h, info: m.info, specs: m.specs}
	return p.Linear(hidden, f.weight(m.headOf), f.headBias(), engine.None)
}

func (m *llama) Loss(p *engine.Program, hidden, targets, weights engine.Buffer, rest bool, h engine.Hooks) engine.Buffer {
	f := &pass{Program: p, hooks: h, info: m.info, specs: m.specs}
	return p.CrossEntropy(hidden, f.weight(m.headOf), f.headBias(), targets, weights, rest)
}

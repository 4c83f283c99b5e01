package models

import (
	"math"

	"prelude/engine"
)

func init() { register(newOLMo2, "olmo2") }

// olmo2 is OLMo 2 (OLMo Team 2024, arXiv 2501.00656): a Llama with norms of what attention
// and feed-forward part give instead of what they get, and norms of all of q and of k.
type olmo2 struct{ llama }

func newOLMo2(config *Config, specs Specs) (Family, error) {
	c := &fields{Config: config}
	i := c.llamaInfo()
	c.refuse(nil, "sliding_window")
	m := &olmo2{*c.newLlama(i, specs)}
	m.eps = c.number("rms_norm_eps", 1e-5)
	m.qkvBias = c.flag("attention_bias", false)
	m.outBias = m.qkvBias
	if _, err := m.build(c, c.whole(c.rope(nil, 10000, 1, i.HeadDim), i.HeadDim), false); err != nil {
		return nil, err
	}
	for l := range i.Layers {
		at := layer("model.layers.%d.", l)
		delete(m.want, at+"input_layernorm.weight")
		m.tensor(at+"post_feedforward_layernorm.weight", i.Hidden)
		m.tensor(at+"self_attn.q_norm.weight", i.Heads*i.HeadDim)
		m.tensor(at+"self_attn.k_norm.weight", i.KVHeads*i.HeadDim)
	}
	return m, nil
}

// Forward: for each block
//
//	x ← x + norm(Wo·attention(rope(norm(Wq x)), rope(norm(Wk x)), Wv x))
//	x ← x + norm(Wdown·(silu(Wgate x) ⊙ Wup x))
func (m *olmo2) Forward(p *engine.Program, in engine.Input, h engine.Hooks) engine.Output {
	f, i := m.pass(p, in, h), m.info
	norm := func(name string, x engine.Buffer) engine.Buffer {
		return p.RMSNorm(x, f.weight(name+".weight"), m.eps, 0)
	}
	var out engine.Output
	x := f.embed("model.embed_tokens.weight", 1)
	cos, sin := f.weight("rope.cos"), f.weight("rope.sin")
	for l := in.First; l < f.end(); l++ {
		at := layer("model.layers.%d.", l)
		p.BeginBlock()
		x = f.block(l, x)
		out.Blocks = append(out.Blocks, x)
		ask, xq := f.rows(l), f.choose(l, x)
		q := norm(at+"self_attn.q_norm", f.linear(at+"self_attn.q_proj", xq, engine.None))
		k := norm(at+"self_attn.k_norm", f.linear(at+"self_attn.k_proj", x, engine.None))
		v := f.linear(at+"self_attn.v_proj", x, engine.None)
		q = p.RoPE(q, ask.pos, cos, sin, i.HeadDim)
		k = p.RoPE(k, in.Pos, cos, sin, i.HeadDim)
		out.K, out.V = append(out.K, k), append(out.V, v)
		o := f.attend(l, ask, xq, q, k, v, engine.Attention{Scale: 1 / math.Sqrt(float64(i.HeadDim))})
		x = p.Add(xq, norm(at+"post_attention_layernorm", f.linear(at+"self_attn.o_proj", o, engine.None)))
		gate := f.linear(at+"mlp.gate_proj", x, engine.None)
		up := f.linear(at+"mlp.up_proj", x, engine.None)
		y := f.linear(at+"mlp.down_proj", p.Gated(m.act, gate, up), engine.None)
		x = p.Add(x, norm(at+"post_feedforward_layernorm", y))
		p.EndBlock()
	}
	out.Hidden = x
	if f.end() == i.Layers {
		out.Hidden = norm("model.norm", x)
	}
	return out
}

package models

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"prelude/engine"
	"prelude/models/weights"
)

func init() {
	register(newLFM2, "lfm2")
	checkpoints["lfm2"] = lfm2Views
	ggufFamilies["lfm2"] = ggufFamily{modelType: "lfm2", refuse: []string{"expert_count", "attn_logit_softcapping", "final_logit_softcapping", "attention.sliding_window"},
		imply: ggufLFM2, views: lfm2Views, lists: []string{"attention.head_count_kv"},
		keys: with(ggufKeys, "shortconv.l_cache", "conv_L_cache", "attention.layer_norm_rms_epsilon", "norm_eps"),
		names: with(ggufDecoder, "token_embd_norm.weight", "model.embedding_norm.weight", "output_norm.weight", "model.embedding_norm.weight",
			"blk.%d.attn_norm.weight", "model.layers.%d.operator_norm.weight", "blk.%d.ffn_norm.weight", "model.layers.%d.ffn_norm.weight",
			"blk.%d.attn_output.weight", "model.layers.%d.self_attn.out_proj.weight",
			"blk.%d.attn_q_norm.weight", "model.layers.%d.self_attn.q_layernorm.weight", "blk.%d.attn_k_norm.weight", "model.layers.%d.self_attn.k_layernorm.weight",
			"blk.%d.ffn_gate.weight", "model.layers.%d.feed_forward.w1.weight", "blk.%d.ffn_up.weight", "model.layers.%d.feed_forward.w3.weight",
			"blk.%d.ffn_down.weight", "model.layers.%d.feed_forward.w2.weight", "blk.%d.shortconv.conv.weight", "model.layers.%d.conv.conv.weight",
			"blk.%d.shortconv.in_proj.weight", "model.layers.%d.conv.in_proj.weight", "blk.%d.shortconv.out_proj.weight", "model.layers.%d.conv.out_proj.weight")}
}

// lfm2 is LFM2 (Liquid AI 2025, arXiv 2511.23404): most layers have a gated short convolution,
// the others an attention with grouped queries and norms of the heads of q and k.
type lfm2 struct {
	decoder
	eps float64
}

// maxTaps bounds the rows that a convolution sees.
const maxTaps = 64

func newLFM2(config *Config, specs Specs) (Family, error) {
	c := &fields{Config: config}
	i := c.llamaInfo()
	if c.Has("block_ff_dim") {
		i.FF = c.size("block_ff_dim", 0)
	}
	if c.flag("block_auto_adjust_ff_dim", true) {
		multiple := c.size("block_multiple_of", 256)
		i.FF = int(c.number("block_ffn_dim_multiplier", 1) * float64(2*i.FF/3))
		i.FF = multiple * ((i.FF + multiple - 1) / multiple)
	}
	c.refuse(false, "conv_bias")
	c.refuse(nil, "sliding_window")
	i.Convolves, i.Taps = c.convolves(i.Layers), c.upTo(maxTaps, "conv_L_cache", 3)
	if !slices.Contains(i.Convolves, true) {
		i.Convolves, i.Taps = nil, 0
	}
	m := &lfm2{decoder: newDecoder(i, specs), eps: c.number("norm_eps", 1e-5)}
	r := c.whole(c.rope(nil, 1e6, 1, i.HeadDim), i.HeadDim)
	m.info.Context = r.within(m.info.Context)
	if c.Has("tie_embedding") {
		c.Config = c.with("tie_word_embeddings", c.flag("tie_embedding", true))
	}
	m.heads(c, "lm_head.weight", "model.embed_tokens.weight", true)
	if c.err != nil {
		return nil, c.err
	}
	if len(i.Attending()) > 0 {
		m.rotary("rope", r)
	}
	m.tensor("model.embed_tokens.weight", i.Vocab, i.Hidden)
	m.tensor("model.embedding_norm.weight", i.Hidden)
	for l := range i.Layers {
		at := layer("model.layers.%d.", l)
		m.tensor(at+"operator_norm.weight", i.Hidden)
		m.tensor(at+"ffn_norm.weight", i.Hidden)
		if i.Attends(l) {
			m.linear(at+"self_attn.q_proj", engine.LinearMap{Role: engine.Query, Layer: l, Out: i.Heads * i.HeadDim}, i.Hidden, false)
			m.linear(at+"self_attn.k_proj", engine.LinearMap{Role: engine.Key, Layer: l, Out: i.KVHeads * i.HeadDim}, i.Hidden, false)
			m.linear(at+"self_attn.v_proj", engine.LinearMap{Role: engine.Value, Layer: l, Out: i.KVHeads * i.HeadDim}, i.Hidden, false)
			m.linear(at+"self_attn.out_proj", engine.LinearMap{Role: engine.AttentionOutput, Layer: l, Out: i.Hidden}, i.Heads*i.HeadDim, false)
			m.tensor(at+"self_attn.q_layernorm.weight", i.HeadDim)
			m.tensor(at+"self_attn.k_layernorm.weight", i.HeadDim)
		} else {
			for part, role := range []engine.Role{engine.ConvGate, engine.ConvOutputGate, engine.ConvInput} {
				m.linear(at+lfm2Parts[part], engine.LinearMap{Role: role, Layer: l, Out: i.Hidden}, i.Hidden, false)
			}
			m.linear(at+"conv.out_proj", engine.LinearMap{Role: engine.ConvOutput, Layer: l, Out: i.Hidden}, i.Hidden, false)
			m.want[at+"conv.conv.weight"] = engine.Spec{DType: engine.F32, Shape: []int{i.Taps, i.Hidden}}
		}
		m.linear(at+"feed_forward.w1", engine.LinearMap{Role: engine.Gate, Layer: l, Out: i.FF}, i.Hidden, false)
		m.linear(at+"feed_forward.w3", engine.LinearMap{Role: engine.Up, Layer: l, Out: i.FF}, i.Hidden, false)
		m.linear(at+"feed_forward.w2", engine.LinearMap{Role: engine.Down, Layer: l, Out: i.Hidden}, i.FF, false)
	}
	return m, nil
}

// convolves reads which layers have a convolution.
func (f *fields) convolves(layers int) []bool {
	all := make([]bool, layers)
	if types, ok := f.keys["layer_types"].([]any); ok {
		if len(types) != layers {
			f.fail(fmt.Errorf("models: %s has %d entries for %d layers", f.at("layer_types"), len(types), layers))
			return all
		}
		for l, t := range types {
			if all[l] = t == "conv"; !all[l] && t != "full_attention" {
				f.fail(fmt.Errorf("models: %s: layer type %q is not supported for model_type %q; supported are conv, full_attention", f.at("layer_types"), t, f.ModelType))
			}
		}
		return all
	}
	if f.Has("layer_types") {
		f.fail(fmt.Errorf("models: %s is %v, want a list of texts", f.at("layer_types"), f.keys["layer_types"]))
	}
	if !f.Has("full_attn_idxs") {
		return all
	}
	for l := range all {
		all[l] = true
	}
	for _, n := range f.numbers("full_attn_idxs") {
		if n < 0 || n >= float64(layers) || n != math.Trunc(n) {
			f.fail(fmt.Errorf("models: %s names layer %g of %d", f.at("full_attn_idxs"), n, layers))
			return all
		}
		all[int(n)] = false
	}
	return all
}

// lfm2Parts are the maps that files have as one, conv.in_proj.
var lfm2Parts = []string{"conv.gate_proj", "conv.output_gate_proj", "conv.input_proj"}

// lfm2Views cuts the fused maps, and turns the convolutions [hidden, 1, taps], whose last tap is
// a row's own, into [taps, hidden], whose first one is.
func lfm2Views(_ *Config, views map[string]weights.View) (map[string]weights.View, error) {
	out := map[string]weights.View{}
	for name, v := range views {
		if strings.HasSuffix(name, ".conv.conv.weight") {
			v = v.Squeeze().Transpose()
			var taps []weights.View
			for tap := v.Spec().Rows() - 1; tap >= 0 && v.Err() == nil; tap-- {
				taps = append(taps, v.Rows(tap, tap+1))
			}
			if len(taps) > 0 {
				v = weights.Concat(taps...)
			}
		}
		out[name] = v
	}
	parts := make([]string, len(lfm2Parts))
	for n, p := range lfm2Parts {
		parts[n] = "." + p + "."
	}
	return cutRows(out, ".conv.in_proj.", parts, thirds)
}

// ggufLFM2: a layer without heads of keys has a convolution; the feed-forward part is as wide as
// the file says.
func ggufLFM2(m ggufMeta, keys map[string]any) {
	keys["block_auto_adjust_ff_dim"] = false
	heads, ok := m.Ints(m.arch + ".attention.head_count_kv")
	if !ok {
		return
	}
	types := make([]any, len(heads))
	for l, n := range heads {
		if types[l] = "conv"; n > 0 {
			types[l], keys["num_key_value_heads"] = "full_attention", float64(n)
		}
	}
	keys["layer_types"] = types
}

// Forward: for each block
//
//	n = norm(x)    x ← x + Wo·attention(rope(norm(Wq n)), rope(norm(Wk n)), Wv n)
//	         or    x ← x + Wo·(Wc n ⊙ conv(Wb n ⊙ Wx n))
//	n = norm(x)    x ← x + W2·(silu(W1 n) ⊙ W3 n)
func (m *lfm2) Forward(p *engine.Program, in engine.Input, h engine.Hooks) engine.Output {
	f, i := m.pass(p, in, h), m.info
	norm := func(name string, x engine.Buffer) engine.Buffer {
		return p.RMSNorm(x, f.weight(name+".weight"), m.eps, 0)
	}
	var out engine.Output
	x := f.embed("model.embed_tokens.weight", 1)
	for l := in.First; l < f.end(); l++ {
		at := layer("model.layers.%d.", l)
		p.BeginBlock()
		x = f.block(l, x)
		out.Blocks = append(out.Blocks, x)
		n := norm(at+"operator_norm", x)
		var k, v engine.Buffer
		if i.Attends(l) {
			ask, nq := f.rows(l), f.choose(l, n)
			cos, sin := f.weight("rope.cos"), f.weight("rope.sin")
			q := norm(at+"self_attn.q_layernorm", f.linear(at+"self_attn.q_proj", nq, engine.None))
			k = norm(at+"self_attn.k_layernorm", f.linear(at+"self_attn.k_proj", n, engine.None))
			v = f.linear(at+"self_attn.v_proj", n, engine.None)
			q, k = p.RoPE(q, ask.pos, cos, sin, i.HeadDim), p.RoPE(k, in.Pos, cos, sin, i.HeadDim)
			o := f.attend(l, ask, nq, q, k, v, engine.Attention{Scale: 1 / math.Sqrt(float64(i.HeadDim))})
			x = f.linear(at+"self_attn.out_proj", o, f.choose(l, x))
		} else {
			gate, output, input := f.linear(at+lfm2Parts[0], n, engine.None), f.linear(at+lfm2Parts[1], n, engine.None), f.linear(at+lfm2Parts[2], n, engine.None)
			k = p.Mul(gate, input)
			y := p.Mul(output, f.convolve(l, n, k, f.weight(at+"conv.conv.weight")))
			x = f.linear(at+"conv.out_proj", f.choose(l, y), f.choose(l, x))
		}
		out.K, out.V = append(out.K, k), append(out.V, v)
		n = norm(at+"ffn_norm", x)
		gate := f.linear(at+"feed_forward.w1", n, engine.None)
		up := f.linear(at+"feed_forward.w3", n, engine.None)
		x = f.linear(at+"feed_forward.w2", p.Gated(engine.SiLU, gate, up), x)
		p.EndBlock()
	}
	out.Hidden = x
	if f.end() == i.Layers {
		out.Hidden = norm("model.embedding_norm", x)
	}
	return out
}

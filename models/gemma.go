package models

import (
	"fmt"
	"math"
	"strings"

	"prelude/engine"
	"prelude/models/weights"
)

func init() {
	register(newGemma, "gemma3", "gemma3_text")
	checkpoints["gemma3"] = gemmaViews
}

// gemma is Gemma 3 (Gemma Team 2025, arXiv 2503.19786), the text model: a Llama whose
// embeddings are scaled by √hidden, with norms after attention and feed-forward part
// as well as before, norms of the heads of q and k, gains stored minus 1, and two
// kinds of layers: most see a sliding window, the others everything, each kind with a
// rotation of its own. Gemma 2 is read in gemma2.go.
type gemma struct {
	decoder
	eps, plus, scale float64
	scoreCap         float64 // soft cap of the scores, 0 if none
	qkNorm, bias     bool    // norms of the heads of q and k; biases of the maps of attention
	act              engine.UnaryFn
}

func newGemma(config *Config, specs Specs) (Family, error) {
	c := &fields{Config: config}
	if config.ModelType == "gemma3" && config.Has("text_config") {
		inner, err := config.Map("text_config")
		if err != nil {
			return nil, err
		}
		c.Config = &Config{ModelType: "gemma3", keys: inner}
	}
	i := c.gemmaInfo("gemma3", 262208, 131072)
	c.refuse(nil, "final_logit_softcapping", "attn_logit_softcapping")
	every := c.size("sliding_window_pattern", c.size("_sliding_window_pattern", 6))
	c.window(&i, c.layerTypes(i.Layers, func(l int) bool { return (l+1)%every != 0 }), 4096)
	m := c.newGemma(i, specs)
	m.qkNorm = true
	full, sliding := c.gemmaRopes(i.HeadDim)
	if err := m.build(c); err != nil {
		return nil, err
	}
	m.rotary("rope", full)
	if i.Window > 0 {
		m.rotary("rope.local", sliding)
	}
	return m, nil
}

// gemmaInfo reads the sizes.
func (f *fields) gemmaInfo(family string, vocab, context int) engine.ModelInfo {
	i := engine.ModelInfo{Family: family, Positions: engine.Rotary,
		Layers: f.upTo(maxLayers, "num_hidden_layers", 26), Hidden: f.size("hidden_size", 2304), Heads: f.size("num_attention_heads", 8),
		KVHeads: f.size("num_key_value_heads", 4), HeadDim: f.upTo(maxHeadDim, "head_dim", 256), FF: f.size("intermediate_size", 9216),
		Vocab: f.size("vocab_size", vocab), Context: f.size("max_position_embeddings", context)}
	if i.Heads%i.KVHeads != 0 {
		f.fail(fmt.Errorf("models: %s: %d heads are no multiple of %d key/value heads", f.file(), i.Heads, i.KVHeads))
	}
	f.refuse(false, "use_bidirectional_attention")
	return i
}

// newGemma is a Gemma of these sizes, without norms of heads and without caps.
func (f *fields) newGemma(i engine.ModelInfo, specs Specs) *gemma {
	return &gemma{decoder: newDecoder(i, specs), eps: f.number("rms_norm_eps", 1e-6), act: f.activation("hidden_activation", "gelu_pytorch_tanh"),
		plus: f.number(gainPlus, 1), scale: 1 / math.Sqrt(f.number("query_pre_attn_scalar", 256)), bias: f.flag("attention_bias", false)}
}

// build lists the tensors.
func (m *gemma) build(c *fields) error {
	m.heads(c, "lm_head.weight", "model.embed_tokens.weight", true)
	if c.err != nil {
		return c.err
	}
	i, bias := m.info, m.bias
	m.tensor("model.embed_tokens.weight", i.Vocab, i.Hidden)
	m.tensor("model.norm.weight", i.Hidden)
	for l := range i.Layers {
		at := layer("model.layers.%d.", l)
		for _, norm := range []string{"input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm"} {
			m.tensor(at+norm+".weight", i.Hidden)
		}
		if m.qkNorm {
			m.tensor(at+"self_attn.q_norm.weight", i.HeadDim)
			m.tensor(at+"self_attn.k_norm.weight", i.HeadDim)
		}
		m.linear(at+"self_attn.q_proj", engine.LinearMap{Role: engine.Query, Layer: l, Out: i.Heads * i.HeadDim}, i.Hidden, bias)
		m.linear(at+"self_attn.k_proj", engine.LinearMap{Role: engine.Key, Layer: l, Out: i.KVHeads * i.HeadDim}, i.Hidden, bias)
		m.linear(at+"self_attn.v_proj", engine.LinearMap{Role: engine.Value, Layer: l, Out: i.KVHeads * i.HeadDim}, i.Hidden, bias)
		m.linear(at+"self_attn.o_proj", engine.LinearMap{Role: engine.AttentionOutput, Layer: l, Out: i.Hidden}, i.Heads*i.HeadDim, bias)
		m.linear(at+"mlp.gate_proj", engine.LinearMap{Role: engine.Gate, Layer: l, Out: i.FF}, i.Hidden, false)
		m.linear(at+"mlp.up_proj", engine.LinearMap{Role: engine.Up, Layer: l, Out: i.FF}, i.Hidden, false)
		m.linear(at+"mlp.down_proj", engine.LinearMap{Role: engine.Down, Layer: l, Out: i.Hidden}, i.FF, false)
	}
	return nil
}

// gainPlus is the key of our own that says what to add to the gains: 1 as in
// checkpoints, 0 in GGUF files, which store the sum.
const gainPlus = "prelude_gain_plus"

// gemmaRopes reads the rotations of layers that see everything and of local ones:
// nested by layer type in rope_parameters, or rope_theta with rope_scaling, which is
// for the former only, and rope_local_base_freq.
func (f *fields) gemmaRopes(headDim int) (full, sliding rope) {
	nested, err := f.Map("rope_parameters")
	f.fail(err)
	by := func(kind string) map[string]any {
		m, err := (&Config{ModelType: f.ModelType, keys: nested}).Map(kind)
		f.fail(err)
		return m
	}
	for key := range nested {
		if key != "full_attention" && key != "sliding_attention" {
			f.fail(fmt.Errorf("models: %s has %q, want one object for full_attention and one for sliding_attention", f.at("rope_parameters"), key))
		}
	}
	params := by("full_attention")
	if params == nil {
		if params, err = f.Map("rope_scaling"); params == nil {
			params = map[string]any{}
		}
		f.fail(err)
	}
	full = f.whole(f.rope(params, 1e6, 1, headDim), headDim)
	if params = by("sliding_attention"); params == nil {
		params = map[string]any{}
	}
	// rope_theta is the full layers' alone.
	local := fields{Config: &Config{ModelType: f.ModelType, keys: map[string]any{}}}
	sliding = local.whole(local.rope(params, f.number("rope_local_base_freq", 10000), 1, headDim), headDim)
	f.fail(local.err)
	return full, sliding
}

// gemmaViews finds the text model in a checkpoint that sees pictures too.
func gemmaViews(_ *Config, views map[string]weights.View) (map[string]weights.View, error) {
	out := map[string]weights.View{}
	for name, v := range views {
		for _, prefix := range []string{"language_model.model.", "model.language_model."} {
			if rest, ok := strings.CutPrefix(name, prefix); ok {
				name = "model." + rest
			}
		}
		out[strings.TrimPrefix(name, "language_model.")] = v
	}
	return out, nil
}

// Forward: x = √hidden·embeddings, then for each block
//
//	n = norm(x)    x ← x + norm(Wo·attention(rope(norm(Wq n)), rope(norm(Wk n)), Wv n))
//	n = norm(x)    x ← x + norm(Wdown·(gelu(Wgate n) ⊙ Wup n))
func (m *gemma) Forward(p *engine.Program, in engine.Input, h engine.Hooks) engine.Output {
	f, i := m.pass(p, in, h), m.info
	norm := func(name string, x engine.Buffer) engine.Buffer {
		return p.RMSNorm(x, f.weight(name+".weight"), m.eps, m.plus)
	}
	var out engine.Output
	x := f.embed("model.embed_tokens.weight", math.Sqrt(float64(i.Hidden)))
	for l := in.First; l < f.end(); l++ {
		at := layer("model.layers.%d.", l)
		p.BeginBlock()
		x = f.block(l, x)
		out.Blocks = append(out.Blocks, x)
		ask, tables := f.rows(l), "rope"
		if m.want["rope.local.cos"].Shape != nil && i.Local[l] {
			tables = "rope.local"
		}
		cos, sin := f.weight(tables+".cos"), f.weight(tables+".sin")
		n := norm(at+"input_layernorm", x)
		nq := f.choose(l, n)
		q := f.linear(at+"self_attn.q_proj", nq, engine.None)
		k := f.linear(at+"self_attn.k_proj", n, engine.None)
		if m.qkNorm {
			q, k = norm(at+"self_attn.q_norm", q), norm(at+"self_attn.k_norm", k)
		}
		v := f.linear(at+"self_attn.v_proj", n, engine.None)
		q = p.RoPE(q, ask.pos, cos, sin, i.HeadDim)
		k = p.RoPE(k, in.Pos, cos, sin, i.HeadDim)
		out.K, out.V = append(out.K, k), append(out.V, v)
		o := f.attend(l, ask, nq, q, k, v, engine.Attention{Scale: m.scale, Cap: m.scoreCap})
		o = norm(at+"post_attention_layernorm", f.linear(at+"self_attn.o_proj", o, engine.None))
		x = p.Add(f.choose(l, x), o)
		n = norm(at+"pre_feedforward_layernorm", x)
		gate := f.linear(at+"mlp.gate_proj", n, engine.None)
		up := f.linear(at+"mlp.up_proj", n, engine.None)
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

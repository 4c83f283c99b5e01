package models

import (
	"math"
	"strings"

	"prelude/engine"
	"prelude/models/weights"
)

func init() {
	register(newOPT, "opt")
	checkpoints["opt"] = optViews
}

// opt is OPT (Zhang et al. 2022, arXiv 2205.01068): LayerNorm before attention and
// feed-forward part, learned positions, biases everywhere, ReLU, a tied head. OPT-350M,
// which has its norms behind and embeddings of another width, is refused.
type opt struct {
	decoder
	act engine.UnaryFn
}

// optEps is PyTorch's own of a LayerNorm.
const optEps = 1e-5

func newOPT(config *Config, specs Specs) (Family, error) {
	c := &fields{Config: config}
	i := engine.ModelInfo{Family: "opt", Positions: engine.Learned,
		Layers: c.upTo(maxLayers, "num_hidden_layers", 0), Hidden: c.size("hidden_size", 0), Heads: c.size("num_attention_heads", 0),
		FF: c.size("ffn_dim", 0), Vocab: c.size("vocab_size", 0), Context: c.size("max_position_embeddings", 2048)}
	i.KVHeads, i.HeadDim = i.Heads, i.Hidden/i.Heads
	c.divides(&i)
	c.refuse(true, "do_layer_norm_before", "layer_norm_elementwise_affine")
	c.refuse(false, "_remove_final_layer_norm")
	c.refuse(float64(i.Hidden), "word_embed_proj_dim")
	m := &opt{decoder: newDecoder(i, specs), act: c.activation("activation_function", "relu")}
	bias := c.flag("enable_bias", true)
	m.heads(c, "lm_head.weight", "model.decoder.embed_tokens.weight", true)
	if c.err != nil {
		return nil, c.err
	}
	m.tensor("model.decoder.embed_tokens.weight", i.Vocab, i.Hidden)
	m.tensor("model.decoder.embed_positions.weight", i.Context, i.Hidden)
	m.layerNorm("model.decoder.final_layer_norm", i.Hidden)
	for l := range i.Layers {
		at := layer("model.decoder.layers.%d.", l)
		m.layerNorm(at+"self_attn_layer_norm", i.Hidden)
		m.layerNorm(at+"final_layer_norm", i.Hidden)
		m.linear(at+"self_attn.q_proj", engine.LinearMap{Role: engine.Query, Layer: l, Out: i.Hidden}, i.Hidden, bias)
		m.linear(at+"self_attn.k_proj", engine.LinearMap{Role: engine.Key, Layer: l, Out: i.Hidden}, i.Hidden, bias)
		m.linear(at+"self_attn.v_proj", engine.LinearMap{Role: engine.Value, Layer: l, Out: i.Hidden}, i.Hidden, bias)
		m.linear(at+"self_attn.out_proj", engine.LinearMap{Role: engine.AttentionOutput, Layer: l, Out: i.Hidden}, i.Hidden, bias)
		m.linear(at+"fc1", engine.LinearMap{Role: engine.Up, Layer: l, Out: i.FF}, i.Hidden, bias)
		m.linear(at+"fc2", engine.LinearMap{Role: engine.Down, Layer: l, Out: i.Hidden}, i.FF, bias)
	}
	return m, nil
}

// optViews finds the tensors of a bare model, and leaves out the first two rows of the
// positions, which no token has.
func optViews(_ *Config, views map[string]weights.View) (map[string]weights.View, error) {
	const positions = "model.decoder.embed_positions.weight"
	out := map[string]weights.View{}
	for name, v := range views {
		if strings.HasPrefix(name, "decoder.") {
			name = "model." + name
		}
		out[name] = v
	}
	if v, ok := out[positions]; ok && v.Err() == nil && len(v.Spec().Shape) == 2 {
		out[positions] = v.Rows(min(2, v.Spec().Shape[0]), v.Spec().Shape[0])
	}
	return out, nil
}

// Forward: x = embeddings + positions, then for each block
//
//	n = norm(x)    x ← x + Wo·attention(Wq n, Wk n, Wv n)
//	n = norm(x)    x ← x + W₂·relu(W₁ n)
func (m *opt) Forward(p *engine.Program, in engine.Input, h engine.Hooks) engine.Output {
	f, i := m.pass(p, in, h), m.info
	var out engine.Output
	x := f.embed("model.decoder.embed_tokens.weight", 1)
	if in.First == 0 {
		x = p.Add(x, p.Embed(in.Pos, f.weight("model.decoder.embed_positions.weight"), 1))
	}
	for l := in.First; l < f.end(); l++ {
		at := layer("model.decoder.layers.%d.", l)
		p.BeginBlock()
		x = f.block(l, x)
		out.Blocks = append(out.Blocks, x)
		n := f.layerNorm(at+"self_attn_layer_norm", x, optEps)
		nq := f.choose(l, n)
		q := f.linear(at+"self_attn.q_proj", nq, engine.None)
		k := f.linear(at+"self_attn.k_proj", n, engine.None)
		v := f.linear(at+"self_attn.v_proj", n, engine.None)
		out.K, out.V = append(out.K, k), append(out.V, v)
		o := f.attend(l, f.rows(l), nq, q, k, v, engine.Attention{Scale: 1 / math.Sqrt(float64(i.HeadDim))})
		x = f.linear(at+"self_attn.out_proj", o, f.choose(l, x))
		n = f.layerNorm(at+"final_layer_norm", x, optEps)
		x = f.linear(at+"fc2", p.Unary(m.act, f.linear(at+"fc1", n, engine.None), 0), x)
		p.EndBlock()
	}
	out.Hidden = x
	if f.end() == i.Layers {
		out.Hidden = f.layerNorm("model.decoder.final_layer_norm", x, optEps)
	}
	return out
}

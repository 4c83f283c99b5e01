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

var optNames = learnedNames{embeddings: "model.decoder.embed_tokens.weight", positions: "model.decoder.embed_positions.weight", last: "model.decoder.final_layer_norm",
	block: "model.decoder.layers.%d.", attentionNorm: "self_attn_layer_norm", forwardNorm: "final_layer_norm",
	in: "model.decoder.project_in", out: "model.decoder.project_out",
	query: "self_attn.q_proj", key: "self_attn.k_proj", value: "self_attn.v_proj", output: "self_attn.out_proj", up: "fc1", down: "fc2"}

// optEps is PyTorch's own of a LayerNorm.
const optEps = 1e-5

// newOPT reads OPT (Zhang et al. 2022, arXiv 2205.01068): LayerNorm before attention and
// feed-forward part, learned positions, biases everywhere, ReLU, a tied head. OPT-350M has
// its norms behind and embeddings of another width.
func newOPT(config *Config, specs Specs) (Family, error) {
	c := &fields{Config: config}
	i := engine.ModelInfo{Family: "opt", Positions: engine.Learned,
		Layers: c.upTo(maxLayers, "num_hidden_layers", 0), Hidden: c.size("hidden_size", 0), Heads: c.size("num_attention_heads", 0),
		FF: c.size("ffn_dim", 0), Vocab: c.size("vocab_size", 0), Context: c.size("max_position_embeddings", 2048)}
	i.KVHeads, i.HeadDim = i.Heads, i.Hidden/i.Heads
	c.divides(&i)
	c.refuse(true, "layer_norm_elementwise_affine")
	c.refuse(false, "_remove_final_layer_norm")
	names, width := optNames, c.size("word_embed_proj_dim", i.Hidden)
	if width == i.Hidden {
		names.in, names.out = "", ""
	} else {
		i.Embeddings = width
	}
	m := &learned{decoder: newDecoder(i, specs), eps: optEps, act: c.activation("activation_function", "relu"), names: names,
		scale: func(int) float64 { return 1 / math.Sqrt(float64(i.HeadDim)) }, after: !c.flag("do_layer_norm_before", true)}
	bias := c.flag("enable_bias", true)
	m.heads(c, "lm_head.weight", names.embeddings, true)
	m.tensor(m.head, i.Vocab, width)
	if c.err != nil {
		return nil, c.err
	}
	m.declare(bias, bias)
	return m, nil
}

// optViews finds the tensors of a bare model, and leaves out the first two rows of the
// positions, which no token has.
func optViews(_ *Config, views map[string]weights.View) (map[string]weights.View, error) {
	out := map[string]weights.View{}
	for name, v := range views {
		if strings.HasPrefix(name, "decoder.") {
			name = "model." + name
		}
		out[name] = v
	}
	if v, ok := out[optNames.positions]; ok && v.Err() == nil && len(v.Spec().Shape) == 2 {
		out[optNames.positions] = v.Rows(min(2, v.Spec().Shape[0]), v.Spec().Shape[0])
	}
	return out, nil
}

package models

import (
	"fmt"
	"math"
	"strings"

	"prelude/engine"
	"prelude/models/weights"
)

func init() {
	register(newGPT2, "gpt2")
	checkpoints["gpt2"] = gpt2Views
}

// gpt2Names are the checkpoint's, after gpt2Views.
var gpt2Names = learnedNames{embeddings: "transformer.wte.weight", positions: "transformer.wpe.weight", last: "transformer.ln_f", block: "transformer.h.%d.",
	attentionNorm: "ln_1", forwardNorm: "ln_2", query: "attn.q", key: "attn.k", value: "attn.v", output: "attn.c_proj", up: "mlp.c_fc", down: "mlp.c_proj"}

// newGPT2 reads the family of GPT-2 (Radford et al. 2019): LayerNorm before attention and
// feed-forward part, learned positions added to the embeddings, biases everywhere, a
// tied head. DistilGPT-2 is it with half the blocks.
func newGPT2(config *Config, specs Specs) (Family, error) {
	c := &fields{Config: config}
	i := engine.ModelInfo{Family: "gpt2", Positions: engine.Learned,
		Layers: c.upTo(maxLayers, "n_layer", 0), Hidden: c.size("n_embd", 0), Heads: c.size("n_head", 0),
		Vocab: c.size("vocab_size", 0), Context: c.size("n_positions", 1024)}
	i.KVHeads, i.HeadDim, i.FF = i.Heads, i.Hidden/i.Heads, c.size("n_inner", 4*i.Hidden)
	c.divides(&i)
	c.refuse(false, "add_cross_attention")
	scaled, byLayer := c.flag("scale_attn_weights", true), c.flag("scale_attn_by_inverse_layer_idx", false)
	m := &learned{decoder: newDecoder(i, specs), eps: c.number("layer_norm_epsilon", 1e-5), act: c.activation("activation_function", "gelu_new"), names: gpt2Names}
	m.scale = func(layer int) float64 {
		s := 1.0
		if scaled {
			s = 1 / math.Sqrt(float64(i.HeadDim))
		}
		if byLayer {
			s /= float64(layer + 1)
		}
		return s
	}
	m.heads(c, "lm_head.weight", gpt2Names.embeddings, true)
	if c.err != nil {
		return nil, c.err
	}
	m.declare(true, true)
	return m, nil
}

// gpt2Views turns linear maps from [in, out] to [out, in], and cuts the fused map c_attn
// into q, k and v.
func gpt2Views(_ *Config, views map[string]weights.View) (map[string]weights.View, error) {
	out := map[string]weights.View{}
	for name, v := range views {
		for _, linear := range []string{".c_attn.weight", ".c_proj.weight", ".c_fc.weight"} {
			if strings.HasSuffix(name, linear) {
				v = v.Transpose()
			}
		}
		out[name] = v
	}
	return cutRows(out, ".c_attn.", gpt2Parts, thirds)
}

// gpt2Parts are the names of what c_attn holds.
var gpt2Parts = []string{".q.", ".k.", ".v."}

// thirds are the shares of queries, keys and values of as many heads.
var thirds = []int{1, 1, 1}

// cutRows cuts each tensor whose name has fused in it into parts, one below the other, of
// these shares of its rows.
func cutRows(views map[string]weights.View, fused string, parts []string, shares []int) (map[string]weights.View, error) {
	whole, from := 0, make([]int, len(shares)+1)
	for k, share := range shares {
		whole += share
		from[k+1] = whole
	}
	return split(views, fused, parts, whole, func(v weights.View, part int) weights.View {
		n := v.Spec().Shape[0] / whole
		return v.Rows(from[part]*n, from[part+1]*n)
	})
}

// split cuts each tensor whose name has fused in it into parts; its rows are a multiple of unit.
func split(views map[string]weights.View, fused string, parts []string, unit int, cut func(v weights.View, part int) weights.View) (map[string]weights.View, error) {
	out := map[string]weights.View{}
	for name, v := range views {
		if !strings.Contains(name, fused) {
			out[name] = v
			continue
		}
		if err := v.Err(); err != nil {
			return nil, err
		}
		if s := v.Spec().Shape; len(s) == 0 || unit <= 0 || s[0]%unit != 0 {
			return nil, fmt.Errorf("models: tensor %q has shape %v, which does not divide into %d parts", name, s, unit)
		}
		for k, part := range parts {
			out[strings.Replace(name, fused, part, 1)] = cut(v, k)
		}
	}
	return out, nil
}

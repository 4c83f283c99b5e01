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

// gpt2 is the family of GPT-2 (Radford et al. 2019): LayerNorm before attention and
// feed-forward part, learned positions added to the embeddings, biases everywhere, a
// tied head. DistilGPT-2 is it with half the blocks.
type gpt2 struct {
	decoder
	eps    float64
	act    engine.UnaryFn
	scaled bool // scores by 1/√headDim
	byL    bool // and by 1/(layer+1)
}

func newGPT2(config *Config, specs Specs) (Family, error) {
	c := &fields{Config: config}
	i := engine.ModelInfo{Family: "gpt2", Positions: engine.Learned,
		Layers: c.upTo(maxLayers, "n_layer", 0), Hidden: c.size("n_embd", 0), Heads: c.size("n_head", 0),
		Vocab: c.size("vocab_size", 0), Context: c.size("n_positions", 1024)}
	i.KVHeads, i.HeadDim, i.FF = i.Heads, i.Hidden/i.Heads, c.size("n_inner", 4*i.Hidden)
	c.divides(&i)
	c.refuse(false, "add_cross_attention")
	m := &gpt2{decoder: newDecoder(i, specs), eps: c.number("layer_norm_epsilon", 1e-5), act: c.activation("activation_function", "gelu_new"),
		scaled: c.flag("scale_attn_weights", true), byL: c.flag("scale_attn_by_inverse_layer_idx", false)}
	m.heads(c, "lm_head.weight", "transformer.wte.weight", true)
	if c.err != nil {
		return nil, c.err
	}
	m.tensor("transformer.wte.weight", i.Vocab, i.Hidden)
	m.tensor("transformer.wpe.weight", i.Context, i.Hidden)
	m.layerNorm("transformer.ln_f", i.Hidden)
	for l := range i.Layers {
		at := layer("transformer.h.%d.", l)
		m.layerNorm(at+"ln_1", i.Hidden)
		m.layerNorm(at+"ln_2", i.Hidden)
		m.linear(at+"attn.q", engine.LinearMap{Role: engine.Query, Layer: l, Out: i.Hidden}, i.Hidden, true)
		m.linear(at+"attn.k", engine.LinearMap{Role: engine.Key, Layer: l, Out: i.Hidden}, i.Hidden, true)
		m.linear(at+"attn.v", engine.LinearMap{Role: engine.Value, Layer: l, Out: i.Hidden}, i.Hidden, true)
		m.linear(at+"attn.c_proj", engine.LinearMap{Role: engine.AttentionOutput, Layer: l, Out: i.Hidden}, i.Hidden, true)
		m.linear(at+"mlp.c_fc", engine.LinearMap{Role: engine.Up, Layer: l, Out: i.FF}, i.Hidden, true)
		m.linear(at+"mlp.c_proj", engine.LinearMap{Role: engine.Down, Layer: l, Out: i.Hidden}, i.FF, true)
	}
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

// Forward: x = wte[ids] + wpe[pos], then for each block
//
//	n = norm(x)    x ← x + Wo·attention(Wq n, Wk n, Wv n)
//	n = norm(x)    x ← x + Wproj·gelu(Wfc n)
func (m *gpt2) Forward(p *engine.Program, in engine.Input, h engine.Hooks) engine.Output {
	f, i := m.pass(p, in, h), m.info
	var out engine.Output
	x := f.embed("transformer.wte.weight", 1)
	if in.First == 0 {
		x = p.Add(x, p.Embed(in.Pos, f.weight("transformer.wpe.weight"), 1))
	}
	for l := in.First; l < f.end(); l++ {
		at := layer("transformer.h.%d.", l)
		p.BeginBlock()
		x = f.block(l, x)
		out.Blocks = append(out.Blocks, x)
		n := f.layerNorm(at+"ln_1", x, m.eps)
		nq := f.choose(l, n)
		q := f.linear(at+"attn.q", nq, engine.None)
		k := f.linear(at+"attn.k", n, engine.None)
		v := f.linear(at+"attn.v", n, engine.None)
		out.K, out.V = append(out.K, k), append(out.V, v)
		o := f.attend(l, f.rows(l), nq, q, k, v, engine.Attention{Scale: m.scale(l)})
		x = f.linear(at+"attn.c_proj", o, f.choose(l, x))
		n = f.layerNorm(at+"ln_2", x, m.eps)
		x = f.linear(at+"mlp.c_proj", p.Unary(m.act, f.linear(at+"mlp.c_fc", n, engine.None), 0), x)
		p.EndBlock()
	}
	out.Hidden = x
	if f.end() == i.Layers {
		out.Hidden = f.layerNorm("transformer.ln_f", x, m.eps)
	}
	return out
}

func (m *gpt2) scale(layer int) float64 {
	s := 1.0
	if m.scaled {
		s = 1 / math.Sqrt(float64(m.info.HeadDim))
	}
	if m.byL {
		s /= float64(layer + 1)
	}
	return s
}

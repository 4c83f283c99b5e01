package models

import (
	"maps"

	"prelude/models/weights"
)

func init() {
	register(newPhi3, "phi3")
	checkpoints["phi3"] = phi3Views
}

// newPhi3 reads Phi-3 and Phi-4-mini (Abdin et al. 2024, arXiv 2404.14219), a [llama] whose
// files fuse queries, keys and values, and gate and up; whose longer versions scale positions by
// LongRoPE; and of which Phi-4-mini turns a part of each head.
func newPhi3(config *Config, specs Specs) (Family, error) {
	c := &fields{Config: config}
	i := c.llamaInfo()
	m := c.newLlama(i, specs)
	m.eps = c.number("rms_norm_eps", 1e-5)
	c.window(&m.info, c.layerTypes(i.Layers, func(int) bool { return c.Has("sliding_window") }), 4096)
	for _, key := range ropeKeys {
		if p, err := c.Map(key); err == nil && (p["type"] == "yarn" || p["rope_type"] == "yarn") {
			p = maps.Clone(p)
			p["rope_type"] = "longrope" // as transformers reads it
			c.Config = c.with(key, p)
		}
	}
	return m.build(c, c.rope(nil, 10000, 1, i.HeadDim), false)
}

// phi3Views cuts the fused maps.
func phi3Views(config *Config, views map[string]weights.View) (map[string]weights.View, error) {
	heads, err := config.Int("num_attention_heads", 0)
	if err != nil {
		return nil, err
	}
	kv, err := config.Int("num_key_value_heads", heads)
	if err != nil {
		return nil, err
	}
	views, err = cutRows(views, ".qkv_proj.", []string{".q_proj.", ".k_proj.", ".v_proj."}, []int{heads, kv, kv})
	if err != nil {
		return nil, err
	}
	return cutRows(views, ".gate_up_proj.", []string{".gate_proj.", ".up_proj."}, []int{1, 1})
}

package models

import "fmt"

func init() { register(newSmolLM3, "smollm3") }

// newSmolLM3 reads SmolLM3 (Hugging Face 2025), a [llama] of which every fourth layer, or
// those that the file names, has no positions (NoPE: Yang et al. 2025, arXiv 2501.18795).
func newSmolLM3(config *Config, specs Specs) (Family, error) {
	c := &fields{Config: config}
	i := c.llamaInfo()
	m := c.newLlama(i, specs)
	m.still = c.stillLayers(i.Layers)
	slides := c.flag("use_sliding_window", false)
	local := c.layerTypes(i.Layers, func(l int) bool { return slides && c.Has("sliding_window") && m.still[l] })
	if slides {
		c.window(&m.info, local, 4096)
	}
	m.qkvBias = c.flag("attention_bias", false)
	m.outBias = m.qkvBias
	m.ffBias = c.flag("mlp_bias", false)
	return m.build(c, c.whole(c.rope(nil, 2e6, 1, i.HeadDim), i.HeadDim), true)
}

// stillLayers reads which layers have no positions: 0 in no_rope_layers, else every
// no_rope_layer_interval-th.
func (f *fields) stillLayers(layers int) []bool {
	still := make([]bool, layers)
	list, ok := f.keys["no_rope_layers"].([]any)
	if !ok {
		every := f.size("no_rope_layer_interval", 4)
		for l := range still {
			still[l] = (l+1)%every == 0
		}
		return still
	}
	if len(list) < layers {
		f.fail(fmt.Errorf("models: %s has %d entries for %d layers", f.at("no_rope_layers"), len(list), layers))
		return still
	}
	for l := range still {
		if list[l] != 0.0 && list[l] != 1.0 {
			f.fail(fmt.Errorf("models: %s has %v, want 0 for a layer without positions, 1 for one with them", f.at("no_rope_layers"), list[l]))
		}
		still[l] = list[l] == 0.0
	}
	return still
}

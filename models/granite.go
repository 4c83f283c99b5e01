package models

import (
	"fmt"
	"slices"
	"strings"

	"prelude/models/weights"
)

func init() {
	register(newGranite, "granite", "granitemoehybrid")
	for _, kind := range []string{"granite", "granitemoehybrid"} {
		implemented[kind] = []string{"embedding_multiplier", "attention_multiplier", "residual_multiplier", "logits_scaling"}
	}
	checkpoints["granitemoehybrid"] = graniteViews
}

// newGranite reads Granite (Granite Team, IBM 2024), a [llama] whose embeddings, scores and
// residual parts are multiplied by numbers of the file, and whose logits are divided by one.
// Granite 4's dense models call themselves granitemoehybrid, without experts or Mamba layers;
// they may do without positions.
func newGranite(config *Config, specs Specs) (Family, error) {
	c := &fields{Config: config}
	positions := "rope"
	if c.ModelType == "granitemoehybrid" {
		positions = "nope"
		c.refuse(0.0, "num_local_experts")
		if !c.Has("num_local_experts") {
			c.fail(fmt.Errorf("models: %s is missing: model_type %q has experts where it isn't 0, which are not supported", c.at("num_local_experts"), c.ModelType))
		}
		types, _ := c.keys["layer_types"].([]any)
		if len(types) != c.size("num_hidden_layers", 0) || slices.ContainsFunc(types, func(t any) bool { return t != "attention" && t != "full_attention" }) {
			c.fail(fmt.Errorf("models: %s is %v: only layers of attention are supported for model_type %q, not Mamba's", c.at("layer_types"), c.keys["layer_types"], c.ModelType))
		}
		if c.Has("shared_intermediate_size") {
			c.Config = c.with("intermediate_size", c.keys["shared_intermediate_size"])
		}
	}
	i := c.llamaInfo()
	m := c.newLlama(i, specs)
	m.embed = c.number("embedding_multiplier", 1)
	m.scale = c.number("attention_multiplier", 1)
	m.residual = c.number("residual_multiplier", 1)
	m.decoder.scale = 1 / c.number("logits_scaling", 1)
	for _, key := range implemented[c.ModelType] {
		if x := c.number(key, 1); x <= 0 || x > 1e6 {
			c.fail(fmt.Errorf("models: %s is %g, want a positive number", c.at(key), x))
		}
	}
	switch kind := c.text("position_embedding_type", positions); kind {
	case "rope":
	case "nope":
		m.still = slices.Repeat([]bool{true}, i.Layers)
	default:
		c.fail(fmt.Errorf("models: %s is %q, want rope or nope", c.at("position_embedding_type"), kind))
	}
	m.qkvBias = c.flag("attention_bias", false)
	m.outBias = m.qkvBias
	m.ffBias = c.flag("mlp_bias", false)
	return m.build(c, c.whole(c.rope(nil, 10000, 1, i.HeadDim), i.HeadDim), false)
}

// graniteViews cuts the fused gate and up of the feed-forward part, which Granite 4 shares
// between its experts or, here, has alone.
func graniteViews(_ *Config, views map[string]weights.View) (map[string]weights.View, error) {
	out := map[string]weights.View{}
	for name, v := range views {
		out[strings.Replace(name, ".shared_mlp.output_linear.", ".mlp.down_proj.", 1)] = v
	}
	return cutRows(out, ".shared_mlp.input_linear.", []string{".mlp.gate_proj.", ".mlp.up_proj."}, []int{1, 1})
}

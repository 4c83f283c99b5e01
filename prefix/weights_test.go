package prefix

import "testing"

// Groups of maps are told by name, in each family's own spelling.
func TestMapsOfLoRA(t *testing.T) {
	groups := []string{"query, value", "attention", "feed-forward", "feed-forward, attention output", "all"}
	for name, want := range map[string]string{
		"model.layers.0.self_attn.v_proj":           "xx__x",
		"model.layers.0.self_attn.k_proj":           "_x__x",
		"model.layers.0.self_attn.o_proj":           "_x_xx",
		"model.layers.0.mlp.down_proj":              "__xxx",
		"h.0.attn.c_proj":                           "_x_xx",
		"h.0.mlp.c_proj":                            "__xxx",
		"gpt_neox.layers.0.attention.dense":         "_x_xx",
		"decoder.block.0.layer.1.EncDecAttention.o": "_x_xx",
		"decoder.block.0.layer.1.EncDecAttention.q": "xx__x",
		"decoder.block.0.layer.2.DenseReluDense.wo": "__xxx",
	} {
		got := ""
		for _, g := range groups {
			got += map[bool]string{true: "x", false: "_"}[matches(g, name)]
		}
		if got != want {
			t.Errorf("%s belongs to %s of %q, not to %s", name, got, groups, want)
		}
	}
}

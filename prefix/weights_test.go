package prefix_test

import (
	"strings"
	"testing"

	"prelude/engine"
	"prelude/engine/cpu"
	"prelude/models/tiny"
	"prelude/prefix"
	"prelude/prefix/adapter"
)

// LoRA's groups are told by the roles that each family gives its linear maps.
func TestMapsOfLoRA(t *testing.T) {
	groups := []string{"query, value", "attention", "feed-forward", "feed-forward, attention output", "all"}
	dev := cpu.New[float32]()
	neox := tiny.New(t, dev, `{"model_type":"gpt_neox","hidden_size":16,"intermediate_size":24,"num_hidden_layers":1,"num_attention_heads":2,"vocab_size":40,"max_position_embeddings":64}`)
	for _, of := range []struct {
		f    engine.Frozen
		maps map[string]string
	}{
		{tiny.Llama(t, dev), map[string]string{
			"model.layers.0.self_attn.q_proj": "xx__x",
			"model.layers.0.self_attn.k_proj": "_x__x",
			"model.layers.1.self_attn.v_proj": "xx__x",
			"model.layers.0.self_attn.o_proj": "_x_xx",
			"model.layers.1.mlp.gate_proj":    "__xxx",
			"model.layers.0.mlp.down_proj":    "__xxx"}},
		{gpt2(t, dev), map[string]string{
			"transformer.h.0.attn.q":      "xx__x",
			"transformer.h.0.attn.c_proj": "_x_xx",
			"transformer.h.0.mlp.c_proj":  "__xxx"}},
		{neox, map[string]string{
			"gpt_neox.layers.0.attention.value":   "xx__x",
			"gpt_neox.layers.0.attention.dense":   "_x_xx",
			"gpt_neox.layers.0.mlp.dense_4h_to_h": "__xxx",
			"gpt_neox.layers.0.mlp.dense_h_to_4h": "__xxx"}},
		{tiny.T5(t, dev, 2, 3), map[string]string{
			"decoder.block.0.layer.1.EncDecAttention.o": "_x_xx",
			"decoder.block.2.layer.1.EncDecAttention.q": "xx__x",
			"encoder.block.1.layer.0.SelfAttention.v":   "xx__x",
			"decoder.block.0.layer.2.DenseReluDense.wo": "__xxx"}},
	} {
		got := map[string]string{}
		for _, g := range groups {
			m := start(t, of.f, prefix.Choice{"source": "none", "weights": "lora", "lora.maps": g})
			for name := range of.maps {
				mark := "_"
				for _, p := range m.Params() {
					if p.Name == "lora."+name+".A" {
						mark = "x"
					}
				}
				got[name] += mark
			}
		}
		for name, want := range of.maps {
			if got[name] != want {
				t.Errorf("%s belongs to %s of %q, not to %s", name, got[name], groups, want)
			}
		}
	}
}

// unnamed is a model that doesn't say what its linear maps are for.
type unnamed struct{ engine.Architecture }

func (u unnamed) Info() engine.ModelInfo {
	i := u.Architecture.Info()
	maps := map[string]engine.LinearMap{}
	for name, l := range i.Linears {
		l.Role = engine.NoRole
		maps[name] = l
	}
	i.Linears = maps
	return i
}

// Where roles are unknown, a group of maps is refused by name, and all of them are not.
func TestLoRAWithoutRoles(t *testing.T) {
	f := tiny.Llama(t, cpu.New[float32]())
	f.Arch = unnamed{f.Arch}
	m, err := prefix.New(prefix.Choice{"source": "none", "weights": "lora"}, f.Arch.Info())
	if err != nil {
		t.Fatal(err)
	}
	err = m.Start(ctx, f, given(), nil)
	if err == nil || !strings.Contains(err.Error(), "model.layers.0.mlp.down_proj") || !strings.Contains(err.Error(), "choose all") {
		t.Errorf("error %v", err)
	}
	start(t, f, prefix.Choice{"source": "none", "weights": "lora", "lora.maps": "all"})
}

// Terms whose rank is above their map's size, or that take too much once their ranks are
// padded to one map's, are refused and never read out of bounds.
func TestHostileLoRA(t *testing.T) {
	f := tiny.Llama(t, cpu.New[float32]())
	hidden := f.Arch.Info().Hidden
	term := func(a *adapter.Adapter, name string, r, in, out int) {
		a.Tensors["base_model.model."+name+".lora_A.weight"] = adapter.Tensor{Shape: []int{r, in}, Data: make([]float32, r*in)}
		a.Tensors["base_model.model."+name+".lora_B.weight"] = adapter.Tensor{Shape: []int{out, r}, Data: make([]float32, out*r)}
	}
	const q = "model.layers.0.self_attn.q_proj"
	for name, c := range map[string]struct {
		change func(a *adapter.Adapter)
		want   string
	}{
		"rank above the map": {func(a *adapter.Adapter) { term(a, q, hidden+1, hidden, hidden) }, ""},
		"too much at one rank": {func(a *adapter.Adapter) {
			term(a, q, 8000, 1, 1)
			term(a, "x", 1, 20000, 1)
		}, "take more than"},
		"another shape": {func(a *adapter.Adapter) { term(a, q, 2, hidden+1, hidden) }, "does not fit the model"},
	} {
		a := &adapter.Adapter{Config: adapter.Config{PeftType: adapter.LoRA, TaskType: "CAUSAL_LM"}, Tensors: map[string]adapter.Tensor{}}
		c.change(a)
		_, err := prefix.FromAdapter(f.Arch, a)
		if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: error %v, want …%s…", name, err, c.want)
		}
	}
}

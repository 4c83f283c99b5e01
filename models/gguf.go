package models

import (
	"fmt"
	"strings"

	"prelude/models/weights"
	"prelude/models/weights/gguf"
)

// ggufFamily translates one GGUF architecture to the terms of Hugging Face.
type ggufFamily struct {
	modelType string
	keys      map[string]string // metadata key without the architecture → config.json key
	fixed     map[string]any    // config.json keys that a GGUF file implies
	names     map[string]string // tensor name pattern, "blk.%d." for blocks → checkpoint name
	permuted  bool              // q and k rows are interleaved (architecture "llama")
	refuse    []string          // metadata keys that change the mathematics and aren't implemented
}

var ggufFamilies = map[string]ggufFamily{}

// ggufDecoder are the names that llama-like architectures share.
var ggufDecoder = map[string]string{
	"token_embd.weight":         "model.embed_tokens.weight",
	"output_norm.weight":        "model.norm.weight",
	"output.weight":             "lm_head.weight",
	"blk.%d.attn_norm.weight":   "model.layers.%d.input_layernorm.weight",
	"blk.%d.ffn_norm.weight":    "model.layers.%d.post_attention_layernorm.weight",
	"blk.%d.attn_q.weight":      "model.layers.%d.self_attn.q_proj.weight",
	"blk.%d.attn_k.weight":      "model.layers.%d.self_attn.k_proj.weight",
	"blk.%d.attn_v.weight":      "model.layers.%d.self_attn.v_proj.weight",
	"blk.%d.attn_q.bias":        "model.layers.%d.self_attn.q_proj.bias",
	"blk.%d.attn_k.bias":        "model.layers.%d.self_attn.k_proj.bias",
	"blk.%d.attn_v.bias":        "model.layers.%d.self_attn.v_proj.bias",
	"blk.%d.attn_output.weight": "model.layers.%d.self_attn.o_proj.weight",
	"blk.%d.attn_q_norm.weight": "model.layers.%d.self_attn.q_norm.weight",
	"blk.%d.attn_k_norm.weight": "model.layers.%d.self_attn.k_norm.weight",
	"blk.%d.ffn_gate.weight":    "model.layers.%d.mlp.gate_proj.weight",
	"blk.%d.ffn_up.weight":      "model.layers.%d.mlp.up_proj.weight",
	"blk.%d.ffn_down.weight":    "model.layers.%d.mlp.down_proj.weight",
}

// ggufKeys are the metadata keys that llama-like architectures share.
var ggufKeys = map[string]string{
	"block_count":                      "num_hidden_layers",
	"context_length":                   "max_position_embeddings",
	"embedding_length":                 "hidden_size",
	"feed_forward_length":              "intermediate_size",
	"attention.head_count":             "num_attention_heads",
	"attention.head_count_kv":          "num_key_value_heads",
	"attention.key_length":             "head_dim",
	"attention.layer_norm_rms_epsilon": "rms_norm_eps",
	"rope.freq_base":                   "rope_theta",
	"vocab_size":                       "vocab_size",
}

func init() {
	scaling := []string{"rope.scaling.type", "rope.scaling.factor", "rope.scale_linear", "expert_count", "attn_logit_softcapping", "final_logit_softcapping"}
	ggufFamilies["llama"] = ggufFamily{modelType: "llama", keys: ggufKeys, names: ggufDecoder, permuted: true, refuse: scaling}
	ggufFamilies["qwen2"] = ggufFamily{modelType: "qwen2", keys: ggufKeys, names: ggufDecoder, refuse: scaling}
	ggufFamilies["qwen3"] = ggufFamily{modelType: "qwen3", keys: ggufKeys, names: ggufDecoder, refuse: scaling}
}

// ggufConfig translates a GGUF file's metadata.
func ggufConfig(meta gguf.Metadata, vocab int) (*Config, *ggufFamily, error) {
	arch, ok := meta.String("general.architecture")
	if !ok {
		return nil, nil, fmt.Errorf(`models: GGUF metadata has no "general.architecture"`)
	}
	f, ok := ggufFamilies[arch]
	if !ok {
		return nil, nil, fmt.Errorf("models: architecture %q is not supported; supported are %s", arch, strings.Join(Supported(), ", "))
	}
	for _, key := range f.refuse {
		if v, ok := meta.String(arch + "." + key); ok && v != "none" {
			return nil, nil, fmt.Errorf("models: GGUF metadata %q = %q is not supported for architecture %q", arch+"."+key, v, arch)
		}
		if v, ok := meta.Float(arch + "." + key); ok && v != 0 && v != 1 {
			return nil, nil, fmt.Errorf("models: GGUF metadata %q = %g is not supported for architecture %q", arch+"."+key, v, arch)
		}
	}
	keys := map[string]any{"model_type": f.modelType, "vocab_size": float64(vocab)}
	for key, v := range f.fixed {
		keys[key] = v
	}
	for from, to := range f.keys {
		if n, ok := meta.Int(arch + "." + from); ok {
			keys[to] = float64(n)
		} else if x, ok := meta.Float(arch + "." + from); ok {
			keys[to] = x
		}
	}
	c, err := NewConfig(keys)
	return c, &f, err
}

// tensorName is the checkpoint's name of a GGUF tensor, "" for one that is of no use
// to the forward pass.
func (f *ggufFamily) tensorName(name string) string {
	var layer int
	if n, _ := fmt.Sscanf(name, "blk.%d.", &layer); n == 1 {
		_, rest, _ := strings.Cut(strings.TrimPrefix(name, "blk."), ".")
		if to, ok := f.names["blk.%d."+rest]; ok {
			return fmt.Sprintf(to, layer)
		}
		return ""
	}
	return f.names[name]
}

// ggufViews maps checkpoint names to views of the file.
func ggufViews(c *weights.Catalog, f *ggufFamily, cfg *Config) (map[string]weights.View, error) {
	heads, err := cfg.Int("num_attention_heads", 0)
	if err != nil {
		return nil, err
	}
	kv, err := cfg.Int("num_key_value_heads", heads)
	if err != nil {
		return nil, err
	}
	views := map[string]weights.View{}
	for _, t := range c.Tensors {
		name := f.tensorName(t.Name)
		if name == "" {
			if t.Name == "rope_freqs.weight" {
				return nil, fmt.Errorf("models: tensor %q (frequency factors) is not supported; convert the model without rope scaling", t.Name)
			}
			continue
		}
		v := c.View(t.Name)
		if f.permuted && strings.Contains(name, "self_attn.q_proj") {
			v = v.Unpermute(heads)
		} else if f.permuted && strings.Contains(name, "self_attn.k_proj") {
			v = v.Unpermute(kv)
		}
		views[name] = v
	}
	return views, nil
}

func specsOf(views map[string]weights.View) (Specs, error) {
	specs := Specs{}
	for name, v := range views {
		if err := v.Err(); err != nil {
			return nil, err
		}
		specs[name] = v.Spec()
	}
	return specs, nil
}

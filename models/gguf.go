package models

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"prelude/engine"
	"prelude/models/weights"
	"prelude/models/weights/gguf"
)

// ggufFamily translates one GGUF architecture to the terms of Hugging Face.
type ggufFamily struct {
	modelType string
	keys      map[string]string // metadata key without the architecture → config.json key
	names     map[string]string // tensor name pattern, "blk.%d." for blocks → checkpoint name
	lists     []string          // metadata keys that may have a number for each block, which imply reads
	refuse    []string          // metadata keys that change the mathematics and aren't implemented
	imply     func(m ggufMeta, keys map[string]any)
	views     func(c *Config, views map[string]weights.View) (map[string]weights.View, error) // nil: as they are
}

var ggufFamilies = map[string]ggufFamily{}

// ggufMeta reads the metadata of one architecture.
type ggufMeta struct {
	gguf.Metadata
	arch    string
	tensors map[string]bool
}

// number is a number of any kind.
func (m ggufMeta) number(key string) (float64, bool) {
	key = m.arch + "." + key
	if n, ok := m.Int(key); ok {
		return float64(n), true
	}
	return m.Float(key)
}

// ggufDecoder are the names that llama-like architectures share.
var ggufDecoder = map[string]string{
	"token_embd.weight":         "model.embed_tokens.weight",
	"output_norm.weight":        "model.norm.weight",
	"output.weight":             "lm_head.weight",
	"blk.%d.attn_norm.weight":   "model.layers.%d.input_layernorm.weight",
	"blk.%d.attn_q.weight":      "model.layers.%d.self_attn.q_proj.weight",
	"blk.%d.attn_k.weight":      "model.layers.%d.self_attn.k_proj.weight",
	"blk.%d.attn_v.weight":      "model.layers.%d.self_attn.v_proj.weight",
	"blk.%d.attn_q.bias":        "model.layers.%d.self_attn.q_proj.bias",
	"blk.%d.attn_k.bias":        "model.layers.%d.self_attn.k_proj.bias",
	"blk.%d.attn_v.bias":        "model.layers.%d.self_attn.v_proj.bias",
	"blk.%d.attn_output.weight": "model.layers.%d.self_attn.o_proj.weight",
	"blk.%d.attn_output.bias":   "model.layers.%d.self_attn.o_proj.bias",
	"blk.%d.ffn_gate.bias":      "model.layers.%d.mlp.gate_proj.bias",
	"blk.%d.ffn_up.bias":        "model.layers.%d.mlp.up_proj.bias",
	"blk.%d.ffn_down.bias":      "model.layers.%d.mlp.down_proj.bias",
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

// with is a map of names or keys and more of them.
func with(m map[string]string, more ...string) map[string]string {
	all := maps.Clone(m)
	for i := 0; i < len(more); i += 2 {
		all[more[i]] = more[i+1]
	}
	return all
}

func init() {
	capping := []string{"expert_count", "attn_logit_softcapping", "final_logit_softcapping"}
	window := append(capping, "attention.sliding_window")
	llama := with(ggufDecoder, "blk.%d.ffn_norm.weight", "model.layers.%d.post_attention_layernorm.weight")
	ggufFamilies["llama"] = ggufFamily{modelType: "llama", keys: ggufKeys, names: llama, refuse: window, imply: ggufLlama, views: unpermuted}
	ggufFamilies["qwen2"] = ggufFamily{modelType: "qwen2", keys: ggufKeys, names: llama, refuse: window}
	ggufFamilies["qwen3"] = ggufFamily{modelType: "qwen3", keys: ggufKeys, names: llama, refuse: window}
	ggufFamilies["smollm3"] = ggufFamily{modelType: "smollm3", keys: ggufKeys, names: llama, refuse: window, views: unpermuted}
	ggufFamilies["granite"] = ggufFamily{modelType: "granite", names: llama, refuse: window, imply: ggufGranite, views: unpermuted,
		keys: with(ggufKeys, "attention.scale", "attention_multiplier", "embedding_scale", "embedding_multiplier",
			"residual_scale", "residual_multiplier", "logit_scale", "logits_scaling")}
	ggufFamilies["phi3"] = ggufFamily{modelType: "phi3", refuse: capping, imply: ggufPhi3, views: phi3Views,
		keys: with(ggufKeys, "attention.sliding_window", "sliding_window"),
		names: with(llama, "blk.%d.attn_qkv.weight", "model.layers.%d.self_attn.qkv_proj.weight",
			"blk.%d.ffn_up.weight", "model.layers.%d.mlp.gate_up_proj.weight")}
	ggufFamilies["olmo2"] = ggufFamily{modelType: "olmo2", keys: ggufKeys, refuse: window,
		names: with(ggufDecoder, "blk.%d.post_attention_norm.weight", "model.layers.%d.post_attention_layernorm.weight",
			"blk.%d.post_ffw_norm.weight", "model.layers.%d.post_feedforward_layernorm.weight")}
	ggufFamilies["gemma3"] = ggufFamily{modelType: "gemma3_text", imply: ggufGemma, refuse: capping,
		keys: with(ggufKeys, "attention.sliding_window", "sliding_window", "attention.sliding_window_pattern", "sliding_window_pattern",
			"rope.freq_base_swa", "rope_local_base_freq"),
		names: with(ggufDecoder, "blk.%d.post_attention_norm.weight", "model.layers.%d.post_attention_layernorm.weight",
			"blk.%d.ffn_norm.weight", "model.layers.%d.pre_feedforward_layernorm.weight",
			"blk.%d.post_ffw_norm.weight", "model.layers.%d.post_feedforward_layernorm.weight")}
	ggufFamilies["gemma2"] = ggufFamily{modelType: "gemma2", imply: ggufGemma2, refuse: []string{"expert_count"},
		keys: with(ggufKeys, "attention.sliding_window", "sliding_window", "attn_logit_softcapping", "attn_logit_softcapping",
			"final_logit_softcapping", "final_logit_softcapping"),
		names: ggufFamilies["gemma3"].names}
	ggufFamilies["gpt2"] = ggufFamily{modelType: "gpt2", refuse: capping,
		keys: map[string]string{"block_count": "n_layer", "context_length": "n_positions", "embedding_length": "n_embd",
			"feed_forward_length": "n_inner", "attention.head_count": "n_head", "attention.layer_norm_epsilon": "layer_norm_epsilon"},
		names: fusedNames("position_embd.weight", "transformer.wpe.weight", "token_embd.weight", "transformer.wte.weight", "output.weight", "lm_head.weight",
			"output_norm", "transformer.ln_f", "blk.%d.attn_norm", "transformer.h.%d.ln_1", "blk.%d.ffn_norm", "transformer.h.%d.ln_2",
			"blk.%d.attn_qkv", "transformer.h.%d.attn.c_attn", "blk.%d.attn_output", "transformer.h.%d.attn.c_proj",
			"blk.%d.ffn_up", "transformer.h.%d.mlp.c_fc", "blk.%d.ffn_down", "transformer.h.%d.mlp.c_proj"),
		views: func(_ *Config, v map[string]weights.View) (map[string]weights.View, error) {
			return cutRows(v, ".c_attn.", gpt2Parts, thirds)
		}}
	ggufFamilies["gptneox"] = ggufFamily{modelType: "gpt_neox", refuse: capping, imply: ggufNeoX,
		keys: with(ggufKeys, "attention.layer_norm_epsilon", "layer_norm_eps", "rope.freq_base", "rotary_emb_base"),
		names: fusedNames("token_embd.weight", "gpt_neox.embed_in.weight", "output.weight", "embed_out.weight", "output_norm", "gpt_neox.final_layer_norm",
			"blk.%d.attn_norm", "gpt_neox.layers.%d.input_layernorm", "blk.%d.ffn_norm", "gpt_neox.layers.%d.post_attention_layernorm",
			"blk.%d.attn_qkv", "gpt_neox.layers.%d.attention.query_key_value", "blk.%d.attn_output", "gpt_neox.layers.%d.attention.dense",
			"blk.%d.ffn_up", "gpt_neox.layers.%d.mlp.dense_h_to_4h", "blk.%d.ffn_down", "gpt_neox.layers.%d.mlp.dense_4h_to_h"),
		// llama.cpp stores all queries, then all keys, then all values.
		views: func(_ *Config, v map[string]weights.View) (map[string]weights.View, error) {
			return cutRows(v, ".query_key_value.", neoxParts, thirds)
		}}
	ggufFamilies["t5"] = ggufFamily{modelType: "t5", refuse: capping, imply: ggufT5, views: ggufT5Views,
		keys: map[string]string{"block_count": "num_layers", "decoder_block_count": "num_decoder_layers", "context_length": "n_positions",
			"embedding_length": "d_model", "feed_forward_length": "d_ff", "attention.head_count": "num_heads", "attention.key_length": "d_kv",
			"attention.layer_norm_epsilon": "layer_norm_epsilon", "attention.relative_buckets_count": "relative_attention_num_buckets",
			"decoder_start_token_id": "decoder_start_token_id"},
		names: t5Names()}
}

// ggufT5 adds what a file does not say: the version is seen by its tensors.
func ggufT5(m ggufMeta, keys map[string]any) {
	if m.tensors["enc.blk.0.ffn_gate.weight"] {
		keys["feed_forward_proj"] = "gated-gelu"
	}
}

// ggufT5Views: what is wi_1 beside a gate is wi alone.
func ggufT5Views(c *Config, views map[string]weights.View) (map[string]weights.View, error) {
	out := map[string]weights.View{}
	for name, v := range views {
		if before, ok := strings.CutSuffix(name, ".wi_1.weight"); ok {
			if _, gated := views[before+".wi_0.weight"]; !gated {
				name = before + ".wi.weight"
			}
		}
		out[name] = v
	}
	return t5Views(c, out)
}

// fusedNames are pairs of names, without .weight and .bias where there are both.
func fusedNames(pairs ...string) map[string]string {
	all := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		if strings.HasSuffix(pairs[i], ".weight") {
			all[pairs[i]] = pairs[i+1]
			continue
		}
		all[pairs[i]+".weight"], all[pairs[i]+".bias"] = pairs[i+1]+".weight", pairs[i+1]+".bias"
	}
	return all
}

func t5Names() map[string]string {
	names := map[string]string{"token_embd.weight": "shared.weight", "output.weight": "lm_head.weight"}
	for short, stack := range map[string]string{"enc": "encoder", "dec": "decoder"} {
		names[short+".output_norm.weight"] = stack + ".final_layer_norm.weight"
		part := func(k int, layer, prefix string, pairs ...string) {
			at := fmt.Sprintf("%s.block.%%d.layer.%d.", stack, k)
			names[short+".blk.%d."+prefix+"_norm.weight"] = at + "layer_norm.weight"
			for i := 0; i < len(pairs); i += 2 {
				names[short+".blk.%d."+prefix+"_"+pairs[i]+".weight"] = at + layer + "." + pairs[i+1] + ".weight"
			}
		}
		part(0, "SelfAttention", "attn", "q", "q", "k", "k", "v", "v", "o", "o", "rel_b", "relative_attention_bias")
		last := 1
		if short == "dec" {
			part(1, "EncDecAttention", "cross_attn", "q", "q", "k", "k", "v", "v", "o", "o")
			last = 2
		}
		part(last, "DenseReluDense", "ffn", "gate", "wi_0", "up", "wi_1", "down", "wo")
	}
	return names
}

// ggufGemma: gains are stored with their 1; without a window key no layer has one;
// scores are scaled by the head's size but for the model of 62 blocks.
func ggufGemma(m ggufMeta, keys map[string]any) {
	keys[gainPlus] = 0.0
	if keys["sliding_window"] == nil {
		keys["sliding_window_pattern"] = 1.0
	}
	keys["query_pre_attn_scalar"] = keys["head_dim"]
	hidden, _ := keys["hidden_size"].(float64)
	if heads, _ := keys["num_attention_heads"].(float64); keys["num_hidden_layers"] == 62.0 && heads > 0 {
		keys["query_pre_attn_scalar"] = hidden / heads
	}
}

// ggufGemma2: gains are stored with their 1; scores are scaled by the head's size but for the
// model of 46 blocks.
func ggufGemma2(m ggufMeta, keys map[string]any) {
	keys[gainPlus] = 0.0
	keys["query_pre_attn_scalar"] = keys["head_dim"]
	hidden, _ := keys["hidden_size"].(float64)
	if heads, _ := keys["num_attention_heads"].(float64); keys["num_hidden_layers"] == 46.0 && heads > 0 {
		keys["query_pre_attn_scalar"] = hidden / heads
	}
}

// ggufLlama: biases are seen by their tensors.
func ggufLlama(m ggufMeta, keys map[string]any) {
	keys["attention_bias"] = m.tensors["blk.0.attn_output.bias"]
	keys["mlp_bias"] = m.tensors["blk.0.ffn_down.bias"]
}

// ggufGranite: scores are scaled by the head's size where the file says nothing; a model
// that was not made for rotary positions has none.
func ggufGranite(m ggufMeta, keys map[string]any) {
	ggufLlama(m, keys)
	if scale, _ := keys["attention_multiplier"].(float64); scale == 0 {
		if head, ok := m.headDim(keys); ok {
			keys["attention_multiplier"] = 1 / math.Sqrt(head)
		}
	}
	if rotary, ok := m.Bool(m.arch + ".rope.scaling.finetuned"); ok && !rotary {
		keys["position_embedding_type"] = "nope"
	}
}

// ggufPhi3: a window of 0 is none.
func ggufPhi3(m ggufMeta, keys map[string]any) {
	if keys["sliding_window"] == 0.0 {
		delete(keys, "sliding_window")
	}
}

func ggufNeoX(m ggufMeta, keys map[string]any) {
	if parallel, ok := m.Bool(m.arch + ".use_parallel_residual"); ok {
		keys["use_parallel_residual"] = parallel
	}
	keys["attention_bias"] = m.tensors["blk.0.attn_qkv.bias"]
	keys["rotary_pct"] = keys["partial_rotary_factor"]
}

// unpermuted puts back the rows of q and k, which llama.cpp stores interleaved.
func unpermuted(c *Config, views map[string]weights.View) (map[string]weights.View, error) {
	heads, err := c.Int("num_attention_heads", 0)
	if err != nil {
		return nil, err
	}
	kv, err := c.Int("num_key_value_heads", heads)
	if err != nil {
		return nil, err
	}
	for name, v := range views {
		if strings.Contains(name, "self_attn.q_proj") {
			views[name] = v.Unpermute(heads)
		} else if strings.Contains(name, "self_attn.k_proj") {
			views[name] = v.Unpermute(kv)
		}
	}
	return views, nil
}

// ggufConfig translates a GGUF file's metadata.
func ggufConfig(ctx context.Context, c *weights.Catalog) (*Config, *ggufFamily, error) {
	arch, ok := c.GGUF.String("general.architecture")
	if !ok {
		return nil, nil, fmt.Errorf(`models: GGUF metadata has no "general.architecture"`)
	}
	f, ok := ggufFamilies[arch]
	if !ok {
		return nil, nil, unsupported(arch, slices.Sorted(maps.Keys(ggufFamilies)))
	}
	m := ggufMeta{c.GGUF, arch, map[string]bool{}}
	keys := map[string]any{"model_type": f.modelType}
	for _, t := range c.Tensors {
		m.tensors[t.Name] = true
		if t.Name == "token_embd.weight" && len(t.Shape) == 2 {
			keys["vocab_size"] = float64(t.Shape[0])
		}
	}
	keys["tie_word_embeddings"] = !m.tensors["output.weight"]
	for _, key := range f.refuse {
		if v, ok := m.number(key); ok && v != 0 {
			return nil, nil, fmt.Errorf("models: GGUF metadata %q = %g is not supported for architecture %q", arch+"."+key, v, arch)
		}
	}
	for from, to := range f.keys {
		if v, ok := m.number(from); ok {
			keys[to] = v
		} else if what := m.Describe(arch + "." + from); what != "absent" && !slices.Contains(f.lists, from) {
			return nil, nil, fmt.Errorf("models: GGUF metadata %q is %s, want one number", arch+"."+from, what)
		}
	}
	if err := m.rope(keys); err != nil {
		return nil, nil, err
	}
	for _, tensor := range []string{ropeFactors, ropeShort} {
		if m.tensors[tensor] {
			if err := addFactors(ctx, c, keys, tensor); err != nil {
				return nil, nil, err
			}
		}
	}
	if f.imply != nil {
		f.imply(m, keys)
	}
	config, err := NewConfig(keys)
	if err != nil {
		return nil, nil, err
	}
	config.from = map[string]string{"vocab_size": "tensor token_embd.weight", "factors": "tensor " + ropeFactors, "short_factor": "tensor " + ropeShort}
	for to, from := range ropeTerms {
		config.from[to] = arch + "." + from
	}
	for from, to := range f.keys {
		if what := m.Describe(arch + "." + from); what != "absent" {
			config.from[to] = arch + "." + from
		}
	}
	return config, &f, nil
}

// ropeTerms are the metadata keys of scaled rotary positions, by the key of the object that
// scales them.
var ropeTerms = map[string]string{"rope_type": "rope.scaling.type", "factor": "rope.scaling.factor",
	"original_max_position_embeddings": "rope.scaling.original_context_length",
	"beta_fast":                        "rope.scaling.yarn_beta_fast", "beta_slow": "rope.scaling.yarn_beta_slow",
	"attention_factor": "rope.scaling.attn_factor"}

// rope translates the scaling and the share of rotary positions.
func (m ggufMeta) rope(keys map[string]any) error {
	scaling := map[string]any{}
	for to, from := range ropeTerms {
		if v, ok := m.number(from); ok {
			scaling[to] = v
		}
	}
	kind, _ := m.String(m.arch + ".rope.scaling.type")
	if old, ok := m.number("rope.scale_linear"); ok && old != 1 {
		kind, scaling["factor"] = "linear", old
	}
	if m.tensors[ropeShort] {
		kind = "longrope"
	}
	for _, key := range []string{"rope.scaling.yarn_log_multiplier", "rope.scaling.yarn_ext_factor"} {
		if v, ok := m.number(key); ok && (v != 0 && v != 1 || v == 1 && strings.HasSuffix(key, "multiplier")) {
			return fmt.Errorf("models: GGUF metadata %q = %g is not supported", m.arch+"."+key, v)
		}
	}
	attention, scaled := scaling["attention_factor"].(float64)
	switch kind {
	case "", "none", "linear", "llama3":
		if scaled && attention != 1 {
			return fmt.Errorf("models: GGUF metadata %q = %g is not supported without YaRN or LongRoPE", m.arch+".rope.scaling.attn_factor", attention)
		}
		delete(scaling, "attention_factor")
	case "yarn": // llama.cpp multiplies what YaRN says by it
		factor, ok := scaling["factor"].(float64)
		if !ok {
			factor = 1
		}
		if scaling["factor"] = factor; scaled {
			scaling["attention_factor"] = attention * yarnScale(factor, 1)
		}
	case "longrope": // llama.cpp computes none
		if !scaled {
			scaling["attention_factor"] = 1.0
		}
	}
	if kind != "" && kind != "none" {
		scaling["rope_type"] = kind
		keys["rope_scaling"] = scaling
	}
	if n, ok := m.number("rope.dimension_count"); ok {
		if head, ok := m.headDim(keys); ok && n != head {
			keys["partial_rotary_factor"] = (n + 0.5) / head // the half: rounding down gives n again
		}
	}
	return nil
}

// headDim is the size of a head, said or implied.
func (m ggufMeta) headDim(keys map[string]any) (float64, bool) {
	if head, _ := keys["head_dim"].(float64); head > 0 {
		return head, true
	}
	hidden, _ := keys["hidden_size"].(float64)
	heads, _ := keys["num_attention_heads"].(float64)
	return hidden / max(heads, 1), hidden > 0 && heads > 0
}

// Tensors [rotated elements / 2] that divide the rotary frequencies: llama.cpp's converter
// writes the scaling of Llama 3 as one, and as another the factors that LongRoPE has for
// texts within the original context.
const ropeFactors, ropeShort = "rope_freqs.weight", "rope_factors_short.weight"

// addFactors reads factors into the object that scales rotary positions.
func addFactors(ctx context.Context, c *weights.Catalog, keys map[string]any, tensor string) error {
	s := c.View(tensor).Spec()
	if s.DType != engine.F32 || len(s.Shape) != 1 || s.Shape[0] > maxHeadDim/2 {
		return fmt.Errorf("models: tensor %q is %v %v, want one row of at most %d F32", tensor, s.DType, s.Shape, maxHeadDim/2)
	}
	var factors []any
	err := c.ReadTensor(ctx, tensor, func(_ int64, data []byte) error {
		for ; len(data) >= 4; data = data[4:] {
			factors = append(factors, float64(math.Float32frombits(binary.LittleEndian.Uint32(data))))
		}
		return nil
	})
	scaling, _ := keys["rope_scaling"].(map[string]any)
	if scaling == nil {
		scaling = map[string]any{}
		keys["rope_scaling"] = scaling
	}
	scaling[map[string]string{ropeFactors: "factors", ropeShort: "short_factor"}[tensor]] = factors
	return err
}

// tensorName is the checkpoint's name of a GGUF tensor, "" for one that is of no use
// to the forward pass.
func (f *ggufFamily) tensorName(name string) string {
	before, rest, ok := strings.Cut(name, "blk.")
	if !ok {
		return f.names[name]
	}
	number, rest, _ := strings.Cut(rest, ".")
	l, err := strconv.Atoi(number)
	if to, ok := f.names[before+"blk.%d."+rest]; ok && err == nil {
		return layer(to, l)
	}
	return ""
}

// ggufViews maps checkpoint names to views of the file.
func ggufViews(c *weights.Catalog, f *ggufFamily, cfg *Config) (map[string]weights.View, error) {
	views := map[string]weights.View{}
	for _, t := range c.Tensors {
		if name := f.tensorName(t.Name); name != "" {
			views[name] = c.View(t.Name)
		}
	}
	if f.views == nil {
		return views, nil
	}
	return f.views(cfg, views)
}

// specsOf leaves out what can't be read: it may be of no use to the model, like the causal
// masks of old checkpoints.
func specsOf(views map[string]weights.View) Specs {
	specs := Specs{}
	for name, v := range views {
		if v.Err() == nil {
			specs[name] = v.Spec()
		}
	}
	return specs
}

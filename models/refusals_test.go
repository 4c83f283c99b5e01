package models_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"maps"
	"math"
	"strings"
	"testing"

	"prelude/engine"
	"prelude/engine/cpu"
	"prelude/engine/half"
	"prelude/engine/safetensors"
	"prelude/models"
	"prelude/models/weights"
)

// fixtureFamily is one model of either fixture.
func fixtureFamily(t testing.TB, name string) family {
	t.Helper()
	if c, ok := families(t)[name]; ok {
		return c
	}
	var c family
	if err := json.Unmarshal(t5Fixtures(t)[name], &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// Whatever changes the mathematics and is not implemented is refused by name.
func TestRefusedKeys(t *testing.T) {
	dynamic := map[string]any{"rope_type": "dynamic", "factor": 4.0}
	for _, c := range []struct {
		family, key string
		value       any
		want        string
	}{
		{"llama, llama3 rope", "hidden_act", "quick_gelu", `"hidden_act" = "quick_gelu"`},
		{"llama, llama3 rope", "rope_parameters", dynamic, `rope type "dynamic"`},
		{"llama, linear rope", "rope_scaling", map[string]any{"type": "dynamic", "factor": 2.0}, `rope type "dynamic"`},
		{"llama, linear rope", "rope_scaling", map[string]any{"type": "linear", "factor": "two"}, `"factor"`},
		{"llama, linear rope", "partial_rotary_factor", 0.5, `"partial_rotary_factor"`},
		{"llama, linear rope", "pretraining_tp", 2.0, `"pretraining_tp"`},
		{"llama, linear rope", "sliding_window", 16.0, `"sliding_window"`},
		{"llama, linear rope", "num_key_value_heads", 3.0, "3 key/value heads"},
		{"llama, linear rope", "num_hidden_layers", 1e6, `"num_hidden_layers"`},
		{"llama, linear rope", "hidden_size", "wide", `"hidden_size"`},
		{"llama, linear rope", "head_dim", 1e6, `"head_dim"`},
		{"qwen2", "layer_types", []any{"linear_attention", "full_attention"}, `layer type "linear_attention"`},
		{"qwen2", "layer_types", []any{"full_attention"}, `"layer_types" has 1`},
		{"gpt2", "activation_function", "mish", `"activation_function" = "mish"`},
		{"gpt2", "add_cross_attention", true, `"add_cross_attention"`},
		{"neox", "rope_scaling", dynamic, `rope type "dynamic"`},
		{"neox", "rotary_pct", 0.01, "rotated elements"},
		{"gemma3", "final_logit_softcapping", 30.0, `"final_logit_softcapping"`},
		{"gemma3", "attn_logit_softcapping", 50.0, `"attn_logit_softcapping"`},
		{"gemma3", "use_bidirectional_attention", true, `"use_bidirectional_attention"`},
		{"gemma3", "hidden_activation", "tanh", `"hidden_activation"`},
		{"gemma3", "rope_parameters", map[string]any{"rope_theta": 1000.0}, `"rope_parameters" has "rope_theta"`},
		{"gemma3, old keys", "rope_scaling", dynamic, `rope type "dynamic"`},
		{"t5 1.0", "feed_forward_proj", "gated-tanh", `"tanh"`},
		{"t5 1.0", "is_encoder_decoder", false, `"is_encoder_decoder"`},
		{"t5 1.0", "relative_attention_num_buckets", 3.0, "relative buckets"},
		{"t5 1.0", "is_gated_act", true, "contradict"},
		{"t5 1.0", "decoder_start_token_id", 31.0, "want a token from 0 to 30"},
		{"t5 1.0", "decoder_start_token_id", 0.5, `"decoder_start_token_id" is 0.5`},
		{"llama, yarn", "rope_parameters", map[string]any{"rope_type": "yarn", "factor": 4.0, "beta_fast": 1.0, "beta_slow": 2.0}, "the fast beta not below the slow one"},
		{"llama, yarn", "rope_parameters", map[string]any{"rope_type": "yarn", "factor": 4.0, "attention_factor": -1.0}, `"attention_factor": an attention factor of -1`},
		{"phi3, longrope", "rope_scaling", map[string]any{"type": "longrope", "short_factor": []any{1.0}}, `"short_factor": 1 factors of rotary frequencies`},
		{"phi3, longrope", "rope_scaling", map[string]any{"type": "longrope", "short_factor": []any{1.0, "2"}}, `"short_factor" is no list of numbers`},
		{"phi3, longrope", "rope_scaling", map[string]any{"type": "longrope"}, `"short_factor" is no list of numbers`},
		{"granite", "residual_multiplier", -1.0, `"residual_multiplier" is -1`},
		{"granite", "logits_scaling", 0.0, `"logits_scaling" is 0`},
		{"granite", "position_embedding_type", "alibi", `"position_embedding_type" is "alibi"`},
		{"granite 4, dense", "num_local_experts", 1.0, `"num_local_experts" = 1`},
		{"granite 4, dense", "num_local_experts", nil, `"num_local_experts" is missing`},
		{"granite 4, dense", "layer_types", []any{"mamba", "attention"}, `"layer_types" is [mamba attention]: only layers of attention`},
		{"smollm3", "no_rope_layers", []any{1.0}, `"no_rope_layers" has 1 entries for 2 layers`},
		{"smollm3", "no_rope_layers", []any{1.0, 2.0}, `"no_rope_layers" has 2`},
		{"olmo2", "sliding_window", 16.0, `"sliding_window"`},
		{"gpt neo", "attention_types", []any{[]any{[]any{"global"}, 2.0}}, `"attention_types" is [[[global] 2]], want a list`},
		{"gpt neo", "attention_types", []any{[]any{[]any{"global"}, 1e18}}, `"attention_types"`},
		{"opt", "_remove_final_layer_norm", true, `"_remove_final_layer_norm" = true`},
		{"opt, 350m", "layer_norm_elementwise_affine", false, `"layer_norm_elementwise_affine" = false`},
		{"gemma2", "final_logit_softcapping", -30.0, `"final_logit_softcapping" is -30, want a cap`},
		{"gemma2", "attn_logit_softcapping", "50", `"attn_logit_softcapping" is 50, want a number`},
		{"gemma2", "attn_logit_softcapping", 1e-30, `"attn_logit_softcapping" is 1e-30, want a cap`},
		{"gemma2", "use_bidirectional_attention", true, `"use_bidirectional_attention"`},
		{"lfm2", "conv_bias", true, `"conv_bias"`},
		{"lfm2", "conv_L_cache", 1e6, `"conv_L_cache" is 1000000, want at most 64`},
		{"lfm2", "conv_L_cache", 4.0, `"model.layers.0.conv.conv.weight" has shape [3 16], want [4 16]`},
		{"lfm2", "layer_types", []any{"conv", "full_attention", "conv", "linear_attention"}, `layer type "linear_attention"`},
		{"lfm2", "layer_types", []any{"conv"}, `"layer_types" has 1`},
		{"lfm2, old keys", "full_attn_idxs", []any{3.0}, `"full_attn_idxs" names layer 3 of 3`},
		{"lfm2, old keys", "full_attn_idxs", []any{"2"}, `"full_attn_idxs" is no list`},
		{"qwen3", "model_type", "lfm2_moe", `architecture "lfm2_moe" is not supported (it needs mixtures of experts`},
		{"qwen3", "model_type", "qwen3_5_text", `architecture "qwen3_5_text" is not supported (it needs a recurrent state for its layers of linear attention`},
		{"gemma3", "model_type", "gemma4_text", `architecture "gemma4_text" is not supported (it needs heads of another size`},
		{"gpt2", "model_type", "rwkv", `architecture "rwkv" is not supported; supported are gemma2, gemma3, gemma3_text, gpt2, gpt_neo, gpt_neox, granite, granitemoehybrid, lfm2, llama, mistral, mt5, olmo2, opt, phi3, qwen2, qwen3, smollm3, t5`},
	} {
		f := fixtureFamily(t, c.family)
		config := maps.Clone(f.Config)
		config[c.key] = c.value
		_, err := models.Open(context.Background(), "tiny", checkpoint(t, config, f.Shapes).open, "")
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s with %q = %v: error %v, want %s", c.family, c.key, c.value, err, c.want)
		}
	}
}

// What is wrong with a folder is said before weights are read, by name.
func TestBrokenFolders(t *testing.T) {
	c := families(t)["gpt2, other scores"]
	for _, b := range []struct {
		what  string
		spoil func(f folder)
		want  []string
	}{
		{"nothing", func(f folder) { clear(f) }, []string{"config.json", "pieces.json", "GGUF"}},
		{"no tokenizer", func(f folder) { delete(f, "tokenizer.json") }, []string{"not exist"}},
		{"no weights", func(f folder) { delete(f, "model.safetensors") }, []string{"model.safetensors"}},
		{"no JSON", func(f folder) { f["config.json"] = []byte("{") }, []string{"config.json"}},
		{"no model type", func(f folder) { f["config.json"] = []byte("{}") }, []string{`"model_type"`}},
		{"broken tokenizer_config", func(f folder) { f["tokenizer_config.json"] = []byte("[") }, []string{"tokenizer_config.json"}},
		{"tokenizer of another model", func(f folder) {
			f["tokenizer.json"] = []byte(strings.Replace(tinyTokenizer, `"E":30`, `"E":30,"F":31`, 1))
		}, []string{"32 tokens", "31 rows"}},
		{"truncated weights", func(f folder) { f["model.safetensors"] = f["model.safetensors"][:1000] }, []string{"safetensors"}},
		{"weights of another size", func(f folder) {
			f["config.json"] = []byte(strings.Replace(string(f["config.json"]), `"n_inner":20`, `"n_inner":24`, 1))
		}, []string{"transformer.h.0.mlp.c_fc.bias", "[20]", "[24]"}},
	} {
		f := checkpoint(t, c.Config, c.Shapes)
		b.spoil(f)
		_, err := models.Open(context.Background(), "tiny", f.open, "")
		for _, want := range b.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %v, want %q in it", b.what, err, want)
			}
		}
	}
	without := maps.Clone(c.Shapes)
	delete(without, "transformer.h.1.ln_2.bias")
	if _, err := models.Open(context.Background(), "tiny", checkpoint(t, c.Config, without).open, ""); err == nil || !strings.Contains(err.Error(), `"transformer.h.1.ln_2.bias" is missing`) {
		t.Errorf("missing tensor: error %v", err)
	}
	bent := maps.Clone(c.Shapes)
	bent["transformer.h.0.attn.c_attn.weight"] = []int{16, 47}
	if _, err := models.Open(context.Background(), "tiny", checkpoint(t, c.Config, bent).open, ""); err == nil || !strings.Contains(err.Error(), "transformer.h.0.attn.c_attn.weight") {
		t.Errorf("a fused map that does not divide: error %v", err)
	}
}

// A NaN among the weights is an error of loading that names the tensor.
func TestNaNWeight(t *testing.T) {
	c := families(t)["neox"]
	f := checkpoint(t, c.Config, c.Shapes)
	file := f["model.safetensors"]
	binary.LittleEndian.PutUint32(file[len(file)-4:], math.Float32bits(float32(math.NaN())))
	dev := cpu.New[float32]()
	if _, err := open(t, f).Load(context.Background(), dev, weights.Options{}); err == nil || !strings.Contains(err.Error(), "tensor \"") {
		t.Errorf("error %v, want one that names the tensor", err)
	}
	if n := dev.Memory().Tensors; n != 0 {
		t.Errorf("%d bytes are still held", n)
	}
}

// Tied and untied heads: an untied one must be in the file, a tied one need not be, and
// special tokens may lie beyond the embeddings.
func TestHeads(t *testing.T) {
	c := families(t)["qwen2"]
	untied := maps.Clone(c.Config)
	untied["tie_word_embeddings"] = false
	_, err := models.Open(context.Background(), "tiny", checkpoint(t, untied, c.Shapes).open, "")
	if err == nil || !strings.Contains(err.Error(), `"lm_head.weight" is missing`) {
		t.Errorf("untied without a head: error %v", err)
	}
	shapes := maps.Clone(c.Shapes)
	shapes["lm_head.weight"] = []int{31, 16}
	f := checkpoint(t, untied, shapes)
	f["tokenizer.json"] = []byte(strings.Replace(tinyTokenizer, `{"pre`, `{"added_tokens":[{"id":31,"content":"<picture>","special":true}],"pre`, 1))
	files := open(t, f)
	if _, ok := files.Family.Tensors()["lm_head.weight"]; !ok {
		t.Error("the untied head is not used")
	}
	if _, ok := open(t, checkpoint(t, c.Config, shapes)).Family.Tensors()["lm_head.weight"]; ok {
		t.Error("a head beside tied embeddings is used")
	}
}

// Checkpoints in half precision: matrices stay as they are, vectors become F32.
func TestHalfPrecision(t *testing.T) {
	for kind, c := range map[safetensors.DType]struct {
		to   func(float32) uint16
		back func(uint16) float32
		want engine.DType
	}{safetensors.F16: {half.F32ToF16, half.F16ToF32, engine.F16}, safetensors.BF16: {half.F32ToBF16, half.BF16ToF32, engine.BF16}} {
		fix := families(t)["gpt2"]
		f := checkpoint(t, fix.Config, fix.Shapes)
		f["model.safetensors"] = halve(t, fix.Shapes, kind, c.to)
		m, err := open(t, f).Load(context.Background(), cpu.New[float32](), weights.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for name, w := range m.Weights {
			if want := map[bool]engine.DType{true: engine.F32, false: c.want}[len(w.Spec().Shape) == 1]; w.Spec().DType != want {
				t.Errorf("%q is %v, want %v", name, w.Spec().DType, want)
			}
		}
		got := data[float32](m.Weights["transformer.ln_f.weight"])
		if want := c.back(c.to(0.3)); float32(got[0]) != want || len(got) != 16 {
			t.Errorf("%v gain is %v, want %v", kind, got, want)
		}
	}
}

// halve writes 0.3 everywhere in half precision.
func halve(t *testing.T, shapes map[string][]int, kind safetensors.DType, to func(float32) uint16) []byte {
	t.Helper()
	var all []safetensors.Tensor
	for name, shape := range shapes {
		n := 1
		for _, d := range shape {
			n *= d
		}
		var raw []byte
		for range n {
			raw = binary.LittleEndian.AppendUint16(raw, to(0.3))
		}
		all = append(all, safetensors.Tensor{Name: name, DType: kind, Shape: shape, Data: raw})
	}
	var b strings.Builder
	if err := safetensors.Write(&b, all, nil); err != nil {
		t.Fatal(err)
	}
	return []byte(b.String())
}

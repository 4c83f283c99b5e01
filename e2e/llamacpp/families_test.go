package llamacpp_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"prelude/engine"
	"prelude/engine/cpu"
	"prelude/models"
	"prelude/models/tiny"
	"prelude/prefix"
	"prelude/prefix/llamacpp"
)

// vocab is the bytes as GPT-2 spells them, one merge, and an end.
const vocab = 258

// tinyModel is a small random model of a family as Hugging Face and as llama.cpp describe it.
type tinyModel struct {
	config      string         // what the family's config.json has beside the sizes
	meta        map[string]any // what its GGUF metadata have beside the sizes
	layers      int
	interleaved bool // rows of queries and keys
	fused       bool // queries, keys and values are one map, gate and up another
	around      bool // norms behind the parts
	hybrid      bool // short convolutions, whose state no prefix is exported to
}

var tinyModels = map[string]tinyModel{
	"llama":   {layers: 2, interleaved: true},
	"smollm3": {layers: 4, interleaved: true, config: `"no_rope_layer_interval":4,"tie_word_embeddings":false,`},
	"granite": {layers: 2, interleaved: true, config: `"embedding_multiplier":2.0,"attention_multiplier":0.3,"residual_multiplier":0.5,"logits_scaling":2.0,`,
		meta: map[string]any{"embedding_scale": float32(2), "attention.scale": float32(0.3), "residual_scale": float32(0.5), "logit_scale": float32(2)}},
	"olmo2": {layers: 2, around: true},
	"lfm2": {layers: 4, hybrid: true, config: `"block_auto_adjust_ff_dim":false,"norm_eps":1e-6,"layer_types":["conv","full_attention","full_attention","conv"],`,
		meta: map[string]any{"attention.head_count_kv": []uint32{0, 2, 2, 0}, "shortconv.l_cache": uint32(3)}},
	"phi3": {layers: 2, fused: true, meta: map[string]any{"rope.scaling.original_context_length": uint32(512), "attention.sliding_window": uint32(0)}},
	"gemma2": {layers: 4, around: true, config: `"query_pre_attn_scalar":16,"sliding_window":256,"attn_logit_softcapping":5.0,"final_logit_softcapping":4.0,"tie_word_embeddings":true,`,
		meta: map[string]any{"attention.sliding_window": uint32(256), "attn_logit_softcapping": float32(5), "final_logit_softcapping": float32(4)}},
}

// Small random models of the families whose keys llama.cpp orders in ways of its own: bare, with a
// prefix and with LoRA on every map they answer there as they do here.
func TestLlamaCppFamilies(t *testing.T) {
	if _, err := os.Stat("node_modules/node-llama-cpp"); err != nil {
		t.Skip("needs node-llama-cpp: 'make test-llamacpp' installs it")
	}
	ctx := context.Background()
	for arch, m := range tinyModels {
		t.Run(arch, func(t *testing.T) {
			f := tiny.New(t, cpu.New[float32](), fmt.Sprintf(`{"model_type":%q,%s"hidden_size":64,"intermediate_size":96,"num_hidden_layers":%d,"num_attention_heads":4,
				"num_key_value_heads":2,"head_dim":16,"vocab_size":%d,"max_position_embeddings":512,"rms_norm_eps":1e-6,"rope_theta":10000.0}`, arch, m.config, m.layers, vocab))
			dir := t.TempDir()
			gguf := filepath.Join(dir, "tiny.gguf")
			if err := os.WriteFile(gguf, m.file(t, arch, f), 0o666); err != nil {
				t.Fatal(err)
			}
			prompts := [][]int32{{3, 9, 27, 81, 5}, {100, 2}, {7, 7, 8, 200, 31, 64, 90}}
			stop := []int32{vocab - 1}
			base := job{Model: gguf, Context: 512, Threads: 1, Flash: true, Prompts: prompts, Tokens: tokens, Stop: stop}
			bare := ask(t, dir, base)
			compare(t, bare, ours(t, f, nil, nil, prompts, stop), near)
			for _, c := range []prefix.Choice{{"source": "kv", "start": "examples", "kv.slots": "9"}, {"source": "none", "weights": "lora", "lora.maps": "all"}} {
				if m.hybrid && c["source"] == "kv" {
					continue
				}
				method, err := prefix.New(c, f.Arch.Info())
				if err != nil {
					t.Fatal(err)
				}
				if err := method.Start(ctx, f, prefix.StartFrom{Examples: [][]int32{{3, 9, 27, 14, 5}, {8, 2, 30, 1}}}, rand.New(rand.NewPCG(5, 6))); err != nil {
					t.Fatal(err)
				}
				rng := rand.New(rand.NewPCG(1, 2))
				for _, p := range method.Params() {
					for i := range p.Value {
						p.Value[i] += float32(rng.NormFloat64() * 0.2)
					}
				}
				tensors, err := method.Alloc(ctx, f.Dev)
				if err != nil {
					t.Fatal(err)
				}
				files, err := llamacpp.Export(ctx, f, method, tensors, llamacpp.Options{GGUF: "tiny.gguf"})
				if err != nil {
					t.Fatal(err)
				}
				j := base
				for _, x := range files {
					if err := os.WriteFile(filepath.Join(dir, x.Name), x.Data, 0o666); err != nil {
						t.Fatal(err)
					}
					switch x.Name {
					case llamacpp.StateFile:
						j.State, j.Slots = filepath.Join(dir, x.Name), 9
					case llamacpp.LoRAFile:
						j.LoRA = filepath.Join(dir, x.Name)
					}
				}
				got := ask(t, dir, j)
				compare(t, got, ours(t, f, method, tensors, prompts, stop), near)
				if slices.EqualFunc(got.Answers, bare.Answers, slices.Equal[[]int32]) {
					t.Errorf("%v changes no answer: nothing shows that it is read", c)
				}
			}
		})
	}
}

// file is the model as llama.cpp's converter writes it, in float32.
func (m tinyModel) file(t *testing.T, arch string, f engine.Frozen) []byte {
	t.Helper()
	i := f.Arch.Info()
	type tensor struct {
		shape []int
		data  []float32
	}
	all := map[string]tensor{}
	for name, w := range f.Weights {
		if f.Arch.(models.Family).Constants()[name] != nil {
			continue
		}
		x := make([]byte, w.Spec().Bytes())
		if err := w.Read(context.Background(), 0, x); err != nil {
			t.Fatal(err)
		}
		values := make([]float32, w.Spec().Len())
		if _, err := binary.Decode(x, binary.LittleEndian, values); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(arch, "gemma") && strings.HasSuffix(name, "norm.weight") {
			for k := range values {
				values[k]++
			}
		}
		shape := slices.Clone(w.Spec().Shape)
		if strings.HasSuffix(name, ".conv.conv.weight") { // [hidden, taps], the last one a row's own
			taps, width := shape[0], shape[1]
			turned := make([]float32, len(values))
			for tap := range taps {
				for c := range width {
					turned[c*taps+taps-1-tap] = values[tap*width+c]
				}
			}
			shape, values = []int{width, taps}, turned
		}
		if m.interleaved && (strings.Contains(name, "q_proj") || strings.Contains(name, "k_proj")) {
			values = interleave(values, shape[0], i.HeadDim)
		}
		all[m.name(name)] = tensor{shape, values}
	}
	join := func(to string, parts ...string) {
		var whole tensor
		for _, p := range parts {
			x := all[p]
			if whole.shape == nil {
				whole.shape = []int{0, x.shape[1]}
			}
			whole.shape[0] += x.shape[0]
			whole.data = append(whole.data, x.data...)
			delete(all, p)
		}
		all[to] = whole
	}
	for _, l := range i.Convolving() {
		at := fmt.Sprintf("blk.%d.", l)
		join(at+"shortconv.in_proj.weight", at+"conv.gate_proj.weight", at+"conv.output_gate_proj.weight", at+"conv.input_proj.weight")
	}
	if m.fused {
		for l := range i.Layers {
			at := fmt.Sprintf("blk.%d.", l)
			join(at+"attn_qkv.weight", at+"attn_q.weight", at+"attn_k.weight", at+"attn_v.weight")
			join(at+"ffn_up.weight", at+"ffn_gate.weight", at+"ffn_up.weight")
		}
	}
	meta := map[string]any{"general.architecture": arch, "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "gpt-2", "tokenizer.ggml.tokens": byteTokens(),
		"tokenizer.ggml.merges": []string{"a b"}, "tokenizer.ggml.eos_token_id": uint32(vocab - 1), "tokenizer.ggml.bos_token_id": uint32(vocab - 1)}
	sizes := map[string]any{"block_count": uint32(i.Layers), "context_length": uint32(i.Context), "embedding_length": uint32(i.Hidden), "feed_forward_length": uint32(i.FF),
		"attention.head_count": uint32(i.Heads), "attention.head_count_kv": uint32(i.KVHeads), "attention.key_length": uint32(i.HeadDim), "attention.value_length": uint32(i.HeadDim),
		"attention.layer_norm_rms_epsilon": float32(1e-6), "rope.freq_base": float32(10000), "rope.dimension_count": uint32(i.HeadDim), "vocab_size": uint32(vocab)}
	for _, some := range []map[string]any{sizes, m.meta} {
		for key, v := range some {
			meta[arch+"."+key] = v
		}
	}
	var b bytes.Buffer
	put := func(values ...any) {
		for _, v := range values {
			if s, ok := v.(string); ok {
				v = append(binary.LittleEndian.AppendUint64(nil, uint64(len(s))), s...)
			}
			if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
				t.Fatal(err)
			}
		}
	}
	b.WriteString("GGUF")
	put(uint32(3), uint64(len(all)), uint64(len(meta)))
	for _, key := range slices.Sorted(maps.Keys(meta)) {
		put(key)
		switch v := meta[key].(type) {
		case uint32:
			put(uint32(4), v)
		case float32:
			put(uint32(6), v)
		case string:
			put(uint32(8), v)
		case []uint32:
			put(uint32(9), uint32(4), uint64(len(v)), v)
		case []string:
			put(uint32(9), uint32(8), uint64(len(v)))
			for _, s := range v {
				put(s)
			}
		}
	}
	offset := 0
	names := slices.Sorted(maps.Keys(all))
	for _, name := range names {
		x := all[name]
		put(name, uint32(len(x.shape)))
		for _, d := range slices.Backward(x.shape) {
			put(uint64(d))
		}
		put(uint32(0), uint64(offset))
		offset += (4*len(x.data) + 31) / 32 * 32
	}
	b.Write(make([]byte, -b.Len()&31))
	for _, name := range names {
		put(all[name].data)
		b.Write(make([]byte, -b.Len()&31))
	}
	return b.Bytes()
}

// name is llama.cpp's of a tensor.
func (m tinyModel) name(of string) string {
	behind := "ffn_norm"
	if m.around {
		behind = "post_attention_norm"
	}
	return strings.NewReplacer("model.embed_tokens", "token_embd", "model.norm", "output_norm", "lm_head", "output", "model.layers.", "blk.",
		"input_layernorm", "attn_norm", "post_attention_layernorm", behind, "pre_feedforward_layernorm", "ffn_norm", "post_feedforward_layernorm", "post_ffw_norm",
		"self_attn.q_proj", "attn_q", "self_attn.k_proj", "attn_k", "self_attn.v_proj", "attn_v", "self_attn.o_proj", "attn_output",
		"self_attn.q_norm", "attn_q_norm", "self_attn.k_norm", "attn_k_norm", "mlp.gate_proj", "ffn_gate", "mlp.up_proj", "ffn_up", "mlp.down_proj", "ffn_down",
		"model.embedding_norm", "token_embd_norm", "operator_norm", "attn_norm", "self_attn.out_proj", "attn_output", "self_attn.q_layernorm", "attn_q_norm",
		"self_attn.k_layernorm", "attn_k_norm", "feed_forward.w1", "ffn_gate", "feed_forward.w3", "ffn_up", "feed_forward.w2", "ffn_down",
		"conv.conv", "shortconv.conv", "conv.out_proj", "shortconv.out_proj").Replace(of)
}

// interleave moves row o of each head's first half beside that of its second, as the converter does.
func interleave(x []float32, rows, headDim int) []float32 {
	width, y := len(x)/rows, make([]float32, len(x))
	for r := range rows {
		head, o := r/headDim, r%headDim
		to := head*headDim + o%(headDim/2)*2 + o/(headDim/2)
		copy(y[to*width:][:width], x[r*width:])
	}
	return y
}

// byteTokens spells the bytes as GPT-2 does.
func byteTokens() []string {
	var all []string
	next := rune(256)
	for c := range 256 {
		if c >= '!' && c <= '~' || c >= 0xa1 && c <= 0xac || c >= 0xae {
			all = append(all, string(rune(c)))
			continue
		}
		all = append(all, string(next))
		next++
	}
	return append(all, "ab", "<end>")
}

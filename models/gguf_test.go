package models_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"prelude/engine"
	"prelude/engine/conformance"
	"prelude/engine/cpu"
	"prelude/models"
	"prelude/models/weights"
)

func put(b *bytes.Buffer, values ...any) {
	for _, v := range values {
		if s, ok := v.(string); ok {
			binary.Write(b, binary.LittleEndian, uint64(len(s)))
			b.WriteString(s)
		} else {
			binary.Write(b, binary.LittleEndian, v)
		}
	}
}

// ggufFile is a GGUF file (version 3) of F32 tensors. Metadata are float32, uint32,
// bool, string, []string or []uint32.
func ggufFile(meta map[string]any, shapes map[string][]int, data map[string][]float32) []byte {
	var w struct{ meta, infos, data bytes.Buffer }
	for _, key := range slices.Sorted(maps.Keys(meta)) {
		put(&w.meta, key)
		switch v := meta[key].(type) {
		case uint32:
			put(&w.meta, uint32(4), v)
		case float32:
			put(&w.meta, uint32(6), v)
		case bool:
			put(&w.meta, uint32(7), v)
		case string:
			put(&w.meta, uint32(8), v)
		case []string:
			put(&w.meta, uint32(9), uint32(8), uint64(len(v)))
			for _, s := range v {
				put(&w.meta, s)
			}
		case []uint32:
			put(&w.meta, uint32(9), uint32(4), uint64(len(v)), v)
		default:
			panic(key)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(shapes)) {
		put(&w.infos, name, uint32(len(shapes[name])))
		for _, d := range slices.Backward(shapes[name]) { // fastest first
			put(&w.infos, uint64(d))
		}
		put(&w.infos, uint32(0), uint64(w.data.Len()))
		put(&w.data, data[name])
		w.data.Write(make([]byte, -w.data.Len()&31))
	}
	var b bytes.Buffer
	b.WriteString("GGUF")
	put(&b, uint32(3), uint64(len(shapes)), uint64(len(meta)))
	b.Write(w.meta.Bytes())
	b.Write(w.infos.Bytes())
	b.Write(make([]byte, -b.Len()&31))
	b.Write(w.data.Bytes())
	return b.Bytes()
}

// rows moves the rows of a tensor: row r of the result is row from(r).
func rows(x []float32, n int, from func(r int) int) []float32 {
	width := len(x) / n
	var y []float32
	for r := range n {
		y = append(y, x[from(r)*width:][:width]...)
	}
	return y
}

// converted does to a tensor what llama.cpp's converter does to it.
func converted(arch, name string, shape []int, x []float32, heads map[string]int) ([]int, []float32) {
	switch {
	case strings.HasPrefix(arch, "gemma") && strings.HasSuffix(name, "norm.weight"):
		for i := range x {
			x[i]++
		}
	case arch == "gpt2" && len(shape) == 2 && strings.Contains(name, ".c_"):
		t := make([]float32, len(x))
		for i := range shape[0] {
			for o := range shape[1] {
				t[o*shape[0]+i] = x[i*shape[1]+o]
			}
		}
		return []int{shape[1], shape[0]}, t
	case arch == "gptneox" && strings.Contains(name, "query_key_value"):
		n, h := shape[0], heads["q"]
		d := n / 3 / h
		return shape, rows(x, n, func(r int) int { return (r%(h*d)/d*3+r/(h*d))*d + r%d })
	case arch == "lfm2" && len(shape) == 3:
		return []int{shape[0], shape[2]}, x
	case slices.Contains([]string{"llama", "smollm3", "granite"}, arch) && (strings.Contains(name, "q_proj") || strings.Contains(name, "k_proj")):
		h := heads["q"]
		if strings.Contains(name, "k_proj") {
			h = heads["k"]
		}
		d := shape[0] / h
		return shape, rows(x, shape[0], func(r int) int { return r/d*d + r%d%2*(d/2) + r%d/2 })
	}
	return shape, x
}

// ggufModel is how llama.cpp describes a fixture's model.
type ggufModel struct {
	arch    string
	meta    map[string]any
	factors []float32 // of the rotary frequencies
	short   []float32 // of LongRoPE
}

func ggufModels() map[string]ggufModel {
	and := func(m map[string]any, more map[string]any) map[string]any {
		maps.Copy(m, more)
		return m
	}
	llama := func(kv, rope uint32) map[string]any {
		return map[string]any{"block_count": uint32(2), "context_length": uint32(64), "embedding_length": uint32(16), "feed_forward_length": uint32(24),
			"attention.head_count": uint32(4), "attention.head_count_kv": kv, "attention.layer_norm_rms_epsilon": float32(1e-6), "rope.freq_base": float32(rope)}
	}
	t5 := func(buckets uint32) map[string]any {
		return map[string]any{"block_count": uint32(2), "decoder_block_count": uint32(3), "context_length": uint32(64), "embedding_length": uint32(16),
			"attention.head_count": uint32(2), "attention.key_length": uint32(6), "attention.layer_norm_epsilon": float32(1e-6),
			"attention.layer_norm_rms_epsilon": float32(1e-6), "attention.relative_buckets_count": buckets}
	}
	return map[string]ggufModel{
		"llama, linear rope": {arch: "llama", meta: and(llama(2, 500), map[string]any{"rope.scaling.type": "linear", "rope.scaling.factor": float32(2), "rope.dimension_count": uint32(4)})},
		"llama, llama3 rope": {arch: "llama", meta: llama(1, 100), factors: []float32{1, 4}},
		"qwen2":              {arch: "qwen2", meta: llama(2, 1000)},
		"qwen3":              {arch: "qwen3", meta: and(llama(2, 1000), map[string]any{"attention.key_length": uint32(6)})},
		"gpt2": {arch: "gpt2", meta: map[string]any{"block_count": uint32(2), "context_length": uint32(16), "embedding_length": uint32(16), "feed_forward_length": uint32(64),
			"attention.head_count": uint32(4), "attention.layer_norm_epsilon": float32(1e-5)}},
		"neox": {arch: "gptneox", meta: map[string]any{"block_count": uint32(2), "context_length": uint32(64), "embedding_length": uint32(16), "feed_forward_length": uint32(24),
			"attention.head_count": uint32(2), "attention.layer_norm_epsilon": float32(1e-5), "rope.dimension_count": uint32(4), "rope.freq_base": float32(100),
			"use_parallel_residual": true}},
		"gemma3, old keys": {arch: "gemma3", meta: and(llama(1, 1000), map[string]any{"block_count": uint32(3), "attention.key_length": uint32(4), "attention.sliding_window": uint32(3),
			"attention.sliding_window_pattern": uint32(2), "rope.freq_base_swa": float32(50), "rope.scaling.type": "linear", "rope.scaling.factor": float32(4)})},
		"gemma2": {arch: "gemma2", meta: and(llama(2, 100), map[string]any{"attention.key_length": uint32(6), "attention.sliding_window": uint32(4),
			"attn_logit_softcapping": float32(1.5), "final_logit_softcapping": float32(3)})},
		"qwen3, yarn": {arch: "qwen3", meta: and(llama(2, 1000), map[string]any{"attention.key_length": uint32(8), "rope.scaling.type": "yarn", "rope.scaling.factor": float32(8),
			"rope.scaling.original_context_length": uint32(64)})},
		"granite": {arch: "granite", meta: and(llama(2, 10000), map[string]any{"attention.scale": float32(0.375), "embedding_scale": float32(3),
			"residual_scale": float32(0.25), "logit_scale": float32(1.5), "rope.dimension_count": uint32(4)})},
		"smollm3": {arch: "smollm3", meta: and(llama(2, 2000000), map[string]any{"rope.dimension_count": uint32(4)})},
		"olmo2":   {arch: "olmo2", meta: and(llama(2, 100), map[string]any{"attention.layer_norm_rms_epsilon": float32(1e-5)})},
		"lfm2": {arch: "lfm2", meta: and(llama(2, 100), map[string]any{"block_count": uint32(4), "attention.layer_norm_rms_epsilon": float32(1e-5),
			"attention.head_count_kv": []uint32{0, 2, 2, 0}, "shortconv.l_cache": uint32(3)})},
		"phi3": {arch: "phi3", meta: and(llama(2, 10000), map[string]any{"attention.layer_norm_rms_epsilon": float32(1e-5), "attention.sliding_window": uint32(4),
			"rope.dimension_count": uint32(4), "rope.scaling.original_context_length": uint32(64)})},
		"phi3, longrope": {arch: "phi3", meta: and(llama(2, 10000), map[string]any{"attention.head_count": uint32(2), "attention.layer_norm_rms_epsilon": float32(1e-5),
			"attention.sliding_window": uint32(0), "rope.dimension_count": uint32(4), "rope.scaling.original_context_length": uint32(16),
			"rope.scaling.attn_factor": float32(math.Sqrt(1.5))}), short: []float32{1, 1.5}},
		"mt5":    {arch: "t5", meta: and(t5(32), map[string]any{"block_count": uint32(1), "decoder_block_count": uint32(2), "feed_forward_length": uint32(12)})},
		"t5 1.0": {arch: "t5", meta: and(t5(32), map[string]any{"feed_forward_length": uint32(20)})},
		"t5 1.1": {arch: "t5", meta: and(t5(8), map[string]any{"feed_forward_length": uint32(12)})},
	}
}

// tinyGGUF is a fixture's model as a GGUF file, named by the gguf package and stored as
// llama.cpp's converter stores it.
func tinyGGUF(t testing.TB, name string) []byte {
	t.Helper()
	return ggufOf(t, name, ggufModels()[name], ggufNames(t)[name])
}

// ggufNames are the gguf package's names of a fixture's tensors.
func ggufNames(t testing.TB) map[string]map[string]string {
	t.Helper()
	raw, err := os.ReadFile("testdata/gguf.json")
	if err != nil {
		t.Fatal(err)
	}
	var names map[string]map[string]string
	if err := json.Unmarshal(raw, &names); err != nil {
		t.Fatal(err)
	}
	return names
}

func ggufOf(t testing.TB, name string, c ggufModel, names map[string]string) []byte {
	t.Helper()
	fix := fixtureFamily(t, name)
	heads := map[string]int{"q": int(c.meta["attention.head_count"].(uint32)), "k": 2}
	if kv, ok := c.meta["attention.head_count_kv"].(uint32); ok {
		heads["k"] = int(kv)
	}
	shapes, values := map[string][]int{}, map[string][]float32{}
	if c.factors != nil {
		shapes["rope_freqs.weight"], values["rope_freqs.weight"] = []int{len(c.factors)}, c.factors
	}
	if c.short != nil {
		shapes["rope_factors_short.weight"], values["rope_factors_short.weight"] = []int{len(c.short)}, c.short
	}
	for k, from := range slices.Sorted(maps.Keys(fix.Shapes)) {
		to := names[from]
		shapes[to], values[to] = converted(c.arch, from, fix.Shapes[from], fixtureValues(from, fix.Shapes[from], k), heads)
	}
	meta := map[string]any{"general.architecture": c.arch, "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "gpt-2",
		"tokenizer.ggml.tokens": strings.Split("abcdefghijklmnopqrstuvwxyzABCDE", ""), "tokenizer.ggml.merges": []string{}}
	for key, v := range c.meta {
		if !strings.HasPrefix(key, "tokenizer.") {
			key = c.arch + "." + key
		}
		meta[key] = v
	}
	return ggufFile(meta, shapes, values)
}

// The same model from a checkpoint and from a GGUF file is the same, up to metadata and
// gains + 1 being float32.
func TestGGUFIsTheCheckpoint(t *testing.T) {
	for name := range ggufModels() {
		t.Run(name, func(t *testing.T) {
			files, err := models.Open(context.Background(), "tiny", folder{"tiny.gguf": tinyGGUF(t, name)}.open, "tiny.gguf")
			if err != nil {
				t.Fatal(err)
			}
			m, err := files.Load(context.Background(), cpu.New[float64](), weights.Options{})
			if err != nil {
				t.Fatal(err)
			}
			run := func(m *tiny[float64]) []float64 {
				p := m.decode()
				return p.logits(t, p.forward(examples{text, content}, 0, engine.Hooks{}))
			}
			got := run(&tiny[float64]{dev: m.Dev.(*cpu.Device[float64]), arch: files.Family, weights: m.Weights})
			fix := fixtureFamily(t, name)
			delete(fix.Config, "relative_attention_max_distance") // GGUF has no such key; T5's is 128
			bound := 1e-6
			switch name {
			case "smollm3": // GGUF says nothing of the layers without positions: every fourth
				delete(fix.Config, "no_rope_layer_interval")
			case "gemma2": // scores are scaled by the head's size
				fix.Config["query_pre_attn_scalar"] = 6.0
				bound = 1e-5 // four norms in each of three blocks: with these gains rounded alike it is 1e-6
			case "qwen3, yarn": // nor of these
				scaling := fix.Config["rope_scaling"].(map[string]any)
				delete(scaling, "mscale")
				delete(scaling, "truncate")
			}
			if e := conformance.Error(got, run(newFamily[float64](t, fix))); !(e <= bound) {
				t.Errorf("logits differ by %.3g, want ≤ %g", e, bound)
			}
		})
	}
}

// TestGGUFEnds: the tokens that a GGUF file says end a turn or a message end an answer too; one
// that isn't there is refused by its key.
func TestGGUFEnds(t *testing.T) {
	const name = "qwen3, yarn"
	for _, c := range []struct {
		eot, eom uint32
		want     string
	}{{7, 9, ""}, {7, 31, `GGUF metadata: "tokenizer.ggml.eom_token_id" is 31`}} {
		m := ggufModels()[name]
		m.meta = maps.Clone(m.meta)
		m.meta["tokenizer.ggml.eot_token_id"], m.meta["tokenizer.ggml.eom_token_id"] = c.eot, c.eom
		f, err := models.Open(t.Context(), "tiny", folder{"tiny.gguf": ggufOf(t, name, m, ggufNames(t)[name])}.open, "tiny.gguf")
		switch {
		case c.want != "":
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %s", err, c.want)
			}
		case err != nil || !slices.Contains(f.Ends, 7) || !slices.Contains(f.Ends, 9):
			t.Errorf("ends %+v, %v", f, err)
		}
	}
}

// TestGGUFNamedTemplates: the templates beside the default one are those that the file lists.
func TestGGUFNamedTemplates(t *testing.T) {
	const name, key = "qwen3, yarn", "tokenizer.chat_template"
	m := ggufModels()[name]
	m.meta = maps.Clone(m.meta)
	maps.Copy(m.meta, map[string]any{key: "D", key + "s": []string{"rag", "lost"}, key + ".rag": "R", key + ".unlisted": "U"})
	f, err := models.Open(t.Context(), "tiny", folder{"tiny.gguf": ggufOf(t, name, m, ggufNames(t)[name])}.open, "tiny.gguf")
	if err != nil || f.Chat != "D" || !slices.Equal(f.NamedChats, []models.ChatTemplate{{Name: "rag", Text: "R"}}) {
		t.Errorf("%+v, %v", f, err)
	}
}

// Factors that no rotation can use are an error that names them.
func TestGGUFFactors(t *testing.T) {
	for name, factors := range map[string][]float32{"too many": {1, 2, 3}, "negative": {1, -4}} {
		c := ggufModels()["llama, llama3 rope"]
		c.factors = factors
		file := ggufOf(t, "llama, llama3 rope", c, ggufNames(t)["llama, llama3 rope"])
		_, err := models.Open(context.Background(), "tiny", folder{"tiny.gguf": file}.open, "tiny.gguf")
		if err == nil || !strings.Contains(err.Error(), "factors of rotary frequencies") {
			t.Errorf("%s: error %v, want one of the factors", name, err)
		}
	}
}

package llamacpp_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"prelude/engine"
	"prelude/engine/cpu"
	"prelude/models/tiny"
	"prelude/models/weights/gguf"
	"prelude/prefix"
	"prelude/prefix/llamacpp"
)

var ctx = context.Background()

func method(t *testing.T, f engine.Frozen, c prefix.Choice) (*prefix.Method, map[string]engine.Tensor) {
	t.Helper()
	m, err := prefix.New(c, f.Arch.Info())
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Start(ctx, f, prefix.StartFrom{Examples: [][]int32{{3, 9, 27, 14, 5}, {8, 2, 30, 1}}, Text: []int32{4, 5, 6}}, rand.New(rand.NewPCG(5, 6))); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for _, p := range m.Params() {
		for i := range p.Value {
			if !p.Fixed {
				p.Value[i] += float32(rng.NormFloat64() * 0.1)
			}
		}
	}
	tensors, err := m.Alloc(ctx, f.Dev)
	if err != nil {
		t.Fatal(err)
	}
	return m, tensors
}

func export(t *testing.T, f engine.Frozen, c prefix.Choice, o llamacpp.Options) map[string][]byte {
	t.Helper()
	m, tensors := method(t, f, c)
	files, err := llamacpp.Export(ctx, f, m, tensors, o)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for _, x := range files {
		all[x.Name] = x.Data
	}
	return all
}

// A prefix that started as words has these as its state's tokens, another one the blank.
func TestExportOfAPrefix(t *testing.T) {
	f := tiny.Llama(t, cpu.New[float32]())
	for start, want := range map[string][]int32{"examples": {3, 9, 27, 14, 5, 8, 2, 30, 1}, "gaussian": {11, 11, 11, 11, 11, 11, 11, 11, 11}} {
		files := export(t, f, prefix.Choice{"start": start, "kv.slots": "9"}, llamacpp.Options{GGUF: "it's.gguf", Blank: 11})
		s, err := llamacpp.ReadState(files[llamacpp.StateFile], f.Arch.Info(), 64)
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Tokens) != len(want) || s.Tokens[2] != want[2] || s.Tokens[8] != want[8] {
			t.Errorf("start %s: tokens %v, want %v", start, s.Tokens, want)
		}
		if readme := string(files[llamacpp.ReadMeFile]); !strings.Contains(readme, `llama-server -m 'it'\''s.gguf' -np 1`) {
			t.Errorf("README:\n%s", readme)
		}
	}
}

// Methods are exported by what they are frozen as, or refused with the reason.
func TestExportRefuses(t *testing.T) {
	f := tiny.Llama(t, cpu.New[float32]())
	for _, c := range []prefix.Choice{{"source": "embedding"}, {"source": "mlp"}, {"source": "hidden"}, {"gate": "apt"}, {"weights": "lora"}, {"source": "none", "weights": "lora"}} {
		export(t, f, c, llamacpp.Options{})
	}
	for why, c := range map[string]prefix.Choice{
		"softmax of its own":    {"gate": "zeroinit"},
		"biases on the scores":  {"gate": "log"},
		"each token's own":      {"length": "span"},
		"goes on working":       {"source": "outside"},
		"Norm gains":            {"weights": "norms"},
		"inside its template":   {"source": "none", "template.slots": "2"},
		"while the text is rea": {"source": "convprefix"},
	} {
		m, tensors := method(t, f, c)
		if _, err := llamacpp.Export(ctx, f, m, tensors, llamacpp.Options{}); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%v: error %v, want one that says %q", c, err, why)
		}
	}
	t5 := tiny.T5(t, cpu.New[float32](), 2, 2)
	m, tensors := method(t, t5, prefix.Choice{"kv.slots": "3", "start": "gaussian"})
	if _, err := llamacpp.Export(ctx, t5, m, tensors, llamacpp.Options{}); err == nil || !strings.Contains(err.Error(), "t5") {
		t.Errorf("T5: error %v", err)
	}
	lfm2 := tiny.LFM2(t, cpu.New[float32]())
	m, tensors = method(t, lfm2, prefix.Choice{"kv.slots": "3", "start": "gaussian"})
	if _, err := llamacpp.Export(ctx, lfm2, m, tensors, llamacpp.Options{}); err == nil || !strings.Contains(err.Error(), "short convolutions") {
		t.Errorf("LFM2: error %v", err)
	}
}

// A LoRA adapter's alpha/rank·B·A is the method's term, row by row in the file's order; maps
// that the file joins have the terms of their parts.
func TestLoRAIsTheTerms(t *testing.T) {
	dev := cpu.New[float32]()
	gpt2 := tiny.New(t, dev, `{"model_type":"gpt2","n_layer":1,"n_embd":16,"n_head":4,"n_inner":24,"vocab_size":40,"n_positions":64}`)
	like := func(family string) engine.Frozen {
		return tiny.New(t, dev, `{"model_type":"`+family+`","hidden_size":16,"intermediate_size":24,"num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,
			"vocab_size":40,"max_position_embeddings":64,"no_rope_layers":[1,0],"head_dim":4}`)
	}
	models := map[string]engine.Frozen{"llama": tiny.Llama(t, dev), "gpt2": gpt2, "lfm2": tiny.LFM2(t, dev)}
	for _, family := range []string{"smollm3", "granite", "olmo2", "phi3", "gemma2"} {
		models[family] = like(family)
	}
	interleaved := map[string]bool{"llama": true, "smollm3": true, "granite": true}
	fused := map[string]bool{"gpt2": true, "phi3": true}
	for family, f := range models {
		i := f.Arch.Info()
		m, tensors := method(t, f, prefix.Choice{"source": "none", "weights": "lora", "lora.maps": "all", "lora.rank": "3"})
		files, err := llamacpp.Export(ctx, f, m, tensors, llamacpp.Options{GGUF: "m.gguf", Stop: []string{"<end>"}})
		if err != nil {
			t.Fatal(err)
		}
		data := files[0].Data
		h, err := gguf.Read(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		alpha, _ := h.Metadata.Float("adapter.lora.alpha")
		for key, want := range map[string]string{"general.type": "adapter", "adapter.type": "lora", "general.architecture": family} {
			if got, _ := h.Metadata.String(key); got != want {
				t.Errorf("%s: %s is %q", family, key, got)
			}
		}
		tensor := func(name string) (x []float32, shape []int) {
			for _, v := range h.Tensors {
				if v.Name == name {
					for at := range int(v.Size / 4) {
						x = append(x, math.Float32frombits(binary.LittleEndian.Uint32(data[int(v.Offset)+4*at:])))
					}
					return x, v.Shape
				}
			}
			t.Fatalf("%s: no tensor %q", family, name)
			return nil, nil
		}
		for _, term := range m.Terms() {
			name, first := map[engine.Role]string{engine.Query: "attn_q", engine.Key: "attn_k", engine.Value: "attn_v", engine.Down: "ffn_down",
				engine.AttentionOutput: "attn_output", engine.Gate: "ffn_gate", engine.Up: "ffn_up",
				engine.ConvGate: "shortconv.in_proj", engine.ConvOutputGate: "shortconv.in_proj", engine.ConvInput: "shortconv.in_proj", engine.ConvOutput: "shortconv.out_proj"}[term.Map.Role],
				map[engine.Role]int{engine.ConvOutputGate: i.Hidden, engine.ConvInput: 2 * i.Hidden}[term.Map.Role]
			if fused[family] && term.Map.Role <= engine.Value {
				name, first = "attn_qkv", map[engine.Role]int{engine.Query: 0, engine.Key: i.Heads * i.HeadDim, engine.Value: (i.Heads + i.KVHeads) * i.HeadDim}[term.Map.Role]
			}
			if family == "phi3" && (term.Map.Role == engine.Gate || term.Map.Role == engine.Up) {
				name, first = "ffn_up", map[engine.Role]int{engine.Gate: 0, engine.Up: i.FF}[term.Map.Role]
			}
			name = "blk." + string(rune('0'+term.Map.Layer)) + "." + name + ".weight"
			A, in := tensor(name + ".lora_a")
			B, out := tensor(name + ".lora_b")
			r := in[0]
			if out[1] != r {
				t.Fatalf("%s: %v and %v", name, in, out)
			}
			for o := range term.Map.Out {
				row := o
				if interleaved[family] && (term.Map.Role == engine.Query || term.Map.Role == engine.Key) {
					row = o/4*4 + []int{0, 2, 1, 3}[o%4]
				}
				for x := range in[1] {
					var got, want float64
					for k := range r {
						got += alpha / float64(r) * float64(B[(first+row)*r+k]) * float64(A[k*in[1]+x])
					}
					for k := range term.Rank {
						want += term.Scale * float64(term.Up[o*term.Rank+k]) * float64(term.Down[k*in[1]+x])
					}
					if math.Abs(got-want) > 1e-6 {
						t.Fatalf("%s, %s: row %d, column %d is %g, want %g", family, name, row, x, got, want)
					}
				}
			}
		}
	}
}

// The script sends the slots' tokens, then the prompt in its form, whatever is in it.
func TestScriptAsks(t *testing.T) {
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("the script needs python3 to write a prompt as JSON")
	}
	f := tiny.Llama(t, cpu.New[float32]())
	files := export(t, f, prefix.Choice{"start": "text"}, llamacpp.Options{GGUF: "m.gguf", Begin: []int32{1}, Before: "<q>'\"", After: "\n$HOME`", Stop: []string{"$x`\\"}})
	dir := t.TempDir()
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	curl := "#!/bin/sh\nfor a; do last=$a; done\necho \"$2 $last\"\n[ \"$last\" = @- ] && cat\nexit 0\n"
	if err := os.WriteFile(filepath.Join(dir, "curl"), []byte(curl), 0o777); err != nil {
		t.Fatal(err)
	}
	c := exec.Command("sh", llamacpp.ServerFile, "a \"b\" $c `d` é")
	c.Dir, c.Env = dir, append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{`slots/0?action=restore {"filename": "prefix.state.bin"}`,
		`{"prompt": [4, 5, 6, 1, "<q>'\"a \"b\" $c ` + "`d`" + ` \u00e9\n$HOME` + "`" + `"], "id_slot": 0`, `"stop": ["$x` + "`" + `\\"]`} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the script does not send %s:\n%s", want, out)
		}
	}
}

// TestModelfileBegins: Ollama puts the tokenizer's begin token before a prompt; what a chat template
// begins with beside it stands in the file.
func TestModelfileBegins(t *testing.T) {
	f := tiny.Llama(t, cpu.New[float32]())
	for added, want := range map[bool]string{true: `"""[user]{{ .Prompt }}"""`, false: `"""<s>[user]{{ .Prompt }}"""`} {
		files := export(t, f, prefix.Choice{"source": "none", "weights": "lora"}, llamacpp.Options{GGUF: "m.gguf", Begin: []int32{1}, Spelled: "<s>", Added: added, Before: "[user]"})
		if text := string(files[llamacpp.ModelFile]); !strings.Contains(text, want) {
			t.Errorf("%v:\n%s", added, text)
		}
		if text := string(files[llamacpp.ServerFile]); !strings.Contains(text, `"prompt": [1, $prompt]`) {
			t.Errorf("the script asks:\n%s", text)
		}
	}
}

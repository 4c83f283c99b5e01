package models_test

import (
	"bytes"
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"prelude/engine/safetensors"
	"prelude/models"
)

// raw is a tensor of zeros of any type.
func raw(name string, d safetensors.DType, shape ...int) safetensors.Tensor {
	n := d.Size()
	for _, s := range shape {
		n *= s
	}
	return safetensors.Tensor{Name: name, DType: d, Shape: shape, Data: make([]byte, n)}
}

// TestUnusedTensors: a tensor that the model doesn't use is no reason to refuse it, whatever
// its type: the masks of Pythia's and old GPT-2 checkpoints, positions, what was left over.
func TestUnusedTensors(t *testing.T) {
	for name, f := range families(t) {
		model := checkpoint(t, f.Config, f.Shapes)
		have, err := safetensors.Open(bytes.NewReader(model["model.safetensors"]), int64(len(model["model.safetensors"])))
		if err != nil {
			t.Fatal(err)
		}
		tensors := []safetensors.Tensor{raw("gpt_neox.layers.0.attention.bias", safetensors.U8, 1, 1, 8, 8), raw("transformer.h.0.attn.bias", safetensors.Bool, 1, 1, 8, 8),
			raw("embeddings.position_ids", safetensors.I64, 1, 8), raw("left.over", safetensors.F64, 3), raw("scale", safetensors.F8E4M3, 2, 2)}
		for _, info := range have.Tensors {
			data := make([]byte, info.Size)
			if err := have.ReadAt(info.Name, data, 0); err != nil {
				t.Fatal(err)
			}
			tensors = append(tensors, safetensors.Tensor{Name: info.Name, DType: info.DType, Shape: info.Shape, Data: data})
		}
		var file bytes.Buffer
		if err := safetensors.Write(&file, tensors, nil); err != nil {
			t.Fatal(err)
		}
		model["model.safetensors"] = file.Bytes()
		if _, err := models.Open(context.Background(), name, model.open, ""); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestBaseCheckpoints: what was saved without a head lacks the prefix of its names.
func TestBaseCheckpoints(t *testing.T) {
	found := map[string]int{}
	for name, f := range families(t) {
		for known, prefix := range map[string]string{"model.embed_tokens.weight": "model.", "gpt_neox.embed_in.weight": "gpt_neox.", "transformer.wte.weight": "transformer.",
			"model.decoder.embed_tokens.weight": "model."} {
			if _, ok := f.Shapes[known]; !ok {
				continue
			}
			found[known]++
			model := checkpointAs(t, f.Config, f.Shapes, func(name string) string { return strings.TrimPrefix(name, prefix) })
			if _, err := models.Open(context.Background(), name, model.open, ""); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if len(found) != 4 {
		t.Errorf("names of base models: %v", found)
	}
}

// TestEnds: every token that generation_config.json names ends an answer; one that isn't
// there is refused by name.
func TestEnds(t *testing.T) {
	all := families(t)
	name := slices.Sorted(maps.Keys(all))[0]
	for _, c := range []struct {
		generation, want string
		ends             []int32
	}{
		{`{"eos_token_id":[3,5]}`, "", []int32{3, 5}},
		{`{"eos_token_id":4}`, "", []int32{4}},
		{`{}`, "", nil},
		{`{"eos_token_id":31}`, `generation_config.json: "eos_token_id" is 31, and the tokenizer has the tokens 0 to 30`, nil},
		{`{"eos_token_id":[-1]}`, `"eos_token_id" is -1`, nil},
		{`{"eos_token_id":"</s>"}`, `want a token's id or a list of them`, nil},
		{`{`, `generation_config.json`, nil},
	} {
		config := maps.Clone(all[name].Config)
		delete(config, "eos_token_id")
		model := checkpoint(t, config, all[name].Shapes)
		model["generation_config.json"] = []byte(c.generation)
		f, err := models.Open(context.Background(), name, model.open, "")
		switch {
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: error %v, want %q", c.generation, err, c.want)
		case c.want == "" && (err != nil || !slices.Equal(f.Ends, c.ends)):
			t.Errorf("%s: %v, %v", c.generation, f, err)
		}
	}
}

// TestNamedTemplates: of several chat templates the default is taken, the others can be chosen,
// in a GGUF file as in a checkpoint; a list that names nothing is refused.
func TestNamedTemplates(t *testing.T) {
	all := families(t)
	name := slices.Sorted(maps.Keys(all))[0]
	named := []models.ChatTemplate{{Name: "rag", Text: "R"}, {Name: "tool_use", Text: "T"}}
	for _, c := range []struct{ list, chat, notes, err string }{
		{`[{"name":"rag","template":"R"},{"name":"default","template":"D"},{"name":"tool_use","template":"T"}]`, "D", `default is used unless another is chosen: "rag", "tool_use"`, ""},
		{`[{"name":"rag","template":"R"},{"name":"tool_use","template":"T"}]`, "", "none is called default", ""},
		{`[{"name":"","template":"R"}]`, "", "", "name has 0 bytes"},
		{`[{"name":"rag","template":"R"},{"name":"rag","template":"T"}]`, "", "", `two templates have the name "rag"`},
		{`[{"name":"rag","template":7}]`, "", "", "chat_template"},
		{"[" + strings.TrimSuffix(strings.Repeat(`{"name":"a","template":"b"},`, 40), ",") + "]", "", "", "40 templates, at most 32"},
	} {
		model := checkpoint(t, all[name].Config, all[name].Shapes)
		model["tokenizer_config.json"] = []byte(`{"chat_template": ` + c.list + `}`)
		f, err := models.Open(context.Background(), name, model.open, "")
		switch {
		case c.err != "":
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: error %v", c.list, err)
			}
		case err != nil || f.Chat != c.chat || !slices.Equal(f.NamedChats, named) || len(f.Notes) != 1 || !strings.Contains(f.Notes[0], c.notes):
			t.Errorf("%s: %+v, %v", c.list, f, err)
		}
	}
}

// TestTemplateFiles: templates that are files of their own are a model's, by the names of their
// files, in the place of those of tokenizer_config.json, as in transformers.
func TestTemplateFiles(t *testing.T) {
	all := families(t)
	name := slices.Sorted(maps.Keys(all))[0]
	dir := t.TempDir()
	for file, text := range checkpoint(t, all[name].Config, all[name].Shapes) {
		if err := os.WriteFile(filepath.Join(dir, file), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, models.ChatFolder), 0o700); err != nil {
		t.Fatal(err)
	}
	write := func(file, text string) {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	open := func() *models.Files {
		t.Helper()
		f, err := models.Open(context.Background(), name, models.Dir(dir), "")
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	write("tokenizer_config.json", `{"chat_template": "C"}`)
	if f := open(); f.Chat != "C" || len(f.NamedChats) != 0 {
		t.Errorf("without files: %q, %v", f.Chat, f.NamedChats)
	}
	write(models.ChatFolder+"/tool_use.jinja", "T")
	write(models.ChatFolder+"/notes.txt", "x")
	if f := open(); f.Chat != "" || !slices.Equal(f.NamedChats, []models.ChatTemplate{{Name: "tool_use", Text: "T"}}) {
		t.Errorf("with one beside: %q, %v", f.Chat, f.NamedChats)
	}
	write("chat_template.jinja", "D")
	if f := open(); f.Chat != "D" || !slices.Equal(f.NamedChats, []models.ChatTemplate{{Name: "tool_use", Text: "T"}}) || len(f.Notes) != 1 {
		t.Errorf("with a default: %q, %v, %v", f.Chat, f.NamedChats, f.Notes)
	}
	write(models.ChatFolder+"/default.jinja", "E")
	if _, err := models.Open(context.Background(), name, models.Dir(dir), ""); err == nil || !strings.Contains(err.Error(), `two templates have the name "default"`) {
		t.Errorf("two defaults: %v", err)
	}
}

// TestChangedMathematics: keys that change what a model computes, and numbers that no
// model has, are refused by name in every family.
func TestChangedMathematics(t *testing.T) {
	for name, f := range families(t) {
		for key, value := range map[string]any{"quantization_config": map[string]any{"bits": 4}, "num_experts": 8.0, "residual_multiplier": 0.2, "logits_scaling": 8.0,
			"logit_scale": 0.5, "embedding_multiplier": 12.0, "rms_norm_eps": -1e-5, "layer_norm_epsilon": 0.0} {
			if strings.HasPrefix(name, "granite") && slices.Contains([]string{"residual_multiplier", "logits_scaling", "embedding_multiplier"}, key) {
				continue // which it implements
			}
			config := maps.Clone(f.Config)
			config[key] = value
			model := checkpoint(t, config, f.Shapes)
			if _, err := models.Open(context.Background(), name, model.open, ""); err == nil || !strings.Contains(err.Error(), key) {
				t.Errorf("%s with %s = %v: error %v", name, key, value, err)
			}
		}
		if _, ok := f.Config["rope_theta"]; !ok {
			continue
		}
		for _, scaling := range []map[string]any{{"rope_type": "linear", "factor": 0.0}, {"rope_type": "default", "factor": 0.0},
			{"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 4.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192.0}} {
			config := maps.Clone(f.Config)
			delete(config, "rope_parameters")
			config["rope_scaling"] = scaling
			model := checkpoint(t, config, f.Shapes)
			if _, err := models.Open(context.Background(), name, model.open, ""); err == nil || !strings.Contains(err.Error(), "rope") {
				t.Errorf("%s with %v: error %v", name, scaling, err)
			}
		}
	}
}

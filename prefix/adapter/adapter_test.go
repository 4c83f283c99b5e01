package adapter

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"prelude/engine/safetensors"
)

var tinyModel = Model{Name: "tiny", Fingerprint: "f00d", Family: "llama", Layers: 2, KVHeads: 2, HeadDim: 4, Hidden: 16}

// tiny is a prefix of three slots whose values say where they belong: key (k = 0)
// or value (1) of a block, slot and column.
func tiny(t testing.TB) *Adapter {
	t.Helper()
	const slots, width = 3, 8
	var sides [2][][]float32
	for k := range sides {
		for block := range tinyModel.Layers {
			rows := make([]float32, slots*width)
			for i := range rows {
				rows[i] = float32(1000*k+100*block+10*(i/width)+i%width) / 16
			}
			sides[k] = append(sides[k], rows)
		}
	}
	a, err := NewKeyValue(tinyModel, slots, sides[0], sides[1])
	if err != nil {
		t.Fatal(err)
	}
	system := ""
	a.Prelude.Name, a.Prelude.Task, a.Prelude.About = "Café \"notes\" <b>", "restaurants", "Short & plain."
	a.Prelude.Text = Text{Chat: true, System: &system}
	a.Prelude.Run = Run{Step: 40, Steps: 60, Loss: 1.25, ValLoss: 1.5, Base: 3.02, Seed: 1<<63 + 1}
	a.Prelude.Method = map[string]string{"source": "direct", "start": "examples"}
	return a
}

func write(t testing.TB, a *Adapter) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := a.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func read(data []byte) (*Adapter, error) { return Read(bytes.NewReader(data), int64(len(data))) }

func Example() {
	model := Model{Name: "tiny", Fingerprint: "f00d", Layers: 1, KVHeads: 1, HeadDim: 2, Hidden: 4}
	a, err := NewKeyValue(model, 2, [][]float32{{1, 2, 3, 4}}, [][]float32{{5, 6, 7, 8}})
	if err != nil {
		panic(err)
	}
	var file bytes.Buffer
	if err := a.Write(&file); err != nil {
		panic(err)
	}
	back, err := Read(bytes.NewReader(file.Bytes()), int64(file.Len()))
	fmt.Println(back.Tensors[PromptEmbeddings].Data, err)
	// Output: [1 2 5 6 3 4 7 8] <nil>
}

func TestRoundTrip(t *testing.T) {
	gated := tiny(t)
	gated.Config.PeftType, gated.Prelude.NoPEFT = Own, "PEFT has no gates"
	gated.Tensors["prelude.gate"] = Tensor{Shape: []int{2}, Data: []float32{0.5, -1}}
	halves := tiny(t)
	whole := halves.Tensors[PromptEmbeddings]
	whole.DType = safetensors.F16
	halves.Tensors[PromptEmbeddings] = whole
	for name, a := range map[string]*Adapter{"keys and values": tiny(t), "gated": gated, "float16": halves} {
		t.Run(name, func(t *testing.T) {
			data := write(t, a)
			back, err := read(data)
			if err != nil {
				t.Fatal(err)
			}
			for tensor, want := range a.Tensors {
				if got := back.Tensors[tensor]; !reflect.DeepEqual(got.Data, want.Data) || !reflect.DeepEqual(got.Shape, want.Shape) {
					t.Errorf("tensor %s came back as %v", tensor, got)
				}
			}
			if !reflect.DeepEqual(back.Prelude, a.Prelude) || !reflect.DeepEqual(back.Config, a.Config) {
				t.Errorf("came back as\n%+v\n%+v, want\n%+v\n%+v", back.Config, back.Prelude, a.Config, a.Prelude)
			}
			if again := write(t, back); !bytes.Equal(again, data) {
				t.Error("written again, the bytes differ")
			}
			if keys, values, err := back.KeyValue(); err != nil || keys[1][8+3] != (100+10+3)/16. || values[0][2] != 1002/16. {
				t.Errorf("keys %v, values %v, error %v", keys, values, err)
			}
		})
	}
}

func TestConfigSaysWhatPEFTNeeds(t *testing.T) {
	text, err := json.Marshal(tiny(t).Config)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"base_model_name_or_path":"tiny","inference_mode":true,"num_attention_heads":2,"num_layers":2,` +
		`"num_transformer_submodules":1,"num_virtual_tokens":3,"peft_type":"PREFIX_TUNING","task_type":"CAUSAL_LM","token_dim":8}`
	if string(text) != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	var c Config
	if err := json.Unmarshal([]byte(`{"peft_type":"LORA","task_type":null,"num_layers":null,"r":8}`), &c); err != nil || string(c.Extra["r"]) != "8" {
		t.Errorf("%+v, %v", c, err)
	}
}

// lora is an adapter of two maps with different ranks, and an embedding.
func lora() *Adapter {
	tensor := func(shape ...int) Tensor {
		t := Tensor{Shape: shape}
		n, _ := t.Len()
		t.Data = make([]float32, n)
		return t
	}
	return &Adapter{
		Config: Config{PeftType: LoRA, TaskType: "CAUSAL_LM", BaseModel: "a/b", Extra: map[string]json.RawMessage{"r": json.RawMessage("2")}},
		Tensors: map[string]Tensor{
			"base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight": tensor(2, 16),
			"base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight": tensor(12, 2),
			"base_model.model.model.layers.1.mlp.up_proj.lora_A.weight":      tensor(3, 16),
			"base_model.model.model.layers.1.mlp.up_proj.lora_B.weight":      tensor(24, 3),
			"base_model.model.model.embed_tokens.lora_embedding_A":           tensor(2, 100),
			"base_model.model.model.embed_tokens.lora_embedding_B":           tensor(16, 2),
		},
	}
}

func adaption() *Adapter {
	a := &Adapter{
		Config: Config{PeftType: AdaptionPrompt, TaskType: "CAUSAL_LM", BaseModel: "a/b", Extra: map[string]json.RawMessage{
			"adapter_len": json.RawMessage("4"), "adapter_layers": json.RawMessage("2")}},
		Tensors: map[string]Tensor{},
	}
	for _, block := range []string{"0", "1"} {
		name := "base_model.model.layers." + block + ".self_attn."
		a.Tensors[name+"adaption_prompt"] = Tensor{Shape: []int{1, 4, 8}, Data: make([]float32, 32)}
		a.Tensors[name+"adaption_gate"] = Tensor{Shape: []int{1}, Data: []float32{0}}
	}
	return a
}

func soft(peft string) *Adapter {
	return &Adapter{
		Config:  Config{PeftType: peft, TaskType: "SEQ_2_SEQ_LM", BaseModel: "a/b", NumVirtualTokens: 3, TokenDim: 4, NumTransformerSubmodules: 2},
		Tensors: map[string]Tensor{PromptEmbeddings: {Shape: []int{6, 4}, Data: make([]float32, 24)}},
	}
}

func TestEveryMethodIsTaken(t *testing.T) {
	cartridge := tiny(t)
	cartridge.Config.PeftType = Cartridge
	for _, a := range []*Adapter{tiny(t), cartridge, soft(PromptTuning), soft(PTuning), soft(CPT), adaption(), lora()} {
		if _, err := read(write(t, a)); err != nil {
			t.Errorf("%s: %v", a.Config.PeftType, err)
		}
	}
}

func TestRefusesWhatDisagrees(t *testing.T) {
	reshape := func(a *Adapter, name string, shape ...int) {
		t := a.Tensors[name]
		t.Shape = shape
		a.Tensors[name] = t
	}
	set := func(a *Adapter, name string, at int, v float32) { a.Tensors[name].Data[at] = v }
	nan := float32(math.NaN())
	for _, c := range []struct {
		name   string
		a      *Adapter
		change func(a *Adapter)
		want   string
	}{
		{"unknown method", tiny(t), func(a *Adapter) { a.Config.PeftType = "IA3" }, `peft_type "IA3" is not one of`},
		{"no task type", tiny(t), func(a *Adapter) { a.Config.TaskType = "" }, "without it PEFT ignores the adapter"},
		{"long base model", tiny(t), func(a *Adapter) { a.Config.BaseModel = strings.Repeat("x", 600) }, "at most 512"},
		{"negative", tiny(t), func(a *Adapter) { a.Config.NumLayers = -1 }, "num_layers is -1"},
		{"huge", tiny(t), func(a *Adapter) { a.Config.TokenDim = 1 << 40 }, "token_dim is"},
		{"code", tiny(t), func(a *Adapter) {
			a.Config.Extra = map[string]json.RawMessage{"auto_mapping": json.RawMessage(`{"parent_library":"os"}`)}
		}, "names code to import"},
		{"no tensor", tiny(t), func(a *Adapter) { delete(a.Tensors, PromptEmbeddings) }, `no tensor "prompt_embeddings"`},
		{"more tensors", tiny(t), func(a *Adapter) { a.Tensors["x"] = Tensor{Shape: []int{1}, Data: []float32{0}} }, `unexpected tensor "x"`},
		{"own tensors", tiny(t), func(a *Adapter) { a.Tensors["prelude.x"] = Tensor{Shape: []int{1}, Data: []float32{0}} }, "must be PRELUDE"},
		{"turned shape", tiny(t), func(a *Adapter) { reshape(a, PromptEmbeddings, 32, 3) }, "has shape [32 3], want [3 32]"},
		{"short data", tiny(t), func(a *Adapter) { reshape(a, PromptEmbeddings, 3, 33) }, "has shape [3 33] and 96 values"},
		{"overflowing shape", tiny(t), func(a *Adapter) { reshape(a, PromptEmbeddings, 1<<32, 1<<32) }, "and 96 values"},
		{"NaN", tiny(t), func(a *Adapter) { set(a, PromptEmbeddings, 95, nan) }, "holds NaN at element 95"},
		{"infinity", tiny(t), func(a *Adapter) { set(a, PromptEmbeddings, 0, float32(math.Inf(-1))) }, "holds -Inf at element 0"},
		{"beyond float16", tiny(t), func(a *Adapter) {
			x := a.Tensors[PromptEmbeddings]
			x.DType, x.Data[7] = safetensors.F16, 65520
			a.Tensors[PromptEmbeddings] = x
		}, "beyond F16"},
		{"integers", tiny(t), func(a *Adapter) {
			x := a.Tensors[PromptEmbeddings]
			x.DType = safetensors.I32
			a.Tensors[PromptEmbeddings] = x
		}, "want F32, F16 or BF16"},
		{"odd heads", tiny(t), func(a *Adapter) { a.Config.NumAttentionHeads = 3; a.Prelude = Prelude{} }, "not a multiple"},
		{"other model", tiny(t), func(a *Adapter) { a.Prelude.Model.Layers = 3 }, "the model of prelude.json has 3, 2, 8"},
		{"newer format", tiny(t), func(a *Adapter) { a.Prelude.Format = 2 }, "has format 2"},
		{"long name", tiny(t), func(a *Adapter) { a.Prelude.Name = strings.Repeat("é", 33) }, "name has 66 bytes"},
		{"turned text", tiny(t), func(a *Adapter) { a.Prelude.About = "ab\u202ecd" }, "about has a control character at byte 2"},
		{"two lines", tiny(t), func(a *Adapter) { a.Prelude.Task = "a\nb" }, "task has a control character"},
		{"not UTF-8", tiny(t), func(a *Adapter) { a.Prelude.Name = "\xff" }, "not UTF-8"},
		{"long template", tiny(t), func(a *Adapter) { a.Prelude.Text.Template = strings.Repeat("x", 20000) }, "a text setting"},
		{"no reason", tiny(t), func(a *Adapter) { a.Config.PeftType = Own }, "the two must agree"},
		{"own without prelude.json", tiny(t), func(a *Adapter) { a.Config.PeftType = Own; a.Prelude = Prelude{} }, "needs prelude.json"},
		{"soft prompt of keys", soft(PromptTuning), func(a *Adapter) { a.Config.NumTransformerSubmodules = 1 }, "want [3 4]"},
		{"soft prompt without size", soft(CPT), func(a *Adapter) { a.Config.TokenDim = 0 }, "needs token_dim"},
		{"adaption gate gone", adaption(), func(a *Adapter) { delete(a.Tensors, "base_model.model.layers.1.self_attn.adaption_gate") }, "no tensor"},
		{"adaption layers", adaption(), func(a *Adapter) { a.Config.Extra["adapter_layers"] = json.RawMessage("3") }, "want two a layer"},
		{"adaption length", adaption(), func(a *Adapter) { a.Config.Extra["adapter_len"] = json.RawMessage(`"4"`) }, "must be a whole number"},
		{"adaption name", adaption(), func(a *Adapter) { a.Tensors["base_model.x.weight"] = Tensor{Shape: []int{1}, Data: []float32{0}} }, "unexpected tensor"},
		{"lora half", lora(), func(a *Adapter) {
			delete(a.Tensors, "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight")
		}, "no tensor"},
		{"lora ranks", lora(), func(a *Adapter) {
			reshape(a, "base_model.model.model.layers.1.mlp.up_proj.lora_B.weight", 12, 6)
		}, "want [0 3]"},
		{"lora rank above the map", lora(), func(a *Adapter) {
			a.Tensors["base_model.model.model.layers.1.mlp.up_proj.lora_A.weight"] = Tensor{Shape: []int{17, 16}, Data: make([]float32, 17*16)}
			a.Tensors["base_model.model.model.layers.1.mlp.up_proj.lora_B.weight"] = Tensor{Shape: []int{24, 17}, Data: make([]float32, 24*17)}
		}, "rank 17 on a map of 24 by 16"},
		{"lora name", lora(), func(a *Adapter) {
			a.Tensors["base_model.model.lm_head.weight"] = Tensor{Shape: []int{1}, Data: []float32{0}}
		}, "unexpected tensor"},
		{"lora of nothing", lora(), func(a *Adapter) { clear(a.Tensors) }, "has no tensors"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.change(c.a)
			if err := c.a.Write(&bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want …%s…", err, c.want)
			}
		})
	}
}

func TestPrefixOfWrongSizes(t *testing.T) {
	if _, err := NewKeyValue(tinyModel, 3, make([][]float32, 1), make([][]float32, 2)); err == nil {
		t.Error("too few blocks: no error")
	}
	if _, err := NewKeyValue(tinyModel, 3, make([][]float32, 2), make([][]float32, 2)); err == nil {
		t.Error("empty blocks: no error")
	}
	if _, _, err := lora().KeyValue(); err == nil {
		t.Error("keys and values of a LoRA: no error")
	}
}

// TestPythonBegins: the lines ask the tokenizer for its begin token where it put one in training.
func TestPythonBegins(t *testing.T) {
	a := tiny(t)
	for _, begins := range []bool{false, true} {
		a.Begins = begins
		want := map[bool]string{false: "add_special_tokens=False", true: "add_special_tokens=True"}[begins]
		if text := a.Python("model-folder", "."); !strings.Contains(text, want) {
			t.Errorf("%v:\n%s", begins, text)
		}
	}
}

func TestReadme(t *testing.T) {
	archive, err := zip.NewReader(bytes.NewReader(write(t, tiny(t))), int64(len(write(t, tiny(t)))))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range archive.File {
		if f.Name == readmeFile {
			text, err := inflate(f, maxText)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{`PeftModel.from_pretrained(model, ".")`, "`tiny`", "cache_position", "past_key_values=prefix", "`tune export -model tiny -out model-folder` writes one", `gguf_file="NAME.gguf"`} {
				if !strings.Contains(string(text), want) {
					t.Errorf("README.md lacks %s:\n%s", want, text)
				}
			}
			return
		}
	}
	t.Error("no README.md")
}

package prefix_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"prelude/engine"
	"prelude/engine/cpu"
	"prelude/models/tiny"
	"prelude/prefix"
	"prelude/prefix/adapter"
)

// waves gives a tiny model the weights that peft_check.py gives its own.
func waves[T cpu.Float](f engine.Frozen) engine.Frozen {
	var names []string
	for name := range f.Weights {
		if strings.HasSuffix(name, ".weight") || strings.HasSuffix(name, ".bias") {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	for k, name := range names {
		x, scale := f.Weights[name].(*cpu.Tensor[T]), 0.5
		if strings.HasSuffix(name, "Attention.q.weight") {
			scale /= 4
		}
		for i := range x.Data() {
			x.Data()[i] = T(float32(math.RoundToEven(math.Sin(float64(i+1)*(1+float64(k)*0.37))*1e4) / 1e4 * scale))
			if len(x.Spec().Shape) == 1 && strings.HasSuffix(name, ".weight") {
				x.Data()[i]++
			}
		}
	}
	return f
}

// peftModels are the models of peft_check.py.
var peftModels = map[string]func(t testing.TB, dev engine.Device) engine.Frozen{"llama": tiny.Llama, "gpt2": gpt2, "neox": neox, "phi3": phi3, "lfm2": tiny.LFM2,
	"t5odd": pairOf(3, 3), "t5even": pairOf(2, 2)}

// neox is a GPT-NeoX of two blocks on dev.
func neox(t testing.TB, dev engine.Device) engine.Frozen {
	return tiny.New(t, dev, `{"model_type":"gpt_neox","num_hidden_layers":2,"hidden_size":16,"num_attention_heads":4,"intermediate_size":24,
		"vocab_size":40,"max_position_embeddings":64,"rotary_pct":0.5}`)
}

// phi3 is a Phi-3 of two blocks on dev.
func phi3(t testing.TB, dev engine.Device) engine.Frozen {
	return tiny.New(t, dev, `{"model_type":"phi3","num_hidden_layers":2,"hidden_size":16,"num_attention_heads":4,"num_key_value_heads":2,"intermediate_size":24,
		"vocab_size":40,"max_position_embeddings":64,"tie_word_embeddings":true}`)
}

// tinyModel is one of the models of peft_check.py.
func tinyModel(t testing.TB, kind string) engine.Frozen {
	return waves[float32](peftModels[kind](t, cpu.New[float32]()))
}

var peftIDs = []int32{4, 7, 22, 38, 1, 15, 9}

// What PEFT saved loads here and gives PEFT's logits, for every format; both in float64, since LFM2's
// gates multiply what float32 rounds.
func TestAdaptersThatPEFTSaved(t *testing.T) {
	text, err := os.ReadFile("testdata/peft.json")
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]struct {
		Zip    []byte // base64 in JSON
		Logits []float64
	}
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	if len(all) < 44 {
		t.Fatalf("the fixture holds %d adapters", len(all))
	}
	for name, x := range all {
		t.Run(name, func(t *testing.T) {
			f, bound := waves[float64](peftModels[strings.Fields(name)[0]](t, cpu.New[float64]())), 1e-5
			if x.Zip == nil {
				if e := apart(logitsOf[float64](t, f, nil, nil, prefix.Evaluate, peftIDs), x.Logits); e > bound {
					t.Errorf("the bare model's logits differ by %.3g", e)
				}
				return
			}
			a, err := adapter.Read(bytes.NewReader(x.Zip), int64(len(x.Zip)))
			if err != nil {
				t.Fatal(err)
			}
			m, err := prefix.FromAdapter(f.Arch, a)
			if err != nil {
				t.Fatal(err)
			}
			tensors := alloc(t, f, m)
			if e := apart(logitsOf[float64](t, f, m, tensors, prefix.Evaluate, peftIDs), x.Logits); e > bound {
				t.Errorf("logits differ by %.3g from PEFT's", e)
			}
			if _, err := m.Adapter(ctx, f, tensors, card(f), ""); err != nil {
				t.Errorf("written again: %v", err)
			}
		})
	}
}

func card(f engine.Frozen) adapter.Prelude {
	i := f.Arch.Info()
	return adapter.Prelude{Format: adapter.Format, Name: "Test", Model: adapter.Model{Name: "tiny", Fingerprint: "none", Family: i.Family,
		Layers: i.Layers, EncLayers: i.EncLayers, KVHeads: i.KVHeads, HeadDim: i.HeadDim, Hidden: i.Hidden, Convolutions: len(i.Convolving())}}
}

// exports are methods and the formats in which they must be writable.
var exports = []struct {
	name    string
	choice  prefix.Choice
	formats []string
}{
	{"keys and values", prefix.Choice{"kv.slots": "4"}, []string{adapter.PrefixTuning, adapter.Cartridge}},
	{"one slot", prefix.Choice{"kv.slots": "1"}, []string{adapter.PrefixTuning, adapter.Cartridge}},
	{"through an MLP", prefix.Choice{"source": "mlp", "mlp.slots": "4"}, []string{adapter.PrefixTuning}},
	{"transposed convolution", prefix.Choice{"source": "transposed", "transposed.slots": "5"}, []string{adapter.PrefixTuning}},
	{"hidden states", prefix.Choice{"source": "hidden", "hidden.slots": "4"}, []string{adapter.PrefixTuning}},
	{"propagation", prefix.Choice{"source": "propagation", "propagation.slots": "4"}, []string{adapter.PrefixTuning}},
	{"factors", prefix.Choice{"kv.slots": "4", "gate": "apt"}, []string{adapter.PrefixTuning}},
	{"embeddings", prefix.Choice{"source": "embedding", "embedding.slots": "4"}, []string{adapter.PromptTuning, adapter.PTuning, adapter.CPT}},
	{"embeddings through an MLP", prefix.Choice{"source": "ptuning", "ptuning.slots": "4"}, []string{adapter.PTuning}},
	{"pruned", prefix.Choice{"kv.slots": "5", "length": "l0"}, []string{adapter.PrefixTuning}},
	{"pruned embeddings", prefix.Choice{"source": "embedding", "embedding.slots": "5", "length": "l0"}, []string{adapter.PrefixTuning}},
	{"prompts", prefix.Choice{"source": "prompts", "prompts.slots": "3", "prompts.layers": "1", "gate": "zeroinit"}, []string{adapter.AdaptionPrompt}},
	{"LoRA", prefix.Choice{"source": "none", "weights": "lora", "lora.maps": "all", "lora.rank": "3", "lora.alpha": "7"}, []string{adapter.LoRA}},
	{"LoRA on query and value", prefix.Choice{"source": "none", "weights": "lora", "lora.rank": "2"}, []string{adapter.LoRA}},
	{"kernel", prefix.Choice{"source": "conv"}, []string{adapter.Own}},
	{"kernel over both", prefix.Choice{"source": "convprefix", "convprefix.slots": "3"}, []string{adapter.Own}},
	{"outside", prefix.Choice{"source": "outside"}, []string{adapter.Own}},
	{"gated", prefix.Choice{"kv.slots": "4", "gate": "log"}, []string{adapter.Own}},
	{"zero-init gate", prefix.Choice{"kv.slots": "4", "gate": "zeroinit"}, []string{adapter.Own}},
	{"dynamic", prefix.Choice{"kv.slots": "4", "gate": "dynamic"}, []string{adapter.Own}},
	{"spans", prefix.Choice{"kv.slots": "4", "length": "span"}, []string{adapter.Own}},
	{"biases", prefix.Choice{"source": "none", "weights": "bias"}, []string{adapter.Own}},
	{"last layer", prefix.Choice{"source": "none", "weights": "last"}, []string{adapter.Own}},
	{"prefix beside norms", prefix.Choice{"kv.slots": "4", "weights": "norms"}, []string{adapter.Own}},
}

// trained is a method with values as after a training, and shut gates where it prunes.
func trained(t *testing.T, f engine.Frozen, c prefix.Choice) *prefix.Method {
	c = maps.Clone(c)
	c["start"] = "gaussian"
	m := start(t, f, c)
	stir(m, 0.3)
	for _, p := range m.Params() {
		if p.Name == "length.alpha" {
			copy(p.Value, []float32{9, -6, 9, -6, 9})
		}
	}
	return m
}

// Every method survives being written and read: the same logits, and PEFT's format
// wherever it has one.
func TestExportsComeBack(t *testing.T) {
	for kind := range peftModels {
		for _, x := range exports {
			if strings.HasPrefix(kind, "t5") {
				continue
			}
			for _, format := range x.formats {
				if !holds(kind, x.name, format) {
					format = adapter.Own
				}
				t.Run(kind+" "+x.name+" "+format, func(t *testing.T) { comesBack(t, kind, x.name, x.choice, format) })
			}
		}
	}
}

// comesBack writes a method in a format, or one of our own, and reads it again.
func comesBack(t *testing.T, kind, what string, c prefix.Choice, format string) {
	f := tinyModel(t, kind)
	m := trained(t, f, c)
	tensors := alloc(t, f, m)
	want := logitsOf[float32](t, f, m, tensors, prefix.Evaluate, peftIDs)
	a, err := m.Adapter(ctx, f, tensors, card(f), peftOnly(format))
	if err != nil {
		t.Fatal(err)
	}
	if a.Config.PeftType != format || (a.Prelude.NoPEFT == "") != (format != adapter.Own) {
		t.Errorf("written as %s (%q), want %s", a.Config.PeftType, a.Prelude.NoPEFT, format)
	}
	zip := zipped(t, a)
	r := readAgain(t, f, zip)
	if e := apart(logitsOf[float32](t, f, r, alloc(t, f, r), prefix.Evaluate, peftIDs), want); e > 1e-5 {
		t.Errorf("read again, logits differ by %.3g", e)
	}
	if out := os.Getenv("PEFT_OUT"); out != "" && format != adapter.Own {
		name := filepath.Join(out, kind+" "+what+" "+format)
		logits, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		for ext, raw := range map[string][]byte{".zip": zip, ".json": logits} {
			if err := os.WriteFile(name+ext, raw, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// zipped is an adapter as it is taken home.
func zipped(t *testing.T, a *adapter.Adapter) []byte {
	t.Helper()
	var zip bytes.Buffer
	if err := a.Write(&zip); err != nil {
		t.Fatal(err)
	}
	return zip.Bytes()
}

// readAgain is the prefix of a zipped adapter.
func readAgain(t *testing.T, f engine.Frozen, zip []byte) *prefix.Method {
	t.Helper()
	a, err := adapter.Read(bytes.NewReader(zip), int64(len(zip)))
	if err != nil {
		t.Fatal(err)
	}
	m, err := prefix.FromAdapter(f.Arch, a)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func peftOnly(format string) string {
	if format == adapter.Own {
		return ""
	}
	return format
}

// holds says whether PEFT has a format for an export on a model: where slots were cut out,
// learned positions would be wrong; ADAPTION_PROMPT is for the Llamas here; to convolutions it can
// give no keys and values.
func holds(kind, name, format string) bool {
	if kind == "lfm2" && (format == adapter.PrefixTuning || format == adapter.Cartridge) {
		return false
	}
	switch name {
	case "pruned", "pruned embeddings":
		return kind != "gpt2"
	case "prompts":
		return kind == "llama"
	}
	return true
}

// An adapter of another model, or one that says something else than it holds, is refused.
func TestAdaptersThatDoNotFit(t *testing.T) {
	f := tinyModel(t, "llama")
	make := func(c prefix.Choice) *adapter.Adapter {
		m := trained(t, f, c)
		a, err := m.Adapter(ctx, f, alloc(t, f, m), card(f), "")
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	gated := prefix.Choice{"kv.slots": "4", "gate": "log"}
	for _, c := range []struct {
		name  string
		a     *adapter.Adapter
		spoil func(a *adapter.Adapter)
		want  string
	}{
		{"layers", make(prefix.Choice{"kv.slots": "4"}), func(a *adapter.Adapter) {
			a.Prelude = adapter.Prelude{}
			a.Config.NumLayers = 1
			a.Config.TokenDim = 16
		}, "has 1 layers of width 16, the model 2 of width 8"},
		{"another model", make(gated), func(a *adapter.Adapter) { a.Prelude.Model.Layers = 30 }, "a model of 30 layers"},
		{"width", make(prefix.Choice{"source": "embedding"}), func(a *adapter.Adapter) { a.Config.TokenDim = 8 }, "embeddings have width 8"},
		{"no numbers", make(gated), func(a *adapter.Adapter) { a.Prelude.Extra = nil }, "extra"},
		{"slots", make(gated), func(a *adapter.Adapter) {
			a.Prelude.Extra = []byte(`{"choice":{"gate":"log"},"slots":1000000000,"offset":4}`)
		}, "do not fit the model's context"},
		{"generator", make(gated), func(a *adapter.Adapter) {
			a.Prelude.Extra = []byte(`{"choice":{"source":"mlp","mlp.hidden":"2048"},"slots":4}`)
		}, "not what a finished prefix has"},
		{"fewer slots", make(gated), func(a *adapter.Adapter) { a.Prelude.Extra = []byte(`{"choice":{"gate":"log"},"slots":3,"offset":3}`) }, "want [4 3 8]"},
		{"a tensor too many", make(gated), func(a *adapter.Adapter) {
			a.Tensors["prelude.more"] = adapter.Tensor{Shape: []int{1}, Data: []float32{1}}
		}, "3 tensors, want 2"},
		{"weights that are not there", make(gated), func(a *adapter.Adapter) { a.Prelude.Extra = []byte(`{"choice":{"source":"none","weights":"full"}}`) }, "copy of"},
		{"no slots", make(gated), func(a *adapter.Adapter) { a.Prelude.Extra = []byte(`{"choice":{"gate":"log"},"slots":0}`) }, "0 slots for source"},
		{"unknown map", make(prefix.Choice{"source": "none", "weights": "lora"}), func(a *adapter.Adapter) {
			for _, side := range []string{"A", "B"} {
				a.Tensors["base_model.model.other.lora_"+side+".weight"] = a.Tensors["base_model.model.model.layers.0.self_attn.q_proj.lora_"+side+".weight"]
			}
		}, `changes "other"`},
		{"DoRA", make(prefix.Choice{"source": "none", "weights": "lora"}), func(a *adapter.Adapter) { a.Config.Extra["use_dora"] = []byte("true") }, "not supported"},
		{"prompts in other layers", make(prefix.Choice{"source": "prompts", "prompts.layers": "1", "gate": "zeroinit"}), func(a *adapter.Adapter) {
			for _, part := range []string{"adaption_prompt", "adaption_gate"} {
				at := "base_model.model.model.layers."
				a.Tensors[at+"0.self_attn."+part] = a.Tensors[at+"1.self_attn."+part]
				delete(a.Tensors, at+"1.self_attn."+part)
			}
		}, "none named"},
	} {
		c.spoil(c.a)
		if _, err := prefix.FromAdapter(f.Arch, c.a); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
	m := trained(t, f, gated)
	if _, err := m.Adapter(ctx, f, alloc(t, f, m), card(f), adapter.PrefixTuning); err == nil || !strings.Contains(err.Error(), "gates open") {
		t.Errorf("a gated prefix as PREFIX_TUNING: error %v", err)
	}
	m = trained(t, f, prefix.Choice{"kv.slots": "4", "length": "l0"})
	for i := range param(t, m, "length.alpha").Value {
		param(t, m, "length.alpha").Value[i] = -6
	}
	if _, err := m.Adapter(ctx, f, alloc(t, f, m), card(f), ""); err == nil || !strings.Contains(err.Error(), "all 4 slots were pruned") {
		t.Errorf("a prefix without slots: error %v", err)
	}
}

package prefix_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"prelude/engine/cpu"
	families "prelude/models"
	"prelude/models/weights"
	"prelude/prefix"
	"prelude/prefix/adapter"
)

// smollm2 are the exports of SmolLM2 that PEFT is shown.
var smollm2 = []struct {
	choice  prefix.Choice
	formats []string
}{
	{prefix.Choice{"kv.slots": "5"}, []string{adapter.PrefixTuning, adapter.Cartridge}},
	{prefix.Choice{"source": "mlp", "mlp.slots": "5"}, []string{adapter.PrefixTuning}},
	{prefix.Choice{"source": "embedding", "embedding.slots": "5"}, []string{adapter.PromptTuning, adapter.PTuning, adapter.CPT}},
	{prefix.Choice{"kv.slots": "5", "length": "l0"}, []string{adapter.PrefixTuning}},
	{prefix.Choice{"source": "prompts", "prompts.slots": "5", "prompts.layers": "8", "gate": "zeroinit"}, []string{adapter.AdaptionPrompt}},
	{prefix.Choice{"source": "none", "weights": "lora", "lora.maps": "all"}, []string{adapter.LoRA}},
}

// TestSmolLM2AndPEFT is the Go half of "make test-peft" on SmolLM2. In the folder that
// PEFT_SMOLLM2 names, it reads what PEFT saved (theirs/*.zip, with PEFT's logits beside) and
// writes exports with the logits here (ours), which peft_check.py loads with PEFT.
func TestSmolLM2AndPEFT(t *testing.T) {
	dir := os.Getenv("PEFT_SMOLLM2")
	if dir == "" {
		t.Skip("needs what PEFT saved: 'make test-peft' makes it and names its folder in PEFT_SMOLLM2")
	}
	files, err := families.Open(ctx, "smollm2-135m", weights.Dir("../static/models/smollm2-135m"), "")
	if err != nil {
		t.Fatal(err)
	}
	m, err := files.Load(ctx, cpu.New[float32](), weights.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f := m.Frozen
	theirs, err := filepath.Glob(filepath.Join(dir, "theirs", "*.zip"))
	if err != nil || len(theirs) < 8 {
		t.Fatalf("%d adapters of PEFT's in %s, want 8 or more", len(theirs), dir)
	}
	for _, file := range theirs {
		t.Run("theirs "+filepath.Base(file), func(t *testing.T) {
			zip, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(strings.TrimSuffix(file, ".zip") + ".json")
			if err != nil {
				t.Fatal(err)
			}
			var want []float64
			if err := json.Unmarshal(text, &want); err != nil {
				t.Fatal(err)
			}
			a, err := adapter.Read(bytes.NewReader(zip), int64(len(zip)))
			if err != nil {
				t.Fatal(err)
			}
			p, err := prefix.FromAdapter(f.Arch, a)
			if err != nil {
				t.Fatal(err)
			}
			e := apart(logitsOf[float32](t, f, p, alloc(t, f, p), prefix.Evaluate, peftIDs), want)
			t.Logf("%.2g from PEFT's logits", e)
			if e > 1e-4 {
				t.Errorf("logits differ by %.3g from PEFT's", e)
			}
		})
	}
	for _, x := range smollm2 {
		c := prefix.Choice{"start": "gaussian"} // of the size that the example's keys and values have
		for key, v := range x.choice {
			c[key] = v
		}
		p, err := prefix.New(c, f.Arch.Info())
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Start(ctx, f, prefix.StartFrom{Examples: [][]int32{{1, 504, 3575, 282, 4649, 314, 7042, 30}}}, rand.New(rand.NewPCG(5, 6))); err != nil {
			t.Fatal(err)
		}
		stir(p, 0.02)
		for _, q := range p.Params() {
			if q.Name == "length.alpha" {
				copy(q.Value, []float32{9, -6, 9, -6, 9})
			}
		}
		tensors := alloc(t, f, p)
		want := logitsOf[float32](t, f, p, tensors, prefix.Evaluate, peftIDs)
		for _, format := range x.formats {
			a, err := p.Adapter(ctx, f, tensors, card(f), format)
			if err != nil {
				t.Fatal(err)
			}
			zip := zipped(t, a)
			logits, err := json.Marshal(want)
			if err != nil {
				t.Fatal(err)
			}
			name := filepath.Join(dir, "ours", "smollm2 "+p.Label()+", "+format)
			if c["length"] == "l0" {
				name += ", pruned"
			}
			for ext, raw := range map[string][]byte{".zip": zip, ".json": logits} {
				if err := os.WriteFile(name+ext, raw, 0o666); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

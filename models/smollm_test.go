package models_test

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"
	"time"

	"prelude/engine/cpu"
	"prelude/models"
	"prelude/models/weights"
	"prelude/prefix/generate"
)

const smolDir = "../static/models/smollm2-135m"

func TestSmolLM2(t *testing.T) {
	if _, err := os.Stat(smolDir); err != nil {
		t.Skip("SmolLM2 is not here; 'make models' gets it")
	}
	ctx := context.Background()
	begun := time.Now()
	f, err := models.Open(ctx, "smollm2-135m", weights.Dir(smolDir), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("opened in %v", time.Since(begun))
	if mb := float64(f.WeightBytes()) / 1e6; mb > 150 {
		t.Errorf("weights take %.1f MB, want ≤ 150", mb)
	}
	m, err := f.Load(ctx, cpu.New[float32](), weights.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("loaded in %v, %.1f MB, %d parameters, %s", time.Since(begun), float64(m.WeightBytes)/1e6, m.Params, m.Fingerprint)
	g, err := generate.New(ctx, m.Frozen, nil, nil, 64)
	if err != nil {
		t.Fatal(err)
	}
	begun = time.Now()
	var ids []int32
	if _, err := g.Run(ctx, m.Tokenizer.Encode("The capital of France is", true), generate.Options{MaxTokens: 8}, func(id int32) bool {
		ids = append(ids, id)
		return true
	}); err != nil {
		t.Fatal(err)
	}
	text := m.Tokenizer.Decode(ids)
	t.Logf("%q in %v", text, time.Since(begun))
	if len(text) < 7 || text[:7] != " Paris." {
		t.Errorf("continues with %q, want %q", text, " Paris.")
	}
}

// SmolLM2 as transformers runs its dequantised weights: token ids, logits, and the
// greedy continuation. Two prompts and eight tokens by default; with PRELUDE_SLOW, ten
// prompts and 64 tokens.
func TestSmolLM2AgainstTransformers(t *testing.T) {
	if _, err := os.Stat(smolDir); err != nil {
		t.Skip("SmolLM2 is not here; 'make models' gets it")
	}
	raw, err := os.ReadFile("testdata/smollm2.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Prompt           string
		IDs, Top, Greedy []int32
		Logits           []float32
	}
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	tokens := 64
	if os.Getenv("PRELUDE_SLOW") == "" {
		cases, tokens = cases[:2], 8
	}
	ctx := context.Background()
	f, err := models.Open(ctx, "smollm2-135m", weights.Dir(smolDir), "")
	if err != nil {
		t.Fatal(err)
	}
	m, err := f.Load(ctx, cpu.New[float32](), weights.Options{})
	if err != nil {
		t.Fatal(err)
	}
	g, err := generate.New(ctx, m.Frozen, nil, nil, 96)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		if ids := m.Tokenizer.Encode(c.Prompt, false); !slices.Equal(ids, c.IDs) {
			t.Errorf("%q: tokens %v, want %v", c.Prompt, ids, c.IDs)
			continue
		}
		var ids []int32
		if _, err := g.Run(ctx, c.IDs, generate.Options{MaxTokens: tokens}, func(id int32) bool {
			if len(ids) == 0 {
				z, err := g.Logits(ctx)
				if err != nil {
					t.Fatal(err)
				}
				for k, top := range c.Top {
					if d := math.Abs(float64(z[top] - c.Logits[k])); !(d <= 1e-3) {
						t.Errorf("%q: logit of token %d is %g, want %g", c.Prompt, top, z[top], c.Logits[k])
					}
				}
			}
			ids = append(ids, id)
			return true
		}); err != nil {
			t.Fatal(err)
		}
		if want := c.Greedy[:tokens]; !slices.Equal(ids, want) {
			t.Errorf("%q continues with %q, want %q", c.Prompt, m.Tokenizer.Decode(ids), m.Tokenizer.Decode(want))
		}
	}
}

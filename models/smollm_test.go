package models_test

import (
	"context"
	"os"
	"testing"
	"time"

	"prelude/engine/cpu"
	"prelude/engine/generate"
	"prelude/models"
	"prelude/models/weights"
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

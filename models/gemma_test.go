package models_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"prelude/engine/cpu"
	"prelude/models"
	"prelude/models/weights"
	"prelude/prefix/generate"
)

// Gemma 3 270M from a GGUF file that PRELUDE_GEMMA names, which is nowhere bundled.
func TestGemma270M(t *testing.T) {
	path := os.Getenv("PRELUDE_GEMMA")
	if path == "" {
		t.Skip("PRELUDE_GEMMA names no gemma-3-270m GGUF file")
	}
	ctx := context.Background()
	f, err := models.Open(ctx, "gemma", weights.Dir(filepath.Dir(path)), filepath.Base(path))
	if err != nil {
		t.Fatal(err)
	}
	i := f.Family.Info()
	if i.Window != 512 || i.HeadDim != 256 || !i.Local[0] || i.Local[5] {
		t.Errorf("read as %+v", i)
	}
	m, err := f.Load(ctx, cpu.New[float32](), weights.Options{})
	if err != nil {
		t.Fatal(err)
	}
	g, err := generate.New(ctx, m.Frozen, nil, nil, 32)
	if err != nil {
		t.Fatal(err)
	}
	var ids []int32
	if _, err := g.Run(ctx, m.Tokenizer.Encode("The capital of France is", true), generate.Options{MaxTokens: 4}, func(id int32) bool {
		ids = append(ids, id)
		return true
	}); err != nil {
		t.Fatal(err)
	}
	// So does transformers 5.24 on the dequantised weights.
	if text, want := m.Tokenizer.Decode(ids), " the capital of the"; text != want {
		t.Errorf("continues with %q, want %q", text, want)
	}
}

package main

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"prelude/engine"
	"prelude/engine/cpu"
	"prelude/models"
	"prelude/models/weights"
)

// The bundled decoder, opened as the page opens it, is the model that transformers
// loads: the same tokens, and the same loss over them.
func TestBundledDecoderAgainstTransformers(t *testing.T) {
	ctx := context.Background()
	raw, err := os.ReadFile("testdata/wren.json")
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Texts []string
		IDs   []int32
		Nats  float64
	}
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join("..", "..", "static", "models", "prelude-wren")
	files, err := models.Open(ctx, "prelude-wren", weights.Dir(folder), "")
	if err != nil {
		t.Fatal(err)
	}
	dev := cpu.New[float32]()
	loaded, err := files.Load(ctx, dev, weights.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer loaded.Close()

	corpus := filepath.Join(t.TempDir(), "text.txt")
	if err := os.WriteFile(corpus, []byte(strings.Join(want.Texts, endToken)+endToken), 0o644); err != nil {
		t.Fatal(err)
	}
	text, err := readText(corpus, loaded.Tokenizer, loaded.Tokenizer.EOS())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(text.ids, want.IDs) {
		t.Fatalf("tokens %v, want %v", text.ids, want.IDs)
	}
	m := &model{Family: files.Family, weights: loaded.Weights}
	w, err := newWindows(ctx, dev, m, 1, len(text.ids)-1, map[string]engine.Tensor{}, engine.Hooks{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := w.bits(ctx, text, len(text.ids))
	if err != nil {
		t.Fatal(err)
	}
	if bits := text.bitsPerByte(want.Nats); math.Abs(got-bits) > 2e-5*bits {
		t.Errorf("%.6f bits a byte, transformers has %.6f", got, bits)
	}
}

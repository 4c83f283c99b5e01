package simd

import (
	"context"
	"encoding/json"
	"os"
	"slices"
	"testing"

	"prelude/models"
	"prelude/models/weights"
	"prelude/prefix/generate"
)

// What SmolLM2 says greedily is what transformers says with the same weights, though
// decoding rounds activations: one prompt and 16 tokens, or with PRELUDE_SLOW ten
// prompts and 64 tokens.
func TestGreedyStaysTheSame(t *testing.T) {
	const dir = "../static/models/smollm2-135m"
	if _, err := os.Stat(dir); err != nil {
		t.Skip("SmolLM2 is not here; 'make models' gets it")
	}
	raw, err := os.ReadFile("../models/testdata/smollm2.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Prompt      string
		IDs, Greedy []int32
	}
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	tokens := 64
	if os.Getenv("PRELUDE_SLOW") == "" {
		cases, tokens = cases[:1], 16
	}
	ctx := context.Background()
	f, err := models.Open(ctx, "smollm2-135m", weights.Dir(dir), "")
	if err != nil {
		t.Fatal(err)
	}
	m, err := f.Load(ctx, device(t, Options{}), weights.Options{})
	if err != nil {
		t.Fatal(err)
	}
	g, err := generate.New(ctx, m.Frozen, nil, nil, 128)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		var ids []int32
		if _, err := g.Run(ctx, c.IDs, generate.Options{MaxTokens: tokens}, func(id int32) bool {
			ids = append(ids, id)
			return true
		}); err != nil {
			t.Fatal(err)
		}
		if want := c.Greedy[:tokens]; !slices.Equal(ids, want) {
			t.Errorf("%q continues with %q, want %q", c.Prompt, m.Tokenizer.Decode(ids), m.Tokenizer.Decode(want))
		}
	}
	t.Logf("%d prompts, %d tokens each", len(cases), tokens)
}

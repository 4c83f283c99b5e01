package generate_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"prelude/engine/cpu"
	"prelude/models/tiny"
	"prelude/prefix"
	"prelude/prefix/generate"
)

// The keys and values of a text, as a prefix, stand in for the text: the same answer follows.
func Example() {
	ctx := context.Background()
	model := tiny.Llama(&testing.T{}, cpu.New[float32]()) // random weights, 40 tokens
	text, prompt := []int32{6, 13, 21, 2, 17}, []int32{3, 9}

	answer := func(m *prefix.Method, prompt []int32) (ids []int32) {
		var g *generate.Generator
		if m == nil {
			g, _ = generate.New(ctx, model, nil, nil, 32)
		} else {
			tensors, err := m.Alloc(ctx, model.Dev)
			if err != nil {
				panic(err)
			}
			g, _ = generate.New(ctx, model, m, tensors, 32)
		}
		defer g.Close()
		if _, err := g.Run(ctx, prompt, generate.Options{MaxTokens: 5}, func(id int32) bool {
			ids = append(ids, id)
			return true
		}); err != nil {
			panic(err)
		}
		return ids
	}

	method, err := prefix.InContext(ctx, model, text)
	if err != nil {
		panic(err)
	}
	fmt.Println(slices.Equal(answer(method, prompt), answer(nil, slices.Concat(text, prompt))))
	// Output: true
}

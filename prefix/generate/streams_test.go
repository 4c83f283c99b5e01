package generate_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"prelude/engine/cpu"
	"prelude/models/tiny"
	"prelude/prefix/generate"
)

// Prompts that come and go at random are answered as each is alone.
func TestStreamsAreEachOnesOwn(t *testing.T) {
	ctx := context.Background()
	f := tiny.Llama(t, cpu.New[float64]())
	rng := rand.New(rand.NewPCG(1, 1))
	g, err := generate.NewMany(ctx, f, nil, nil, 3, 100)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	s, err := g.Streams(ctx)
	if err != nil {
		t.Fatal(err)
	}
	type ask struct {
		prompt []int32
		o      generate.Options
		got    []int32
		done   bool
	}
	var asks []*ask
	of := map[int]*ask{}
	var begun *ask
	emit := func(n int, id int32, end generate.End) bool {
		a := of[n]
		if begun != nil {
			a = begun
		}
		if end != generate.AtStop {
			a.got = append(a.got, id)
		}
		a.done = a.done || end != generate.GoesOn
		return true
	}
	for len(asks) < 40 || s.Live() > 0 {
		if len(asks) < 40 && s.Free() && rng.IntN(2) == 0 {
			a := &ask{o: generate.Options{MaxTokens: 1 + rng.IntN(12), Temperature: float64(rng.IntN(2)), Seed: uint64(len(asks)), Stop: []int32{0, 3}}}
			for range 1 + rng.IntN(80) {
				a.prompt = append(a.prompt, int32(1+rng.IntN(39)))
			}
			asks, begun = append(asks, a), a
			n, err := s.Begin(ctx, a.prompt, a.o, emit)
			if err != nil {
				t.Fatal(err)
			}
			of[n], begun = a, nil
			continue
		}
		if err := s.Step(ctx, emit); err != nil {
			t.Fatal(err)
		}
	}
	alone, err := generate.New(ctx, f, nil, nil, 100)
	if err != nil {
		t.Fatal(err)
	}
	defer alone.Close()
	for i, a := range asks {
		var want []int32
		if _, err := alone.Run(ctx, a.prompt, a.o, func(id int32) bool { want = append(want, id); return true }); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(a.got, want) || !a.done {
			t.Errorf("prompt %d: alone %v, among others %v (ended: %v)", i, want, a.got, a.done)
		}
	}
	if _, err := s.Begin(ctx, nil, generate.Options{MaxTokens: 1}, emit); err == nil {
		t.Error("an empty prompt is taken")
	}
	if _, err := s.Begin(ctx, make([]int32, 100), generate.Options{MaxTokens: 1}, emit); err == nil {
		t.Error("a prompt that leaves no room is taken")
	}
}

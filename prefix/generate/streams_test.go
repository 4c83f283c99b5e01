package generate_test

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"prelude/engine"
	"prelude/engine/cpu"
	"prelude/models/tiny"
	"prelude/prefix"
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
			if len(asks) > 0 && rng.IntN(2) == 0 { // it begins as another did: that part is in the cache
				before := asks[rng.IntN(len(asks))].prompt
				a.prompt = append(a.prompt, before[:rng.IntN(len(before)+1)]...)
			}
			for range 1 + rng.IntN(80-len(a.prompt)) {
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

// The loss that a stream measures is what ranking finds, whatever was in the cache before, and
// the answer is that of a stream that has measured nothing; with a prefix too.
func TestStreamsMeasureWhatRankingFinds(t *testing.T) {
	for _, model := range []func(testing.TB, engine.Device) engine.Frozen{tiny.Llama, tiny.LFM2} {
		f := model(t, cpu.New[float64]())
		t.Run(f.Arch.Info().Family, func(t *testing.T) { streamsMeasureWhatRankingFinds(t, f) })
	}
}

func streamsMeasureWhatRankingFinds(t *testing.T, f engine.Frozen) {
	ctx := context.Background()
	m, tensors := readPrefix(t, f)
	rng := rand.New(rand.NewPCG(2, 1))
	some := func(n int) (ids []int32) {
		for range n {
			ids = append(ids, int32(1+rng.IntN(39)))
		}
		return ids
	}
	o := generate.Options{MaxTokens: 6, Stop: []int32{0}}
	head := some(20)
	for name, c := range map[string]struct {
		m       *prefix.Method
		tensors map[string]engine.Tensor
	}{"bare": {}, "prefix": {m, tensors}} {
		g, err := generate.NewMeasuring(ctx, f, c.m, c.tensors, 9, 60, 50)
		if err != nil {
			t.Fatal(err)
		}
		defer g.Close()
		s, err := g.Streams(ctx)
		if err != nil {
			t.Fatal(err)
		}
		alone, err := generate.New(ctx, f, c.m, c.tensors, 60)
		if err != nil {
			t.Fatal(err)
		}
		defer alone.Close()
		var texts []generate.Text
		for range 30 {
			texts = append(texts, generate.Text{Prompt: slices.Concat(head[:rng.IntN(len(head)+1)], some(1+rng.IntN(12))), Expected: some(1 + rng.IntN(15))})
		}
		got := make([][]int32, len(texts))
		losses := make([]float64, len(texts))
		of := map[int]int{}
		most := 0
		for begun := 0; begun < len(texts) || s.Live() > 0; {
			if begun < len(texts) && s.Free() && rng.IntN(2) == 0 {
				ns, found, err := s.Measure(ctx, texts[begun:], o)
				if err != nil {
					t.Fatal(err)
				}
				for k, n := range ns {
					of[n], losses[begun] = begun, found[k]
					begun++
				}
				most = max(most, len(ns))
				continue
			}
			if err := s.Step(ctx, func(n int, id int32, end generate.End) bool {
				if end != generate.AtStop {
					got[of[n]] = append(got[of[n]], id)
				}
				return true
			}); err != nil {
				t.Fatal(err)
			}
		}
		if most != generate.TextsAtATime {
			t.Errorf("%s: at most %d texts were measured at a time", name, most)
		}
		for i, x := range texts {
			var want []int32
			if _, err := alone.Run(ctx, x.Prompt, o, func(id int32) bool { want = append(want, id); return true }); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got[i], want) {
				t.Errorf("%s: answered %v, alone %v", name, got[i], want)
			}
			ranked, err := alone.Rank(ctx, [][]int32{x.Prompt}, [][]int32{x.Expected}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if d := math.Abs(losses[i]*float64(len(x.Expected)) + ranked[0][0]); d > 1e-5 {
				t.Errorf("%s: measured %v, ranked at %v", name, losses[i]*float64(len(x.Expected)), -ranked[0][0])
			}
		}
		for _, bad := range [][2][]int32{{nil, {1}}, {{1}, nil}, {make([]int32, 50), make([]int32, 12)}} {
			if _, _, err := s.Measure(ctx, []generate.Text{{Prompt: bad[0], Expected: bad[1]}}, o); err == nil {
				t.Errorf("%s: %d tokens after %d are measured", name, len(bad[1]), len(bad[0]))
			}
		}
	}
	if _, err := generate.NewMeasuring(ctx, tiny.T5(t, cpu.New[float64](), 2, 3), nil, nil, 2, 60, 50); err == nil {
		t.Error("an encoder's rows are measured in one stack")
	}
}

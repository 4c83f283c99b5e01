package generate_test

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"prelude/engine"
	"prelude/engine/cpu"
	"prelude/models/tiny"
	"prelude/prefix"
	"prelude/prefix/generate"
)

// readPrefix is a prefix of keys and values that the model makes of five tokens.
func readPrefix(t *testing.T, f engine.Frozen) (*prefix.Method, map[string]engine.Tensor) {
	t.Helper()
	m, err := prefix.InContext(t.Context(), f, []int32{5, 21, 8, 30, 2})
	if err != nil {
		t.Fatal(err)
	}
	tensors, err := m.Alloc(t.Context(), f.Dev)
	if err != nil {
		t.Fatal(err)
	}
	return m, tensors
}

// Answers side by side are those that each prompt gets alone, with and without a prefix,
// also where prompts fill more than one run of the prefill and answers end apart.
func TestManyAnswersAreEachOnesOwn(t *testing.T) {
	ctx := context.Background()
	f := tiny.Llama(t, cpu.New[float64]())
	m, tensors := readPrefix(t, f)
	var prompts [][]int32
	for i := range 7 {
		p := make([]int32, 3+5*i)
		for j := range p {
			p[j] = int32(1 + (7*i+3*j*j)%39)
		}
		prompts = append(prompts, p)
	}
	for _, with := range []*prefix.Method{nil, m} {
		for _, temperature := range []float64{0, 1.5} {
			type answer struct {
				ids []int32
				z   []float64
			}
			run := func(prompts [][]int32, streams int, seed uint64) []answer {
				g, err := generate.NewMany(ctx, f, with, tensors, streams, 50)
				if err != nil {
					t.Fatal(err)
				}
				defer g.Close()
				all := make([]answer, len(prompts))
				if err := g.RunAll(ctx, prompts, generate.Options{MaxTokens: 9, Temperature: temperature, Seed: seed, Stop: []int32{0, 3, 4}}, func(i int, z []float32, id int32) bool {
					all[i].ids = append(all[i].ids, id)
					all[i].z = append(all[i].z, float64(slices.Max(z)))
					return true
				}); err != nil {
					t.Fatal(err)
				}
				return all
			}
			lengths := map[int]bool{}
			for i, many := range run(prompts, 8, 11) {
				one := run(prompts[i:i+1], 1, 11+uint64(i))[0]
				if !slices.Equal(one.ids, many.ids) {
					t.Errorf("prompt %d: alone %v, with others %v", i, one.ids, many.ids)
				}
				for j := range min(len(one.z), len(many.z)) {
					if math.Abs(one.z[j]-many.z[j]) > 1e-6 {
						t.Errorf("prompt %d, token %d: largest logit alone %g, with others %g", i, j, one.z[j], many.z[j])
						break
					}
				}
				lengths[len(many.ids)] = true
			}
			if temperature > 0 && len(lengths) < 2 {
				t.Error("all answers end together: nothing shows that streams end apart")
			}
		}
	}
}

// An encoder reads each stream's prompt for itself: answers side by side are those that
// each prompt gets alone, with a prefix at every attention and with rows of embeddings,
// also when a stream's next prompt is shorter than its last.
func TestManyAnswersOfPairs(t *testing.T) {
	ctx := context.Background()
	f := tiny.T5(t, cpu.New[float64](), 2, 3)
	prompts := [][]int32{{5, 9, 3, 22, 1, 17, 30}, {8}, {31, 2, 2, 18}, {6, 14}}
	for _, c := range []prefix.Choice{nil, {"kv.slots": "3", "start": "gaussian"}, {"source": "embedding", "embedding.slots": "3", "start": "gaussian"}} {
		var m *prefix.Method
		var tensors map[string]engine.Tensor
		if c != nil {
			var err error
			if m, err = prefix.New(c, f.Arch.Info()); err != nil {
				t.Fatal(err)
			}
			if err := m.Start(ctx, f, prefix.StartFrom{}, rand.New(rand.NewPCG(1, 2))); err != nil {
				t.Fatal(err)
			}
			if tensors, err = m.Alloc(ctx, f.Dev); err != nil {
				t.Fatal(err)
			}
		}
		run := func(g *generate.Generator, prompts [][]int32) [][]int32 {
			all := make([][]int32, len(prompts))
			if err := g.RunAll(ctx, prompts, generate.Options{MaxTokens: 7, Stop: []int32{0}}, func(i int, _ []float32, id int32) bool {
				all[i] = append(all[i], id)
				return true
			}); err != nil {
				t.Fatal(err)
			}
			return all
		}
		made := func(streams int) *generate.Generator {
			g, err := generate.NewMany(ctx, f, m, tensors, streams, 20)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(g.Close)
			return g
		}
		one, four := made(1), made(4)
		many := run(four, prompts)
		again := run(four, [][]int32{prompts[3], prompts[1], prompts[2], prompts[0]})
		differ := false
		for i, p := range prompts {
			alone := run(one, [][]int32{p})[0]
			if !slices.Equal(alone, many[i]) {
				t.Errorf("%v, prompt %d: alone %v, with others %v", c, i, alone, many[i])
			}
			if to := []int{3, 1, 2, 0}[i]; !slices.Equal(alone, again[to]) {
				t.Errorf("%v, prompt %d: alone %v, in another stream %v", c, i, alone, again[to])
			}
			differ = differ || !slices.Equal(alone, many[0])
		}
		if !differ {
			t.Errorf("%v: all answers are %v: nothing shows that prompts are read", c, many[0])
		}
		for _, bad := range []struct {
			prompt []int32
			want   string
		}{{nil, "no tokens"}, {make([]int32, 65), "too long"}} {
			if _, err := one.Run(ctx, bad.prompt, generate.Options{MaxTokens: 1}, func(int32) bool { return true }); err == nil || !strings.Contains(err.Error(), bad.want) {
				t.Errorf("a prompt of %d tokens: error %v", len(bad.prompt), err)
			}
		}
	}
	if _, err := generate.NewReader(ctx, f, nil, nil, 8); err == nil {
		t.Error("a text alone is read by an encoder-decoder")
	}
}

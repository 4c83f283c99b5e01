package generate_test

import (
	"context"
	"math"
	"slices"
	"testing"

	"prelude/engine/cpu"
	"prelude/engine/generate"
	"prelude/models/tiny"
	"prelude/prefix"
)

// Answers side by side are those that each prompt gets alone, with and without a prefix,
// also where prompts fill more than one run of the prefill and answers end apart.
func TestManyAnswersAreEachOnesOwn(t *testing.T) {
	ctx := context.Background()
	f := tiny.Llama(t, cpu.New[float64]())
	kv, err := prefix.TextKV(ctx, f, []int32{5, 21, 8, 30, 2})
	if err != nil {
		t.Fatal(err)
	}
	m, err := prefix.FromKV(f.Arch.Info(), 5, kv)
	if err != nil {
		t.Fatal(err)
	}
	tensors, err := m.Alloc(ctx, f.Dev)
	if err != nil {
		t.Fatal(err)
	}
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

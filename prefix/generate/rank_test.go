package generate_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"prelude/engine"
	"prelude/engine/cpu"
	"prelude/models/tiny"
	"prelude/prefix"
	"prelude/prefix/generate"
)

// A continuation's log-probability is that of the tokens which decoding picked, whatever was
// ranked before it, for prompts side by side as for one alone, with a prefix, and under an
// encoder.
func TestRankIsWhatDecodingSees(t *testing.T) {
	ctx := context.Background()
	llama, pair := tiny.Llama(t, cpu.New[float64]()), tiny.T5(t, cpu.New[float64](), 2, 3)
	m, tensors := readPrefix(t, llama)
	var prompts [][]int32
	for i := range 5 {
		p := make([]int32, 4+9*i)
		for j := range p {
			p[j] = int32(1 + (5*i+3*j*j)%31)
		}
		prompts = append(prompts, p)
	}
	for name, c := range map[string]struct {
		f       engine.Frozen
		m       *prefix.Method
		tensors map[string]engine.Tensor
	}{"bare": {f: llama}, "prefix": {llama, m, tensors}, "encoder": {f: pair}} {
		g, err := generate.NewMany(ctx, c.f, c.m, c.tensors, 8, 60)
		if err != nil {
			t.Fatal(err)
		}
		defer g.Close()
		for i, p := range prompts {
			var picked []int32
			want := 0.0
			if err := g.RunAll(ctx, [][]int32{p}, generate.Options{MaxTokens: 5}, func(_ int, z []float32, id int32) bool {
				sum := 0.0
				for _, v := range z {
					sum += math.Exp(float64(v))
				}
				picked, want = append(picked, id), want+float64(z[id])-math.Log(sum)
				return true
			}); err != nil {
				t.Fatal(err)
			}
			got, err := g.Rank(ctx, prompts, [][]int32{{7, 3, 9, 1, 1, 4}, picked[:1], picked, {2}}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if d := math.Abs(got[i][2] - want); d > 1e-5 || got[i][1] < got[i][2] {
				t.Errorf("%s, prompt %d: ranked at %v, decoded at %v", name, i, got[i], want)
			}
		}
		for _, bad := range []struct {
			prompts, continuations [][]int32
			want                   string
		}{{prompts, [][]int32{{}}, "no tokens"}, {prompts, [][]int32{make([]int32, 61)}, "too long"}, {slices.Concat(prompts, prompts), [][]int32{{1}}, "10 prompts for 8"}} {
			if _, err := g.Rank(ctx, bad.prompts, bad.continuations, nil); err == nil || !strings.Contains(err.Error(), bad.want) {
				t.Errorf("%s: error %v, want %q in it", name, err, bad.want)
			}
		}
	}
}

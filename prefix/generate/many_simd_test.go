package generate_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"prelude/engine"
	"prelude/models/tiny"
	"prelude/prefix"
	"prelude/prefix/generate"
	"prelude/simd"
)

// In exact precision answers are the same however many streams there are, and whichever texts are
// read together; losses are to the last bits of float32, in which attention to a prefix differs by
// the rows beside.
func TestResultsDoNotDependOnStreams(t *testing.T) {
	ctx := t.Context()
	dev, err := simd.New(ctx, simd.Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	for _, model := range []func(testing.TB, engine.Device) engine.Frozen{tiny.Llama, tiny.LFM2} {
		f := model(t, dev)
		t.Run(f.Arch.Info().Family, func(t *testing.T) { resultsDoNotDependOnStreams(t, f) })
	}
}

func resultsDoNotDependOnStreams(t *testing.T, f engine.Frozen) {
	ctx := t.Context()
	m, tensors := readPrefix(t, f)
	rng := rand.New(rand.NewPCG(3, 1))
	some := func(n int) (ids []int32) {
		for range n {
			ids = append(ids, int32(1+rng.IntN(39)))
		}
		return ids
	}
	head := some(20)
	var texts []generate.Text
	for range 50 {
		texts = append(texts, generate.Text{Prompt: slices.Concat(head[:rng.IntN(len(head)+1)], some(1+rng.IntN(12))), Expected: some(1 + rng.IntN(15))})
	}
	o := generate.Options{MaxTokens: 20, Stop: []int32{0, 7}}
	for name, with := range map[string]*prefix.Method{"bare": nil, "prefix": m} {
		run := func(streams int) (losses []float64, said [][]int32) {
			g, err := generate.NewMeasuring(ctx, f, with, tensors, streams, 70, 50)
			if err != nil {
				t.Fatal(err)
			}
			defer g.Close()
			s, err := g.Streams(ctx)
			if err != nil {
				t.Fatal(err)
			}
			said = make([][]int32, len(texts))
			of := map[int]int{}
			for len(losses) < len(texts) || s.Live() > 0 {
				for len(losses) < len(texts) && s.Free() {
					ns, found, err := s.Measure(ctx, texts[len(losses):], o)
					if err != nil {
						t.Fatal(err)
					}
					for k, n := range ns {
						of[n] = len(losses) + k
					}
					losses = append(losses, found...)
				}
				if err := s.Step(ctx, func(n int, id int32, _ generate.End) bool {
					said[of[n]] = append(said[of[n]], id)
					return true
				}); err != nil {
					t.Fatal(err)
				}
			}
			return losses, said
		}
		losses, said := run(9)
		for _, streams := range []int{16, 31, 50} {
			l, a := run(streams)
			if !slices.EqualFunc(l, losses, func(a, b float64) bool { return math.Abs(a-b) <= 1e-6*b }) {
				t.Errorf("%s: losses with %d streams %v, with 9 %v", name, streams, l, losses)
			}
			if !slices.EqualFunc(a, said, slices.Equal) {
				t.Errorf("%s: answers with %d streams differ from those with 9", name, streams)
			}
		}
	}
}

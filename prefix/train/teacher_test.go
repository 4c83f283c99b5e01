package train_test

import (
	"context"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"prelude/engine"
	"prelude/engine/cpu"
	"prelude/models/tiny"
	"prelude/prefix"
	"prelude/prefix/data"
	"prelude/prefix/generate"
	"prelude/prefix/train"
)

// taught are answers with the top 5 of what the model itself predicts there, with a text
// in its context.
func taught(t *testing.T, f engine.Frozen, text []int32) []data.Tokens {
	t.Helper()
	ctx := context.Background()
	m, err := prefix.InContext(ctx, f, text)
	if err != nil {
		t.Fatal(err)
	}
	tensors, err := m.Alloc(ctx, f.Dev)
	if err != nil {
		t.Fatal(err)
	}
	g, err := generate.NewMany(ctx, f, m, tensors, 200, 12)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	rng := rand.New(rand.NewPCG(1, 2))
	var all []data.Tokens
	prompts := make([][]int32, 200)
	for i := range prompts {
		for range 2 + i%3 {
			prompts[i] = append(prompts[i], int32(1+rng.IntN(tiny.Vocab-1)))
		}
		all = append(all, data.Tokens{IDs: prompts[i], Start: len(prompts[i]), Teacher: &data.Teacher{Top: 5}})
	}
	if err := g.RunAll(ctx, prompts, generate.Options{MaxTokens: 6, Temperature: 1, Seed: 3, Stop: []int32{0}}, func(i int, z []float32, id int32) bool {
		all[i].Teacher.Add(z)
		all[i].IDs = append(all[i].IDs, id)
		return true
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// Where the student is the teacher the divergence is 0; where it starts with part of the
// text, it falls.
func TestDistillation(t *testing.T) {
	ctx := context.Background()
	f := tiny.Llama(t, cpu.New[float32]())
	text := []int32{5, 21, 8, 30, 30, 2, 17, 11, 9, 36, 4, 4, 25, 13, 6, 19, 33, 7, 28, 3}
	all := taught(t, f, text)
	run := func(slots string, steps int) (evals []float64, base float64) {
		m, err := prefix.New(prefix.Choice{"start": "text", "kv.slots": slots}, f.Arch.Info())
		if err != nil {
			t.Fatal(err)
		}
		r, err := train.New(ctx, f, m, train.Data{Train: all[:160], Val: all[160:]}, prefix.StartFrom{Text: text}, train.Options{Steps: steps, LR: 0.01, Eval: 50, Patience: 100})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		res, err := r.Train(ctx, train.Events{
			Eval: func(e train.EvalInfo) { evals = append(evals, e.Loss) },
			Step: func(s train.StepInfo) {
				if l := s.Loss[0]; l < -1e-5 {
					t.Errorf("step %d has a divergence of %g", s.First, l)
				}
			}})
		if err != nil {
			t.Fatal(err)
		}
		return evals, res.Base
	}
	same, base := run("0", 1)
	if math.Abs(same[0]) > 1e-5 {
		t.Errorf("with the whole text as prefix the divergence is %g", same[0])
	}
	evals, _ := run("12", 250)
	t.Logf("without %.4f, prefix %.4f", base, evals)
	if base < 0.05 || evals[0] < 0.01 {
		t.Fatalf("the text hardly matters here: without it %.4f, with a part %.4f", base, evals[0])
	}
	if last := evals[len(evals)-1]; last > 0.8*evals[0] {
		t.Errorf("the divergence went from %.4f to %.4f only", evals[0], last)
	}
	for i := 1; i < len(evals); i++ {
		if evals[i] >= evals[i-1] {
			t.Errorf("evaluation %d is %.4f after %.4f", i, evals[i], evals[i-1])
		}
	}
}

func TestTeachersMustFit(t *testing.T) {
	f := tiny.Llama(t, cpu.New[float32]())
	good := data.Tokens{IDs: []int32{1, 2, 3}, Start: 2, Teacher: &data.Teacher{Top: 2, IDs: []int32{4, 5}, LogQ: []float64{-1, -2}}}
	for _, c := range []struct {
		want string
		bad  data.Tokens
	}{
		{"differ in whether", data.Tokens{IDs: []int32{1, 2, 3}, Start: 2}},
		{"names 1 tokens", data.Tokens{IDs: []int32{1, 2, 3}, Start: 2, Teacher: &data.Teacher{Top: 1, IDs: []int32{4}, LogQ: []float64{-1}}}},
		{"has 1 rows, its completion 2", data.Tokens{IDs: []int32{1, 2, 3, 4}, Start: 2, Teacher: good.Teacher}},
	} {
		m, _ := prefix.New(nil, f.Arch.Info())
		_, err := train.New(context.Background(), f, m, train.Data{Train: []data.Tokens{good, c.bad}}, prefix.StartFrom{}, train.Options{Steps: 1})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want …%s…", err, c.want)
		}
	}
}

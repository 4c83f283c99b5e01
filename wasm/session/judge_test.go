package session_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"prelude/models/tiny"
	"prelude/ui/wire"
	"prelude/wasm/session"
)

// The held-out set is answered by base, in context and by a prefix; several rows at a time say
// what one at a time says, and the losses are those of an evaluation.
func TestJudge(t *testing.T) {
	s := load(t, tiny.Folder(t, 0))
	done := train(t, s, wire.Train{Steps: 15, Batch: 4, Seed: 3, LR: 0.05, Method: map[string]string{"kv.slots": "4"}})
	shelf, err := s.Shelf(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	d, err := s.SetData("sample.jsonl", sample(), wire.DataOptions{})
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	j, err := s.Judge(context.Background(), wire.Judge{Base: true, InContext: true, Keys: []int{shelf.InUse}, MaxTokens: 6}, func(done, total int) bool { count = done; return total == 3*d.Val })
	if err != nil {
		t.Fatal(err)
	}
	if len(j.Rows) != d.Val || count != 3*d.Val || len(j.Candidates) != 3 || len(j.Pairs) != 3 || j.Measure == "" || j.Shots == 0 {
		t.Fatalf("%d rows, %d told, %d candidates, %d pairs by %q with %d shots", len(j.Rows), count, len(j.Candidates), len(j.Pairs), j.Measure, j.Shots)
	}
	if tuned := j.Candidates[2]; math.Abs(tuned.Loss.Value-done.BestLoss) > 1e-5 || tuned.Loss.Low > tuned.Loss.Value || tuned.Loss.High < tuned.Loss.Value || tuned.BitsPerByte <= 0 {
		t.Errorf("%+v, the training says %v", tuned.Loss, done.BestLoss)
	}
	if base := j.Candidates[0]; math.Abs(base.Loss.Value-done.BaseLoss) > 1e-5 {
		t.Errorf("base %+v, the training says %v", base.Loss, done.BaseLoss)
	}
	if p := j.Pairs[1]; p.First != 2 || p.Second != 0 || p.Loss < 90 {
		t.Errorf("tuned against base: %+v", p)
	}
	for _, row := range j.Rows[:4] {
		for i, a := range row.Answers {
			if j.Candidates[i].Which == "context" {
				continue
			}
			said, ended := "", false
			g := wire.Generate{Prompt: row.Prompt, MaxTokens: 6, Base: i == 0, Tuned: i == 2}
			if err := s.Generate(context.Background(), g, func(x wire.Sample) bool {
				said += x.Text
				ended = x.End
				return true
			}); err != nil {
				t.Fatal(err)
			}
			if said != a.Text || ended != a.Ended {
				t.Errorf("%s answers %q with %q, alone with %q", j.Candidates[i].Name, row.Prompt, a.Text, said)
			}
		}
	}
	if _, err := s.Judge(context.Background(), wire.Judge{Base: true}, func(int, int) bool { return false }); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled one: %v", err)
	}
	if _, err := s.Judge(context.Background(), wire.Judge{Base: true, Measure: "x"}, nil); err == nil || !strings.Contains(err.Error(), `"x"`) {
		t.Errorf("an unknown measure: %v", err)
	}
}

// losses are those of the bare model, of the examples in context and of the prefix in use.
func losses(s *session.Session) (base, shown, tuned float64, shots int, err error) {
	ctx := context.Background()
	shelf, err := s.Shelf(ctx)
	if err != nil {
		return
	}
	j, err := s.Judge(ctx, wire.Judge{Base: true, InContext: true, Keys: []int{shelf.InUse}, Losses: true}, nil)
	if err != nil {
		return
	}
	return j.Candidates[0].Loss.Value, j.Candidates[1].Loss.Value, j.Candidates[2].Loss.Value, j.Shots, nil
}

package session_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"prelude/engine/cpu"
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
	if tuned := j.Candidates[2]; math.Abs(tuned.Loss.Value-done.BestLoss) > 1e-5 || tuned.Loss.Low > tuned.Loss.Value || tuned.Loss.High < tuned.Loss.Value || tuned.BitsPerByte.Value <= 0 {
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

// Few different completions are ranked: scores, counts, bins and accuracy say the same. One
// label alone is judged by whether it is said, and refused where it is to be ranked.
func TestJudgeLabels(t *testing.T) {
	for _, dir := range []string{tiny.Folder(t, 0), pairFolder(t)} {
		s := load(t, dir)
		var lines strings.Builder
		for i := range 60 {
			fmt.Fprintf(&lines, "{\"prompt\": \"guest number %d\", \"completion\": \" %s\"}\n", i, []string{"tea", "cake and tea", "river"}[i%3])
		}
		if _, err := s.SetData("a.jsonl", []byte(lines.String()), wire.DataOptions{}); err != nil {
			t.Fatal(err)
		}
		j, err := s.Judge(context.Background(), wire.Judge{Base: true, InContext: true}, func(int, int) bool { return true })
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range j.Candidates {
			if j.Measure != "labels" || c.Ranking == nil || len(c.Ranking.Bins) != 10 || c.Figures[0].Name != "accuracy" {
				t.Fatalf("%s: %+v", j.Measure, c)
			}
			right, rows, binned := 0.0, 0, 0
			for _, r := range j.Rows {
				a := r.Answers[i]
				if a.Label == strings.TrimSpace(r.Expected) != (a.Score == 1) || a.Sure < 1.0/3-1e-9 || a.Sure > 1 {
					t.Errorf("%s: %+v for %q", c.Name, a, r.Expected)
				}
				right += a.Score
			}
			for g := range c.Ranking.Counts {
				for _, n := range c.Ranking.Counts[g] {
					rows += n
				}
			}
			for _, b := range c.Ranking.Bins {
				binned += b.Count
			}
			if rows != len(j.Rows) || binned != rows || math.Abs(c.Figures[0].Value-right/float64(rows)) > 1e-12 {
				t.Errorf("%s: %+v of %d rows", c.Name, c.Ranking, len(j.Rows))
			}
		}
		one := strings.ReplaceAll(strings.ReplaceAll(lines.String(), "river", "tea"), "cake and tea", "tea")
		if _, err := s.SetData("c.jsonl", []byte(one), wire.DataOptions{}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Judge(context.Background(), wire.Judge{Base: true, Measure: "labels"}, nil); err == nil || !strings.Contains(err.Error(), "same answer") {
			t.Errorf("one label: %v", err)
		}
		if j, err = s.Judge(context.Background(), wire.Judge{Base: true}, func(int, int) bool { return true }); err != nil || j.Measure != "exact" {
			t.Errorf("one label is measured by %q: %v", j.Measure, err)
		}
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

// What a prefix has to beat is what a judgement of the same rows says, is measured once, and
// is given up where it is cancelled.
func TestStanding(t *testing.T) {
	dev := &counting{Device: cpu.New[float32]()}
	s := loadOn(t, dev)
	ctx, cancel := context.WithCancel(context.Background())
	dev.stop = func(runs int) {
		if runs == 3 {
			cancel()
		}
	}
	if _, err := s.Standing(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("cancelled: %v", err)
	}
	dev.stop = nil
	found, err := s.Standing(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	j, err := s.Judge(context.Background(), wire.Judge{Base: true, InContext: true, Losses: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(found.Base-j.Candidates[0].Loss.Value) > 1e-5 || math.Abs(found.InContext-j.Candidates[1].Loss.Value) > 1e-5 || found.Shots != j.Shots || found.Hash != j.Hash {
		t.Errorf("%+v, judged %+v", found, j.Candidates)
	}
	dev.runs = 0
	if again, err := s.Standing(context.Background()); err != nil || again != found || dev.runs > 0 {
		t.Errorf("measured again in %d runs: %+v, %v", dev.runs, again, err)
	}
}

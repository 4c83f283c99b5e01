package session_test

import (
	"context"
	"math"
	"testing"

	"prelude/models/tiny"
	"prelude/ui/wire"
	"prelude/wasm/session"
)

// A copy of a step, laid on the shelf, has the loss that validation measured at that step.
func TestCopiesOfSteps(t *testing.T) {
	ctx := context.Background()
	s := load(t, tiny.Folder(t, 0))
	if _, err := s.SetData("sample.jsonl", sample(), wire.DataOptions{}); err != nil {
		t.Fatal(err)
	}
	evals := map[int]float64{}
	copies := map[int][]byte{}
	var about wire.Snapshot
	done, err := s.Train(ctx, wire.Train{ID: 4, Steps: 12, Eval: 4, Keep: 4, LR: 0.5, Schedule: "linear", Method: map[string]string{"kv.slots": "4", "start": "gaussian"}}, session.Watch{
		Planned: func(wire.Planned) {}, Step: func(wire.Step) {},
		Eval:   func(e wire.Eval) { evals[e.Step] = e.Loss },
		Copied: func(x wire.Snapshot, zip []byte) { about, copies[x.Step] = x, zip },
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(copies) != 3 || about.ID != 4 || about.Of != 4 || about.Name == "" {
		t.Fatalf("%d copies, the last %+v", len(copies), about)
	}
	for step, zip := range copies {
		if err := s.Again(ctx, wire.Again{Item: wire.Shelved{Key: 10 + step, Name: "a step", Origin: "trained"}}, zip); err != nil {
			t.Fatalf("step %d: %v", step, err)
		}
		j, err := s.Judge(ctx, wire.Judge{Keys: []int{10 + step}, MaxTokens: 2}, func(int, int) bool { return true })
		if err != nil {
			t.Fatal(err)
		}
		if got := j.Candidates[0].Loss.Value; math.Abs(got-evals[step]) > 1e-4 {
			t.Errorf("step %d: %v, when it was trained %v", step, got, evals[step])
		}
	}
	for _, x := range shelfOf(t, s).Items {
		if x.Key > 10 && x.Step != x.Key-10 {
			t.Errorf("the copy of step %d says that it is of step %d", x.Key-10, x.Step)
		}
	}
	if done.Steps != 12 {
		t.Errorf("%+v", done)
	}
}

// Rates are tried out beside what is on the shelf, and one is suggested.
func TestFindRate(t *testing.T) {
	ctx := context.Background()
	s := load(t, tiny.Folder(t, 0))
	if _, err := s.FindRate(ctx, wire.Train{}, nil); err == nil {
		t.Error("rates are tried out without examples")
	}
	if _, err := s.SetData("sample.jsonl", sample(), wire.DataOptions{}); err != nil {
		t.Fatal(err)
	}
	before := shelfOf(t, s)
	o := wire.Train{ID: 5, Batch: 4, Method: map[string]string{"kv.slots": "4", "start": "gaussian"}}
	last := 0.0
	found, err := s.FindRate(ctx, o, func(rate, loss float64) bool {
		if rate <= last || loss <= 0 {
			t.Errorf("rate %v after %v, loss %v", rate, last, loss)
		}
		last = rate
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	if found.ID != 5 || found.Own <= 0 || found.Rate <= 0 || found.Rate > 30*found.Own {
		t.Errorf("found %+v", found)
	}
	if after := shelfOf(t, s); len(after.Items) != len(before.Items) || after.InUse != before.InUse {
		t.Errorf("the shelf is another: %+v", after)
	}
	n := 0
	if _, err := s.FindRate(ctx, o, func(float64, float64) bool { n++; return n < 3 }); err != nil || n != 3 {
		t.Errorf("stopped after %d steps: %v", n, err)
	}
	o.Method = map[string]string{"length": "sweep", "sweep.lengths": "1,4", "start": "gaussian"}
	if _, err := s.FindRate(ctx, o, nil); err == nil {
		t.Error("rates are tried out while lengths are")
	}
}

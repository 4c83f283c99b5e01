package session_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"prelude/models/tiny"
	"prelude/ui/wire"
	"prelude/wasm/session"
)

// lines are examples with these numbers.
func lines(from, to int, form string) []byte {
	var b strings.Builder
	for i := from; i < to; i++ {
		fmt.Fprintf(&b, form+"\n", i, i%5)
	}
	return []byte(b.String())
}

const guest = `{"prompt": "guest number %d", "completion": " tea and cake %d"}`

// A file of one's own is validated on, whole, and one is tested on; what asks the same is not
// trained on, and neither is read by a training. They go with the file of examples.
func TestFilesOfOnesOwn(t *testing.T) {
	s := load(t, tiny.Folder(t, 0))
	data := func(o wire.DataOptions) wire.Dataset {
		t.Helper()
		d, err := s.SetData("a.jsonl", lines(0, 60, guest), o)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	data(wire.DataOptions{})
	d, err := s.SetHeld("validation", "val.jsonl", lines(50, 80, `{"prompt": "Guest  number %d ", "completion": " tea and cake %d"}`))
	if err != nil || d.Val != 30 || d.Train != 50 || d.ValFile != "val.jsonl" || !strings.Contains(strings.Join(d.Notes, "; "), "10 examples left out: the validation file asks the same") {
		t.Fatalf("%+v, %v", d, err)
	}
	d, err = s.SetHeld("test", "test.jsonl", lines(75, 100, guest))
	if err != nil || d.Val != 25 || d.Train != 50 || d.Test != 25 || d.Count != 100 {
		t.Fatalf("%+v, %v", d, err)
	}
	if again := data(wire.DataOptions{Space: true}); again.Val != 25 || again.Test != 25 {
		t.Errorf("read again: %+v", again)
	}
	done, err := s.Train(context.Background(), wire.Train{Steps: 8, Batch: 4, Method: map[string]string{"kv.slots": "4"}}, session.Watch{
		Planned: func(wire.Planned) {}, Step: func(wire.Step) {}, Eval: func(wire.Eval) {}, Between: func() bool { return true }})
	if err != nil {
		t.Fatal(err)
	}
	shelf, err := s.Shelf(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	judged := func(test bool) wire.Judged {
		t.Helper()
		j, err := s.Judge(context.Background(), wire.Judge{Base: true, Keys: []int{shelf.InUse}, Losses: true, Test: test}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	if j := judged(false); j.Count != 25 || math.Abs(j.Candidates[1].Loss.Value-done.BestLoss) > 1e-5 {
		t.Errorf("validation says %+v, training %v", j.Candidates[1].Loss, done.BestLoss)
	}
	if j := judged(true); j.Count != 25 || !j.Test || !strings.Contains(j.Rows[0].Prompt, "guest number") {
		t.Errorf("test %+v", j)
	}
	for name, bad := range map[string]struct {
		side, content, want string
	}{
		"another shape": {"validation", `{"text": "a", "label": "b"}`, "is read as text/label, the examples as prompt/completion"},
		"empty":         {"validation", "\n", ""},
		"no examples":   {"test", `{"x": 1}`, "holds no examples"},
		"a side":        {"train", string(lines(0, 3, guest)), `no side of a split is called "train"`},
		"everything":    {"validation", string(lines(0, 60, guest)), "no example is left to train on"},
	} {
		if _, err := s.SetHeld(bad.side, "b.jsonl", []byte(bad.content)); err == nil || !strings.Contains(err.Error(), bad.want) {
			t.Errorf("%s: error %v, want %q in it", name, err, bad.want)
		}
	}
	if j := judged(false); j.Count != 25 {
		t.Errorf("after refusals %d rows", j.Count)
	}
	if d, err = s.SetHeld("validation", "", nil); err != nil || d.ValFile != "" || d.Val != 16 || d.Test != 25 {
		t.Errorf("taken away: %+v, %v", d, err)
	}
	if d, err = s.SetData("b.jsonl", lines(0, 40, guest), wire.DataOptions{}); err != nil || d.Test != 0 || d.Val != 13 {
		t.Errorf("other examples: %+v, %v", d, err)
	}
	if _, err := s.Judge(context.Background(), wire.Judge{Base: true, Test: true}, nil); err == nil || !strings.Contains(err.Error(), "no test set") {
		t.Errorf("without a test set: %v", err)
	}
}

// A share for testing is set aside first: what is validated on may change, the test set stays.
func TestShareForTesting(t *testing.T) {
	s := load(t, tiny.Folder(t, 0))
	var rows [2]string
	for i, val := range []float64{0.2, 0.3} {
		d, err := s.SetData("a.jsonl", lines(0, 120, guest), wire.DataOptions{TestShare: 0.2, ValShare: val})
		if err != nil || d.Test != 24 || d.Train+d.Val != 96 {
			t.Fatalf("%+v, %v", d, err)
		}
		j, err := s.Judge(context.Background(), wire.Judge{Base: true, Losses: true, Test: true}, nil)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, r := range j.Rows {
			seen[r.Prompt] = true
		}
		rows[i] = fmt.Sprint(seen)
	}
	if rows[0] != rows[1] {
		t.Errorf("the test set was %s, is %s", rows[0], rows[1])
	}
	if _, err := s.SetData("a.jsonl", lines(0, 120, guest), wire.DataOptions{TestShare: 0.5}); err == nil || !strings.Contains(err.Error(), "up to a third") {
		t.Errorf("half for testing: %v", err)
	}
	d, err := s.SetData("same.jsonl", []byte(strings.Repeat("{\"prompt\": \"a\", \"completion\": \" b\"}\n", 50)), wire.DataOptions{})
	if err != nil || d.Train != 1 || d.Val != 0 {
		t.Errorf("all the same: %+v, %v", d, err)
	}
	d, err = s.SetData("one.jsonl", lines(0, 50, `{"prompt": "p%d", "completion": " yes", "x": %d}`), wire.DataOptions{})
	if err != nil || !strings.Contains(strings.Join(d.Notes, "; "), "all examples have the same answer") {
		t.Errorf("one answer: %+v, %v", d, err)
	}
}

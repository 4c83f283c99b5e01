package session_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"prelude/models/tiny"
	"prelude/ui/wire"
	"prelude/wasm/session"
)

// A training that ends with its process goes on in another one as if nothing had been, from
// any of its checkpoints; lengths that are tried out have none until one is picked.
func TestResume(t *testing.T) {
	dir := tiny.Folder(t, 0)
	var lines strings.Builder
	for i := range 40 {
		fmt.Fprintf(&lines, "{\"prompt\": \"guest number %d\", \"completion\": \" tea and cake %d\"}\n", i, i%7)
	}
	begin := func() *session.Session {
		s := load(t, dir)
		if _, err := s.SetData("a.jsonl", []byte(lines.String()), wire.DataOptions{Seed: 1}); err != nil {
			t.Fatal(err)
		}
		return s
	}
	for name, o := range map[string]wire.Train{
		"plain":  {Steps: 20, Batch: 4, Seed: 3, Method: map[string]string{"kv.slots": "4"}},
		"length": {Steps: 60, Batch: 4, Seed: 3, Method: map[string]string{"length": "sweep", "sweep.lengths": "2,4", "start": "gaussian"}},
	} {
		t.Run(name, func(t *testing.T) {
			var whole, rest []float64
			var file []byte
			var ask wire.Train
			watch := func(losses *[]float64, stop int) session.Watch {
				return session.Watch{
					Planned: func(wire.Planned) {}, Eval: func(wire.Eval) {},
					Step: func(x wire.Step) {
						if x.First == 1 {
							*losses = nil // the next of several runs
						}
						*losses = append(*losses, x.Loss...)
					},
					Between: func() bool { return len(*losses) < stop || file != nil },
					Saved:   func(o wire.Train, _ int, f []byte) { ask, file = o, f },
				}
			}
			if _, err := begin().Train(context.Background(), o, watch(&whole, 1<<20)); err != nil {
				t.Fatal(err)
			}
			if file != nil {
				t.Skip("so slow that there was a checkpoint unasked")
			}
			var cut []float64
			w := watch(&cut, 1<<20)
			final := false
			w.Stage = func(p wire.Progress) { final = strings.HasPrefix(p.Stage, "Training with") }
			n := 0
			w.Between = func() bool {
				if o.Method["length"] == "sweep" && !final {
					return true
				}
				n++
				return n < 9
			}
			if _, err := begin().Train(context.Background(), o, w); err != nil {
				t.Fatal(err)
			}
			if file == nil {
				t.Fatal("a stop leaves no checkpoint")
			}
			s := begin()
			w = watch(&rest, 1<<20)
			var at int
			w.Step = func(x wire.Step) {
				if len(rest) == 0 {
					at = x.First
				}
				rest = append(rest, x.Loss...)
			}
			w.Saved = nil
			if _, err := s.Resume(context.Background(), ask, file, w); err != nil {
				t.Fatal(err)
			}
			if at != 10 || !slices.Equal(rest, whole[9:]) {
				t.Errorf("goes on at step %d with %v, without the cut %v", at, rest, whole[9:])
			}
			if _, err := s.Resume(context.Background(), ask, file[:len(file)/2], w); err == nil {
				t.Error("half a checkpoint is gone on from")
			}
		})
	}
}

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
// any of its checkpoints: in a trial of a length, in the next, and in the training of the one picked.
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
	sweep := wire.Train{Steps: 60, Batch: 4, Seed: 3, Method: map[string]string{"length": "sweep", "sweep.lengths": "2,4", "start": "gaussian"}}
	for name, c := range map[string]struct {
		o   wire.Train
		cut int // after so many steps, of all runs
	}{
		"plain":        {wire.Train{Steps: 20, Batch: 4, Seed: 3, Method: map[string]string{"kv.slots": "4"}}, 9},
		"first trial":  {sweep, 6},
		"second trial": {sweep, 20},
		"picked":       {sweep, 39},
	} {
		t.Run(name, func(t *testing.T) {
			var whole, rest []float64
			var curve, again []wire.LengthPoint
			var file []byte
			var ask wire.Train
			watch := func(losses *[]float64, lengths *[]wire.LengthPoint) session.Watch {
				return session.Watch{
					Planned: func(wire.Planned) {}, Eval: func(wire.Eval) {},
					Step:    func(x wire.Step) { *losses = append(*losses, x.Loss...) },
					Lengths: func(x wire.Lengths) { *lengths = x.Points },
					Between: func() bool { return true },
					Saved:   func(o wire.Train, _ int, f []byte) { ask, file = o, f },
				}
			}
			if _, err := begin().Train(context.Background(), c.o, watch(&whole, &curve)); err != nil {
				t.Fatal(err)
			}
			if file != nil {
				t.Skip("so slow that there was a checkpoint unasked")
			}
			var part []float64
			w := watch(&part, &again)
			n := 0
			w.Between = func() bool { n++; return n < c.cut }
			if _, err := begin().Train(context.Background(), c.o, w); err != nil {
				t.Fatal(err)
			}
			if file == nil {
				t.Fatal("a stop leaves no checkpoint")
			}
			s := begin()
			w = watch(&rest, &again)
			w.Saved = nil
			if _, err := s.Resume(context.Background(), ask, file, w); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(rest, whole[c.cut:]) || !slices.Equal(again, curve) {
				t.Errorf("goes on with %v, lengths %v; without the cut %v, %v", rest, again, whole[c.cut:], curve)
			}
			if _, err := s.Resume(context.Background(), ask, file[:len(file)/2], w); err == nil {
				t.Error("half a checkpoint is gone on from")
			}
			if len(ask.Tried) > 0 {
				ask.Tried[0].Loss = ask.Tried[0].Loss[1:]
				if _, err := s.Resume(context.Background(), ask, file, w); err == nil || !strings.Contains(err.Error(), "not of these lengths") {
					t.Errorf("a trial of fewer examples: %v", err)
				}
			}
		})
	}
}

package session_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"prelude/engine/cpu"
	"prelude/ui/wire"
	"prelude/wasm/session"
)

// Of many held-out examples validation reads a fixed few, and the plan says so.
func TestValidationIsBounded(t *testing.T) {
	ctx := context.Background()
	dev := &counting{Device: cpu.New[float32]()}
	s := loadOn(t, dev)
	var b strings.Builder
	for i := range 600 {
		fmt.Fprintf(&b, "{\"prompt\": \"guest %d :\", \"completion\": \" tea and cake on the river\"}\n", i)
	}
	d, err := s.SetData("many.jsonl", []byte(b.String()), wire.DataOptions{})
	if err != nil || d.Val < 100 {
		t.Fatalf("%+v, %v", d, err)
	}
	var notes []string
	dev.runs = 0
	if _, err := s.Train(ctx, wire.Train{Steps: 1, Seed: 1}, session.Watch{Step: func(wire.Step) {}, Eval: func(wire.Eval) {},
		Planned: func(p wire.Planned) { notes = p.Notes }}); err != nil {
		t.Fatal(err)
	}
	if most := 1 + 4 + 3*8; dev.runs > most { // the step, the start, and three validations of 64 examples in batches of 8
		t.Errorf("%d runs, want at most %d", dev.runs, most)
	}
	if want := fmt.Sprintf("64 of the %d held-out examples", d.Val); !strings.Contains(strings.Join(notes, " "), want) {
		t.Errorf("notes %q, want %q", notes, want)
	}
}

package prefix_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"prelude/engine/cpu"
	"prelude/models/tiny"
	"prelude/prefix"
)

// A text becomes a prefix: its tokens are read once, and their keys and values stand
// before whatever comes.
func Example() {
	f := tiny.Llama(&testing.T{}, cpu.New[float32]())
	m, err := prefix.New(prefix.Choice{"source": "kv", "start": "text"}, f.Arch.Info())
	if err != nil {
		panic(err)
	}
	if err := m.Start(ctx, f, prefix.StartFrom{Text: []int32{6, 13, 21}}, rand.New(rand.NewPCG(1, 1))); err != nil {
		panic(err)
	}
	fmt.Println(m.Slots(), "slots,", m.Trainable(), "numbers, text from position", m.Offset())
	// Output: 3 slots, 96 numbers, text from position 3
}

// Every preset is a choice that can be made.
func TestPresets(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range prefix.Presets() {
		f := models["llama"](t, cpu.New[float32]())
		start(t, f, p.Choice)
		if p.Label == "" || p.Sentence == "" || seen[p.ID] {
			t.Errorf("preset %q: label %q, sentence %q", p.ID, p.Label, p.Sentence)
		}
		seen[p.ID] = true
	}
	for _, section := range []string{"4.1", "4.2", "4.3"} {
		if !seen[section] {
			t.Errorf("no preset for §%s", section)
		}
	}
}

package session_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"prelude/models/tiny"
	"prelude/ui/wire"
)

// looked is what a trained prefix changed in an answer.
func looked(t *testing.T, method map[string]string, o wire.Look) wire.Looked {
	t.Helper()
	s := load(t, tiny.Folder(t, 0))
	train(t, s, wire.Train{Steps: 60, Method: method})
	o.ID, o.Key, o.Prompt = 9, 1, "guest 3 :"
	seen, err := s.Look(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

// Of an answer that was trained on, nearly every token is likelier; texts, probabilities and
// the map fit together.
func TestLook(t *testing.T) {
	const text = " tea and cake on the river"
	seen := looked(t, nil, wire.Look{Answer: text, End: true})
	said, rose := "", 0
	for i, k := range seen.Tokens {
		if !k.Special {
			said += k.Text
		}
		if k.Tuned > k.Base {
			rose++
		}
		mass := 0.0
		for n, g := range k.TunedTop {
			mass += math.Exp(g.Tuned)
			if n > 0 && g.Tuned > k.TunedTop[n-1].Tuned {
				t.Errorf("token %d: guess %d is likelier than the one before it", i, n)
			}
		}
		if mass > 1+1e-6 || len(k.TunedTop) != 10 || len(k.BaseTop) != 10 || k.KL < 0 {
			t.Errorf("token %d: %+v", i, k)
		}
	}
	last := seen.Tokens[len(seen.Tokens)-1]
	if said != text || !last.Special || last.Text != "<|endoftext|>" {
		t.Errorf("the answer reads %q and ends with %q", said, last.Text)
	}
	if rose < len(seen.Tokens)-1 {
		t.Errorf("%d of %d tokens are likelier than before", rose, len(seen.Tokens))
	}
	m, n := seen.Map, len(seen.Tokens)
	if m == nil || len(m.Layers) != 2 || m.Heads != 4 || len(m.Share) != 2*n*8 || len(m.Weight) != 2*n*m.Slots {
		t.Fatalf("the map is %+v", m)
	}
	if len(m.Words) != m.Slots || !strings.Contains(strings.Join(m.Words, ""), "tea and cake") {
		t.Errorf("the slots started as %q", m.Words)
	}
	for i := range n { // the mean share is the sum of the slots' weights
		share, weight := 0.0, 0.0
		for k := range 8 {
			share += m.At(m.Share, i*8+k) / 8
		}
		for k := range m.Slots {
			weight += m.At(m.Weight, i*m.Slots+k)
		}
		if math.Abs(share-weight) > float64(m.Slots)/wire.All || share <= 0 {
			t.Errorf("token %d: share %g, weights %g", i, share, weight)
		}
	}
}

func TestLookAtOtherMethods(t *testing.T) {
	if seen := looked(t, map[string]string{"source": "none", "weights": "lora"}, wire.Look{Answer: " tea"}); seen.Map != nil || seen.Why == "" || len(seen.Tokens) == 0 {
		t.Errorf("LoRA: %+v", seen)
	}
	if seen := looked(t, map[string]string{"gate": "log", "start": "gaussian", "kv.slots": "4"}, wire.Look{Answer: " tea"}); len(seen.Map.Gates) != 2 || seen.Map.Gates[0] <= 0 || seen.Map.Words != nil {
		t.Errorf("gates: %+v", seen.Map)
	}
	// A long answer is looked at as far as there is room; characters of several tokens are whole.
	seen := looked(t, nil, wire.Look{Answer: " é" + strings.Repeat(" river", 400)})
	if seen.Left == 0 || len(seen.Tokens) > 256 {
		t.Errorf("%d tokens, %d left", len(seen.Tokens), seen.Left)
	}
	if text := seen.Tokens[0].Text + seen.Tokens[1].Text + seen.Tokens[2].Text; !strings.HasPrefix(text, " é") {
		t.Errorf("the answer begins %q", text)
	}
}

func TestLookRefuses(t *testing.T) {
	ctx := context.Background()
	s := load(t, tiny.Folder(t, 0))
	if _, err := s.Look(ctx, wire.Look{Key: 1, Prompt: "guest", Answer: " tea"}); err == nil {
		t.Error("a prefix that is not there is looked at")
	}
	train(t, s, wire.Train{Steps: 2})
	if _, err := s.Look(ctx, wire.Look{Key: 1, Prompt: "guest"}); err == nil {
		t.Error("an empty answer is looked at")
	}
	if _, err := s.Look(ctx, wire.Look{Key: 1, Prompt: strings.Repeat("guest ", 1000), Answer: " tea"}); err == nil {
		t.Error("a prompt beyond the context is looked at")
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := s.Look(ended, wire.Look{Key: 1, Prompt: "guest", Answer: " tea"}); err == nil {
		t.Error("a request that was cancelled is answered")
	}
}

package simd

import (
	"context"
	"fmt"
	"testing"

	"prelude/engine/conformance"
)

func device(t *testing.T, o Options) *Device {
	d, err := New(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// Every way this host can run a device is held to the reference.
func TestConformance(t *testing.T) {
	for name, o := range variants {
		t.Run(name, func(t *testing.T) {
			d := device(t, o)
			t.Log(d)
			conformance.Test(t, d, 1e-5)
		})
	}
}

// notes is a Cache in memory.
type notes map[string]string

func (n notes) Load(key string) (string, bool) { text, ok := n[key]; return text, ok }
func (n notes) Store(key, text string)         { n[key] = text }

// What was decided is decided again by no device that has the same cache; what no device could
// have written there is no decision.
func TestDecisionsAreRemembered(t *testing.T) {
	kept := notes{}
	first := device(t, Options{Cache: kept})
	first.decide(context.Background())
	if len(kept) != 1 {
		t.Fatalf("kept is %v", kept)
	}
	for key, text := range kept {
		other := numbers{floats.many, first.can.few, floats.bytes, first.can.pairs}
		if first.use == other {
			other = first.can
		}
		kept[key] = fmt.Sprint(other.many, other.few, other.bytes, other.pairs)
		d := device(t, Options{Cache: kept})
		if d.decide(context.Background()); d.use != other {
			t.Errorf("remembered %v, used %v", other, d.use)
		}
		for _, bad := range []string{"", "8", "eight 8 8 true", "7 16 16 false", "0 16 16", fmt.Sprint(first.can.many, first.can.few), fmt.Sprint(first.can.many, 5, 16, false), fmt.Sprint(first.can.many, first.can.few, 7, false)} {
			kept[key] = bad
			if use, ok := d.remembered(key); ok {
				t.Errorf("%q is a decision: %v", bad, use)
			}
		}
		kept[key] = text
	}
	ended, end := context.WithCancel(context.Background())
	end()
	none := notes{}
	if device(t, Options{Cache: none}).decide(ended); len(none) != 0 {
		t.Errorf("a decision that was broken off is kept: %v", none)
	}
}

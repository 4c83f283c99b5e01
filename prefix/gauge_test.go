package prefix_test

import (
	"math"
	"testing"

	"prelude/engine/cpu"
	"prelude/models/tiny"
	"prelude/prefix"
)

// Gates are read off by the definitions of their kinds, for every layer and slot.
func TestGates(t *testing.T) {
	f := tiny.Llama(t, cpu.New[float64]())
	const layers, slots, heads = 2, 3, 4
	sigma := func(x float32) float64 { return 1 / (1 + math.Exp(-float64(x))) }
	for gate, want := range map[string]func(x map[string][]float32, l, s int) float64{
		"open":     nil,
		"log":      func(x map[string][]float32, l, s int) float64 { return sigma(x["gate.log"][l*slots+s]) },
		"zeroinit": func(x map[string][]float32, l, _ int) float64 { return float64(x["gate.zero"][l]) },
		"apt": func(x map[string][]float32, l, s int) float64 {
			return float64(x["gate.layer"][l]) * sigma(x["gate.token"][l*slots+s])
		},
		"dynamic": func(x map[string][]float32, l, _ int) (mean float64) {
			for h := range heads {
				mean += sigma(x["gate.c"][l*heads+h]) / heads
			}
			return mean
		},
	} {
		m := start(t, f, prefix.Choice{"start": "gaussian", "kv.slots": "3", "gate": gate})
		stir(m, 1)
		values := map[string][]float32{}
		for _, p := range m.Params() {
			values[p.Name] = p.Value
		}
		got, err := m.Gates(ctx, alloc(t, f, m))
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			if got != nil {
				t.Errorf("without a gate there are gates %v", got)
			}
			continue
		}
		if len(got) != layers || len(got[0]) != slots {
			t.Fatalf("gate %s: %d layers of %d slots", gate, len(got), len(got[0]))
		}
		for l := range got {
			for s, g := range got[l] {
				if w := want(values, l, s); math.Abs(g-w) > exact {
					t.Errorf("gate %s, layer %d, slot %d is %g, want %g", gate, l, s, g, w)
				}
			}
		}
	}
}

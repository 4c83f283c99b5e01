package prefix

import (
	"context"
	"fmt"
	"math"

	"prelude/engine"
)

// Drift is how far training has moved a prefix from its start, as the relative change of the
// keys and values that attention reads, ‖kv − kv₀‖ / ‖kv₀‖.
type Drift struct {
	Slots  []float64 // over all layers
	Layers []float64 // over all slots, by attention that has the prefix
}

// Values are the method's tensors as they are before training, by name, after Start.
func (m *Method) Values() map[string][]float32 {
	all := map[string][]float32{}
	for _, p := range m.params {
		all[p.Name] = p.Value
	}
	return all
}

// Drift measures the way from a start, as [Method.Values] gave it, to the values in tensors.
func (m *Method) Drift(ctx context.Context, f engine.Frozen, start map[string][]float32, tensors map[string]engine.Tensor) (*Drift, error) {
	from, err := m.KVOf(ctx, f, start)
	if err != nil {
		return nil, err
	}
	to, err := m.KV(ctx, f, tensors)
	if err != nil {
		return nil, err
	}
	return drift(from, to, len(m.places), m.slots), nil
}

// KVOf is [Method.KV] of values that are on no device, such as [Method.Values].
func (m *Method) KVOf(ctx context.Context, f engine.Frozen, values map[string][]float32) ([]float32, error) {
	tensors := map[string]engine.Tensor{}
	defer func() {
		for _, t := range tensors {
			t.Close()
		}
	}()
	for _, p := range m.params {
		x := values[p.Name]
		if len(x) != len(p.Value) {
			return nil, fmt.Errorf("prefix: tensor %q has %d values, want %d", p.Name, len(x), len(p.Value))
		}
		t, err := f.Dev.Alloc(p.spec())
		if err != nil {
			return nil, err
		}
		tensors[p.Name] = t
		if err := t.Write(ctx, 0, engine.FloatBytes(x)); err != nil {
			return nil, err
		}
	}
	return m.KV(ctx, f, tensors)
}

// drift compares keys and values [2·places, slots, width].
func drift(from, to []float32, places, slots int) *Drift {
	width := len(from) / (2 * places * slots)
	d := &Drift{Slots: make([]float64, slots), Layers: make([]float64, places)}
	was := &Drift{Slots: make([]float64, slots), Layers: make([]float64, places)}
	for i := range from {
		l, s := i/(2*slots*width), i/width%slots
		by, at := float64(to[i])-float64(from[i]), float64(from[i])
		d.Slots[s], d.Layers[l] = d.Slots[s]+by*by, d.Layers[l]+by*by
		was.Slots[s], was.Layers[l] = was.Slots[s]+at*at, was.Layers[l]+at*at
	}
	root := func(x, of []float64) {
		for i := range x {
			if x[i] > 0 {
				x[i] = math.Sqrt(x[i] / of[i]) // infinite from a start of zeros
			}
		}
	}
	root(d.Slots, was.Slots)
	root(d.Layers, was.Layers)
	return d
}

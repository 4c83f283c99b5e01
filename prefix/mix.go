package prefix

import (
	"context"
	"fmt"
	"math"

	"prelude/engine"
)

// Mix puts two finished prefixes of keys and values side by side, to be blended by
// Blend. The text then starts after the slots of both, so on rotary models the keys of
// each are moved by the slots of the other: with the blend at one end, the logits are
// those of that prefix alone. Other models can't move keys; their blends are close, not
// exact, and the method's Notes say so.
func Mix(ctx context.Context, f engine.Frozen, a, b Finished) (*Method, error) {
	i := f.Arch.Info()
	slots := a.Slots + b.Slots
	if slots >= i.Context {
		return nil, fmt.Errorf("prefix: %d and %d slots together leave no room in the model's context of %d tokens", a.Slots, b.Slots, i.Context)
	}
	m, err := blank(Choice{"source": "kv", "length": "mask"}, i, f.Arch, slots)
	if err != nil {
		return nil, err
	}
	parts := [2]Finished{a, b}
	for n := range parts {
		p := &parts[n]
		if want := (engine.Spec{Shape: kvShape(i, p.Slots)}).Len(); p.Slots < 1 || len(p.KV) != want {
			return nil, fmt.Errorf("prefix: a prefix of %d slots has %d numbers, want %d", p.Slots, len(p.KV), want)
		}
		if i.Positions != engine.Rotary {
			continue
		}
		if p.KV, err = Rotate(ctx, f, p.KV, p.Slots, slots-p.Slots); err != nil {
			return nil, err
		}
	}
	if i.Positions != engine.Rotary {
		m.notes = append(m.notes, "This model's positions can't be moved, so a blend at one end is only close to that prefix alone.")
	}
	width := i.KVHeads * i.HeadDim
	var kv []float32
	for l := range 2 * i.Layers {
		for _, p := range parts {
			kv = append(kv, p.KV[l*p.Slots*width:(l+1)*p.Slots*width]...)
		}
	}
	m.mixed = a.Slots
	return m, m.set("prefix.kv", kv)
}

// Blend sets how much of the second of two mixed prefixes there is: 0 is the first
// alone, 1 the second alone, and at ½ both count in full, as if they stood one after
// the other.
func (m *Method) Blend(ctx context.Context, tensors map[string]engine.Tensor, share float64) error {
	if m.mixed == 0 {
		return fmt.Errorf("prefix: only two mixed prefixes can be blended")
	}
	if !(share >= 0 && share <= 1) {
		return fmt.Errorf("prefix: blend %g, want 0 to 1", share)
	}
	bias := func(w float64) float32 {
		if w == 0 {
			return hiddenSlot
		}
		return float32(math.Log(min(1, 2*w)))
	}
	x := make([]float32, m.slots)
	for l := range x {
		if x[l] = bias(1 - share); l >= m.mixed {
			x[l] = bias(share)
		}
	}
	return tensors["length.mask"].Write(ctx, 0, engine.FloatBytes(x))
}

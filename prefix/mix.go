package prefix

import (
	"context"
	"fmt"
	"math"
	"slices"

	"prelude/engine"
)

// Mixable says why the method's prefix can't be laid beside another, nil where it can.
func (m *Method) Mixable() error {
	if len(m.Info.Convolving()) > 0 {
		return fmt.Errorf("prefix: this model's short convolutions see the slots right before the text alone, so no two prefixes can stand side by side")
	}
	return m.separable()
}

// separable says why the method's prefix is not keys and values of its own, nil where it is.
func (m *Method) separable() error {
	label := m.options["source"].Label
	switch {
	case m.soft > 0:
		return fmt.Errorf("prefix: it has slots inside its template, where no other prefix has any")
	case m.inRows():
		return fmt.Errorf("prefix: its embeddings are rows of the model's input, before which no other prefix has any")
	case !m.hasSlots():
		return fmt.Errorf("prefix: %q has no slots that could stand beside others", label)
	case !m.isDefault("weights"):
		return fmt.Errorf("prefix: it changes weights too (%s), and two changes of one weight can't stand side by side", m.options["weights"].Label)
	}
	if _, own := m.gate.(OwnSoftmax); own {
		return fmt.Errorf("prefix: its gate %q gives it a softmax of its own", m.options["gate"].Label)
	}
	for _, option := range []any{m.length, m.source} {
		if o, ok := option.(Unmixable); ok {
			return fmt.Errorf("prefix: %s", o.WhyUnmixable())
		}
	}
	return nil
}

// Mix puts two finished prefixes of keys and values side by side, to be blended by
// Blend. The text then starts after the slots of both, so on rotary models the keys of
// each are moved by the slots of the other, and where a bias goes by distance each slot
// keeps its own: with the blend at one end, the logits are those of that prefix alone.
// Learned positions can't be moved; their blends are close, not exact, and the method's
// Notes say so. Gates come along.
func Mix(ctx context.Context, f engine.Frozen, a, b Finished) (*Method, error) {
	i := f.Arch.Info()
	slots := a.Slots + b.Slots
	if slots >= i.Context {
		return nil, fmt.Errorf("prefix: %d and %d slots together leave no room in the model's context of %d tokens", a.Slots, b.Slots, i.Context)
	}
	c := Choice{"source": "kv", "length": "mask"}
	if a.Gate != nil || b.Gate != nil {
		c["gate"] = "log"
	}
	if i.EncLayers > 0 {
		if a.sites != b.sites {
			return nil, fmt.Errorf("prefix: the two stand at different kinds of attention; blend two that are switched alike")
		}
		a.sites.choose(c)
	}
	m, err := blank(c, i, f.Arch, slots)
	if err != nil {
		return nil, err
	}
	parts := [2]Finished{a, b}
	for n := range parts {
		p := &parts[n]
		if want := (engine.Spec{Shape: kvShape(i, len(m.places), p.Slots)}).Len(); p.Slots < 1 || len(p.KV) != want {
			return nil, fmt.Errorf("prefix: a prefix of %d slots has %d numbers, want %d", p.Slots, len(p.KV), want)
		}
		if i.Positions == engine.Relative {
			m.besides(*p, max(a.offset, b.offset))
		}
		if i.Positions != engine.Rotary {
			continue
		}
		if p.KV, err = Rotate(ctx, f, p.KV, p.Slots, slots-p.Slots); err != nil {
			return nil, err
		}
	}
	if i.Positions == engine.Learned {
		m.notes = append(m.notes, "This model's positions can't be moved, so a blend at one end is only close to that prefix alone.")
	}
	width := i.KVHeads * i.HeadDim
	var kv, gate []float32
	for l := range 2 * len(m.places) {
		for _, p := range parts {
			kv = append(kv, p.KV[l*p.Slots*width:(l+1)*p.Slots*width]...)
		}
	}
	for l := range m.places {
		for _, p := range parts {
			if p.Gate != nil {
				gate = append(gate, p.Gate[l*p.Slots:(l+1)*p.Slots]...)
			} else {
				gate = append(gate, constant(p.Slots, openGate)...)
			}
		}
	}
	m.mixed, m.bias = a.Slots, make([]float32, slots)
	copy(m.bias, a.Bias)
	copy(m.bias[a.Slots:], b.Bias)
	if c["gate"] == "log" {
		if err := m.set("gate.log", gate); err != nil {
			return nil, err
		}
	}
	if err := m.set("length.mask", slices.Clone(m.bias)); err != nil {
		return nil, err
	}
	return m, m.set("prefix.kv", kv)
}

// openGate is a log-gate's parameter at which it is open to every digit: σ(40) = 1.
const openGate = 40

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
	x := make([]float32, m.slots)
	for l := range x {
		w := 1 - share
		if l >= m.mixed {
			w = share
		}
		if x[l] = hiddenSlot; w > 0 {
			x[l] = m.bias[l] + float32(math.Log(min(1, 2*w)))
		}
	}
	return tensors["length.mask"].Write(ctx, 0, engine.FloatBytes(x))
}

// besides adds the positions of a finished prefix's slots for a text that begins at offset:
// they keep the distance that they had to the prefix's own text.
func (m *Method) besides(p Finished, offset int) {
	for _, at := range p.positions {
		m.positions = append(m.positions, at+int32(offset-p.offset))
	}
	if m.offset = offset; offset == 0 {
		m.positions = nil
	}
}

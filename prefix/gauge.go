package prefix

import (
	"context"
	"math"
	"slices"

	"prelude/engine"
)

// Gauge is a gate whose opening can be read off its tensors.
type Gauge interface {
	// Open is how open the gate of a slot is in a layer, of so many slots and layers.
	Open(layer, slot, slots, layers int, value func(name string) []float32) float64
}

func (logGate) Open(layer, slot, slots, _ int, value func(string) []float32) float64 {
	return sigmoid(value("gate.log")[layer*slots+slot])
}

func (zeroInit) Open(layer, _, _, _ int, value func(string) []float32) float64 {
	return float64(value("gate.zero")[layer])
}

func (apt) Open(layer, slot, slots, _ int, value func(string) []float32) float64 {
	return float64(value("gate.layer")[layer]) * sigmoid(value("gate.token")[layer*slots+slot])
}

// Open is the mean over heads, of a token that says nothing of its own (x = 0).
func (dynamic) Open(layer, _, _, layers int, value func(string) []float32) float64 {
	c := value("gate.c")
	heads, sum := len(c)/layers, 0.0
	for _, v := range c[layer*heads : (layer+1)*heads] {
		sum += sigmoid(v)
	}
	return sum / float64(heads)
}

func sigmoid(x float32) float64 { return 1 / (1 + math.Exp(-float64(x))) }

// Gates says how open the gates are, by attention and slot; nil where there are none.
func (m *Method) Gates(ctx context.Context, tensors map[string]engine.Tensor) ([][]float64, error) {
	gauge, ok := m.gate.(Gauge)
	if !ok || !m.hasSlots() {
		return nil, nil
	}
	value := map[string][]float32{}
	for _, p := range m.params {
		if p.axis != "gate" {
			continue
		}
		x, err := engine.ReadFloats(ctx, tensors[p.Name])
		if err != nil {
			return nil, err
		}
		value[p.Name] = x
	}
	all := make([][]float64, len(m.places))
	for l := range all {
		for slot := range m.slots {
			all[l] = append(all[l], gauge.Open(l, slot, m.slots, len(m.places), func(name string) []float32 { return value[name] }))
		}
	}
	return all, nil
}

// Place is the index of an attention among those that have the prefix, the order of
// [Method.Gates]; -1 where it has none.
func (m *Method) Place(site engine.Site, layer int) int {
	return m.place(engine.At{Site: site, Layer: layer})
}

// Apart says whether the prefix has a softmax of its own, whose output its gate weighs.
func (m *Method) Apart() bool {
	_, own := m.gate.(OwnSoftmax)
	return own
}

// Words are the tokens that the slots started as, nil where they started otherwise.
func (m *Method) Words() []int32 { return slices.Clone(m.words) }

package prefix

import (
	"context"
	"fmt"
	"math"
	"slices"

	"prelude/engine"
)

// Loose is a finished prefix whose parts can be switched off, weighed and blended, to see what
// the model says then. Its Method has the same slots at the same positions and, until
// something is changed, the same logits.
type Loose struct {
	Method *Method

	of, other *Finished
	first     int       // the lowest attention that has the prefix
	zero      []float32 // the gates of a softmax of its own, by place; nil: it shares the model's
}

// WhatIf is how a loose prefix differs from what was trained.
type WhatIf struct {
	// Scale multiplies the weight of every slot in the softmax: at 0 the prefix is gone, at 1
	// it is as trained. Of a softmax of its own it multiplies the gate.
	Scale float64
	// Slots and Layers are switched off, as if they had no prefix. Layers counts the
	// attentions that have one.
	Slots, Layers []int
	// Share is how far keys and values are on the straight line to the other prefix, 0 to 1.
	Share float64
}

// Loosen makes a prefix loose. Other, if there is one, is what it can be blended with: it has
// as many slots at the same kinds of attention.
func (m *Method) Loosen(ctx context.Context, f engine.Frozen, tensors map[string]engine.Tensor, other *Finished) (*Loose, error) {
	if why := m.Loosenable(); why != nil {
		return nil, why
	}
	_, own := m.gate.(zeroInit)
	l := &Loose{other: other, first: m.firstLayer()}
	var err error
	if l.of, err = m.Finished(ctx, f, tensors); err != nil {
		return nil, err
	}
	switch {
	case other == nil:
	case own:
		return nil, fmt.Errorf("prefix: its gate gives it a softmax of its own, which can't be blended with another prefix")
	case other.Slots != l.of.Slots || len(other.KV) != len(l.of.KV) || other.sites != l.of.sites:
		return nil, fmt.Errorf("prefix: the other prefix has %d slots, this one %d; only prefixes of one shape have a line between them", other.Slots, l.of.Slots)
	}
	c := Choice{"source": "kv", "length": "loose"}
	if own {
		c["gate"] = "zeroinit"
		if l.zero, err = engine.ReadFloats(ctx, tensors["gate.zero"]); err != nil {
			return nil, err
		}
	}
	if m.Info.EncLayers > 0 {
		l.of.sites.choose(c)
	}
	if l.Method, err = blank(c, m.Info, f.Arch, l.of.Slots); err != nil {
		return nil, err
	}
	l.Method.offset, l.Method.positions = l.of.offset, l.of.positions
	return l, l.fill(WhatIf{Scale: 1}, func(name string, x []float32) error { return l.Method.set(name, x) })
}

// Loosenable says why a prefix can't be made loose, nil where it can: it is keys and values of
// its own, or has the zero-init gate.
func (m *Method) Loosenable() error {
	if _, own := m.gate.(zeroInit); own && m.isDefault("weights") && m.soft == 0 && m.HasKV() {
		return nil
	}
	return m.separable()
}

// HasKV says whether the prefix is keys and values that stay as they are while a text is read.
func (m *Method) HasKV() bool { return m.hasSlots() && !m.inRows() }

// Layers names the attentions that have a prefix.
func (m *Method) Layers() (all []string) {
	for _, p := range m.places {
		all = append(all, LayerName(p.site, p.layer))
	}
	return all
}

// LayerName names an attention for people, who count from 1.
func LayerName(site engine.Site, layer int) string {
	name := fmt.Sprintf("layer %d", layer+1)
	switch site {
	case engine.Cross:
		return "cross " + name
	case engine.EncSelf:
		return "encoder " + name
	}
	return name
}

// Set changes the tensors of the loose method, as [Method.Alloc] made them.
func (l *Loose) Set(ctx context.Context, tensors map[string]engine.Tensor, w WhatIf) error {
	return l.fill(w, func(name string, x []float32) error { return tensors[name].Write(ctx, 0, engine.FloatBytes(x)) })
}

// fill gives the values of every tensor.
func (l *Loose) fill(w WhatIf, put func(name string, x []float32) error) error {
	slots, places := l.of.Slots, len(l.Method.places)
	if !(w.Scale >= 0 && w.Scale <= 100) {
		return fmt.Errorf("prefix: scale %g, want 0 to 100", w.Scale)
	}
	if !(w.Share >= 0 && w.Share <= 1) || w.Share > 0 && l.other == nil {
		return fmt.Errorf("prefix: blend %g, want 0 to 1 and another prefix", w.Share)
	}
	for what, off := range map[string][]int{"slot": w.Slots, "layer": w.Layers} {
		most := map[string]int{"slot": slots, "layer": places}[what]
		for _, n := range off {
			if n < 0 || n >= most {
				return fmt.Errorf("prefix: there is no %s %d to switch off, want 0 to %d", what, n, most-1)
			}
		}
	}
	kv := l.of.KV
	if w.Share > 0 {
		kv = make([]float32, len(l.of.KV))
		for i := range kv {
			kv[i] = float32((1-w.Share)*float64(l.of.KV[i]) + w.Share*float64(l.other.KV[i]))
		}
	}
	values := map[string][]float32{"prefix.kv": kv}
	if l.Method.hasRows() {
		values[ownRows] = l.rows(w)
	}
	bias := make([]float32, 0, places*slots)
	var zero []float32
	for p := range places {
		off := p < l.first || slices.Contains(w.Layers, p)
		if l.zero != nil && !off {
			zero = append(zero, float32(w.Scale)*l.zero[p])
		} else {
			zero = append(zero, 0)
		}
		for s := range slots {
			if off || slices.Contains(w.Slots, s) {
				bias = append(bias, hiddenSlot)
				continue
			}
			x := l.biasAt(p, s, w.Share)
			if l.zero == nil {
				x += math.Log(w.Scale) // −Inf at 0
			}
			bias = append(bias, float32(max(x, hiddenSlot)))
		}
	}
	if values[looseBias] = bias; l.zero != nil {
		values["gate.zero"] = zero
	}
	for name, x := range values {
		if err := put(name, x); err != nil {
			return err
		}
	}
	return nil
}

// rows is what short convolutions see: less of a slot as its weight is less, and nothing of one
// that is off, or of any where no attention has the prefix.
func (l *Loose) rows(w WhatIf) []float32 {
	shape := l.Method.rowsShape(l.of.Slots)
	x := make([]float32, engine.Spec{Shape: shape}.Len())
	for p := range l.Method.places {
		if p < l.first || slices.Contains(w.Layers, p) {
			continue
		}
		for i := range x {
			if slot := l.of.Slots - shape[1] + i/shape[2]%shape[1]; slices.Contains(w.Slots, slot) {
				continue
			}
			at := func(f *Finished) float64 {
				if f == nil || f.rows == nil {
					return 0
				}
				return float64(f.rows[i])
			}
			x[i] = float32(w.Scale * ((1-w.Share)*at(l.of) + w.Share*at(l.other)))
		}
		break
	}
	return x
}

// biasAt is what a slot's score has at a place on the way to the other prefix: the logarithm
// of a gate between how open both are, and a bias between both.
func (l *Loose) biasAt(place, slot int, share float64) float64 {
	open := func(x *Finished) float64 {
		if x.Gate == nil {
			return 1
		}
		return sigmoid(x.Gate[place*x.Slots+slot])
	}
	own := func(x *Finished) float64 {
		if x.Bias == nil {
			return 0
		}
		return float64(x.Bias[slot])
	}
	if share == 0 {
		return math.Log(open(l.of)) + own(l.of)
	}
	return math.Log((1-share)*open(l.of)+share*open(l.other)) + (1-share)*own(l.of) + share*own(l.other)
}

const looseBias = "length.loose"

func init() {
	Register("length", 10, &Option{ID: "loose", internal: true, Make: func(*Settings) any { return loose{} }})
}

// loose is a bias on the scores of each slot at each place, [places, 1, slots].
type loose struct{ fixed }

func (loose) Params(s *Initial) ([]Param, error) {
	n := len(s.places)
	return []Param{{Name: looseBias, Shape: []int{n, 1, s.Slots}, Value: make([]float32, n*s.Slots), Fixed: true, Slots: 1}}, nil
}

func (loose) Bias(b *Build, at engine.At) engine.Buffer {
	return b.Slice(looseBias, at.Layer, 1, 1, b.Slots)
}

func (loose) WhyNotPEFT() string { return asBias }

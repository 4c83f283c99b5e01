package prefix

import (
	"prelude/engine"
)

func init() {
	Register("source", 0, &Option{ID: "kv", Label: "Keys and values", PEFT: true, LR: 2e-2, Narrow: 1.25,
		Sentence: "Learns the keys and values of virtual tokens in every layer, directly: fast, exact, and the strongest when it starts from real examples.",
		Settings: []Setting{SlotsSetting},
		Make:     func(*Settings) any { return direct{} }})
}

// direct trains keys and values themselves. Slot 0 keeps its start where there is
// more than one: it is where attention rests (Eyuboglu et al. 2025, arXiv 2506.06266).
type direct struct{}

func (direct) Params(s *Initial) ([]Param, error) {
	kv, err := s.KV()
	if err != nil {
		return nil, err
	}
	p := Param{Name: "prefix.kv", Shape: s.kvShape(), Value: kv, Slots: 2, Matrices: true}
	if s.Slots > 1 {
		p.Hold = make([]bool, 2*len(s.places)*s.Slots)
		for i := range p.Hold {
			p.Hold[i] = i%s.Slots == 0
		}
	}
	all := []Param{p}
	if s.rows != nil {
		c, err := s.Rows()
		if err != nil {
			return nil, err
		}
		all = append(all, Param{Name: ownRows, Shape: s.rows, Value: c})
	}
	return all, nil
}

func (direct) Convolved() {}

func (direct) Stored()           {}
func (direct) AtEveryAttention() {}

func (direct) Build(b *Build) { b.KV = segments(b, b.Tensor("prefix.kv")) }

// kvShape is the shape of keys and values of so many layers.
func kvShape(info engine.ModelInfo, layers, slots int) []int {
	return []int{2 * layers, slots, info.KVHeads * info.HeadDim}
}

// segments cuts keys and values [2·layers, slots, width] into layers.
func segments(b *Build, kv engine.Buffer) func(layer int) (k, v engine.Buffer) {
	slots, width := b.Dim(kv, 1), b.Dim(kv, 2)
	n := slots * width
	return func(layer int) (k, v engine.Buffer) {
		return b.Part(kv, 2*layer*n, slots, width), b.Part(kv, (2*layer+1)*n, slots, width)
	}
}

// attach lets the prefix into the model's own attention, through the gate and the
// length. Under a gate with a softmax of its own, the prefix adds a term to the attention's
// output instead.
func (m *Method) attach(b *Build) {
	if b.Mode == Replay && m.Settles() {
		b.KV = segments(b, b.Persist(SettledKV, engine.Spec{DType: engine.F32, Shape: kvShape(b.Info, b.Layers, b.Slots)}))
	} else {
		b.KV = m.scaled(b)
	}
	first, slots := m.firstLayer(), engine.None
	if b.Info.Positions == engine.Relative && m.has(engine.DecSelf) {
		slots = b.Ints("slot positions", m.slotPositions())
	}
	before := m.before(b)
	segment := func(at engine.At) engine.Segment {
		if at.Layer < first {
			return engine.Segment{}
		}
		k, v := b.KV(at.Layer)
		s := engine.Segment{K: k, V: v, Bias: b.sum(m.length.Bias(b, at), m.gate.Bias(b, at.Layer))}
		if at.Site == engine.DecSelf {
			s.Pos = slots
		}
		return s
	}
	own, ok := m.gate.(OwnSoftmax)
	if !ok {
		b.Hooks.KV = func(_ *engine.Program, at engine.At) engine.Segment {
			if at.Site == engine.DecSelf && !b.Info.Attends(at.Layer) {
				return engine.Segment{K: before(at.Layer)}
			}
			if at.Layer = m.place(at); at.Layer < 0 {
				return engine.Segment{}
			}
			return segment(at)
		}
		return
	}
	i := b.Info
	b.Hooks.AttnOut = func(p *engine.Program, at engine.At, o engine.Buffer) engine.Buffer {
		if at.Layer = m.place(at); at.Layer < 0 {
			return o
		}
		s := segment(at)
		if s.K == engine.None {
			return o
		}
		delta := p.Attention(engine.Attention{Q: at.Q, PK: s.K, PV: s.V, PBias: s.Bias,
			Heads: i.Heads, KVHeads: i.KVHeads, HeadDim: i.HeadDim, Scale: at.Scale, Cap: at.Cap})
		return p.Add(o, own.Weigh(b, at, delta))
	}
}

// scaled is b.KV through the gate's factors.
func (m *Method) scaled(b *Build) func(layer int) (k, v engine.Buffer) {
	g, ok := m.gate.(Scaler)
	if !ok {
		return b.KV
	}
	kv := b.KV
	return func(layer int) (k, v engine.Buffer) {
		k, v = kv(layer)
		return g.Scale(b, layer, k), g.Scale(b, layer, v)
	}
}

// sum adds score biases; x may have rows, y has none, either may be absent.
func (b *Build) sum(x, y engine.Buffer) engine.Buffer {
	switch {
	case x == engine.None:
		return y
	case y == engine.None:
		return x
	}
	return b.Add(x, b.View(y, 0, b.Slots))
}

// firstLayer is the lowest layer with a prefix.
func (m *Method) firstLayer() int {
	if a, ok := m.source.(UpperLayers); ok {
		return a.FirstLayer(m.Info)
	}
	return 0
}

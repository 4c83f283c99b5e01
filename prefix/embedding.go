package prefix

import "prelude/engine"

func init() {
	Register("source", 2, &Option{ID: "embedding", Label: "Embeddings (§4.1)", PEFT: true, LR: 3e-2,
		Sentence: "Learns the embeddings of virtual tokens that stand before the text (prompt tuning): the fewest numbers, and the model does the rest.",
		Settings: []Setting{SlotsSetting},
		Make:     func(*Settings) any { return embedding{} }})
	Register("source", 3, &Option{ID: "ptuning", Label: "Embeddings through an MLP", PEFT: true, LR: 1e-3,
		Sentence: "Learns a small network that produces the embeddings (P-tuning); the network is dropped at the end.",
		Settings: append([]Setting{SlotsSetting}, mlpSettings...),
		Make:     func(s *Settings) any { return ptuning{mlp{s.Int("seed"), s.Int("hidden")}} }})
	Register("source", 5, &Option{ID: "propagation", Label: "Propagated rows", PEFT: true, LR: 1e-2,
		Sentence: "Virtual tokens that run through the model, with something learned added to them before every block (prefix-propagation): half the numbers of keys and values.",
		Settings: []Setting{SlotsSetting},
		Make:     func(*Settings) any { return propagation{} }})
}

// embedding is prompt tuning (Lester et al. 2021, arXiv 2104.08691): P [slots, hidden]
// before the text. In a causal model the rows of P never see the text, so they run
// through the model once, and their keys and values are the prefix of every example:
// exactly the concatenation [P; x].
//
// On an encoder-decoder they are rows of its inputs instead, see Method.RowsBefore.
type embedding struct{}

func (embedding) Params(s *Initial) ([]Param, error) {
	e, err := s.Embeddings()
	return []Param{{Name: "prefix.embeddings", Shape: []int{s.inputs * s.Slots, s.Info.Hidden}, Value: e}}, err
}

func (e embedding) Build(b *Build) { b.through(e.Embeddings(b), nil) }

func (embedding) Convolved() {}

func (embedding) Embeddings(b *Build) engine.Buffer { return b.Tensor("prefix.embeddings") }

// Form is embeddings. Where slots were cut out or scaled it is keys and values: the slots
// between had a part in those of the others.
func (embedding) Form(cut, scaled bool) (string, error) {
	if cut || scaled {
		return "kv", nil
	}
	return "embedding", nil
}

// through makes the prefix of the embeddings x by running them through the model.
func (b *Build) through(x engine.Buffer, block func(p *engine.Program, site engine.Site, layer int, x engine.Buffer) engine.Buffer) {
	out := b.run(x, 0, 0, block)
	layers := b.Info.Attending()
	b.KV = func(at int) (k, v engine.Buffer) { return out.K[layers[at]], out.V[layers[at]] }
	b.Rows = func(layer int) engine.Buffer { return b.lastRows(out.K[layer]) }
}

// ptuning is P-tuning (Liu et al. 2021, arXiv 2103.10385): embeddings by an MLP, on top
// of the start.
type ptuning struct{ network mlp }

func (m ptuning) Params(s *Initial) ([]Param, error) {
	e, err := s.Embeddings()
	return append([]Param{{Name: "prefix.start", Shape: []int{s.inputs * s.Slots, s.Info.Hidden}, Value: e, Fixed: true}}, m.network.params(s, s.inputs*s.Info.Hidden)...), err
}

func (ptuning) Convolved() {}

func (m ptuning) Build(b *Build) { b.through(m.Embeddings(b), nil) }

// Form is that of embeddings.
func (ptuning) Form(cut, scaled bool) (string, error) { return embedding{}.Form(cut, scaled) }

// Produce computes the embeddings that the network makes.
func (m ptuning) Produce(b *Build) map[string]engine.Buffer {
	return map[string]engine.Buffer{"prefix.embeddings": m.Embeddings(b)}
}

func (m ptuning) Embeddings(b *Build) engine.Buffer {
	return b.Once("embeddings", func() engine.Buffer {
		start := b.Tensor("prefix.start")
		inputs := b.SplitCols(m.network.output(b), b.Dim(start, 0)/b.Slots)
		return b.Add(b.View(inputs, 0, b.Dim(start, 0), b.Info.Hidden), start)
	})
}

// propagation is prefix-propagation (Li et al. 2023, arXiv 2305.12086): the prefix's
// rows start as P₀ and get P_ℓ added before block ℓ. P [layers, slots, hidden].
type propagation struct{}

func (propagation) Params(s *Initial) ([]Param, error) {
	e, err := s.Embeddings()
	return []Param{{Name: "prefix.rows", Shape: []int{s.Info.Layers, s.Slots, s.Info.Hidden},
		Value: append(e, make([]float32, (s.Info.Layers-1)*s.Slots*s.Info.Hidden)...)}}, err
}

func (propagation) Convolved() {}

func (propagation) Build(b *Build) {
	row := func(layer int) engine.Buffer { return b.Slice("prefix.rows", layer, b.Slots, b.Info.Hidden) }
	b.through(row(0), func(p *engine.Program, _ engine.Site, layer int, x engine.Buffer) engine.Buffer {
		if layer == 0 {
			return x
		}
		return p.Add(x, row(layer))
	})
}

package prefix

import "prelude/engine"

func init() {
	Register("source", 10, &Option{ID: "outside", Label: "Outside the softmax", LR: 2.5e-4,
		Sentence: "A learned term beside each attention, which takes no weight away from the text (Prefix-Tuning+); nothing PEFT knows.",
		Make:     func(*Settings) any { return outside{} }})
	Register("source", 11, &Option{ID: "none", Label: "No prefix", PEFT: true,
		Sentence: "No prefix at all: only the chosen weights train.",
		Make:     func(*Settings) any { return none{} }})
}

// outside is Prefix-Tuning+ (Wang et al. 2025, arXiv 2506.13674): the prefix leaves the
// softmax and becomes a linear attention's memory,
//
//	o_{t,j} ← o_{t,j} + M_j·φ(q_{t,j})      φ(x) = elu(x) + 1, M [layers, heads, h, h]
//
// M starts at zero, which is the frozen model.
type outside struct{}

func (outside) Params(s *Initial) ([]Param, error) {
	i := s.Info
	shape := []int{len(s.places), i.Heads, i.HeadDim, i.HeadDim}
	return []Param{{Name: "prefix.memory", Shape: shape, Value: make([]float32, engine.Spec{Shape: shape}.Len())}}, nil
}

func (outside) AtEveryAttention() {}

func (outside) Build(b *Build) {
	i := b.Info
	b.Hooks.AttnOut = func(p *engine.Program, at engine.At, o engine.Buffer) engine.Buffer {
		n := b.place(at)
		if n < 0 {
			return o
		}
		return p.Add(o, p.HeadLinear(p.Unary(engine.ELU1, at.Q, 0), b.Slice("prefix.memory", n, i.Heads, i.HeadDim, i.HeadDim)))
	}
}

// none is no prefix.
type none struct{}

func (none) Params(*Initial) ([]Param, error) { return nil, nil }
func (none) Build(*Build)                     {}

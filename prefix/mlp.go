package prefix

import (
	"math"

	"prelude/engine"
)

func init() {
	Register("source", 1, &Option{ID: "mlp", Label: "Through an MLP", PEFT: true, LR: 1e-3,
		Sentence: "Learns a small network that produces the keys and values (Li and Liang's reparametrisation); the network is dropped at the end, the prefix stays.",
		Settings: append([]Setting{SlotsSetting}, mlpSettings...),
		Make:     func(s *Settings) any { return mlp{s.Int("seed"), s.Int("hidden")} }})
}

var mlpSettings = []Setting{
	{ID: "seed", Label: "Seed width", Kind: "int", Default: "128", Min: 1, Max: 2048, Help: "Width of each slot's own vector."},
	{ID: "hidden", Label: "Hidden width", Kind: "int", Default: "256", Min: 1, Max: 2048, Help: "Width of the hidden layer; the paper uses 512 and 800."},
}

// mlp is Li and Liang's reparametrisation (2021, §4.3) on top of the start:
//
//	kv = start + W₂·tanh(W₁·s + b₁)     s [slots, seed]
//
// W₂ starts at zero, so that training begins exactly at the start.
type mlp struct{ seed, hidden int }

func (m mlp) Params(s *Initial) ([]Param, error) {
	kv, err := s.KV()
	return append([]Param{{Name: "prefix.start", Shape: s.kvShape(), Value: kv, Fixed: true}},
		m.params(s, 2*len(s.places)*s.Info.KVHeads*s.Info.HeadDim)...), err
}

// params are the parameters of an MLP with out outputs.
func (m mlp) params(s *Initial, out int) []Param {
	return []Param{
		{Name: "prefix.seed", Shape: []int{s.Slots, m.seed}, Value: s.normal(s.Slots*m.seed, 1)},
		{Name: "prefix.w1", Shape: []int{m.hidden, m.seed}, Value: s.normal(m.hidden*m.seed, 1/math.Sqrt(float64(m.seed)))},
		{Name: "prefix.b1", Shape: []int{m.hidden}, Value: make([]float32, m.hidden)},
		{Name: "prefix.w2", Shape: []int{out, m.hidden}, Value: make([]float32, out*m.hidden)},
	}
}

func (mlp) AtEveryAttention() {}

func (m mlp) Build(b *Build) {
	start := b.Tensor("prefix.start")
	b.KV = segments(b, b.Add(b.SplitCols(m.output(b), b.Dim(start, 0)), start))
}

// output is the MLP's output [slots, out].
func (mlp) output(b *Build) engine.Buffer {
	h := b.Unary(engine.Tanh, b.Linear(b.Tensor("prefix.seed"), b.Tensor("prefix.w1"), b.Tensor("prefix.b1"), engine.None), 0)
	return b.Linear(h, b.Tensor("prefix.w2"), engine.None, engine.None)
}

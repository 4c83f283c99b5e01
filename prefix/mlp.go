package prefix

import (
	"math"

	"prelude/engine"
)

func init() {
	add("source", 1, &Option{ID: "mlp", Label: "Through an MLP", PEFT: true, LR: 1e-3,
		Sentence: "Learns a small network that produces the keys and values (Li and Liang's reparametrisation); the network is dropped at the end, the prefix stays.",
		Settings: []Setting{slotsSetting,
			{ID: "seed", Label: "Seed width", Kind: "int", Default: "128", Min: 1, Max: 2048, Help: "Width of each slot's own vector."},
			{ID: "hidden", Label: "Hidden width", Kind: "int", Default: "256", Min: 1, Max: 2048, Help: "Width of the hidden layer; the paper uses 512 and 800."}},
		make: func(c Choice, o *Option) (Source, error) {
			seed, err := c.number(o, "seed")
			if err != nil {
				return nil, err
			}
			hidden, err := c.number(o, "hidden")
			return mlp{int(seed), int(hidden)}, err
		}})
}

// mlp is Li and Liang's reparametrisation (2021, §4.3) on top of the start:
//
//	kv = start + W₂·tanh(W₁·s + b₁)     s [slots, seed]
//
// W₂ starts at zero, so that training begins exactly at the start.
type mlp struct{ seed, hidden int }

func (m mlp) Params(info engine.ModelInfo, slots int, kv []float32, rng Rand) ([]Param, error) {
	out := 2 * info.Layers * info.KVHeads * info.HeadDim
	normal := func(n int, sigma float64) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(rng.NormFloat64() * sigma)
		}
		return x
	}
	return []Param{
		{Name: "prefix.start", Shape: kvShape(info, slots), Value: kv, Fixed: true},
		{Name: "prefix.seed", Shape: []int{slots, m.seed}, Value: normal(slots*m.seed, 1)},
		{Name: "prefix.w1", Shape: []int{m.hidden, m.seed}, Value: normal(m.hidden*m.seed, 1/math.Sqrt(float64(m.seed)))},
		{Name: "prefix.b1", Shape: []int{m.hidden}, Value: make([]float32, m.hidden)},
		{Name: "prefix.w2", Shape: []int{out, m.hidden}, Value: make([]float32, out*m.hidden)},
	}, nil
}

func (m mlp) Hooks(b *Build, slots int) engine.Hooks {
	h := b.Unary(engine.Tanh, b.Linear(b.Tensor("prefix.seed"), b.Tensor("prefix.w1"), b.Tensor("prefix.b1"), engine.None), 0)
	y := b.Linear(h, b.Tensor("prefix.w2"), engine.None, engine.None)
	start := b.Tensor("prefix.start")
	kv := b.Add(b.SplitCols(y, b.Dim(start, 0)), start)
	return engine.Hooks{KV: segments(kv)}
}

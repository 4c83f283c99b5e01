package prefix

import (
	"math"

	"prelude/engine"
)

func init() {
	Register("gate", 0, &Option{ID: "open", Label: "None", PEFT: true,
		Sentence: "Virtual tokens count like real ones.",
		Make:     func(*Settings) any { return open{} }})
	Register("gate", 1, &Option{ID: "log", Label: "On the scores", LR: 1e-2,
		Sentence: "Each slot has a learned gate between 0 and 1 on its attention; at 0 it is exactly as if it were not there.",
		Settings: []Setting{{ID: "start", Label: "Open at first", Kind: "float", Default: "0.05", Min: 1e-6, Max: 0.999, Help: "How far the gates are open when training begins. Near 0 the model is almost unchanged then."}},
		Make:     func(s *Settings) any { return logGate{s.Float("start")} }})
	Register("gate", 2, &Option{ID: "zeroinit", Label: "Zero-init", PEFT: true, LR: 1e-2,
		Sentence: "The prefix has a softmax of its own, times a gate that starts at 0: training begins exactly at the frozen model (LLaMA-Adapter).",
		Make:     func(*Settings) any { return zeroInit{} }})
	Register("gate", 3, &Option{ID: "apt", Label: "Token and layer factors", PEFT: true, LR: 1e-2,
		Sentence: "Scales each slot and each layer by learned factors (adaptive prefix tuning), which show where the prefix matters.",
		Make:     func(*Settings) any { return apt{} }})
	Register("gate", 4, &Option{ID: "dynamic", Label: "By each token", LR: 1e-2,
		Sentence: "Every token decides, head by head, how much of the prefix it takes.",
		Make:     func(*Settings) any { return dynamic{} }})
}

// open is no gate.
type open struct{}

func (open) Params(*Initial) ([]Param, error) { return nil, nil }
func (open) Bias(*Build, int) engine.Buffer   { return engine.None }

// logGate adds log σ(a) to the scores: a slot's weight in the softmax is multiplied by
// g = σ(a), and g = 0 removes it exactly. METHODS §1.5 g2; a [layers, slots].
type logGate struct{ start float64 }

func (g logGate) Params(s *Initial) ([]Param, error) {
	n := len(s.places)
	return []Param{{Name: "gate.log", Shape: []int{n, s.Slots}, Value: constant(n*s.Slots, math.Log(g.start/(1-g.start))), Slots: 1}}, nil
}

func (logGate) Bias(b *Build, layer int) engine.Buffer {
	g := b.Once("gate", func() engine.Buffer { return b.logOf(b.Unary(engine.Sigmoid, b.Tensor("gate.log"), 0)) })
	return b.Part(g, layer*b.Slots, 1, 1, b.Slots)
}

// asBias is why PEFT can't hold gates and lengths that bias the scores.
const asBias = "its gates between 0 and 1 are biases on the scores, which PEFT doesn't have; train on with the gates open"

func (logGate) WhyNotPEFT() string { return asBias }

// logOf is log x for x ≥ 0. At 0 it is −69, a weight of 1e-30: gone to every digit.
func (b *Build) logOf(x engine.Buffer) engine.Buffer {
	return b.Unary(engine.Log, b.Unary(engine.AddConst, x, 1e-30), 0)
}

// zeroInit is LLaMA-Adapter's gate (Zhang et al. 2023, arXiv 2303.16199, eq. 6):
//
//	o ← o + g_ℓ·softmax(s·q·P^Kᵀ)·P^V      g starts at 0
//
// as PEFT has it, one number a layer, without tanh. At g = 0 the prefix has no
// gradient: only the gate moves in the first step.
type zeroInit struct{ open }

func (zeroInit) Params(s *Initial) ([]Param, error) {
	return []Param{{Name: "gate.zero", Shape: []int{len(s.places)}, Value: make([]float32, len(s.places))}}, nil
}

func (zeroInit) Weigh(b *Build, at engine.At, delta engine.Buffer) engine.Buffer {
	return b.Mul(delta, b.Slice("gate.zero", at.Layer, 1))
}

// apt is adaptive prefix tuning's two gates (Zhang et al. 2023, ACL, arXiv 2305.15212):
//
//	P̂_ℓ = λ_ℓ·σ(a_ℓ) ⊙ P_ℓ      a [layers, slots], λ [layers]
//
// on keys and values alike. In a causal model no token sees the whole input, so a is
// learned itself. It starts at factors of 1.
type apt struct{ open }

func (apt) Params(s *Initial) ([]Param, error) {
	n := len(s.places)
	const a = 3
	return []Param{
		{Name: "gate.token", Shape: []int{n, s.Slots, 1}, Value: constant(n*s.Slots, a)},
		{Name: "gate.layer", Shape: []int{n}, Value: constant(n, 1+math.Exp(-a))},
	}, nil
}

// Scale applies the factors to keys or values.
func (apt) Scale(b *Build, layer int, x engine.Buffer) engine.Buffer {
	alpha := b.Once("gate", func() engine.Buffer { return b.Unary(engine.Sigmoid, b.Tensor("gate.token"), 0) })
	return b.Mul(b.Mul(x, b.Part(alpha, layer*b.Slots, b.Slots, 1)), b.Slice("gate.layer", layer, 1))
}

// dynamic is a gate by each token and head (METHODS §1.5 g4):
//
//	o_{t,j} ← o_{t,j} + σ(⟨w_{ℓ,j}, x_t⟩ + c_{ℓ,j})·Δ_{t,j}      w starts at 0, c at −4
type dynamic struct{ open }

func (dynamic) Params(s *Initial) ([]Param, error) {
	i, n := s.Info, len(s.places)
	return []Param{
		{Name: "gate.w", Shape: []int{n, i.Heads, i.Hidden}, Value: make([]float32, n*i.Heads*i.Hidden)},
		{Name: "gate.c", Shape: []int{n, i.Heads}, Value: constant(n*i.Heads, -4)},
	}, nil
}

func (dynamic) Weigh(b *Build, at engine.At, delta engine.Buffer) engine.Buffer {
	i := b.Info
	g := b.Unary(engine.Sigmoid, b.Linear(at.X, b.Slice("gate.w", at.Layer, i.Heads, i.Hidden), b.Slice("gate.c", at.Layer, i.Heads), engine.None), 0)
	rows := b.Dim(delta, 0)
	y := b.Mul(b.View(delta, 0, rows, i.Heads, i.HeadDim), b.View(g, 0, rows, i.Heads, 1))
	return b.View(y, 0, rows, i.Heads*i.HeadDim)
}

func constant(n int, v float64) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(v)
	}
	return x
}

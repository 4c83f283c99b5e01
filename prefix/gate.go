package prefix

import (
	"math"

	"prelude/engine"
)

func init() {
	add("gate", 0, &Option{ID: "open", Label: "None", PEFT: true,
		Sentence: "Virtual tokens count like real ones.",
		make:     func(*Settings) any { return open{} }})
	add("gate", 1, &Option{ID: "log", Label: "On the scores", LR: 1e-2,
		Sentence: "Each slot has a learned gate between 0 and 1 on its attention; at 0 it is exactly as if it were not there.",
		Settings: []Setting{{ID: "start", Label: "Open at first", Kind: "float", Default: "0.05", Min: 1e-6, Max: 0.999, Help: "How far the gates are open when training begins. Near 0 the model is almost unchanged then."}},
		make:     func(s *Settings) any { return logGate{s.float("start")} }})
	add("gate", 2, &Option{ID: "zeroinit", Label: "Zero-init", PEFT: true, LR: 1e-2,
		Sentence: "The prefix has a softmax of its own, times a gate that starts at 0: training begins exactly at the frozen model (LLaMA-Adapter).",
		make:     func(*Settings) any { return zeroInit{} }})
	add("gate", 3, &Option{ID: "apt", Label: "Token and layer factors", PEFT: true, LR: 1e-2,
		Sentence: "Scales each slot and each layer by learned factors (adaptive prefix tuning), which show where the prefix matters.",
		make:     func(*Settings) any { return apt{} }})
	add("gate", 4, &Option{ID: "dynamic", Label: "By each token", LR: 1e-2,
		Sentence: "Every token decides, head by head, how much of the prefix it takes.",
		make:     func(*Settings) any { return dynamic{} }})
}

// Gate is an option of the axis "gate": how much of the prefix comes through.
type Gate interface {
	Params(s *Starting) ([]Param, error)
	// Bias is added to the scores of a layer's slots: [1, 1, slots], or None.
	Bias(b *Build, layer int) engine.Buffer
}

// aside is a gate that gives the prefix a softmax of its own, Δ, and adds it, weighed,
// to the attention's output: o + g·Δ.
type aside interface {
	Gate
	Weigh(b *Build, at engine.At, delta engine.Buffer) engine.Buffer
}

// open is no gate.
type open struct{}

func (open) Params(*Starting) ([]Param, error) { return nil, nil }
func (open) Bias(*Build, int) engine.Buffer    { return engine.None }

// logGate adds log σ(a) to the scores: a slot's weight in the softmax is multiplied by
// g = σ(a), and g = 0 removes it exactly. METHODS §1.5 g2; a [layers, slots].
type logGate struct{ start float64 }

func (g logGate) Params(s *Starting) ([]Param, error) {
	n := len(s.places)
	return []Param{{Name: "gate.log", Shape: []int{n, s.Slots}, Value: constant(n*s.Slots, math.Log(g.start/(1-g.start)))}}, nil
}

func (logGate) Bias(b *Build, layer int) engine.Buffer {
	g := b.once("gate", func() engine.Buffer { return b.logOf(b.Unary(engine.Sigmoid, b.Tensor("gate.log"), 0)) })
	return b.part(g, layer*b.Slots, 1, 1, b.Slots)
}

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

func (zeroInit) Params(s *Starting) ([]Param, error) {
	return []Param{{Name: "gate.zero", Shape: []int{len(s.places)}, Value: make([]float32, len(s.places))}}, nil
}

func (zeroInit) Weigh(b *Build, at engine.At, delta engine.Buffer) engine.Buffer {
	return b.Mul(delta, b.slice("gate.zero", at.Layer, 1))
}

// apt is adaptive prefix tuning's two gates (Zhang et al. 2023, ACL, arXiv 2305.15212):
//
//	P̂_ℓ = λ_ℓ·σ(a_ℓ) ⊙ P_ℓ      a [layers, slots], λ [layers]
//
// on keys and values alike. In a causal model no token sees the whole input, so a is
// learned itself. It starts at factors of 1.
type apt struct{ open }

func (apt) Params(s *Starting) ([]Param, error) {
	n := len(s.places)
	const a = 3
	return []Param{
		{Name: "gate.token", Shape: []int{n, s.Slots, 1}, Value: constant(n*s.Slots, a)},
		{Name: "gate.layer", Shape: []int{n}, Value: constant(n, 1+math.Exp(-a))},
	}, nil
}

// Scale applies the factors to keys or values.
func (apt) Scale(b *Build, layer int, x engine.Buffer) engine.Buffer {
	alpha := b.once("gate", func() engine.Buffer { return b.Unary(engine.Sigmoid, b.Tensor("gate.token"), 0) })
	return b.Mul(b.Mul(x, b.part(alpha, layer*b.Slots, b.Slots, 1)), b.slice("gate.layer", layer, 1))
}

// dynamic is a gate by each token and head (METHODS §1.5 g4):
//
//	o_{t,j} ← o_{t,j} + σ(⟨w_{ℓ,j}, x_t⟩ + c_{ℓ,j})·Δ_{t,j}      w starts at 0, c at −4
type dynamic struct{ open }

func (dynamic) Params(s *Starting) ([]Param, error) {
	i, n := s.Info, len(s.places)
	return []Param{
		{Name: "gate.w", Shape: []int{n, i.Heads, i.Hidden}, Value: make([]float32, n*i.Heads*i.Hidden)},
		{Name: "gate.c", Shape: []int{n, i.Heads}, Value: constant(n*i.Heads, -4)},
	}, nil
}

func (dynamic) Weigh(b *Build, at engine.At, delta engine.Buffer) engine.Buffer {
	i := b.Info
	g := b.Unary(engine.Sigmoid, b.Linear(at.X, b.slice("gate.w", at.Layer, i.Heads, i.Hidden), b.slice("gate.c", at.Layer, i.Heads), engine.None), 0)
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

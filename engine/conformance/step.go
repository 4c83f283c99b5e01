package conformance

import (
	"fmt"
	"math"

	"prelude/engine"
)

// Decoder is the size of a Llama with a tied head, its weights in the given type, at most
// Rows rows in a run, and a key/value prefix of Slots slots.
type Decoder struct {
	Layers, Hidden, Heads, KVHeads, FF, Vocab int
	Rows, Slots                               int
	Weights                                   engine.DType
}

// Step is a training step of the prefix: forward, loss on every row, gradient, clipping,
// AdamW. The tensor "loss" keeps the loss, "prefix" [layers, 2, slots, kv] is trained.
type Step struct {
	size                                                Decoder
	rows                                                engine.Domain
	ids, pos, lo, hi, targets, weights, hyper, cos, sin engine.Buffer
}

// Step appends the step to p.
func (d Decoder) Step(p *engine.Program) *Step {
	s := &Step{size: d, rows: p.Domain("rows", d.Rows)}
	arg := func(name string) engine.Buffer { return p.Arg(name, s.rows, engine.I32, d.Rows) }
	s.ids, s.pos, s.lo, s.hi = arg("ids"), arg("pos"), arg("lo"), arg("hi")
	s.targets, s.weights = p.Arg("targets", s.rows, engine.I32, d.Rows, 1), p.Arg("weights", s.rows, engine.F32, d.Rows, 1)
	s.hyper = p.Arg("hyper", engine.AllRows, engine.F32, 3)

	dim := d.Hidden / d.Heads
	kv := dim * d.KVHeads
	tensor := func(name string, t engine.DType, shape ...int) engine.Buffer {
		return p.Persist(name, engine.Spec{DType: t, Shape: shape})
	}
	s.cos, s.sin = tensor("cos", engine.F32, d.Rows+d.Slots, dim/2), tensor("sin", engine.F32, d.Rows+d.Slots, dim/2)
	prefix := tensor("prefix", engine.F32, d.Layers, 2, d.Slots, kv)
	p.Train(prefix)
	table := tensor("table", d.Weights, d.Vocab, d.Hidden)
	x := p.Embed(s.ids, table, 1)
	for l := range d.Layers {
		norm := func(x engine.Buffer, name string) engine.Buffer {
			return p.RMSNorm(x, tensor(fmt.Sprintf("%d.%s", l, name), engine.F32, d.Hidden), 1e-5, 0)
		}
		linear := func(x engine.Buffer, name string, out int, add engine.Buffer) engine.Buffer {
			return p.Linear(x, tensor(fmt.Sprintf("%d.%s", l, name), d.Weights, out, p.Dim(x, -1)), engine.None, add)
		}
		part := func(i int) engine.Buffer { return p.View(prefix, (2*l+i)*d.Slots*kv, d.Slots, kv) }
		n := norm(x, "norm1")
		q, k, v := linear(n, "q", d.Hidden, engine.None), linear(n, "k", kv, engine.None), linear(n, "v", kv, engine.None)
		o := p.Attention(engine.Attention{Q: p.RoPE(q, s.pos, s.cos, s.sin, dim), K: p.RoPE(k, s.pos, s.cos, s.sin, dim), V: v, Lo: s.lo, Hi: s.hi,
			PK: part(0), PV: part(1), Heads: d.Heads, KVHeads: d.KVHeads, HeadDim: dim, Scale: 1 / math.Sqrt(float64(dim))})
		x = linear(o, "o", d.Hidden, x)
		n = norm(x, "norm2")
		x = linear(p.Gated(engine.SiLU, linear(n, "gate", d.FF, engine.None), linear(n, "up", d.FF, engine.None)), "down", d.Hidden, x)
	}
	x = p.RMSNorm(x, tensor("norm", engine.F32, d.Hidden), 1e-5, 0)
	loss := p.CrossEntropy(x, table, engine.None, s.targets, s.weights, false)
	grad := p.Grad(loss)[prefix]
	stats := p.GradStats([]engine.Buffer{grad}, []engine.Buffer{loss}, 1)
	p.AdamW(prefix, grad, stats, s.hyper, engine.AdamW{Beta1: beta1, Beta2: beta2, Eps: 1e-8, Decay: 0.01, Rate: 1})
	p.Keep("loss", loss)
	return s
}

const beta1, beta2 = 0.9, 0.999

// Args are the inputs of step n, counted from 1: live rows in examples of seq made-up tokens.
func (s *Step) Args(live, seq, n int, lr float64) engine.Args {
	ints, weights := map[engine.Buffer][]int32{}, make([]float64, live)
	put := func(b engine.Buffer, x int) { ints[b] = append(ints[b], int32(x)) }
	for i := range live {
		id := (i*7919 + 13*n) % s.size.Vocab
		put(s.ids, id)
		put(s.targets, (id*31+7)%s.size.Vocab)
		put(s.pos, s.size.Slots+i%seq)
		put(s.lo, i/seq*seq)
		put(s.hi, i+1)
		weights[i] = 1 / float64(live)
	}
	unbiased := func(beta float64) float64 { return 1 / (1 - math.Pow(beta, float64(n))) }
	return engine.Args{Ints: ints, Live: map[engine.Domain]int{s.rows: live},
		Floats: map[engine.Buffer][]float64{s.weights: weights, s.hyper: {lr, unbiased(beta1), unbiased(beta2)}}}
}

// steps are whole training steps: what operations do to each other's memory.
func steps() []Case {
	step := func(t engine.DType) func(b *Builder) {
		return func(b *Builder) {
			s := Decoder{Layers: 2, Hidden: 64, Heads: 4, KVHeads: 2, FF: 96, Vocab: 80, Rows: 23, Slots: 3, Weights: t}.Step(b.Program)
			b.fill()
			b.Args = s.Args(21, 7, 1, 1e-2)
			b.Changes("loss", "adam.m.prefix")
		}
	}
	return []Case{{Name: "step/F32", Build: step(engine.F32)}, {Name: "step/Q4_0", Build: step(engine.Q4_0)}}
}

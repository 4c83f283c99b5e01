package reproduce

import (
	"fmt"
	"math"

	"prelude/engine"
)

// sizes are those of one model. The blocks are minGPT's: LayerNorm, attention with
// biases, LayerNorm, a feed-forward part of four times the width with GELU (tanh).
type sizes struct {
	layers, heads, hidden, vocab, context int

	bare   bool // no norm before attention: Petrov et al.'s E2 skips it
	rotary bool // positions, instead of a learned table
	tied   bool // head and embeddings are one tensor
}

// gpt is an [engine.Architecture] of these blocks.
type gpt struct {
	sizes
	info    engine.ModelInfo
	tensors map[string]engine.Spec
}

const normEps = 1e-5

func newGPT(s sizes) *gpt {
	g := &gpt{sizes: s, tensors: map[string]engine.Spec{}, info: engine.ModelInfo{Family: "mingpt", Layers: s.layers, Hidden: s.hidden,
		Heads: s.heads, KVHeads: s.heads, HeadDim: s.hidden / s.heads, FF: 4 * s.hidden, Vocab: s.vocab, Context: s.context,
		Positions: engine.Learned, Linears: map[string]engine.LinearMap{}}}
	tensor := func(name string, shape ...int) { g.tensors[name] = engine.Spec{DType: engine.F32, Shape: shape} }
	linear := func(name string, role engine.Role, layer, out, in int) {
		tensor(name+".weight", out, in)
		tensor(name+".bias", out)
		g.info.Linears[name] = engine.LinearMap{Role: role, Layer: layer, Out: out}
	}
	norm := func(name string) {
		tensor(name+".weight", s.hidden)
		tensor(name+".bias", s.hidden)
	}
	tensor("wte.weight", s.vocab, s.hidden)
	if !s.tied {
		tensor("head.weight", s.vocab, s.hidden)
	}
	if s.rotary {
		g.info.Positions = engine.Rotary
		tensor("rope.cos", s.context, g.info.HeadDim/2)
		tensor("rope.sin", s.context, g.info.HeadDim/2)
	} else {
		tensor("wpe.weight", s.context, s.hidden)
	}
	for l := range s.layers {
		at := block(l)
		if !s.bare {
			norm(at + "ln1")
		}
		norm(at + "ln2")
		linear(at+"attn.q", engine.Query, l, s.hidden, s.hidden)
		linear(at+"attn.k", engine.Key, l, s.hidden, s.hidden)
		linear(at+"attn.v", engine.Value, l, s.hidden, s.hidden)
		linear(at+"attn.o", engine.AttentionOutput, l, s.hidden, s.hidden)
		linear(at+"mlp.fc", engine.Up, l, 4*s.hidden, s.hidden)
		linear(at+"mlp.proj", engine.Down, l, s.hidden, 4*s.hidden)
	}
	norm("ln")
	return g
}

func block(l int) string { return fmt.Sprintf("h.%d.", l) }

func (g *gpt) Info() engine.ModelInfo          { return g.info }
func (g *gpt) Tensors() map[string]engine.Spec { return g.tensors }

// tables are the tensors that no file has: cosines and sines, base 10,000.
func (g *gpt) tables() map[string][]float32 {
	if !g.rotary {
		return nil
	}
	half := g.info.HeadDim / 2
	t := map[string][]float32{}
	for pos := range g.context {
		for i := range half {
			a := float64(pos) * math.Pow(10000, -float64(i)/float64(half))
			t["rope.cos"] = append(t["rope.cos"], float32(math.Cos(a)))
			t["rope.sin"] = append(t["rope.sin"], float32(math.Sin(a)))
		}
	}
	return t
}

// pass is one forward pass: the program with the hooks.
type pass struct {
	*engine.Program
	g *gpt
	h engine.Hooks
}

func (f pass) weight(name string) engine.Buffer {
	w := engine.None
	if s, ok := f.g.tensors[name]; ok {
		w = f.Persist(name, s)
	}
	if f.h.Weight != nil {
		return f.h.Weight(f.Program, name, w)
	}
	return w
}

// linear is W·x + b + add.
func (f pass) linear(name string, x, add engine.Buffer) engine.Buffer {
	if f.h.Linear == nil {
		return f.Linear(x, f.weight(name+".weight"), f.weight(name+".bias"), add)
	}
	y := f.h.Linear(f.Program, name, x, f.Linear(x, f.weight(name+".weight"), f.weight(name+".bias"), engine.None))
	if add != engine.None {
		y = f.Add(add, y)
	}
	return y
}

func (f pass) norm(name string, x engine.Buffer) engine.Buffer {
	return f.LayerNorm(x, f.weight(name+".weight"), f.weight(name+".bias"), normEps)
}

// Forward: x = wte[ids] (+ wpe[pos]), then for each block
//
//	x ← x + Wo·attention(Wq n, Wk n, Wv n)    n = norm(x), or x itself
//	x ← x + Wproj·gelu(Wfc norm(x))
func (g *gpt) Forward(p *engine.Program, in engine.Input, h engine.Hooks) engine.Output {
	f := pass{p, g, h}
	x := in.Hidden
	if x == engine.None {
		x = p.Embed(in.IDs, f.weight("wte.weight"), 1)
		if h.Embed != nil {
			x = h.Embed(p, engine.DecSelf, x)
		}
	}
	if in.First == 0 && !g.rotary {
		x = p.Add(x, p.Embed(in.Pos, f.weight("wpe.weight"), 1))
	}
	last := g.layers
	if in.Last > 0 {
		last = in.Last
	}
	var out engine.Output
	for l := in.First; l < last; l++ {
		p.BeginBlock()
		if h.Block != nil {
			x = h.Block(p, engine.DecSelf, l, x)
		}
		out.Blocks = append(out.Blocks, x)
		x = g.block(f, l, l == last-1, x, in, &out)
		p.EndBlock()
	}
	out.Hidden = x
	if last == g.layers {
		out.Hidden = f.norm("ln", x)
	}
	return out
}

func (g *gpt) block(f pass, l int, last bool, x engine.Buffer, in engine.Input, out *engine.Output) engine.Buffer {
	at, i := block(l), g.info
	n := x
	if !g.bare {
		n = f.norm(at+"ln1", x)
	}
	nq, pos, lo, hi := n, in.Pos, in.Lo, in.Hi
	if c := in.Chosen; c != nil && last {
		nq, x = f.GatherRows(n, c.Idx), f.GatherRows(x, c.Idx)
		pos, lo, hi = c.Pos, c.Lo, c.Hi
	}
	turn := func(x, pos engine.Buffer) engine.Buffer {
		if !g.rotary {
			return x
		}
		return f.RoPE(x, pos, f.weight("rope.cos"), f.weight("rope.sin"), i.HeadDim)
	}
	q := turn(f.linear(at+"attn.q", nq, engine.None), pos)
	k := turn(f.linear(at+"attn.k", n, engine.None), in.Pos)
	v := f.linear(at+"attn.v", n, engine.None)
	out.K, out.V = append(out.K, k), append(out.V, v)
	a := engine.Attention{Q: q, K: k, V: v, Lo: lo, Hi: hi, Heads: i.Heads, KVHeads: i.KVHeads, HeadDim: i.HeadDim,
		Scale: 1 / math.Sqrt(float64(i.HeadDim))}
	here := engine.At{Site: engine.DecSelf, Layer: l, X: nq, Q: q, Lo: lo, Hi: hi, Scale: a.Scale}
	if f.h.KV != nil {
		s := f.h.KV(f.Program, here)
		a.PK, a.PV, a.PBias = s.K, s.V, s.Bias
	}
	o := f.Attention(a)
	if f.h.AttnOut != nil {
		o = f.h.AttnOut(f.Program, here, o)
	}
	x = f.linear(at+"attn.o", o, x)
	y := f.Unary(engine.GELUTanh, f.linear(at+"mlp.fc", f.norm(at+"ln2", x), engine.None), 0)
	return f.linear(at+"mlp.proj", y, x)
}

func (g *gpt) head(f pass) engine.Buffer {
	if g.tied {
		return f.weight("wte.weight")
	}
	return f.weight("head.weight")
}

func (g *gpt) Logits(p *engine.Program, hidden engine.Buffer, h engine.Hooks) engine.Buffer {
	f := pass{p, g, h}
	return p.Linear(hidden, g.head(f), f.weight("lm_head.bias"), engine.None)
}

func (g *gpt) Loss(p *engine.Program, hidden, targets, weights engine.Buffer, rest bool, h engine.Hooks) engine.Buffer {
	f := pass{p, g, h}
	return p.CrossEntropy(hidden, g.head(f), f.weight("lm_head.bias"), targets, weights, rest)
}

func (g *gpt) Encode(p *engine.Program, _ engine.Input, _ engine.Hooks) engine.Output {
	p.Failf("mingpt has no encoder")
	return engine.Output{}
}

// padded is a model that always stands behind n padding tokens 0, as Petrov et al.'s do
// where no prefix takes their place. They are alike in every example and see none of it,
// so they run once; their keys and values are what the examples see.
type padded struct {
	*gpt
	n int
}

// Tensors adds the input of the padding, and the positions behind it.
func (a padded) Tensors() map[string]engine.Spec {
	all := map[string]engine.Spec{"content.positions": {DType: engine.F32, Shape: []int{a.context - a.n, a.hidden}}}
	for name, s := range a.tensors {
		all[name] = s
	}
	for _, name := range []string{"padding.ids", "padding.pos", "padding.lo", "padding.hi"} {
		all[name] = engine.Spec{DType: engine.I32, Shape: []int{a.n}}
	}
	return all
}

func (a padded) Forward(p *engine.Program, in engine.Input, h engine.Hooks) engine.Output {
	all := a.Tensors()
	arg := func(name string) engine.Buffer { return p.Persist("padding."+name, all["padding."+name]) }
	front := a.gpt.Forward(p, engine.Input{IDs: arg("ids"), Pos: arg("pos"), Lo: arg("lo"), Hi: arg("hi")},
		engine.Hooks{Linear: h.Linear, Weight: h.Weight})
	own := h
	h.KV = func(_ *engine.Program, at engine.At) engine.Segment {
		return engine.Segment{K: front.K[at.Layer], V: front.V[at.Layer]}
	}
	h.Weight = func(p *engine.Program, name string, w engine.Buffer) engine.Buffer {
		if name == "wpe.weight" {
			return p.Persist("content.positions", all["content.positions"])
		}
		if own.Weight != nil {
			return own.Weight(p, name, w)
		}
		return w
	}
	return a.gpt.Forward(p, in, h)
}

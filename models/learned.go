package models

import "prelude/engine"

// learned is the block that GPT-2, GPT-Neo and OPT share: LayerNorm before attention and
// feed-forward part, learned positions added to the embeddings, a norm behind the last block.
// OPT-350M has its norms behind each part instead, none behind the last block, and embeddings of
// another width, with a map into the model and one out of it.
type learned struct {
	decoder
	eps   float64
	act   engine.UnaryFn
	names learnedNames
	scale func(layer int) float64 // of the scores
	after bool                    // norms behind each part
}

// learnedNames are what a family calls the tensors: those of a block come behind block's
// text with the layer's number.
type learnedNames struct {
	embeddings, positions, last, block  string
	in, out                             string // the maps from and to embeddings of another width, "" if none
	attentionNorm, forwardNorm          string
	query, key, value, output, up, down string
}

// declare lists the tensors. The projections into attention have biases where into is true,
// all other linear maps where rest is.
func (m *learned) declare(into, rest bool) {
	i, n := m.info, m.names
	m.tensor(n.positions, i.Context, i.Hidden)
	m.tensor(n.embeddings, i.Vocab, i.EmbeddingWidth())
	if n.in != "" {
		m.tensor(n.in+".weight", i.Hidden, i.Embeddings)
		m.tensor(n.out+".weight", i.Embeddings, i.Hidden)
		m.out = n.out
	}
	if !m.after {
		m.layerNorm(n.last, i.Hidden)
	}
	for l := range i.Layers {
		at := layer(n.block, l)
		m.layerNorm(at+n.attentionNorm, i.Hidden)
		m.layerNorm(at+n.forwardNorm, i.Hidden)
		m.linear(at+n.query, engine.LinearMap{Role: engine.Query, Layer: l, Out: i.Hidden}, i.Hidden, into)
		m.linear(at+n.key, engine.LinearMap{Role: engine.Key, Layer: l, Out: i.Hidden}, i.Hidden, into)
		m.linear(at+n.value, engine.LinearMap{Role: engine.Value, Layer: l, Out: i.Hidden}, i.Hidden, into)
		m.linear(at+n.output, engine.LinearMap{Role: engine.AttentionOutput, Layer: l, Out: i.Hidden}, i.Hidden, rest)
		m.linear(at+n.up, engine.LinearMap{Role: engine.Up, Layer: l, Out: i.FF}, i.Hidden, rest)
		m.linear(at+n.down, engine.LinearMap{Role: engine.Down, Layer: l, Out: i.Hidden}, i.FF, rest)
	}
}

// Forward: x = embeddings[ids] + positions[pos], then for each block
//
//	n = norm(x)    x ← x + Wo·attention(Wq n, Wk n, Wv n)
//	n = norm(x)    x ← x + Wdown·act(Wup n)
//
// or, with norms behind,
//
//	x ← norm(x + Wo·attention(Wq x, Wk x, Wv x))
//	x ← norm(x + Wdown·act(Wup x))
func (m *learned) Forward(p *engine.Program, in engine.Input, h engine.Hooks) engine.Output {
	f, i, names := m.pass(p, in, h), m.info, m.names
	before := func(name string, x engine.Buffer) engine.Buffer {
		if m.after {
			return x
		}
		return f.layerNorm(name, x, m.eps)
	}
	behind := func(name string, x engine.Buffer) engine.Buffer {
		if !m.after {
			return x
		}
		return f.layerNorm(name, x, m.eps)
	}
	var out engine.Output
	x := f.embedThrough(names.embeddings, names.in, 1)
	if in.First == 0 {
		x = p.Add(x, p.Embed(in.Pos, f.weight(names.positions), 1))
	}
	for l := in.First; l < f.end(); l++ {
		at := layer(names.block, l)
		p.BeginBlock()
		x = f.block(l, x)
		out.Blocks = append(out.Blocks, x)
		n := before(at+names.attentionNorm, x)
		nq := f.choose(l, n)
		q := f.linear(at+names.query, nq, engine.None)
		k := f.linear(at+names.key, n, engine.None)
		v := f.linear(at+names.value, n, engine.None)
		out.K, out.V = append(out.K, k), append(out.V, v)
		o := f.attend(l, f.rows(l), nq, q, k, v, engine.Attention{Scale: m.scale(l)})
		x = behind(at+names.attentionNorm, f.linear(at+names.output, o, f.choose(l, x)))
		n = before(at+names.forwardNorm, x)
		x = behind(at+names.forwardNorm, f.linear(at+names.down, p.Unary(m.act, f.linear(at+names.up, n, engine.None), 0), x))
		p.EndBlock()
	}
	out.Hidden = x
	if f.end() == i.Layers && !m.after {
		out.Hidden = f.layerNorm(names.last, x, m.eps)
	}
	return out
}

package models

import "prelude/engine"

// pass is one forward pass under construction: what all families share. It names
// weights, calls the hooks, and knows which rows the last block still needs.
type pass struct {
	*engine.Program
	in    engine.Input
	hooks engine.Hooks
	info  engine.ModelInfo
	specs Specs
	site  engine.Site // of self-attention
}

// weight is a tensor of the file, or what the hooks put in its place.
func (f *pass) weight(name string) engine.Buffer {
	s, ok := f.specs[name]
	if !ok {
		f.Failf("tensor %q is not in the file", name)
		return engine.None
	}
	return f.mapped(name, f.Persist(name, s))
}

// optional is a tensor of the file; where the file has none, the hooks' or None.
func (f *pass) optional(name string) engine.Buffer {
	if _, ok := f.specs[name]; !ok {
		return f.mapped(name, engine.None)
	}
	return f.weight(name)
}

func (f *pass) mapped(name string, w engine.Buffer) engine.Buffer {
	if f.hooks.Weight == nil {
		return w
	}
	return f.hooks.Weight(f.Program, name, w)
}

// linear is x·Wᵀ + bias + add, W = name+".weight", with the hook between bias and add.
func (f *pass) linear(name string, x, add engine.Buffer) engine.Buffer {
	w, bias := f.weight(name+".weight"), f.optional(name+".bias")
	if f.hooks.Linear == nil {
		return f.Linear(x, w, bias, add)
	}
	y := f.hooks.Linear(f.Program, name, x, f.Linear(x, w, bias, engine.None))
	if add != engine.None {
		y = f.Add(add, y)
	}
	return y
}

// asking is the set of rows that a block computes queries for.
type asking struct {
	pos, lo, hi, plo, phi engine.Buffer
	crossLo, crossHi      engine.Buffer
}

// rows says which rows block layer asks for: all, or the chosen ones in the last
// block; and what they see, which in a local layer is a window.
func (f *pass) rows(layer int) asking {
	in, c := f.in, f.in.Chosen
	local := layer < len(f.info.Local) && f.info.Local[layer]
	a := asking{pos: in.Pos, lo: in.Lo, hi: in.Hi}
	if in.Encoder != nil {
		a.crossLo, a.crossHi = in.Encoder.Lo, in.Encoder.Hi
	}
	if local {
		a.lo, a.plo, a.phi = in.LoLocal, in.PLoLocal, in.PHiLocal
	}
	if f.last(layer) {
		a = asking{pos: c.Pos, lo: c.Lo, hi: c.Hi, crossLo: c.CrossLo, crossHi: c.CrossHi}
		if local {
			a.lo, a.plo, a.phi = c.LoLocal, c.PLoLocal, c.PHiLocal
		}
	}
	return a
}

// last says whether layer is the last block and only chosen rows are wanted of it.
func (f *pass) last(layer int) bool { return f.in.Chosen != nil && layer == f.end()-1 }

// end is one past the last block.
func (f *pass) end() int {
	if f.in.Last > 0 {
		return f.in.Last
	}
	if f.site == engine.EncSelf {
		return f.info.EncLayers
	}
	return f.info.Layers
}

// choose keeps the chosen rows of x in the last block.
func (f *pass) choose(layer int, x engine.Buffer) engine.Buffer {
	if f.last(layer) {
		return f.GatherRows(x, f.in.Chosen.Idx)
	}
	return x
}

// embed is the input's embeddings: given (as an embedding layer would give them: scaled,
// but without positions), or looked up.
func (f *pass) embed(table string, scale float64) engine.Buffer {
	return f.embedThrough(table, "", scale)
}

// embedThrough is embed with a map from the table's width to the model's; "" is none.
func (f *pass) embedThrough(table, in string, scale float64) engine.Buffer {
	if f.in.Hidden != engine.None {
		return f.in.Hidden
	}
	e := f.Embed(f.in.IDs, f.weight(table), scale)
	if in != "" {
		e = f.Linear(e, f.weight(in+".weight"), engine.None, engine.None)
	}
	if f.hooks.Embed != nil {
		e = f.hooks.Embed(f.Program, f.site, e)
	}
	return e
}

// attend is one self-attention over finished queries, keys and values: it stores keys
// and values in the cache where there is one, adds the prefix, and calls the hooks.
func (f *pass) attend(layer int, a asking, x, q, k, v engine.Buffer, o engine.Attention) engine.Buffer {
	if c := f.in.Cache; c != nil {
		f.StoreRows(k, c.Idx, c.K[layer])
		f.StoreRows(v, c.Idx, c.V[layer])
		k, v = c.K[layer], c.V[layer]
	}
	o.Q, o.K, o.V, o.Lo, o.Hi = q, k, v, a.lo, a.hi
	o.Heads, o.KVHeads, o.HeadDim = f.info.Heads, f.info.KVHeads, f.info.HeadDim
	return f.attention(engine.At{Site: f.site, Layer: layer, X: x, Q: q, Lo: a.lo, Hi: a.hi}, a, o)
}

// attention adds the prefix of this site to o and calls the hook on its output.
func (f *pass) attention(at engine.At, a asking, o engine.Attention) engine.Buffer {
	at.Scale, at.Cap = o.Scale, o.Cap
	if f.hooks.KV != nil {
		s := f.hooks.KV(f.Program, at)
		o.PK, o.PV, o.PBias = s.K, s.V, s.Bias
		if s.K != engine.None {
			o.PLo, o.PHi = a.plo, a.phi
		}
		if o.Rel != engine.None {
			o.PPos = s.Pos
		}
	}
	if o.Rel != engine.None && f.in.Cache != nil && f.in.KPos == engine.None {
		f.Failf("%s: a cache needs Input.KPos", f.info.Family)
	}
	y := f.Attention(o)
	if f.hooks.AttnOut != nil {
		y = f.hooks.AttnOut(f.Program, at, y)
	}
	return y
}

// convolve is one short convolution by the kernel w of finished inputs u: it stores them in the
// cache where there is one, and puts a prefix before them. X is what the layer reads.
func (f *pass) convolve(layer int, x, u, w engine.Buffer) engine.Buffer {
	if c := f.in.Cache; c != nil {
		f.StoreRows(u, c.Idx, c.K[layer])
		u = c.K[layer]
	}
	left := engine.None
	if f.hooks.KV != nil {
		left = f.hooks.KV(f.Program, engine.At{Site: f.site, Layer: layer, X: x, Lo: f.in.Lo, Hi: f.in.Hi}).K
	}
	return f.CausalConv(u, w, left, f.in.Lo, f.in.Hi, 1)
}

// block maps a block's input.
func (f *pass) block(layer int, x engine.Buffer) engine.Buffer {
	if f.hooks.Block != nil {
		return f.hooks.Block(f.Program, f.site, layer, x)
	}
	return x
}

// headBias is the head's bias: the file's, or one that the hooks add.
func (f *pass) headBias() engine.Buffer { return f.optional("lm_head.bias") }

// layerNorm is a LayerNorm with the gain name+".weight" and the bias name+".bias".
func (f *pass) layerNorm(name string, x engine.Buffer, eps float64) engine.Buffer {
	return f.LayerNorm(x, f.weight(name+".weight"), f.optional(name+".bias"), eps)
}

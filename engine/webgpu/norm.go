package webgpu

import "prelude/engine"

// normKernel is norm.wgsl for groups s of x; ports added to it cover those groups only.
func (b *recipe) normKernel(o *engine.Norm, s stretch) *launch {
	n := b.p.Dim(o.Gain, 0)
	return b.kernel("norm").in("gain", o.Gain).in("bias", o.Bias).on(stretch{s.from * n, s.n * n}).in("x", o.X).
		count("groups", b.count(o.X, b.p.Spec(o.X).Len()/n).part(s.from, s.n)).u32("n", n).
		lanes(64).f32("eps", o.Eps).f32("plus", o.Plus).flag("CENTRE", o.Kind == engine.LayerNorm)
}

// normGroups cuts the groups of these buffers as blocks cuts rows.
func (b *recipe) normGroups(o *engine.Norm, all ...engine.Buffer) []stretch {
	n := b.p.Dim(o.Gain, 0)
	var m []matrix
	for _, x := range all {
		m = append(m, rowsOf(x, n))
	}
	return b.blocks(b.p.Spec(o.X).Len()/n, m...)
}

func (b *recipe) norm(o *engine.Norm) {
	for _, s := range b.normGroups(o, o.X, o.Y) {
		b.normKernel(o, s).out("y", o.Y).in("dy", engine.None).in("add", engine.None).out("dx", engine.None).
			out("stats", engine.None).flag("BACKWARD", false).flag("DX", false).groups(s.n)
	}
}

func (b *recipe) normBackward(o *engine.NormBackward) {
	n := b.p.Dim(o.Gain, 0)
	groups := b.p.Spec(o.X).Len() / n
	stats := b.temp(2 * groups)
	plain := engine.Norm{X: o.X, Gain: o.Gain, Kind: o.Kind, Eps: o.Eps, Plus: o.Plus}
	for _, s := range b.normGroups(&plain, o.X, o.DY, o.Add, o.DX) {
		k := b.normKernel(&plain, s).out("y", engine.None).in("dy", o.DY).in("add", o.Add).out("dx", o.DX).temp("stats", stats, true).
			flag("BACKWARD", true).flag("DX", o.DX != engine.None)
		k.ports[len(k.ports)-1].off += 2 * s.from
		k.groups(s.n)
	}
	if o.DGain == engine.None && o.DBias == engine.None {
		return
	}
	chunks := (groups + sumChunk - 1) / sumChunk
	k := b.kernel("norm_gain").in("x", o.X).in("dy", o.DY).temp("stats", stats, false).
		count("groups", b.count(o.X, groups)).u32("n", n).u32("chunk", sumChunk)
	if chunks <= 1 {
		k.out("dgain", o.DGain).out("dbias", o.DBias).grid((n+63)/64, 1, 1)
		return
	}
	partial := func(name string, d engine.Buffer) (slot int) {
		if d == engine.None {
			k.out(name, d)
			return 0
		}
		slot = b.temp(chunks * n)
		k.temp(name, slot, true)
		return slot
	}
	gain, bias := partial("dgain", o.DGain), partial("dbias", o.DBias)
	k.grid((n+63)/64, chunks, 1)
	if o.DGain != engine.None {
		b.sumChunks(gain, chunks, n, engine.None, o.DGain)
	}
	if o.DBias != engine.None {
		b.sumChunks(bias, chunks, n, engine.None, o.DBias)
	}
}

func (b *recipe) rope(o *engine.RoPE) {
	sign := 1.0
	if o.Inverse {
		sign = -1
	}
	b.kernel("rope").in("x", o.X).ints("pos", o.Pos).in("cos_", o.Cos).in("sin_", o.Sin).out("y", o.Y).
		count("n", b.elems(o.X)).u32("dim", o.HeadDim).u32("width", b.p.Dim(o.X, -1)).u32("pairs", b.p.Dim(o.Cos, 1)).
		f32("sign", sign).threads(b.p.Spec(o.X).Len(), 256)
}

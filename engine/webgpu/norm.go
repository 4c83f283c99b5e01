package webgpu

import "prelude/engine"

func (b *recipe) normKernel(kind engine.NormKind, x, gain engine.Buffer, eps, plus float64) *launch {
	n := b.p.Dim(gain, 0)
	return b.kernel("norm").in("x", x).in("gain", gain).count("groups", b.count(x, b.p.Spec(x).Len()/n)).u32("n", n).
		lanes(64).f32("eps", eps).f32("plus", plus).flag("CENTRE", kind == engine.LayerNorm)
}

func (b *recipe) norm(o *engine.Norm) {
	b.normKernel(o.Kind, o.X, o.Gain, o.Eps, o.Plus).in("bias", o.Bias).out("y", o.Y).
		in("dy", engine.None).in("add", engine.None).out("dx", engine.None).out("stats", engine.None).
		flag("BACKWARD", false).flag("DX", false).groups(b.p.Spec(o.X).Len() / b.p.Dim(o.Gain, 0))
}

func (b *recipe) normBackward(o *engine.NormBackward) {
	n := b.p.Dim(o.Gain, 0)
	groups := b.p.Spec(o.X).Len() / n
	stats := b.temp(2 * groups)
	b.normKernel(o.Kind, o.X, o.Gain, o.Eps, o.Plus).in("bias", engine.None).out("y", engine.None).
		in("dy", o.DY).in("add", o.Add).out("dx", o.DX).temp("stats", stats, true).
		flag("BACKWARD", true).flag("DX", o.DX != engine.None).groups(groups)
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
	b.index("rope position", o.Pos, b.p.Dim(o.Cos, 0))
	sign := 1.0
	if o.Inverse {
		sign = -1
	}
	b.kernel("rope").in("x", o.X).ints("pos", o.Pos).in("cos_", o.Cos).in("sin_", o.Sin).out("y", o.Y).
		count("n", b.elems(o.X)).u32("dim", o.HeadDim).u32("width", b.p.Dim(o.X, -1)).u32("pairs", b.p.Dim(o.Cos, 1)).
		f32("sign", sign).threads(b.p.Spec(o.X).Len(), 256)
}

package webgpu

import "prelude/engine"

// Forms of conv.wgsl.
const (
	formConv = iota
	formConvX
	formConvW
	formConvLeft
)

func (b *recipe) conv(o *engine.CausalConv, form int, dy engine.Buffer) *launch {
	return b.kernel("conv").in("x", o.X).in("w", o.W).in("left", o.Left).ints("lo", o.Lo).ints("hi", o.Hi).in("dy", dy).
		count("rows", b.rows(o.Y)).u32("n", b.p.Dim(o.X, -1)).u32("taps", b.p.Dim(o.W, 0)).u32("slots", b.p.Dim(o.Left, 0)).
		u32("dilation", o.Dilation).set("FORM", form).flag("CHUNKED", form >= formConvW)
}

func (b *recipe) causalConv(o *engine.CausalConv) {
	b.conv(o, formConv, engine.None).out("y", o.Y).threads(b.p.Spec(o.Y).Len(), 64)
}

func (b *recipe) causalConvBackward(o *engine.CausalConvBackward) {
	if o.DX != engine.None {
		b.conv(&o.CausalConv, formConvX, o.DY).out("y", o.DX).threads(b.p.Spec(o.DX).Len(), 64)
	}
	for i, d := range []engine.Buffer{o.DW, o.DLeft} {
		form := formConvW + i
		if d == engine.None {
			continue
		}
		rows, n := b.p.Spec(o.Y).Rows(), b.p.Spec(d).Len()
		chunks := max(1, (rows+rowChunk-1)/rowChunk)
		t := b.temp(chunks * n)
		b.conv(&o.CausalConv, form, o.DY).u32("size", n).u32("chunk", rowChunk).u32("chunks", chunks).
			temp("y", t, true).threads(chunks*n, 64)
		b.sumChunks(t, chunks, n, engine.None, d)
	}
}

package kernels

import (
	"unsafe"

	. "prelude/simd/asm"
	"prelude/simd/command"
)

// rows builds the kernels that move rows about and add them up.
func (g *generator) rows() {
	g.kernel(command.Move, func(f *Func, rec, tile, ws Value) {
		var r command.Rows
		get := func(o uintptr) Value { return field(f, rec, o) }
		from, count := span(f, live(f, rec, unsafe.Offsetof(r.Live)), tile, get(unsafe.Offsetof(r.Chunk)))
		x, y, xs, ys := get(unsafe.Offsetof(r.X)), get(unsafe.Offsetof(r.Y)), get(unsafe.Offsetof(r.XStride)), get(unsafe.Offsetof(r.YStride))
		fromIdx, toIdx, bytes := get(unsafe.Offsetof(r.From)), get(unsafe.Offsetof(r.To)), get(unsafe.Offsetof(r.Bytes))
		wrap := get(unsafe.Offsetof(r.Wrap))
		f.For(Const(0), count, 1, func(i Value) {
			src, dst := f.Let(from.Add(i)), f.Let(from.Add(i))
			f.If(fromIdx, func() { f.Set(src, LoadI(fromIdx.Add(src.Shl(2)), 0)) }, nil)
			f.If(toIdx, func() { f.Set(dst, LoadI(toIdx.Add(dst.Shl(2)), 0)) }, nil)
			f.If(wrap, func() { f.Set(dst, dst.Rem(wrap)) }, nil)
			f.Copy(y.Add(dst.Mul(ys)), x.Add(src.Mul(xs)), bytes)
		})
	})
	g.kernel(command.ScatterAdd, func(f *Func, rec, tile, ws Value) {
		var r command.Rows
		get := func(o uintptr) Value { return field(f, rec, o) }
		n := live(f, rec, unsafe.Offsetof(r.Live))
		from, count := span(f, f.Let(get(unsafe.Offsetof(r.Bytes)).ShrU(2)), tile, get(unsafe.Offsetof(r.Chunk)))
		x, y, xs, ys := get(unsafe.Offsetof(r.X)), get(unsafe.Offsetof(r.Y)), get(unsafe.Offsetof(r.XStride)), get(unsafe.Offsetof(r.YStride))
		to, alpha := get(unsafe.Offsetof(r.To)), f.Let(number(f, rec, unsafe.Offsetof(r.Alpha)).Splat(F32x4))
		f.Set(x, x.Add(from.Shl(2)))
		f.Set(y, y.Add(from.Shl(2)))
		f.For(Const(0), n, 1, func(i Value) {
			dst := f.Let(y.Add(LoadI(to.Add(i.Shl(2)), 0).Mul(ys)))
			each(f, count, func(at Value, put func(ptr, v Value)) {
				put(dst, LoadV(dst.Add(at), 0).Add(LoadV(x.Add(at), 0).Mul(alpha)))
			})
			f.Set(x, x.Add(xs))
		})
	})
	g.kernel(command.SumRows, func(f *Func, rec, tile, ws Value) {
		var r command.Sum
		get := func(o uintptr) Value { return field(f, rec, o) }
		n, cols := live(f, rec, unsafe.Offsetof(r.Live)), get(unsafe.Offsetof(r.Cols))
		from, count := span(f, cols, tile, get(unsafe.Offsetof(r.Chunk)))
		x, y, add := f.Let(get(unsafe.Offsetof(r.X)).Add(from.Shl(2))), f.Let(get(unsafe.Offsetof(r.Y)).Add(from.Shl(2))), get(unsafe.Offsetof(r.Add))
		f.Set(add, Select(add, add.Add(from.Shl(2)), Const(0)))
		each(f, count, func(at Value, put func(ptr, v Value)) {
			s := f.Let(VecF32(0))
			f.If(add, func() { f.Set(s, LoadV(add.Add(at), 0)) }, nil)
			p := f.Let(x.Add(at))
			f.For(Const(0), n, 1, func(Value) {
				f.Set(s, s.Add(LoadV(p, 0)))
				f.Set(p, p.Add(cols.Shl(2)))
			})
			put(y, s)
		})
	})
	g.kernel(command.RoPE, func(f *Func, rec, tile, ws Value) {
		var r command.Rotate
		get := func(o uintptr) Value { return field(f, rec, o) }
		from, count := span(f, live(f, rec, unsafe.Offsetof(r.Live)), tile, get(unsafe.Offsetof(r.Chunk)))
		cols, hd, half := get(unsafe.Offsetof(r.Cols)), get(unsafe.Offsetof(r.HeadDim)), get(unsafe.Offsetof(r.R))
		pos, sign := get(unsafe.Offsetof(r.Pos)), f.Let(number(f, rec, unsafe.Offsetof(r.Sign)).Splat(F32x4))
		cosTable, sinTable := get(unsafe.Offsetof(r.Cos)), get(unsafe.Offsetof(r.Sin))
		size := f.Let(cols.Shl(2))
		x, y := f.Let(get(unsafe.Offsetof(r.X)).Add(from.Mul(size))), f.Let(get(unsafe.Offsetof(r.Y)).Add(from.Mul(size)))
		f.For(Const(0), count, 1, func(t Value) {
			at := f.Let(LoadI(pos.Add(from.Add(t).Shl(2)), 0).Mul(half).Shl(2))
			cos, sin := f.Let(cosTable.Add(at)), f.Let(sinTable.Add(at))
			end := f.Let(x.Add(size))
			f.While(x.Ne(end), func() {
				x2, y2 := f.Let(x.Add(half.Shl(2))), f.Let(y.Add(half.Shl(2)))
				each(f, half, func(at Value, put func(ptr, v Value)) {
					c, s := f.Let(LoadV(cos.Add(at), 0)), f.Let(LoadV(sin.Add(at), 0).Mul(sign))
					a, b := f.Let(LoadV(x.Add(at), 0)), f.Let(LoadV(x2.Add(at), 0))
					put(y, a.Mul(c).Sub(b.Mul(s)))
					put(y2, b.Mul(c).Add(a.Mul(s)))
				})
				rest := f.Let(hd.Sub(half.Shl(1)))
				f.If(rest, func() {
					f.Copy(y.Add(half.Shl(3)), x.Add(half.Shl(3)), rest.Shl(2))
				}, nil)
				f.Set(x, x.Add(hd.Shl(2)))
				f.Set(y, y.Add(hd.Shl(2)))
			})
		})
	})
	g.kernel(command.Embed, func(f *Func, rec, tile, ws Value) {
		var r command.Lookup
		get := func(o uintptr) Value { return field(f, rec, o) }
		from, count := span(f, live(f, rec, unsafe.Offsetof(r.Live)), tile, get(unsafe.Offsetof(r.Chunk)))
		quants, scales, typ, width := weight(f, rec, unsafe.Offsetof(r.W))
		ids, y, scale := get(unsafe.Offsetof(r.IDs)), get(unsafe.Offsetof(r.Y)), f.Let(number(f, rec, unsafe.Offsetof(r.Scale)).Splat(F32x4))
		f.For(Const(0), count, 1, func(i Value) {
			first := f.Let(LoadI(ids.Add(from.Add(i).Shl(2)), 0).Mul(width))
			out := f.Let(y.Add(from.Add(i).Mul(width).Shl(2)))
			f.For(Const(0), width, embedChunk, func(j Value) {
				n := f.Let(MinI(width.Sub(j), Const(embedChunk)))
				f.Call(g.unpack, typ, quants, scales, first.Add(j), n, ws)
				dst := f.Let(out.Add(j.Shl(2)))
				each(f, n, func(at Value, put func(ptr, v Value)) { put(dst, LoadV(ws.Add(at), 0).Mul(scale)) })
			})
		})
	})
}

const embedChunk = 1024 // elements of a row unpacked at a time

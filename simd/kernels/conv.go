package kernels

import (
	"unsafe"

	. "prelude/simd/asm"
	"prelude/simd/command"
)

// convolutions builds the causal depthwise convolution and its backward
// (engine/causalconv.go). A tile is some columns, over all rows in order.
func (g *generator) convolutions() {
	var r command.Conv
	conv := func(k command.Kernel, row func(f *Func, get func(uintptr) Value, t, n Value, taps func(do func(wRow, xRow, isLeft Value)))) {
		g.kernel(k, func(f *Func, rec, tile, ws Value) {
			bytes := field(f, rec, unsafe.Offsetof(r.Bytes))
			from, n := span(f, f.Let(bytes.ShrU(2)), tile, field(f, rec, unsafe.Offsetof(r.Chunk)))
			// get is an operand at this tile's first column, 0 if it is not there.
			get := func(o uintptr) Value {
				p := field(f, rec, o)
				return f.Let(Select(p, p.Add(from.Shl(2)), Const(0)))
			}
			loAt, hiAt := field(f, rec, unsafe.Offsetof(r.Lo)), field(f, rec, unsafe.Offsetof(r.Hi))
			tapCount, dilation, lefts := field(f, rec, unsafe.Offsetof(r.Taps)), field(f, rec, unsafe.Offsetof(r.Dilation)), field(f, rec, unsafe.Offsetof(r.Lefts))
			f.For(Const(0), live(f, rec, unsafe.Offsetof(r.Live)), 1, func(t Value) {
				lo, i := f.Let(LoadI(loAt.Add(t.Shl(2)), 0)), f.Let(LoadI(hiAt.Add(t.Shl(2)), 0).Sub(Const(1)))
				row(f, get, f.Let(t.Mul(bytes)), n, func(do func(wRow, xRow, isLeft Value)) {
					f.For(Const(0), tapCount, 1, func(tap Value) {
						at := f.Let(i.Sub(tap.Mul(dilation)))
						isLeft := f.Let(at.Lt(lo))
						f.Set(at, Select(isLeft, lefts.Add(at).Sub(lo), at))
						f.If(at.Ge(Const(0)), func() { do(f.Let(tap.Mul(bytes)), f.Let(at.Mul(bytes)), isLeft) }, nil)
					})
				})
			})
		})
	}
	conv(command.CausalConv, func(f *Func, get func(uintptr) Value, t, n Value, taps func(func(wRow, xRow, isLeft Value))) {
		x, left, w, y := get(unsafe.Offsetof(r.X)), get(unsafe.Offsetof(r.Left)), get(unsafe.Offsetof(r.W)), f.Let(get(unsafe.Offsetof(r.Y)).Add(t))
		each(f, n, func(_ Value, put func(ptr, v Value)) { put(y, VecF32(0)) })
		taps(func(wRow, xRow, isLeft Value) {
			src, k := f.Let(Select(isLeft, left, x).Add(xRow)), f.Let(w.Add(wRow))
			each(f, n, func(at Value, put func(ptr, v Value)) {
				put(y, g.m.Madd(LoadV(k.Add(at), 0), LoadV(src.Add(at), 0), LoadV(y.Add(at), 0)))
			})
		})
	})

	conv(command.CausalConvBackward, func(f *Func, get func(uintptr) Value, t, n Value, taps func(func(wRow, xRow, isLeft Value))) {
		x, left, w, dy := get(unsafe.Offsetof(r.X)), get(unsafe.Offsetof(r.Left)), get(unsafe.Offsetof(r.W)), f.Let(get(unsafe.Offsetof(r.Y)).Add(t))
		dx, dleft, dw := get(unsafe.Offsetof(r.DX)), get(unsafe.Offsetof(r.DLeft)), get(unsafe.Offsetof(r.DW))
		taps(func(wRow, xRow, isLeft Value) {
			add := func(base, row, other, otherRow Value) {
				f.If(base, func() {
					to, from := f.Let(base.Add(row)), f.Let(other.Add(otherRow))
					each(f, n, func(at Value, put func(ptr, v Value)) {
						put(to, g.m.Madd(LoadV(dy.Add(at), 0), LoadV(from.Add(at), 0), LoadV(to.Add(at), 0)))
					})
				}, nil)
			}
			add(dw, wRow, f.Let(Select(isLeft, left, x)), xRow)
			add(f.Let(Select(isLeft, dleft, dx)), xRow, w, wRow)
		})
	})
}

package kernels

import (
	"unsafe"

	. "prelude/simd/asm"
	"prelude/simd/command"
)

// addSquares adds the squares of a vector's floats to two sums in float64.
func addSquares(f *Func, sum, v Value) {
	for _, half := range []Value{v, Shuffle4(v, v, 2, 3, 2, 3)} {
		d := f.Let(half.Convert("f64x2.promote_low_f32x4"))
		f.Set(sum, sum.Add(d.Mul(d)))
	}
}

// updates builds the gradient check and AdamW (engine/adamw.go has the formulas).
func (g *generator) updates() {
	g.kernel(command.Squares, func(f *Func, rec, tile, ws Value) {
		var r command.Check
		get := func(o uintptr) Value { return field(f, rec, o) }
		from, n := span(f, get(unsafe.Offsetof(r.Len)), tile, get(unsafe.Offsetof(r.Chunk)))
		x, s := f.Let(get(unsafe.Offsetof(r.X)).Add(from.Shl(2))), f.Local(F64x2)
		each(f, n, func(at Value, put func(ptr, v Value)) {
			v := tail(f, LoadV(x.Add(at), 0), n, at)
			addSquares(f, s, v)
		})
		f.Store(get(unsafe.Offsetof(r.Partial)).Add(tile.Shl(3)), 0, s.Lane(0).Add(s.Lane(1)))
	})
	// A sum of squares of floats is finite in float64 unless one of them is not.
	g.kernel(command.Stats, func(f *Func, rec, tile, ws Value) {
		var r command.Check
		get := func(o uintptr) Value { return field(f, rec, o) }
		partial, stats, clip := get(unsafe.Offsetof(r.Partial)), get(unsafe.Offsetof(r.Stats)), number(f, rec, unsafe.Offsetof(r.Clip))
		sq, all := f.Local(F64), f.Local(F64)
		f.For(Const(0), get(unsafe.Offsetof(r.Count)), 1, func(i Value) {
			p := f.Let(Load(F64, partial.Add(i.Shl(3)), 0))
			f.Set(all, all.Add(p))
			f.If(i.Lt(LoadI(rec, int(unsafe.Offsetof(r.Grads)))), func() { f.Set(sq, sq.Add(p)) }, nil)
		})
		norm, scale := f.Let(sq.Sqrt().Convert("f32.demote_f64")), f.Let(ConstF32(1))
		finite := all.Lt(ConstF64(1e300)).And(norm.Lt(ConstF32(3.4e38)))
		f.If(finite, func() {
			f.If(clip.Gt(ConstF32(0)).And(norm.Gt(clip)), func() { f.Set(scale, clip.Div(norm)) }, nil)
			f.Store(stats, 0, norm)
			f.Store(stats, 4, scale)
			f.Store(stats, 8, ConstF32(0))
		}, func() {
			f.Store(stats, 0, ConstF32(0))
			f.Store(stats, 4, ConstF32(0))
			f.Store(stats, 8, ConstF32(1))
		})
	})
	g.kernel(command.AdamW, func(f *Func, rec, tile, ws Value) {
		var r command.Adam
		get := func(o uintptr) Value { return field(f, rec, o) }
		num := func(o uintptr) Value { return number(f, rec, o) }
		stats, hyper := get(unsafe.Offsetof(r.Stats)), get(unsafe.Offsetof(r.Hyper))
		f.If(Load(F32, stats, 8).Ne(ConstF32(0)), func() { f.Return() }, nil)
		from, n := span(f, get(unsafe.Offsetof(r.Len)), tile, get(unsafe.Offsetof(r.Chunk)))
		ptr := func(o uintptr) Value { return f.Let(get(o).Add(from.Shl(2))) }
		p, m, v, grad := ptr(unsafe.Offsetof(r.P)), ptr(unsafe.Offsetof(r.M)), ptr(unsafe.Offsetof(r.V)), ptr(unsafe.Offsetof(r.G))
		splat := func(v Value) Value { return f.Let(v.Splat(F32x4)) }
		b1, b2, rest1, rest2 := splat(num(unsafe.Offsetof(r.Beta1))), splat(num(unsafe.Offsetof(r.Beta2))), splat(num(unsafe.Offsetof(r.Rest1))), splat(num(unsafe.Offsetof(r.Rest2)))
		eps, decay := splat(num(unsafe.Offsetof(r.Eps))), splat(num(unsafe.Offsetof(r.Decay)))
		lr := splat(Load(F32, hyper, 0).Mul(num(unsafe.Offsetof(r.Rate))))
		c1, c2, scale := f.Let(LoadSplat(hyper, 4)), f.Let(LoadSplat(hyper, 8)), f.Let(LoadSplat(stats, 4))
		each(f, n, func(at Value, put func(ptr, v Value)) {
			gi := f.Let(LoadV(grad.Add(at), 0).Mul(scale))
			mi := f.Let(b1.Mul(LoadV(m.Add(at), 0)).Add(rest1.Mul(gi)))
			vi := f.Let(b2.Mul(LoadV(v.Add(at), 0)).Add(rest2.Mul(gi).Mul(gi)))
			pi := f.Let(LoadV(p.Add(at), 0))
			put(m, mi)
			put(v, vi)
			put(p, pi.Sub(lr.Mul(mi.Mul(c1).Div(vi.Mul(c2).Sqrt().Add(eps)).Add(decay.Mul(pi)))))
		})
	})
}

package kernels

import (
	"unsafe"

	. "prelude/simd/asm"
	"prelude/simd/command"
)

// norms builds RMSNorm and LayerNorm, forward and backward (engine/norm.go has
// the formulas).
func (g *generator) norms() {
	var r command.Normal

	// moments(x, n, centre, eps, out) writes the mean (0 without centre) and
	// 1/√(variance + ε) of a group to out.
	f := g.m.Func("moments", nil, I32, I32, I32, F32, I32)
	x, n, centre, eps, out := f.Param(0), f.Param(1), f.Param(2), f.Param(3), f.Param(4)
	mean, size := f.Local(F32), f.Let(n.Convert("f32.convert_i32_s"))
	f.If(centre, func() { f.Set(mean, g.sum(f, x, n).Div(size)) }, nil)
	sq, m4 := f.Let(VecF32(0)), f.Let(mean.Splat(F32x4))
	each(f, n, func(at Value, put func(ptr, v Value)) {
		d := tail(f, LoadV(x.Add(at), 0).Sub(m4), n, at)
		f.Set(sq, g.m.Madd(d, d, sq))
	})
	f.Store(out, 0, mean)
	f.Store(out, 4, ConstF32(1).Div(f.HSum(sq).Div(size).Add(eps).Sqrt()))
	moments := f

	type row struct{ from, count, n, size, gain, plus, centre, eps Value }
	begin := func(f *Func, rec, tile Value) row {
		n := field(f, rec, unsafe.Offsetof(r.N))
		from, count := span(f, live(f, rec, unsafe.Offsetof(r.Live)), tile, field(f, rec, unsafe.Offsetof(r.Chunk)))
		return row{from, count, n, f.Let(n.Shl(2)), field(f, rec, unsafe.Offsetof(r.Gain)),
			f.Let(number(f, rec, unsafe.Offsetof(r.Plus)).Splat(F32x4)), field(f, rec, unsafe.Offsetof(r.Centre)), number(f, rec, unsafe.Offsetof(r.Eps))}
	}
	// at is an operand's first row of the tile, 0 if it is not there.
	at := func(f *Func, rec Value, w row, o uintptr) Value {
		p := field(f, rec, o)
		return f.Let(Select(p, p.Add(w.from.Mul(w.size)), Const(0)))
	}

	g.kernel(command.Norm, func(f *Func, rec, tile, ws Value) {
		w := begin(f, rec, tile)
		x, y, bias := at(f, rec, w, unsafe.Offsetof(r.X)), at(f, rec, w, unsafe.Offsetof(r.Y)), field(f, rec, unsafe.Offsetof(r.Bias))
		f.For(Const(0), w.count, 1, func(Value) {
			f.Call(moments, x, w.n, w.centre, w.eps, ws)
			mean, s := f.Let(LoadSplat(ws, 0)), f.Let(LoadSplat(ws, 4))
			each(f, w.n, func(at Value, put func(ptr, v Value)) {
				v := f.Let(LoadV(x.Add(at), 0).Sub(mean).Mul(s).Mul(LoadV(w.gain.Add(at), 0).Add(w.plus)))
				f.If(bias, func() { f.Set(v, v.Add(LoadV(bias.Add(at), 0))) }, nil)
				put(y, v)
			})
			f.Set(x, x.Add(w.size))
			f.Set(y, y.Add(w.size))
		})
	})

	g.kernel(command.NormBackward, func(f *Func, rec, tile, ws Value) {
		w := begin(f, rec, tile)
		x, dy, dx, add := at(f, rec, w, unsafe.Offsetof(r.X)), at(f, rec, w, unsafe.Offsetof(r.DY)), at(f, rec, w, unsafe.Offsetof(r.DX)), at(f, rec, w, unsafe.Offsetof(r.Add))
		keep := field(f, rec, unsafe.Offsetof(r.Moments))
		f.Set(keep, Select(keep, keep.Add(w.from.Shl(3)), Const(0)))
		over := f.Let(ConstF32(1).Div(w.n.Convert("f32.convert_i32_s")))
		f.For(Const(0), w.count, 1, func(Value) {
			f.Call(moments, x, w.n, w.centre, w.eps, ws)
			f.If(keep, func() {
				f.Store(keep, 0, Load(I64, ws, 0))
				f.Inc(keep, 8)
			}, nil)
			f.If(dx, func() {
				mean, s := f.Let(LoadSplat(ws, 0)), f.Let(LoadSplat(ws, 4))
				mu, mux := f.Let(VecF32(0)), f.Let(VecF32(0)) // means of u and of u⊙x̂
				each(f, w.n, func(at Value, put func(ptr, v Value)) {
					u := tail(f, LoadV(dy.Add(at), 0).Mul(LoadV(w.gain.Add(at), 0).Add(w.plus)), w.n, at)
					xh := tail(f, LoadV(x.Add(at), 0).Sub(mean).Mul(s), w.n, at)
					f.Set(mu, mu.Add(u))
					f.Set(mux, g.m.Madd(u, xh, mux))
				})
				f.Set(mux, f.HSum(mux).Mul(over).Splat(F32x4))
				f.If(w.centre, func() { f.Set(mu, f.HSum(mu).Mul(over).Splat(F32x4)) }, func() { f.Set(mu, VecF32(0)) })
				each(f, w.n, func(at Value, put func(ptr, v Value)) {
					u := f.Let(LoadV(dy.Add(at), 0).Mul(LoadV(w.gain.Add(at), 0).Add(w.plus)))
					xh := f.Let(LoadV(x.Add(at), 0).Sub(mean).Mul(s))
					v := f.Let(s.Mul(u.Sub(mu).Sub(xh.Mul(mux))))
					f.If(add, func() { f.Set(v, v.Add(LoadV(add.Add(at), 0))) }, nil)
					put(dx, v)
				})
				f.Set(dx, dx.Add(w.size))
				f.Set(add, Select(add, add.Add(w.size), Const(0)))
			}, nil)
			f.Set(x, x.Add(w.size))
			f.Set(dy, dy.Add(w.size))
		})
	})

	// NormGain: dgain = Σ dy⊙x̂ and dbias = Σ dy, over all groups, for Chunk columns.
	g.kernel(command.NormGain, func(f *Func, rec, tile, ws Value) {
		get := func(o uintptr) Value { return field(f, rec, o) }
		groups, n := live(f, rec, unsafe.Offsetof(r.Live)), get(unsafe.Offsetof(r.N))
		from, count := span(f, n, tile, get(unsafe.Offsetof(r.Chunk)))
		x, dy := f.Let(get(unsafe.Offsetof(r.X)).Add(from.Shl(2))), f.Let(get(unsafe.Offsetof(r.DY)).Add(from.Shl(2)))
		dgain, dbias, kept := get(unsafe.Offsetof(r.DGain)), get(unsafe.Offsetof(r.DBias)), get(unsafe.Offsetof(r.Moments))
		each(f, count, func(at Value, put func(ptr, v Value)) {
			sg, sb := f.Let(VecF32(0)), f.Let(VecF32(0))
			px, pdy, pm := f.Let(x.Add(at)), f.Let(dy.Add(at)), f.Let(kept)
			f.For(Const(0), groups, 1, func(Value) {
				d := f.Let(LoadV(pdy, 0))
				f.Set(sg, sg.Add(LoadV(px, 0).Sub(LoadSplat(pm, 0)).Mul(LoadSplat(pm, 4)).Mul(d)))
				f.Set(sb, sb.Add(d))
				f.Set(px, px.Add(n.Shl(2)))
				f.Set(pdy, pdy.Add(n.Shl(2)))
				f.Inc(pm, 8)
			})
			f.If(dgain, func() { put(f.Let(dgain.Add(from.Shl(2))), sg) }, nil)
			f.If(dbias, func() { put(f.Let(dbias.Add(from.Shl(2))), sb) }, nil)
		})
	})
}

package kernels

import (
	"unsafe"

	. "prelude/simd/asm"
	"prelude/simd/command"
)

// loss builds the softmax cross-entropy of one row of logits, which become
// their gradient (engine/crossentropy.go has the formulas). Sums over the
// vocabulary are in float64: a vocabulary has 49 152 small terms.
func (g *generator) loss() {
	g.kernel(command.CrossEntropy, func(f *Func, rec, tile, ws Value) {
		var r command.Loss
		get := func(o uintptr) Value { return field(f, rec, o) }
		f.If(tile.Ge(live(f, rec, unsafe.Offsetof(r.Live))), func() { f.Return() }, nil)
		vocab, k, rest, bias := get(unsafe.Offsetof(r.Vocab)), get(unsafe.Offsetof(r.K)), get(unsafe.Offsetof(r.Rest)), get(unsafe.Offsetof(r.Bias))
		z := f.Let(get(unsafe.Offsetof(r.Z)).Add(tile.Mul(vocab).Shl(2)))
		targets := f.Let(get(unsafe.Offsetof(r.Targets)).Add(tile.Mul(k).Shl(2)))
		weights := f.Let(get(unsafe.Offsetof(r.Weights)).Add(tile.Mul(k.Add(rest)).Shl(2)))
		own := f.Let(get(unsafe.Offsetof(r.Own)).Add(tile.Mul(k).Shl(2)))
		slopes := f.Let(get(unsafe.Offsetof(r.Slopes)).Add(tile.Mul(k).Shl(2)))
		cap := number(f, rec, unsafe.Offsetof(r.Cap))
		capped := f.Let(cap.Ne(ConstF32(0)))
		cap4, over4 := f.Let(cap.Splat(F32x4)), f.Let(ConstF32(1).Div(cap).Splat(F32x4))
		slope := func(z Value) Value { // of the cap, by the capped logits
			x := f.Let(z.Mul(over4))
			return VecF32(1).Sub(x.Mul(x))
		}

		m4 := f.Let(VecF32(-3.4e38))
		each(f, vocab, func(at Value, put func(ptr, v Value)) {
			v := f.Let(LoadV(z.Add(at), 0))
			f.If(bias, func() {
				f.Set(v, v.Add(LoadV(bias.Add(at), 0)))
				put(z, v)
			}, nil)
			f.If(capped, func() {
				f.Set(v, g.tanh(f, v.Mul(over4)).Mul(cap4))
				put(z, v)
			}, nil)
			past := iota4().Ge(vocab.Sub(at.ShrU(2)).Splat(I32x4))
			f.Set(m4, m4.Max(Select4(past, VecF32(-3.4e38), v)))
		})
		m := f.Let(f.HMax(m4))
		f.Set(m4, m.Splat(F32x4))
		// z becomes e^(z−m) after the targets' own logits are kept.
		f.For(Const(0), k, 1, func(i Value) {
			own, v := own.Add(i.Shl(2)), f.Let(Load(F32, z.Add(LoadI(targets.Add(i.Shl(2)), 0).Shl(2)), 0))
			f.Store(own, 0, v)
			f.Store(slopes.Add(i.Shl(2)), 0, ConstF32(1))
			f.If(capped, func() { f.Store(slopes.Add(i.Shl(2)), 0, slope(v.Splat(F32x4)).Lane(0)) }, nil)
		})
		sum := f.Local(F64x2)
		each(f, vocab, func(at Value, put func(ptr, v Value)) {
			e := g.exp(f, LoadV(z.Add(at), 0).Sub(m4))
			put(z, e)
			v := tail(f, e, vocab, at)
			f.Set(v, v.Add(Shuffle4(v, v, 2, 3, 2, 3)))
			f.Set(sum, sum.Add(v.Convert("f64x2.promote_low_f32x4")))
		})
		total := f.Let(sum.Lane(0).Add(sum.Lane(1)))
		lse := f.Let(m.Add(g.log(f, total.Convert("f32.demote_f64").Splat(F32x4)).Lane(0)))

		all, loss, top := f.Local(F32), f.Local(F64), f.Local(F64)
		f.For(Const(0), k, 1, func(i Value) {
			w := f.Let(Load(F32, weights.Add(i.Shl(2)), 0))
			f.Set(all, all.Add(w))
			f.Set(top, top.Add(Load(F32, z.Add(LoadI(targets.Add(i.Shl(2)), 0).Shl(2)), 0).Convert("f64.promote_f32")))
			f.If(w.Ne(ConstF32(0)), func() {
				f.Set(loss, loss.Add(w.Mul(lse.Sub(Load(F32, own.Add(i.Shl(2)), 0))).Convert("f64.promote_f32")))
			}, nil)
		})
		off := f.Let(all) // factor of p off the targets
		f.If(rest, func() {
			w := f.Let(Load(F32, weights.Add(k.Shl(2)), 0))
			f.Set(all, all.Add(w))
			// p_r = 1 − Σ p(targets), in float64
			pr := f.Let(ConstF64(1).Sub(top.Div(total)))
			f.If(pr.Lt(ConstF64(1e-12)), func() { f.Set(pr, ConstF64(1e-12)) }, nil)
			p := f.Let(pr.Convert("f32.demote_f64"))
			f.Set(off, all.Sub(w.Div(p)))
			f.If(w.Ne(ConstF32(0)), func() {
				f.Set(loss, loss.Sub(w.Mul(g.log(f, p.Splat(F32x4)).Lane(0)).Convert("f64.promote_f32")))
			}, nil)
		}, nil)
		f.Store(get(unsafe.Offsetof(r.Losses)).Add(tile.Shl(2)), 0, loss.Convert("f32.demote_f64"))
		f.If(get(unsafe.Offsetof(r.Gradient)).Not(), func() { f.Return() }, nil)

		over := f.Let(ConstF64(1).Div(total).Convert("f32.demote_f64"))
		f.For(Const(0), k, 1, func(i Value) {
			p := Load(F32, z.Add(LoadI(targets.Add(i.Shl(2)), 0).Shl(2)), 0).Mul(over)
			f.Store(own.Add(i.Shl(2)), 0, p.Mul(all).Mul(Load(F32, slopes.Add(i.Shl(2)), 0)))
		})
		factor := f.Let(off.Mul(over).Splat(F32x4))
		f.If(capped, func() { // z = m + log e^(z−m); where that is 0, so is the gradient
			each(f, vocab, func(at Value, put func(ptr, v Value)) {
				e := f.Let(LoadV(z.Add(at), 0))
				put(z, e.Mul(factor).Mul(slope(f.Let(g.log(f, e.Max(VecF32(1.2e-38))).Add(m4)))))
			})
		}, func() {
			each(f, vocab, func(at Value, put func(ptr, v Value)) { put(z, LoadV(z.Add(at), 0).Mul(factor)) })
		})
		target := func(i Value) Value { return f.Let(z.Add(LoadI(targets.Add(i.Shl(2)), 0).Shl(2))) }
		f.For(Const(0), k, 1, func(i Value) { f.Store(target(i), 0, Load(F32, own.Add(i.Shl(2)), 0)) })
		f.For(Const(0), k, 1, func(i Value) {
			to := target(i)
			f.Store(to, 0, Load(F32, to, 0).Sub(Load(F32, weights.Add(i.Shl(2)), 0).Mul(Load(F32, slopes.Add(i.Shl(2)), 0))))
		})
	})
}

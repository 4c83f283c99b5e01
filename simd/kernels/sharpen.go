package kernels

import (
	"unsafe"

	. "prelude/simd/asm"
	"prelude/simd/command"
)

const lowest = -3.4e38

// sharpen builds the kernel of command.Logits. Logits that come from a product in integers are
// off by some hundredths. In a sum over a vocabulary such errors average out, but for those of the
// few largest terms and of the targets: these are computed again in float32, with rows of W as
// they are stored.
func (g *generator) sharpen() {
	g.kernel(command.Sharpen, func(f *Func, rec, tile, ws Value) {
		var r command.Logits
		get := func(o uintptr) Value { return field(f, rec, o) }
		f.If(tile.Ge(live(f, rec, unsafe.Offsetof(r.Live))), func() { f.Return() }, nil)
		n, k := get(unsafe.Offsetof(r.N)), get(unsafe.Offsetof(r.K))
		quants, scales, typ, width := weight(f, rec, unsafe.Offsetof(r.W))
		z := f.Let(get(unsafe.Offsetof(r.Z)).Add(tile.Mul(n).Shl(2)))
		h := f.Let(get(unsafe.Offsetof(r.H)).Add(tile.Mul(k).Shl(2)))
		exact := func(to, token Value) {
			first := f.Let(token.Mul(width))
			for t, dot := range g.dots {
				f.If(typ.Eq(Const(t)), func() { f.Store(to, 0, dot.Apply(quants, scales, first, k, h)) }, nil)
			}
		}
		// largest is that of count floats at p.
		largest := func(p, count Value) Value {
			top := f.Let(VecF32(lowest))
			each(f, count, func(at Value, put func(ptr, v Value)) {
				past := iota4().Ge(count.Sub(at.ShrU(2)).Splat(I32x4))
				f.Set(top, top.Max(Select4(past, VecF32(lowest), LoadV(p.Add(at), 0))))
			})
			return f.Let(f.HMax(top))
		}
		// where v stands among count floats at p: count if it does not.
		find := func(p, count, v Value) Value {
			i := f.Let(Const(0))
			f.Block(func(found Label) {
				f.While(i.Lt(count), func() {
					f.BranchIf(found, Load(F32, p.Add(i.Shl(2)), 0).Eq(v))
					f.Inc(i, 1)
				})
			})
			return i
		}

		// Workspace: tokens and their logits, then the largest logit of each span. Logits that are
		// done are the lowest until all are.
		const values, tops = 4 * command.SharpMost, 8 * command.SharpMost
		spans, spanTops := f.Let(n.Add(Const(command.SharpSpan-1)).Div(Const(command.SharpSpan))), f.Let(ws.Add(Const(tops)))
		span := func(i Value) (p, count Value) {
			from := f.Let(i.Mul(Const(command.SharpSpan)))
			return f.Let(z.Add(from.Shl(2))), f.Let(MinI(n.Sub(from), Const(command.SharpSpan)))
		}
		refresh := func(i Value) {
			p, count := span(i)
			f.Store(spanTops.Add(i.Shl(2)), 0, largest(p, count))
		}
		f.For(Const(0), spans, 1, refresh)
		least, done := f.Let(largest(spanTops, spans).Sub(Load(F32, rec, int(unsafe.Offsetof(r.Depth))))), f.Let(Const(0))
		f.Block(func(out Label) {
			f.While(done.Lt(Const(command.SharpMost)), func() {
				top := largest(spanTops, spans)
				f.BranchIf(out, top.Ge(least).Not())
				i := find(spanTops, spans, top)
				f.BranchIf(out, i.Ge(spans))
				p, count := span(i)
				j := find(p, count, top)
				f.BranchIf(out, j.Ge(count))
				to, token := f.Let(ws.Add(done.Shl(2))), f.Let(i.Mul(Const(command.SharpSpan)).Add(j))
				f.Store(to, 0, token)
				exact(f.Let(to.Add(Const(values))), token)
				f.Store(p.Add(j.Shl(2)), 0, ConstF32(lowest))
				refresh(i)
				f.Inc(done, 1)
			})
		})
		f.For(Const(0), done, 1, func(i Value) {
			from := f.Let(ws.Add(i.Shl(2)))
			f.Store(z.Add(LoadI(from, 0).Shl(2)), 0, Load(F32, from, values))
		})
		targets, all := get(unsafe.Offsetof(r.Targets)), get(unsafe.Offsetof(r.Each))
		f.Set(targets, targets.Add(tile.Mul(all).Shl(2)))
		f.For(Const(0), all, 1, func(i Value) {
			token := f.Let(LoadI(targets.Add(i.Shl(2)), 0))
			exact(f.Let(z.Add(token.Shl(2))), token)
		})
	})
}

package kernels

import (
	"unsafe"

	"prelude/engine"
	. "prelude/simd/asm"
	"prelude/simd/command"
)

// live reads a Live whose At is at this offset of a record.
func live(f *Func, rec Value, at uintptr) Value {
	var l command.Live
	o := func(field uintptr) Value { return LoadI(rec, int(at+field)) }
	n := LoadI(o(unsafe.Offsetof(l.At)), 0).Sub(o(unsafe.Offsetof(l.Off))).Mul(o(unsafe.Offsetof(l.Times)))
	return clamped(f, n, o(unsafe.Offsetof(l.Max)))
}

// span is a tile's part [from, from+count) of n things, chunk a tile; an empty
// one returns from the kernel.
func span(f *Func, n, tile, chunk Value) (from, count Value) {
	from = f.Let(tile.Mul(chunk))
	count = f.Let(MinI(n.Sub(from), chunk))
	f.If(count.Le(Const(0)), func() { f.Return() }, nil)
	return from, count
}

// each emits a loop over n floats, four at a time: at counts bytes, and put
// stores a vector at ptr + at, without what lies past the end.
func each(f *Func, n Value, body func(at Value, put func(ptr, v Value))) {
	end := f.Let(n.Shl(2))
	f.For(Const(0), end, 16, func(at Value) {
		left := end.Sub(at)
		body(at, func(ptr, value Value) {
			to, v := f.Let(ptr.Add(at)), f.Let(value)
			f.If(left.Ge(Const(16)), func() { f.Store(to, 0, v) }, func() {
				f.Store(to, 0, v.Lane(0))
				f.If(left.Gt(Const(4)), func() { f.Store(to, 4, v.Lane(1)) }, nil)
				f.If(left.Gt(Const(8)), func() { f.Store(to, 8, v.Lane(2)) }, nil)
			})
		})
	})
}

// touch reads a number of each cache line of so many bytes at p, but for the last few, in the order in
// which they lie: far memory gives them faster so than to a kernel that reads here and there and
// computes in between. The sum, which nobody wants, goes to away.
func touch(f *Func, p, bytes, away Value) {
	const line, lines = 64, 4
	at, left, sum := f.Let(p), f.Let(bytes), f.Let(Const(0))
	f.While(left.Ge(Const(lines*line)), func() {
		for i := range lines {
			f.Set(sum, sum.Add(LoadI(at, line*i)))
		}
		f.Inc(at, lines*line)
		f.Inc(left, -lines*line)
	})
	f.Store(away, 0, sum)
}

// tail keeps of a vector what is not past the end: n floats from the start.
func tail(f *Func, v, n, at Value) Value {
	left := n.Sub(at.ShrU(2)).Splat(I32x4)
	return f.Let(v.And(iota4().Lt(left).As(F32x4)))
}

// iota4 is the vector 0, 1, 2, 3.
func iota4() Value { return Lanes(0, 1, 2, 3) }

// value and slope are fn(x) and fn′(x); alpha is a vector.
func (g *generator) value(f *Func, fn engine.UnaryFn, x, alpha Value) Value {
	switch fn {
	case engine.Scale:
		return x.Mul(alpha)
	case engine.Tanh:
		return g.tanh(f, x)
	case engine.Sigmoid:
		return g.sigmoid(f, x)
	case engine.SiLU:
		return x.Mul(g.sigmoid(f, x))
	case engine.GELU:
		return x.Mul(g.normal(f, x))
	case engine.GELUTanh:
		// ½x(1+tanh u) = x·σ(2u), which keeps the tail's relative accuracy
		return x.Mul(g.sigmoid(f, g.geluInner(f, x)))
	case engine.ReLU:
		return x.Max(VecF32(0))
	case engine.Exp:
		return g.exp(f, x)
	case engine.Log:
		return g.log(f, x)
	case engine.ELU1:
		return Select4(x.Gt(VecF32(0)), x.Add(VecF32(1)), g.exp(f, x))
	case engine.Clamp01:
		return x.Max(VecF32(0)).Min(VecF32(1))
	case engine.AddConst:
		return x.Add(alpha)
	}
	panic("kernels: unknown function")
}

const rootTwoOverPi = 0.7978845608028654

// geluInner is 2√(2/π)(x + 0.044715x³).
func (g *generator) geluInner(f *Func, x Value) Value {
	cube := f.Let(x.Mul(x).Mul(VecF32(2 * rootTwoOverPi * 0.044715)).Add(VecF32(2 * rootTwoOverPi)))
	return f.Let(x.Mul(cube))
}

func (g *generator) slope(f *Func, fn engine.UnaryFn, x, alpha Value) Value {
	one, zero := VecF32(1), VecF32(0)
	inside := func(mask Value) Value { return one.And(mask.As(F32x4)) }
	switch fn {
	case engine.Scale:
		return alpha
	case engine.Tanh:
		t := g.tanh(f, x)
		return one.Sub(t.Mul(t))
	case engine.Sigmoid:
		s := g.sigmoid(f, x)
		return s.Mul(one.Sub(s))
	case engine.SiLU:
		s := g.sigmoid(f, x)
		return s.Mul(one.Add(x.Mul(one.Sub(s))))
	case engine.GELU:
		phi := g.normal(f, x)
		density := g.exp(f, x.Mul(x).Mul(VecF32(-0.5))).Mul(VecF32(0.3989422804014327))
		return phi.Add(x.Mul(density))
	case engine.GELUTanh:
		s := g.sigmoid(f, g.geluInner(f, x))
		du := f.Let(x.Mul(x).Mul(VecF32(6 * rootTwoOverPi * 0.044715)).Add(VecF32(2 * rootTwoOverPi)))
		// s(1−s) is 0 where du·x overflows
		d := f.Let(s.Mul(one.Sub(s)))
		return s.Add(x.Mul(d).Mul(du))
	case engine.ReLU:
		return inside(x.Gt(zero))
	case engine.Exp:
		return g.exp(f, x)
	case engine.Log:
		return one.Div(x)
	case engine.ELU1:
		return Select4(x.Gt(zero), one, g.exp(f, x))
	case engine.Clamp01:
		return inside(x.Gt(zero).And(x.Lt(one)))
	case engine.AddConst:
		return one
	}
	panic("kernels: unknown function")
}

// maps builds the elementwise kernels.
func (g *generator) maps() {
	var r command.Map
	mapped := func(k command.Kernel, body func(f *Func, get func(uintptr) Value, from, n Value)) {
		g.kernel(k, func(f *Func, rec, tile, ws Value) {
			n := live(f, rec, unsafe.Offsetof(r.Live))
			from, count := span(f, n, tile, field(f, rec, unsafe.Offsetof(r.Chunk)))
			body(f, func(o uintptr) Value { return field(f, rec, o) }, from, count)
		})
	}
	alpha := func(f *Func, get func(uintptr) Value) Value {
		return f.Let(get(unsafe.Offsetof(r.Alpha)).Convert("f32.reinterpret_i32").Splat(F32x4))
	}
	// ptr is an operand's first element of this tile.
	ptr := func(f *Func, get func(uintptr) Value, from Value, o uintptr) Value {
		return f.Let(get(o).Add(from.Shl(2)))
	}
	for fn := engine.Scale; fn <= engine.AddConst; fn++ {
		mapped(command.Forward+command.Kernel(fn), func(f *Func, get func(uintptr) Value, from, n Value) {
			a, y, has := ptr(f, get, from, unsafe.Offsetof(r.A)), ptr(f, get, from, unsafe.Offsetof(r.Y)), get(unsafe.Offsetof(r.B))
			b, alpha := ptr(f, get, from, unsafe.Offsetof(r.B)), alpha(f, get)
			each(f, n, func(at Value, put func(ptr, v Value)) {
				v := f.Let(g.value(f, fn, f.Let(LoadV(a.Add(at), 0)), alpha))
				f.If(has, func() { f.Set(v, v.Mul(LoadV(b.Add(at), 0))) }, nil)
				put(y, v)
			})
		})
		mapped(command.Backward+command.Kernel(fn), func(f *Func, get func(uintptr) Value, from, n Value) {
			a, y, has := ptr(f, get, from, unsafe.Offsetof(r.A)), ptr(f, get, from, unsafe.Offsetof(r.Y)), get(unsafe.Offsetof(r.B))
			b, dy, z := ptr(f, get, from, unsafe.Offsetof(r.B)), ptr(f, get, from, unsafe.Offsetof(r.DY)), ptr(f, get, from, unsafe.Offsetof(r.Z))
			alpha := alpha(f, get)
			each(f, n, func(at Value, put func(ptr, v Value)) {
				x, d := f.Let(LoadV(a.Add(at), 0)), f.Let(LoadV(dy.Add(at), 0))
				v := f.Let(g.slope(f, fn, x, alpha).Mul(d))
				f.If(has, func() {
					f.Set(v, v.Mul(LoadV(b.Add(at), 0)))
					put(z, g.value(f, fn, x, alpha).Mul(d))
				}, nil)
				put(y, v)
			})
		})
	}

	apply := func(fn engine.BinaryFn, a, b Value) Value {
		if fn == engine.Add {
			return a.Add(b)
		}
		return a.Mul(b)
	}
	for fn := engine.Add; fn <= engine.Mul; fn++ {
		mapped(command.Flat+command.Kernel(fn), func(f *Func, get func(uintptr) Value, from, n Value) {
			a, b, y := ptr(f, get, from, unsafe.Offsetof(r.A)), ptr(f, get, from, unsafe.Offsetof(r.B)), ptr(f, get, from, unsafe.Offsetof(r.Y))
			f.If(get(unsafe.Offsetof(r.Uniform)), func() {
				single := f.Let(LoadSplat(get(unsafe.Offsetof(r.B)), 0))
				each(f, n, func(at Value, put func(ptr, v Value)) { put(y, apply(fn, LoadV(a.Add(at), 0), single)) })
			}, func() {
				each(f, n, func(at Value, put func(ptr, v Value)) { put(y, apply(fn, LoadV(a.Add(at), 0), LoadV(b.Add(at), 0))) })
			})
		})
		mapped(command.ByRow+command.Kernel(fn), func(f *Func, get func(uintptr) Value, from, n Value) {
			cols, step := get(unsafe.Offsetof(r.Cols)), get(unsafe.Offsetof(r.BRow))
			size := f.Let(cols.Shl(2))
			a, y := f.Let(get(unsafe.Offsetof(r.A)).Add(from.Mul(size))), f.Let(get(unsafe.Offsetof(r.Y)).Add(from.Mul(size)))
			b, spread := f.Let(get(unsafe.Offsetof(r.B)).Add(from.Mul(step))), get(unsafe.Offsetof(r.BCol)).Not()
			f.For(Const(0), n, 1, func(Value) {
				single := f.Let(LoadSplat(b, 0))
				each(f, cols, func(at Value, put func(ptr, v Value)) {
					w := f.Let(single)
					f.If(spread.Not(), func() { f.Set(w, LoadV(b.Add(at), 0)) }, nil)
					put(y, apply(fn, LoadV(a.Add(at), 0), w))
				})
				f.Set(a, a.Add(size))
				f.Set(y, y.Add(size))
				f.Set(b, b.Add(step))
			})
		})
	}
	mapped(command.Fill, func(f *Func, get func(uintptr) Value, from, n Value) {
		y, alpha := ptr(f, get, from, unsafe.Offsetof(r.Y)), alpha(f, get)
		each(f, n, func(at Value, put func(ptr, v Value)) { put(y, alpha) })
	})
	mapped(command.RowDot, func(f *Func, get func(uintptr) Value, from, n Value) {
		cols, b := get(unsafe.Offsetof(r.Cols)), get(unsafe.Offsetof(r.B))
		size := f.Let(cols.Shl(2))
		a, y := f.Let(get(unsafe.Offsetof(r.A)).Add(from.Mul(size))), ptr(f, get, from, unsafe.Offsetof(r.Y))
		f.Set(b, Select(b, b.Add(from.Mul(size)), Const(0)))
		f.For(Const(0), n, 1, func(Value) {
			f.If(b, func() {
				f.Store(y, 0, g.dot(f, a, b, cols))
				f.Set(b, b.Add(size))
			}, func() { f.Store(y, 0, g.sum(f, a, cols)) })
			f.Set(a, a.Add(size))
			f.Inc(y, 4)
		})
	})
	mapped(command.Largest, func(f *Func, get func(uintptr) Value, from, n Value) {
		cols := get(unsafe.Offsetof(r.Cols))
		size := f.Let(cols.Shl(2))
		x, y := f.Let(get(unsafe.Offsetof(r.A)).Add(from.Mul(size))), ptr(f, get, from, unsafe.Offsetof(r.Y))
		f.For(Const(0), n, 1, func(Value) {
			f.Store(y, 0, g.largestAt(f, x, cols).Convert("f32.convert_i32_s"))
			f.Set(x, x.Add(size))
			f.Inc(y, 4)
		})
	})
	mapped(command.SumAll, func(f *Func, get func(uintptr) Value, from, n Value) {
		x, s := get(unsafe.Offsetof(r.A)), f.Local(F64x2)
		each(f, n, func(at Value, put func(ptr, v Value)) {
			v := tail(f, LoadV(x.Add(at), 0), n, at)
			f.Set(s, s.Add(v.Convert("f64x2.promote_low_f32x4")))
			f.Set(s, s.Add(Shuffle4(v, v, 2, 3, 2, 3).Convert("f64x2.promote_low_f32x4")))
		})
		f.Store(get(unsafe.Offsetof(r.Y)), 0, s.Lane(0).Add(s.Lane(1)).Convert("f32.demote_f64"))
	})
}

// largestAt is where the first of the largest of n floats stands: the first run of them that has a
// larger one than all runs before is looked through once more. NaN is larger than nothing.
func (g *generator) largestAt(f *Func, x, n Value) Value {
	const run = 16 * 16 // bytes
	end, found, top := f.Let(n.Shl(2)), f.Let(Const(0)), f.Let(ConstF32(lowest))
	larger := func(m Value, at Value) {
		v := f.Let(f.HMax(m))
		f.If(v.Gt(top), func() {
			f.Set(top, v)
			f.Set(found, at)
		}, nil)
	}
	at, m := f.Let(Const(0)), f.Local(F32x4)
	f.While(at.Add(Const(run)).Le(end), func() {
		f.Set(m, VecF32(lowest))
		for i := range run / 16 {
			v := f.Let(LoadV(x.Add(at), 16*i))
			f.Set(m, Select4(v.Gt(m), v, m))
		}
		larger(m, at)
		f.Inc(at, run)
	})
	f.While(at.Lt(end), func() {
		v := f.Let(LoadSplat(x.Add(at), 0))
		larger(Select4(v.Gt(VecF32(lowest)), v, VecF32(lowest)), at)
		f.Inc(at, 4)
	})
	f.Block(func(out Label) {
		f.While(found.Lt(end), func() {
			f.BranchIf(out, Load(F32, x.Add(found), 0).Eq(top))
			f.Inc(found, 4)
		})
		f.Set(found, Const(0))
	})
	return found.ShrU(2)
}

// dot is ⟨a, b⟩ over n floats.
func (g *generator) dot(f *Func, a, b, n Value) Value {
	s := f.Let(VecF32(0))
	each(f, n, func(at Value, put func(ptr, v Value)) {
		// both are cut off: what lies past the end may be a NaN
		f.Set(s, g.m.Madd(tail(f, LoadV(a.Add(at), 0), n, at), tail(f, LoadV(b.Add(at), 0), n, at), s))
	})
	return f.Let(f.HSum(s))
}

// sum is Σ a over n floats.
func (g *generator) sum(f *Func, a, n Value) Value {
	s := f.Let(VecF32(0))
	each(f, n, func(at Value, put func(ptr, v Value)) { f.Set(s, s.Add(tail(f, LoadV(a.Add(at), 0), n, at))) })
	return f.Let(f.HSum(s))
}

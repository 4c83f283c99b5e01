package kernels

import (
	"unsafe"

	. "prelude/simd/asm"
	"prelude/simd/command"
)

// fewRows is a Product of a few rows as the kernel of one tile reads it: columns from,
// from+1, … of C.
type fewRows struct {
	rows, k, lda, a            Value
	from, count                Value
	quants, scales, typ, width Value
	c, ldc, bias, add, ldadd   Value
}

func readFewRows(f *Func, rec, tile Value) (x fewRows) {
	var r command.Product
	get := func(o uintptr) Value { return field(f, rec, o) }
	x.rows, x.k, x.lda, x.ldc = live(f, rec, unsafe.Offsetof(r.Live)), get(unsafe.Offsetof(r.K)), get(unsafe.Offsetof(r.LDA)), get(unsafe.Offsetof(r.LDC))
	x.from, x.count = span(f, get(unsafe.Offsetof(r.N)), tile, get(unsafe.Offsetof(r.Cols)))
	x.quants, x.scales, x.typ, x.width = weight(f, rec, unsafe.Offsetof(r.B))
	x.a, x.c, x.bias, x.add = get(unsafe.Offsetof(r.A)), get(unsafe.Offsetof(r.C)), get(unsafe.Offsetof(r.Bias)), get(unsafe.Offsetof(r.Add))
	acc := get(unsafe.Offsetof(r.Acc))
	x.ldadd = get(unsafe.Offsetof(r.LDAdd))
	f.If(acc, func() { // what is added is what stands in C
		f.Set(x.add, x.c)
		f.Set(x.ldadd, x.ldc)
	}, nil)
	return x
}

// put writes a sum, and what is added to it, into row i of C at an offset of at bytes.
func (x fewRows) put(f *Func, i, at, sum Value) {
	f.If(x.bias, func() { f.Set(sum, sum.Add(Load(F32, x.bias.Add(at), 0))) }, nil)
	f.If(x.add, func() { f.Set(sum, sum.Add(Load(F32, x.add.Add(i.Mul(x.ldadd)).Add(at), 0))) }, nil)
	f.Store(x.c.Add(i.Mul(x.ldc)).Add(at), 0, sum)
}

// Decoding multiplies a matrix by one row at a time and is bound by how fast the
// weights come from memory, so each is read once, where it lies and in its own
// type: no panels, no f32 copy. MatVec is C[m, n] = A·Wᵀ + bias + add for the few
// rows of a Product; a tile is Cols rows of W.
func (g *generator) vectors() {
	g.dots = g.rowDots()
	g.kernel(command.MatVec, func(f *Func, rec, tile, ws Value) {
		x := readFewRows(f, rec, tile)
		for t, dot := range g.dots {
			f.If(x.typ.Eq(Const(t)), func() {
				f.For(x.from, x.from.Add(x.count), 1, func(j Value) {
					first := f.Let(j.Mul(x.width))
					at := f.Let(j.Shl(2))
					f.For(Const(0), x.rows, 1, func(i Value) {
						x.put(f, i, at, f.Let(dot.Apply(x.quants, x.scales, first, x.k, x.a.Add(i.Mul(x.lda)))))
					})
				})
			}, nil)
		}
	})
}

// rowDots builds dot(quants, scales, first, k, x) for each type: k weights from
// element first on, times x.
func (g *generator) rowDots() []*Func {
	dots := make([]*Func, command.Q4_1+1)
	build := func(t int, body func(f *Func, quants, scales, first, k, x Value, sum []Value)) {
		f := g.m.Func("dot", []Type{F32}, I32, I32, I32, I32, I32)
		sum := make([]Value, 4)
		for i := range sum {
			sum[i] = f.Local(F32x4)
		}
		body(f, f.Param(0), f.Param(1), f.Param(2), f.Param(3), f.Param(4), sum)
		f.Return(f.HSum(sum[0].Add(sum[1]).Add(sum[2].Add(sum[3]))))
		dots[t] = f
	}
	// wide types: 16 elements a round, the rest four at a time.
	plain := func(t, bytes int, load func(f *Func, p Value, off int) Value) {
		build(t, func(f *Func, quants, scales, first, k, x Value, sum []Value) {
			p := f.Let(quants.Add(first.Mul(Const(bytes))))
			f.While(k.Ge(Const(16)), func() {
				for i := range sum {
					f.Set(sum[i], g.m.Madd(load(f, p, 4*bytes*i), LoadV(x, 16*i), sum[i]))
				}
				f.Inc(p, 16*bytes)
				f.Inc(x, 64)
				f.Inc(k, -16)
			})
			f.While(k.Gt(Const(0)), func() {
				f.Set(sum[0], g.m.Madd(tail(f, load(f, p, 0), k, Const(0)), tail(f, LoadV(x, 0), k, Const(0)), sum[0]))
				f.Inc(p, 4*bytes)
				f.Inc(x, 16)
				f.Inc(k, -4)
			})
		})
	}
	plain(command.F32, 4, func(f *Func, p Value, off int) Value { return LoadV(p, off) })
	plain(command.F16, 2, func(f *Func, p Value, off int) Value { return half(f.Let(Load16x4U(p, off))) })
	plain(command.BF16, 2, func(f *Func, p Value, off int) Value { return Load16x4U(p, off).Shl(16).As(F32x4) })

	// Quantised types: the sums of a block, which its scale multiplies at the end.
	blocks := func(t, bytes, scaleBytes int, block func(f *Func, src, scale, x Value, sum, part []Value) Value) {
		build(t, func(f *Func, quants, scales, first, k, x Value, sum []Value) {
			b := f.Let(first.ShrU(5))
			src, scale := f.Let(quants.Add(b.Mul(Const(bytes)))), f.Let(scales.Add(b.Mul(Const(scaleBytes))))
			part := []Value{f.Local(F32x4), f.Local(F32x4), f.Local(F32x4), f.Local(F32x4)}
			f.While(k.Gt(Const(0)), func() {
				for i := range part {
					f.Set(part[i], VecF32(0))
				}
				d := block(f, src, scale, x, sum, part)
				f.Set(sum[0], g.m.Madd(part[0].Add(part[1]).Add(part[2].Add(part[3])), d, sum[0]))
				f.Inc(src, bytes)
				f.Inc(scale, scaleBytes)
				f.Inc(x, 128)
				f.Inc(k, -32)
			})
		})
	}
	// times multiplies 16 signed bytes by x at off.
	times := func(f *Func, bytes, x Value, off int, part []Value) {
		wide(f, bytes, func(i int, v Value) {
			f.Set(part[i], g.m.Madd(v, LoadV(x, off+16*i), part[i]))
		})
	}
	blocks(command.Q8_0, 32, 2, func(f *Func, src, scale, x Value, sum, part []Value) Value {
		for h := range 2 {
			times(f, f.Let(Load(I8x16, src, 16*h)), x, 64*h, part)
		}
		return f.Let(half(f.Let(LoadU16(scale, 0).Splat(I32x4))))
	})
	blocks(command.Q4_0, 16, 2, func(f *Func, src, scale, x Value, sum, part []Value) Value {
		for h, q := range nibbles(f, src) {
			times(f, f.Let(q.Sub(VecI8(8))), x, 64*h, part)
		}
		return f.Let(half(f.Let(LoadU16(scale, 0).Splat(I32x4))))
	})
	// d·q + m: the sums of x itself, times the minimum, have a sum of their own.
	blocks(command.Q4_1, 16, 4, func(f *Func, src, scale, x Value, sum, part []Value) Value {
		xs := f.Let(VecF32(0))
		for h, q := range nibbles(f, src) {
			wide(f, q, func(i int, v Value) {
				xi := f.Let(LoadV(x, 64*h+16*i))
				f.Set(part[i], g.m.Madd(v, xi, part[i]))
				f.Set(xs, xs.Add(xi))
			})
		}
		both := f.Let(half(f.Let(Load16x4U(scale, 0))))
		f.Set(sum[1], g.m.Madd(xs, Shuffle4(both, both, 1, 1, 1, 1), sum[1]))
		return f.Let(Shuffle4(both, both, 0, 0, 0, 0))
	})
	return dots
}

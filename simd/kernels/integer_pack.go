package kernels

import (
	"unsafe"

	. "prelude/simd/asm"
	"prelude/simd/command"
)

// Packing for products in integers: pack(rec, ws, col, n, from, depth) rounds columns
// [col, col+n) and rows [from, from+depth) of a record's B into panels of 8 columns. A
// panel is a run of blocks along k,
//
//	q   steps of four k: of each column its four numbers, columns 0…3 and then 4…7
//	s   [8] f32
//	m   [8] f32, as stored alone
//
// Where numbers have 16 bits, a step is the even k of both vectors and then the odd ones.

// putNumbers stores a step's vector of columns 4·side and on: bytes of 7 bits.
func (g *generator) putNumbers(f *Func, dst Value, step, side int, v Value) {
	if g.Relaxed {
		f.Store(dst, 32*step+16*side, v)
		return
	}
	w := f.Let(v.As(I16x8))
	f.Store(dst, 64*step+16*side, w.And(VecI16(0xff)))
	f.Store(dst, 64*step+32+16*side, w.ShrU(8))
}

// weightOf reads the record's B.
func weightOf(f *Func, rec Value) (quants, scales, typ, width Value) {
	var r command.Product
	return weight(f, rec, unsafe.Offsetof(r.B))
}

// packStored takes a quantised matrix as it is stored, [n, k] with blocks along k.
func (g *generator) packStored() *Func {
	f := g.m.Func("pack_stored", nil, I32, I32, I32, I32, I32, I32)
	rec, ws, col, n, from, depth := f.Param(0), f.Param(1), f.Param(2), f.Param(3), f.Param(4), f.Param(5)
	quants, scales, typ, width := weightOf(f, rec)
	rowBlocks, blocks := f.Let(width.ShrU(5)), f.Let(depth.ShrU(5))
	const block = storedBlock
	for _, t := range []struct{ typ, bytes, scaleBytes int }{{command.Q8_0, 32, 2}, {command.Q4_0, 16, 2}, {command.Q4_1, 16, 4}} {
		f.If(typ.Eq(Const(t.typ)), func() {
			dst := f.Let(ws.Add(Const(wsIntPanels)))
			f.For(Const(0), n, nr, func(j Value) {
				var src, scale [nr]Value
				for i := range src {
					c := MinI(j.Add(Const(i)), n.Sub(Const(1))).Add(col)
					b := f.Let(c.Mul(rowBlocks).Add(from.ShrU(5)))
					src[i] = f.Let(quants.Add(b.Mul(Const(t.bytes))))
					scale[i] = f.Let(scales.Add(b.Mul(Const(t.scaleBytes))))
				}
				f.For(Const(0), blocks, 1, func(Value) {
					for side := range 2 {
						var lo, hi [4]Value // numbers 0…15 and 16…31 of four columns
						for i := range lo {
							at := src[4*side+i]
							if t.typ == command.Q8_0 {
								lo[i], hi[i] = f.Let(sevenBits(Load(I8x16, at, 0))), f.Let(sevenBits(Load(I8x16, at, 16)))
							} else {
								q := nibbles(f, at)
								lo[i], hi[i] = q[0], q[1]
							}
						}
						for part, v := range [][4]Value{lo, hi} {
							for step, w := range f.Transpose4(v) {
								g.putNumbers(f, dst, 4*part+step, side, w)
							}
						}
						at := nr*block*g.number() + 16*side
						load := LoadU16
						if t.typ == command.Q4_1 {
							load = LoadI
						}
						bits := f.Let(load(scale[4*side], 0).Splat(I32x4))
						for i := 1; i < 4; i++ {
							f.Set(bits, bits.WithLane(i, load(scale[4*side+i], 0)))
						}
						s := f.Let(half(bits))
						switch t.typ {
						case command.Q8_0: // 2·q − 128, and a half for the bit that is lost
							f.Store(dst, at, s.Mul(VecF32(2)))
							f.Store(dst, at+32, s.Mul(VecF32(-127.5)))
						case command.Q4_0:
							f.Store(dst, at, s)
							f.Store(dst, at+32, s.Mul(VecF32(-8)))
						case command.Q4_1:
							f.Store(dst, at, s)
							f.Store(dst, at+32, half(f.Let(bits.ShrU(16))))
						}
					}
					f.Inc(dst, g.bBlock(block))
					for i := range src {
						f.Inc(src[i], t.bytes)
						f.Inc(scale[i], t.scaleBytes)
					}
				})
			})
		}, nil)
	}
	return f
}

// sevenBits are signed bytes as (q + 128)/2, rounded down.
func sevenBits(q Value) Value { return q.Xor(VecI8(-128)).ShrU(1) }

// packAnew rounds a matrix of any type and order.
func (g *generator) packAnew() *Func {
	f := g.m.Func("pack_anew", nil, I32, I32, I32, I32, I32, I32)
	rec, ws, col, n, from, depth := f.Param(0), f.Param(1), f.Param(2), f.Param(3), f.Param(4), f.Param(5)
	var r command.Product
	quants, scales, typ, width := weightOf(f, rec)
	rows := f.Let(ws.Add(Const(wsBlock)))
	panel := f.Let(depth.Add(Const(anewBlock - 1)).Div(Const(anewBlock)).Mul(Const(g.bBlock(anewBlock))))
	const at = nr * anewBlock // of a block's scales, in numbers

	// over is 63/top and the scale top/63 of four columns.
	over := func(top Value) (inverse, scale Value) {
		most := f.Let(top.As(F32x4))
		some := most.Gt(VecF32(tiny))
		return f.Let(VecF32(bTop).Div(most).And(some.As(F32x4))), most.Mul(VecF32(1.0 / bTop))
	}
	// number rounds v·inverse to an integer of 7 bits, 64 being zero.
	number := func(v, inverse Value) Value {
		return v.Mul(inverse).Add(VecF32(magic + bZero)).As(I32x4).And(VecI32(127))
	}

	f.If(LoadI(rec, int(unsafe.Offsetof(r.Transposed))), func() {
		// [n, k]: a block is 64 numbers of each of a panel's columns.
		f.For(Const(0), n, nr, func(j Value) {
			dst := f.Let(ws.Add(Const(wsIntPanels)).Add(j.ShrU(3).Mul(panel)))
			f.For(Const(0), depth, anewBlock, func(l Value) {
				here := f.Let(MinI(depth.Sub(l), Const(anewBlock)))
				f.For(Const(0), Const(nr), 1, func(i Value) {
					c := MinI(j.Add(i), n.Sub(Const(1))).Add(col)
					to := f.Let(rows.Add(i.Mul(Const(unpackedRow))))
					f.Call(g.unpack, typ, quants, scales, c.Mul(width).Add(from).Add(l), here, to)
					f.Fill(to.Add(here.Shl(2)), Const(0), Const(anewBlock).Sub(here).Shl(2))
				})
				for side := range 2 {
					src := f.Let(rows.Add(Const(4 * side * unpackedRow)))
					tops := f.Let(VecI32(0))
					for i := range 4 {
						top := f.Let(VecI32(0))
						for p := range anewBlock / 4 {
							topBits(f, top, LoadV(src, i*unpackedRow+16*p))
						}
						f.Set(tops, tops.WithLane(i, hMaxI(f, top)))
					}
					inverse, scale := over(tops)
					f.Store(dst, at*g.number()+16*side, scale)
					for part := range anewBlock / 16 {
						var v [4]Value
						for i := range v {
							by := f.Let(Shuffle4(inverse, inverse, i, i, i, i))
							q := func(p int) Value { return number(LoadV(src, i*unpackedRow+64*part+16*p), by) }
							v[i] = f.Let(NarrowI8(NarrowI16(q(0), q(1)), NarrowI16(q(2), q(3))))
						}
						for step, w := range f.Transpose4(v) {
							g.putNumbers(f, dst, 4*part+step, side, w)
						}
					}
				}
				f.Inc(dst, g.bBlock(anewBlock))
			})
		})
	}, func() {
		// [k, n]: a block is 64 rows of these columns.
		f.For(Const(0), depth, anewBlock, func(l Value) {
			here := f.Let(MinI(depth.Sub(l), Const(anewBlock)))
			f.For(Const(0), Const(anewBlock), 1, func(i Value) {
				to := f.Let(rows.Add(i.Mul(Const(unpackedRow))))
				f.If(i.Lt(here), func() {
					f.Call(g.unpack, typ, quants, scales, from.Add(l).Add(i).Mul(width).Add(col), n, to)
				}, func() { f.Fill(to, Const(0), Const(unpackedRow)) })
			})
			f.For(Const(0), n, 4, func(j Value) {
				src := f.Let(rows.Add(j.Shl(2)))
				top := f.Let(VecI32(0))
				for i := range anewBlock {
					topBits(f, top, LoadV(src, i*unpackedRow))
				}
				inverse, scale := over(top)
				dst := f.Let(ws.Add(Const(wsIntPanels)).Add(j.ShrU(3).Mul(panel)).Add(l.Div(Const(anewBlock)).Mul(Const(g.bBlock(anewBlock)))).Add(j.And(Const(4)).Shl(2)))
				f.Store(dst, at*g.number(), scale)
				for step := range anewBlock / 4 {
					q := func(i int) Value { return number(LoadV(src, (4*step+i)*unpackedRow), inverse) }
					v := f.Let(q(0).Or(q(1).Shl(8)).Or(q(2).Shl(16).Or(q(3).Shl(24))))
					g.putNumbers(f, dst, step, 0, v.As(I8x16))
				}
			})
		})
	})
	return f
}

package kernels

import (
	"unsafe"

	. "prelude/simd/asm"
	"prelude/simd/command"
)

// Packing for products in integers: pack(rec, ws, panels, col, n, from, depth) rounds columns
// [col, col+n) and rows [from, from+depth) of a record's B into panels of 8 columns, one after
// another. A panel is a run of blocks along k,
//
//	q   steps of four k: of each column its four numbers, columns 0…3 and then 4…7
//	s   [8] f32
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

// packRounded rounds a matrix of any type and order.
func (g *generator) packRounded() *Func {
	f := g.m.Func("pack_rounded", nil, I32, I32, I32, I32, I32, I32, I32)
	rec, ws, panels := f.Param(0), f.Param(1), f.Param(2)
	col, n, from, depth := f.Param(3), f.Param(4), f.Param(5), f.Param(6)
	var r command.Product
	quants, scales, typ, width := weightOf(f, rec)
	rows := f.Let(ws.Add(Const(wsBlock)))
	panel := f.Let(depth.Add(Const(roundedBlock - 1)).Div(Const(roundedBlock)).Mul(Const(g.bBlock())))
	const at = nr * roundedBlock // of a block's scales, in numbers

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
			dst := f.Let(panels.Add(j.ShrU(3).Mul(panel)))
			f.For(Const(0), depth, roundedBlock, func(l Value) {
				here := f.Let(MinI(depth.Sub(l), Const(roundedBlock)))
				f.For(Const(0), Const(nr), 1, func(i Value) {
					c := MinI(j.Add(i), n.Sub(Const(1))).Add(col)
					to := f.Let(rows.Add(i.Mul(Const(unpackedRow))))
					f.Call(g.unpack, typ, quants, scales, c.Mul(width).Add(from).Add(l), here, to)
					f.Fill(to.Add(here.Shl(2)), Const(0), Const(roundedBlock).Sub(here).Shl(2))
				})
				for side := range 2 {
					src := f.Let(rows.Add(Const(4 * side * unpackedRow)))
					tops := f.Let(VecI32(0))
					for i := range 4 {
						top := f.Let(VecI32(0))
						for p := range roundedBlock / 4 {
							topBits(f, top, LoadV(src, i*unpackedRow+16*p))
						}
						f.Set(tops, tops.WithLane(i, hMaxI(f, top)))
					}
					inverse, scale := over(tops)
					f.Store(dst, at*g.number()+16*side, scale)
					for part := range roundedBlock / 16 {
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
				f.Inc(dst, g.bBlock())
			})
		})
	}, func() {
		// [k, n]: a block is 64 rows of these columns.
		f.For(Const(0), depth, roundedBlock, func(l Value) {
			here := f.Let(MinI(depth.Sub(l), Const(roundedBlock)))
			f.For(Const(0), Const(roundedBlock), 1, func(i Value) {
				to := f.Let(rows.Add(i.Mul(Const(unpackedRow))))
				f.If(i.Lt(here), func() {
					f.Call(g.unpack, typ, quants, scales, from.Add(l).Add(i).Mul(width).Add(col), n, to)
				}, func() { f.Fill(to, Const(0), Const(unpackedRow)) })
			})
			f.For(Const(0), n, 4, func(j Value) {
				src := f.Let(rows.Add(j.Shl(2)))
				top := f.Let(VecI32(0))
				for i := range roundedBlock {
					topBits(f, top, LoadV(src, i*unpackedRow))
				}
				inverse, scale := over(top)
				dst := f.Let(panels.Add(j.ShrU(3).Mul(panel)).Add(l.Div(Const(roundedBlock)).Mul(Const(g.bBlock()))).Add(j.And(Const(4)).Shl(2)))
				f.Store(dst, at*g.number(), scale)
				for step := range roundedBlock / 4 {
					q := func(i int) Value { return number(LoadV(src, (4*step+i)*unpackedRow), inverse) }
					v := f.Let(q(0).Or(q(1).Shl(8)).Or(q(2).Shl(16).Or(q(3).Shl(24))))
					g.putNumbers(f, dst, step, 0, v.As(I8x16))
				}
			})
		})
	})
	return f
}

package kernels

import (
	. "prelude/simd/asm"
	"prelude/simd/command"
)

// packing builds the two ways into a panel [k, 8].
//
// packRows(src, stride, rows, k, dst) transposes: the panel's columns are rows
// of src, stride bytes apart; from rows on the last one is repeated. It reads
// up to 12 bytes past a row's k elements and writes up to 3 rows past the panel.
//
// packColumns(src, panels, dst, step) spreads one row of src over the same row
// of panels, which are step bytes apart.
func (g *generator) packing() {
	f := g.m.Func("pack_rows", nil, I32, I32, I32, I32, I32)
	src, stride, rows, k, dst := f.Param(0), f.Param(1), f.Param(2), f.Param(3), f.Param(4)
	row := []Value{src}
	for i := 1; i < nr; i++ {
		row = append(row, f.Let(row[i-1].Add(Select(Const(i).Lt(rows), stride, Const(0)))))
	}
	f.While(k.Gt(Const(0)), func() {
		for half := range 2 {
			var tile [4]Value
			for i := range tile {
				tile[i] = f.Let(LoadV(row[4*half+i], 0))
			}
			for i, v := range f.Transpose4(tile) {
				f.Store(dst, 4*nr*i+16*half, v)
			}
		}
		for i := range row {
			f.Inc(row[i], 16)
		}
		f.Inc(dst, 4*4*nr)
		f.Inc(k, -4)
	})
	g.packRows = f

	f = g.m.Func("pack_columns", nil, I32, I32, I32, I32)
	src, panels, dst, step := f.Param(0), f.Param(1), f.Param(2), f.Param(3)
	f.While(panels.Gt(Const(0)), func() {
		lo, hi := f.Let(LoadV(src, 0)), f.Let(LoadV(src, 16))
		f.Store(dst, 0, lo)
		f.Store(dst, 16, hi)
		f.Inc(src, 4*nr)
		f.Set(dst, dst.Add(step))
		f.Inc(panels, -1)
	})
	g.packColumns = f
}

// unpacking builds unpack(type, quants, scales, first, n, dst): n elements from
// element first on, as f32. For quantised types both are whole blocks of 32;
// other types may write up to 7 elements more.
func (g *generator) unpacking() {
	f := g.m.Func("unpack", nil, I32, I32, I32, I32, I32, I32)
	typ, quants, scales, first, n, dst := f.Param(0), f.Param(1), f.Param(2), f.Param(3), f.Param(4), f.Param(5)
	is := func(t int, then func()) {
		f.If(typ.Eq(Const(t)), func() { then(); f.Return() }, nil)
	}
	// halves emits a loop over 8 elements of 16 bits at a time.
	halves := func(widen func(Value) Value) {
		src := f.Let(quants.Add(first.Shl(1)))
		f.While(n.Gt(Const(0)), func() {
			f.Store(dst, 0, widen(f.Let(Load16x4U(src, 0))))
			f.Store(dst, 16, widen(f.Let(Load16x4U(src, 8))))
			f.Inc(src, 16)
			f.Inc(dst, 32)
			f.Inc(n, -8)
		})
	}
	// blocks emits a loop over blocks of 32 elements.
	blocks := func(bytes, scaleBytes int, block func(src, scale Value)) {
		b := f.Let(first.ShrU(5))
		src := f.Let(quants.Add(b.Mul(Const(bytes))))
		scale := f.Let(scales.Add(b.Mul(Const(scaleBytes))))
		f.While(n.Gt(Const(0)), func() {
			block(src, scale)
			f.Inc(src, bytes)
			f.Inc(scale, scaleBytes)
			f.Inc(dst, 128)
			f.Inc(n, -32)
		})
	}
	is(command.F16, func() { halves(half) })
	is(command.BF16, func() {
		halves(func(h Value) Value { return h.Shl(16).As(F32x4) })
	})
	is(command.Q8_0, func() {
		blocks(32, 2, func(src, scale Value) {
			d := f.Let(half(f.Let(LoadU16(scale, 0).Splat(I32x4))))
			for h := range 2 {
				wide(f, f.Let(Load(I8x16, src, 16*h)), func(i int, v Value) { f.Store(dst, 64*h+16*i, v.Mul(d)) })
			}
		})
	})
	is(command.Q4_0, func() {
		blocks(16, 2, func(src, scale Value) {
			d := f.Let(half(f.Let(LoadU16(scale, 0).Splat(I32x4))))
			for h, q := range nibbles(f, src) {
				wide(f, f.Let(q.Sub(VecI8(8))), func(i int, v Value) { f.Store(dst, 64*h+16*i, v.Mul(d)) })
			}
		})
	})
	is(command.Q4_1, func() {
		blocks(16, 4, func(src, scale Value) {
			both := f.Let(half(f.Let(Load16x4U(scale, 0)))) // scale, minimum, and two numbers more
			d, min := f.Let(Shuffle4(both, both, 0, 0, 0, 0)), f.Let(Shuffle4(both, both, 1, 1, 1, 1))
			for h, q := range nibbles(f, src) {
				wide(f, q, func(i int, v Value) { f.Store(dst, 64*h+16*i, v.Mul(d).Add(min)) })
			}
		})
	})
	f.Copy(dst, quants.Add(first.Shl(2)), n.Shl(2))
	g.unpack = f
}

// unpackingOne builds unpack_one(type, quants, scales, i, dst): element i as f32, to the bit
// as unpack has it.
func (g *generator) unpackingOne() {
	f := g.m.Func("unpack_one", nil, I32, I32, I32, I32, I32)
	typ, quants, scales, i, dst := f.Param(0), f.Param(1), f.Param(2), f.Param(3), f.Param(4)
	is := func(t int, element func() Value) {
		f.If(typ.Eq(Const(t)), func() {
			f.Store(dst, 0, element().Lane(0))
			f.Return()
		}, nil)
	}
	block := f.Let(i.ShrU(5))
	halfAt := func(at Value, off int) Value { return half(f.Let(LoadU16(at, off).Splat(I32x4))) }
	number := func(q Value) Value { return q.Splat(I32x4).Convert("f32x4.convert_i32x4_s") }
	nibble := func() Value {
		q := f.Let(LoadU8(quants.Add(block.Shl(4)).Add(i.And(Const(15))), 0))
		f.If(i.And(Const(16)), func() { f.Set(q, q.ShrU(4)) }, nil)
		return q.And(Const(15))
	}
	is(command.F16, func() Value { return halfAt(quants.Add(i.Shl(1)), 0) })
	is(command.BF16, func() Value { return LoadU16(quants.Add(i.Shl(1)), 0).Shl(16).Splat(I32x4).As(F32x4) })
	is(command.Q8_0, func() Value { return number(LoadS8(quants.Add(i), 0)).Mul(halfAt(scales.Add(block.Shl(1)), 0)) })
	is(command.Q4_0, func() Value { return number(nibble().Sub(Const(8))).Mul(halfAt(scales.Add(block.Shl(1)), 0)) })
	is(command.Q4_1, func() Value {
		at := f.Let(scales.Add(block.Shl(2)))
		return number(nibble()).Mul(halfAt(at, 0)).Add(halfAt(at, 2))
	})
	f.Store(dst, 0, Load(F32, quants.Add(i.Shl(2)), 0))
	g.unpackOne = f
}

// half widens four binary16 numbers in the low halves of an i32x4. Exponent and
// fraction are moved into place and 2¹¹² corrects the exponent's bias, which is
// exact for subnormals too; infinities, which weights do not have, become 65536.
func half(h Value) Value {
	magnitude := h.And(VecI32(0x7fff)).Shl(13).As(F32x4).Mul(VecF32(0x1p112))
	return magnitude.Or(h.And(VecI32(0x8000)).Shl(16).As(F32x4))
}

// wide spreads 16 signed bytes over four f32x4, and hands each on with its place.
func wide(f *Func, bytes Value, do func(i int, v Value)) {
	for h, to16 := range []string{"i16x8.extend_low_i8x16_s", "i16x8.extend_high_i8x16_s"} {
		w := f.Let(bytes.Convert(to16))
		for q, to32 := range []string{"i32x4.extend_low_i16x8_s", "i32x4.extend_high_i16x8_s"} {
			do(2*h+q, w.Convert(to32).Convert("f32x4.convert_i32x4_s"))
		}
	}
}

// nibbles are a block's 32 numbers of 4 bits: the low ones, then the high ones.
func nibbles(f *Func, src Value) [2]Value { return nibblesAt(f, src, 0) }

func nibblesAt(f *Func, src Value, off int) [2]Value {
	q := f.Let(Load(I8x16, src, off))
	return [2]Value{f.Let(q.And(VecI8(15))), f.Let(q.ShrU(4))}
}

package asm

// Splat fills a vector's lanes with a scalar.
func (v Value) Splat(t Type) Value {
	op, ok := map[Type]int{I8x16: 15, I16x8: 16, I32x4: 17, F32x4: 19, F64x2: 20}[t]
	check(ok, "splat to %v", t)
	return apply(t, simd(op), v)
}

// Lane is one lane of an f32x4, f64x2 or i32x4.
func (v Value) Lane(i int) Value {
	switch v.Type {
	case F32x4:
		return apply(F32, append(simd(31), byte(i)), v)
	case F64x2:
		return apply(F64, append(simd(33), byte(i)), v)
	case I32x4:
		return apply(I32, append(simd(27), byte(i)), v)
	}
	panic("asm: lane of " + v.Type.String())
}

// WithLane is an i32x4 with one lane replaced by an i32.
func (v Value) WithLane(i int, w Value) Value {
	check(v.Type == I32x4 && w.Type == I32, "lane of %v set to %v", v.Type, w.Type)
	return apply(I32x4, append(simd(28), byte(i)), v, w)
}

// Select4 picks per bit: mask ? v : w.
func Select4(mask, v, w Value) Value {
	check(mask.Type.vector(), "bitselect by %v", mask.Type)
	check(v.Type == w.Type, "bitselect of %v and %v", v.Type, w.Type)
	return apply(v.Type, simd(82), v, w, mask)
}

// Shuffle4 picks four 32-bit lanes out of v (0…3) and w (4…7).
func Shuffle4(v, w Value, lanes ...int) Value {
	check(v.Type == w.Type && len(lanes) == 4, "shuffle of %v and %v", v.Type, w.Type)
	op := simd(13)
	for _, l := range lanes {
		for b := range 4 {
			op = append(op, byte(4*l+b))
		}
	}
	return apply(v.Type, op, v, w)
}

// Shuffle8 picks eight 16-bit lanes out of v (0…7) and w (8…15).
func Shuffle8(v, w Value, lanes ...int) Value {
	check(v.Type == w.Type && len(lanes) == 8, "shuffle of %v and %v", v.Type, w.Type)
	op := simd(13)
	for _, l := range lanes {
		op = append(op, byte(2*l), byte(2*l+1))
	}
	return apply(v.Type, op, v, w)
}

// Transpose4 transposes a 4×4 tile held in four f32x4.
func (f *Func) Transpose4(r [4]Value) [4]Value {
	t0 := f.Let(Shuffle4(r[0], r[1], 0, 4, 1, 5))
	t1 := f.Let(Shuffle4(r[0], r[1], 2, 6, 3, 7))
	t2 := f.Let(Shuffle4(r[2], r[3], 0, 4, 1, 5))
	t3 := f.Let(Shuffle4(r[2], r[3], 2, 6, 3, 7))
	return [4]Value{
		Shuffle4(t0, t2, 0, 1, 4, 5), Shuffle4(t0, t2, 2, 3, 6, 7),
		Shuffle4(t1, t3, 0, 1, 4, 5), Shuffle4(t1, t3, 2, 3, 6, 7),
	}
}

// Madd is a·b + c on f32x4: fused where the module is relaxed.
func (m *Module) Madd(a, b, c Value) Value {
	check(a.Type == F32x4 && b.Type == F32x4 && c.Type == F32x4, "madd of %v, %v, %v", a.Type, b.Type, c.Type)
	if m.Relaxed {
		return apply(F32x4, simd(0x105), a, b, c)
	}
	return a.Mul(b).Add(c)
}

// HSum is the sum of an f32x4's lanes, (0+2)+(1+3).
func (f *Func) HSum(v Value) Value {
	a := f.Let(v)
	b := f.Let(a.Add(Shuffle4(a, a, 2, 3, 0, 1)))
	return b.Lane(0).Add(b.Lane(1))
}

// HMax is the largest of an f32x4's lanes.
func (f *Func) HMax(v Value) Value {
	a := f.Let(v)
	b := f.Let(a.Max(Shuffle4(a, a, 2, 3, 0, 1)))
	return b.Lane(0).Max(b.Lane(1))
}

// conversions by name: opcode, operand type, result type. Opcodes below 0 are
// plain one-byte instructions.
var conversions = map[string]struct {
	op       int
	from, to Type
}{
	"f32x4.convert_i32x4_s":       {250, I32x4, F32x4},
	"i32x4.trunc_sat_f32x4_s":     {248, F32x4, I32x4},
	"i16x8.extend_low_i8x16_s":    {135, I8x16, I16x8},
	"i16x8.extend_high_i8x16_s":   {136, I8x16, I16x8},
	"i16x8.extend_low_i8x16_u":    {137, I8x16, I16x8},
	"i16x8.extend_high_i8x16_u":   {138, I8x16, I16x8},
	"i32x4.extend_low_i16x8_s":    {167, I16x8, I32x4},
	"i32x4.extend_high_i16x8_s":   {168, I16x8, I32x4},
	"i32x4.extend_low_i16x8_u":    {169, I16x8, I32x4},
	"i32x4.extend_high_i16x8_u":   {170, I16x8, I32x4},
	"i32x4.extadd_pairwise_i16x8": {126, I16x8, I32x4},
	"i16x8.extadd_pairwise_i8x16": {124, I8x16, I16x8},
	"f64x2.promote_low_f32x4":     {95, F32x4, F64x2},
	"f32x4.demote_f64x2_zero":     {94, F64x2, F32x4},
	"f32.convert_i32_s":           {-0xb2, I32, F32},
	"f32.convert_i32_u":           {-0xb3, I32, F32},
	"f32.demote_f64":              {-0xb6, F64, F32},
	"f64.promote_f32":             {-0xbb, F32, F64},
	"f64.convert_i32_s":           {-0xb7, I32, F64},
	"f32.reinterpret_i32":         {-0xbe, I32, F32},
	"i32.reinterpret_f32":         {-0xbc, F32, I32},
	"i32.trunc_f32_s":             {-0xa8, F32, I32},
	"i32.wrap_i64":                {-0xa7, I64, I32},
	"i8x16.any_true":              {83, I8x16, I32},
	"i32x4.any_true":              {83, I32x4, I32},
	"i32x4.all_true":              {163, I32x4, I32},
	"i32x4.bitmask":               {164, I32x4, I32},
}

// Convert applies a conversion by its name in the specification.
func (v Value) Convert(name string) Value {
	c, ok := conversions[name]
	check(ok && c.from == v.Type, "%s of %v", name, v.Type)
	if c.op < 0 {
		return apply(c.to, []byte{byte(-c.op)}, v)
	}
	return apply(c.to, simd(c.op), v)
}

// DotI16 is i32x4.dot_i16x8_s: products of 16-bit lanes, summed in pairs.
func DotI16(v, w Value) Value {
	check(v.Type == I16x8 && w.Type == I16x8, "dot of %v and %v", v.Type, w.Type)
	return apply(I32x4, simd(186), v, w)
}

// NarrowI16 is i16x8.narrow_i32x4_s: the lanes of v and w, kept within 16 bits.
func NarrowI16(v, w Value) Value {
	check(v.Type == I32x4 && w.Type == I32x4, "narrow %v and %v", v.Type, w.Type)
	return apply(I16x8, simd(133), v, w)
}

// DotI8 is i32x4.relaxed_dot_i8x16_i7x16_add_s: products of the signed bytes of v with
// the bytes of w, summed in fours and added to c. W has 7 bits, 0 to 127: with more,
// machines differ.
func DotI8(v, w, c Value) Value {
	check(v.Type == I8x16 && w.Type == I8x16 && c.Type == I32x4, "dot of %v and %v, added to %v", v.Type, w.Type, c.Type)
	return apply(I32x4, simd(0x113), v, w, c)
}

// DotPairs is i16x8.relaxed_dot_i8x16_i7x16_s: products of the signed bytes of v with the
// bytes of w, summed in pairs. W has 7 bits, as for DotI8.
func DotPairs(v, w Value) Value {
	check(v.Type == I8x16 && w.Type == I8x16, "dot of %v and %v", v.Type, w.Type)
	return apply(I16x8, simd(0x112), v, w)
}

// NarrowI8 is i8x16.narrow_i16x8_s: the lanes of v and w, kept within 8 bits.
func NarrowI8(v, w Value) Value {
	check(v.Type == I16x8 && w.Type == I16x8, "narrow %v and %v", v.Type, w.Type)
	return apply(I8x16, simd(101), v, w)
}

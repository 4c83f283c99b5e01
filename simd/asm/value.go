package asm

// Value is an expression: its type, and the code that pushes it. A variable
// ([Func.Local], [Func.Let]) is a Value that [Func.Set] can assign.
type Value struct {
	Type     Type
	code     []byte
	variable int // 1 + the local's index; 0 for other expressions
}

// Const is an i32 constant.
func Const(v int) Value {
	return Value{Type: I32, code: append([]byte{0x41}, sleb(int64(int32(v)))...)}
}

// ConstI64 is an i64 constant.
func ConstI64(v int64) Value { return Value{Type: I64, code: append([]byte{0x42}, sleb(v)...)} }

// ConstF32 is an f32 constant.
func ConstF32(v float32) Value { return Value{Type: F32, code: append([]byte{0x43}, f32bytes(v)...)} }

// ConstF64 is an f64 constant.
func ConstF64(v float64) Value { return Value{Type: F64, code: append([]byte{0x44}, f64bytes(v)...)} }

// VecF32 is an f32x4 constant with v in every lane.
func VecF32(v float32) Value {
	b := []byte{0xfd, 12}
	for range 4 {
		b = append(b, f32bytes(v)...)
	}
	return Value{Type: F32x4, code: b}
}

// VecI32 is an i32x4 constant with v in every lane.
func VecI32(v int32) Value {
	b := []byte{0xfd, 12}
	for range 4 {
		b = append(b, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
	}
	return Value{Type: I32x4, code: b}
}

// VecI8 is an i8x16 constant with v in every lane.
func VecI8(v int8) Value {
	b := []byte{0xfd, 12}
	for range 16 {
		b = append(b, byte(v))
	}
	return Value{Type: I8x16, code: b}
}

// VecI16 is an i16x8 constant with v in every lane.
func VecI16(v int16) Value {
	b := []byte{0xfd, 12}
	for range 8 {
		b = append(b, byte(v), byte(v>>8))
	}
	return Value{Type: I16x8, code: b}
}

// As reads a vector's bits as another vector type.
func (v Value) As(t Type) Value {
	check(v.Type.vector() && t.vector(), "%v as %v", v.Type, t)
	return Value{Type: t, code: v.code}
}

func simd(op int) []byte { return append([]byte{0xfd}, uleb(uint64(op))...) }

// apply joins operands and an instruction.
func apply(t Type, op []byte, args ...Value) Value {
	var code []byte
	for _, a := range args {
		code = append(code, a.code...)
	}
	return Value{Type: t, code: append(code, op...)}
}

// ops maps an operation's name to its opcode by type: one byte, or for
// vectors the number after 0xfd.
var ops = map[string]map[Type]int{
	"add": {I32: 0x6a, I64: 0x7c, F32: 0x92, F64: 0xa0, F32x4: 228, F64x2: 240, I32x4: 174, I16x8: 142, I8x16: 110},
	"sub": {I32: 0x6b, I64: 0x7d, F32: 0x93, F64: 0xa1, F32x4: 229, F64x2: 241, I32x4: 177, I16x8: 145, I8x16: 113},
	"mul": {I32: 0x6c, I64: 0x7e, F32: 0x94, F64: 0xa2, F32x4: 230, F64x2: 242, I32x4: 181, I16x8: 149},
	"div": {I32: 0x6e, F32: 0x95, F64: 0xa3, F32x4: 231, F64x2: 243}, // i32: unsigned
	"rem": {I32: 0x70},                                               // unsigned
	"min": {F32: 0x96, F64: 0xa4, F32x4: 234, I32x4: 182},            // f32x4: pmin
	"max": {F32: 0x97, F64: 0xa5, F32x4: 235, I32x4: 184},            // f32x4: pmax
	"and": {I32: 0x71, F32x4: 78, I32x4: 78, I16x8: 78, I8x16: 78},
	"or":  {I32: 0x72, F32x4: 80, I32x4: 80, I16x8: 80, I8x16: 80},
	"xor": {I32: 0x73, F32x4: 81, I32x4: 81, I16x8: 81, I8x16: 81},
	"eq":  {I32: 0x46, F32: 0x5b, F32x4: 65, I32x4: 55},
	"ne":  {I32: 0x47, F32: 0x5c, F32x4: 66, I32x4: 56},
	"lt":  {I32: 0x48, F32: 0x5d, F64: 0x63, F32x4: 67, I32x4: 57}, // integers: signed
	"gt":  {I32: 0x4a, F32: 0x5e, F64: 0x64, F32x4: 68, I32x4: 59},
	"le":  {I32: 0x4c, F32: 0x5f, F64: 0x65, F32x4: 69, I32x4: 61},
	"ge":  {I32: 0x4e, F32: 0x60, F64: 0x66, F32x4: 70, I32x4: 63},

	"neg":     {F32: 0x8c, F64: 0x9a, F32x4: 225, I32x4: 161},
	"abs":     {F32: 0x8b, F64: 0x99, F32x4: 224, I32x4: 160},
	"sqrt":    {F32: 0x91, F64: 0x9f, F32x4: 227, F64x2: 239},
	"nearest": {F32: 0x90, F32x4: 106},
	"floor":   {F32: 0x8e, F32x4: 104},
}

func opcode(name string, t Type) []byte {
	op, ok := ops[name][t]
	check(ok, "no %s of %v", name, t)
	if t.vector() {
		return simd(op)
	}
	return []byte{byte(op)}
}

func (v Value) binary(name string, w Value) Value {
	check(v.Type == w.Type, "%s of %v and %v", name, v.Type, w.Type)
	return apply(v.Type, opcode(name, v.Type), v, w)
}

// compare gives an i32 for scalars, a mask of lanes for vectors.
func (v Value) compare(name string, w Value) Value {
	c := v.binary(name, w)
	switch v.Type {
	case F32x4:
		c.Type = I32x4
	case I32, I64, F32, F64:
		c.Type = I32
	}
	return c
}

func (v Value) unary(name string) Value { return apply(v.Type, opcode(name, v.Type), v) }

// Add is v + w.
func (v Value) Add(w Value) Value { return v.binary("add", w) }

// Sub is v - w.
func (v Value) Sub(w Value) Value { return v.binary("sub", w) }

// Mul is v · w.
func (v Value) Mul(w Value) Value { return v.binary("mul", w) }

// Div is v / w; integers are unsigned.
func (v Value) Div(w Value) Value { return v.binary("div", w) }

// Rem is the unsigned remainder of v / w.
func (v Value) Rem(w Value) Value { return v.binary("rem", w) }

// Min is the smaller one; for f32x4 w < v ? w : v (one instruction on x86).
func (v Value) Min(w Value) Value { return v.binary("min", w) }

// Max is the larger one; for f32x4 v < w ? w : v (one instruction on x86).
func (v Value) Max(w Value) Value { return v.binary("max", w) }

// And is the bitwise and.
func (v Value) And(w Value) Value { return v.binary("and", w) }

// Or is the bitwise or.
func (v Value) Or(w Value) Value { return v.binary("or", w) }

// Xor is the bitwise exclusive or.
func (v Value) Xor(w Value) Value { return v.binary("xor", w) }

// Eq compares for equality.
func (v Value) Eq(w Value) Value { return v.compare("eq", w) }

// Ne compares for inequality.
func (v Value) Ne(w Value) Value { return v.compare("ne", w) }

// Lt is v < w, signed.
func (v Value) Lt(w Value) Value { return v.compare("lt", w) }

// Gt is v > w, signed.
func (v Value) Gt(w Value) Value { return v.compare("gt", w) }

// Le is v ≤ w, signed.
func (v Value) Le(w Value) Value { return v.compare("le", w) }

// Ge is v ≥ w, signed.
func (v Value) Ge(w Value) Value { return v.compare("ge", w) }

// Neg is -v.
func (v Value) Neg() Value { return v.unary("neg") }

// Abs is |v|.
func (v Value) Abs() Value { return v.unary("abs") }

// Sqrt is √v.
func (v Value) Sqrt() Value { return v.unary("sqrt") }

// Nearest rounds to the nearest integer, ties to even.
func (v Value) Nearest() Value { return v.unary("nearest") }

// Floor rounds down.
func (v Value) Floor() Value { return v.unary("floor") }

// shift opcodes: left, right arithmetic, right logical.
var shifts = map[Type][3]int{I32: {0x74, 0x75, 0x76}, I8x16: {107, 108, 109}, I16x8: {139, 140, 141}, I32x4: {171, 172, 173}}

func (v Value) shift(kind, n int) Value {
	op, ok := shifts[v.Type]
	check(ok, "shift of %v", v.Type)
	if v.Type.vector() {
		return apply(v.Type, simd(op[kind]), v, Const(n))
	}
	return apply(v.Type, []byte{byte(op[kind])}, v, Const(n))
}

// Shl shifts left by a constant.
func (v Value) Shl(n int) Value { return v.shift(0, n) }

// ShrS shifts right by a constant, keeping the sign.
func (v Value) ShrS(n int) Value { return v.shift(1, n) }

// ShrU shifts right by a constant, filling with zeros.
func (v Value) ShrU(n int) Value { return v.shift(2, n) }

// MinI is the smaller of two i32 by a select.
func MinI(v, w Value) Value { return Select(v.Lt(w), v, w) }

// Select is cond ? v : w for an i32 condition; both sides are computed.
func Select(cond, v, w Value) Value {
	check(cond.Type == I32 && v.Type == w.Type, "select of %v and %v by %v", v.Type, w.Type, cond.Type)
	if v.Type.vector() {
		return apply(v.Type, []byte{0x1c, 1, 0x7b}, v, w, cond)
	}
	return apply(v.Type, []byte{0x1b}, v, w, cond)
}

// Not is 1 for an i32 of zero and 0 otherwise.
func (v Value) Not() Value {
	check(v.Type == I32, "not of %v", v.Type)
	return apply(I32, []byte{0x45}, v)
}

// Lanes is an i32x4 constant.
func Lanes(a, b, c, d int32) Value {
	code := []byte{0xfd, 12}
	for _, v := range []int32{a, b, c, d} {
		code = append(code, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
	}
	return Value{Type: I32x4, code: code}
}

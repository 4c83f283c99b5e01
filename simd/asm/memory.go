package asm

// memarg encodes alignment (log2, only a hint) and a constant offset.
func memarg(align byte, off int) []byte { return append([]byte{align}, uleb(uint64(off))...) }

// Load reads a value of type t from ptr + off.
func Load(t Type, ptr Value, off int) Value {
	check(ptr.Type == I32 && off >= 0, "load at %v + %d", ptr.Type, off)
	if t.vector() {
		return apply(t, append(simd(0), memarg(2, off)...), ptr)
	}
	op := map[Type]byte{I32: 0x28, I64: 0x29, F32: 0x2a, F64: 0x2b}[t]
	return apply(t, append([]byte{op}, memarg(2, off)...), ptr)
}

// LoadI reads an i32.
func LoadI(ptr Value, off int) Value { return Load(I32, ptr, off) }

// LoadV reads an f32x4.
func LoadV(ptr Value, off int) Value { return Load(F32x4, ptr, off) }

// LoadU8 reads a byte as an i32.
func LoadU8(ptr Value, off int) Value {
	return apply(I32, append([]byte{0x2d}, memarg(0, off)...), ptr)
}

// LoadS8 reads a signed byte as an i32.
func LoadS8(ptr Value, off int) Value {
	return apply(I32, append([]byte{0x2c}, memarg(0, off)...), ptr)
}

// LoadU16 reads 16 bits as an i32.
func LoadU16(ptr Value, off int) Value {
	return apply(I32, append([]byte{0x2f}, memarg(1, off)...), ptr)
}

// LoadSplat reads an f32 into every lane.
func LoadSplat(ptr Value, off int) Value {
	return apply(F32x4, append(simd(9), memarg(2, off)...), ptr)
}

// LoadSplatI reads an i32 into every lane.
func LoadSplatI(ptr Value, off int) Value {
	return apply(I32x4, append(simd(9), memarg(2, off)...), ptr)
}

// LoadLow64 reads eight bytes into the lower half, zeros above.
func LoadLow64(t Type, ptr Value, off int) Value {
	return apply(t, append(simd(93), memarg(2, off)...), ptr)
}

// Load16x4U reads four 16-bit numbers, widened to i32x4.
func Load16x4U(ptr Value, off int) Value {
	return apply(I32x4, append(simd(4), memarg(1, off)...), ptr)
}

// Load8x8S reads eight signed bytes, widened to i16x8.
func Load8x8S(ptr Value, off int) Value {
	return apply(I16x8, append(simd(1), memarg(0, off)...), ptr)
}

// Store writes v to ptr + off.
func (f *Func) Store(ptr Value, off int, v Value) {
	check(ptr.Type == I32 && off >= 0, "%s: store at %v + %d", f.name, ptr.Type, off)
	op := simd(11)
	if !v.Type.vector() {
		op = []byte{map[Type]byte{I32: 0x36, I64: 0x37, F32: 0x38, F64: 0x39}[v.Type]}
	}
	f.code = append(f.code, apply(v.Type, append(op, memarg(2, off)...), ptr, v).code...)
}

// StoreU8 writes the low byte of an i32.
func (f *Func) StoreU8(ptr Value, off int, v Value) {
	f.code = append(f.code, apply(I32, append([]byte{0x3a}, memarg(0, off)...), ptr, v).code...)
}

// StoreU16 writes the low 16 bits of an i32.
func (f *Func) StoreU16(ptr Value, off int, v Value) {
	f.code = append(f.code, apply(I32, append([]byte{0x3b}, memarg(1, off)...), ptr, v).code...)
}

// Copy moves n bytes.
func (f *Func) Copy(dst, src, n Value) {
	f.code = append(f.code, apply(I32, []byte{0xfc, 10, 0, 0}, dst, src, n).code...)
}

// Fill writes n bytes of the same value.
func (f *Func) Fill(dst, value, n Value) {
	f.code = append(f.code, apply(I32, []byte{0xfc, 11, 0}, dst, value, n).code...)
}

// Atomics, sequentially consistent; addresses are multiples of four.

// AtomicLoad reads an i32.
func AtomicLoad(ptr Value, off int) Value {
	return apply(I32, append([]byte{0xfe, 0x10}, memarg(2, off)...), ptr)
}

// AtomicStore writes an i32.
func (f *Func) AtomicStore(ptr Value, off int, v Value) {
	f.code = append(f.code, apply(I32, append([]byte{0xfe, 0x17}, memarg(2, off)...), ptr, v).code...)
}

// AtomicAdd adds v and is the value before.
func AtomicAdd(ptr Value, off int, v Value) Value {
	return apply(I32, append([]byte{0xfe, 0x1e}, memarg(2, off)...), ptr, v)
}

// AtomicWait sleeps while the i32 at ptr + off is old: 0 woken, 1 not equal,
// 2 after ns nanoseconds.
func AtomicWait(ptr Value, off int, old, ns Value) Value {
	return apply(I32, append([]byte{0xfe, 0x01}, memarg(2, off)...), ptr, old, ns)
}

// AtomicNotify wakes up to n sleepers and is how many there were.
func AtomicNotify(ptr Value, off int, n Value) Value {
	return apply(I32, append([]byte{0xfe, 0x00}, memarg(2, off)...), ptr, n)
}

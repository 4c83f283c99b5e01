package asm

import (
	"fmt"
	"math"
)

// Type is the type of a value: WebAssembly's number types, and v128 by lanes.
type Type byte

// The types. The vector types are all v128 to WebAssembly.
const (
	I32 Type = iota
	I64
	F32
	F64
	F32x4
	F64x2
	I32x4
	I16x8
	I8x16
)

func (t Type) String() string {
	return [...]string{"i32", "i64", "f32", "f64", "f32x4", "f64x2", "i32x4", "i16x8", "i8x16"}[t]
}

func (t Type) vector() bool { return t >= F32x4 }

// wire is the type's byte in the binary format.
func (t Type) wire() byte {
	if t.vector() {
		return 0x7b
	}
	return 0x7f - byte(t)
}

// Module collects functions and writes them as one binary module.
type Module struct {
	// Relaxed makes Madd a fused f32x4.relaxed_madd; without it the product
	// is rounded before the sum.
	Relaxed bool

	imports []*Func
	funcs   []*Func
	exports []*Func
	table   []*Func
	memory  struct {
		imported, shared bool
		min, max         uint32
	}
}

// NewModule returns an empty module.
func NewModule() *Module { return &Module{} }

// OwnMemory gives the module a memory of its own of min to max 64 KiB pages,
// exported as "memory".
func (m *Module) OwnMemory(min, max uint32) {
	m.memory.imported, m.memory.min, m.memory.max = false, min, max
}

// SharedMemory imports a shared memory as env.memory. A memory with a smaller
// maximum than max fits too.
func (m *Module) SharedMemory(min, max uint32) {
	m.memory.imported, m.memory.shared, m.memory.min, m.memory.max = true, true, min, max
}

// Import declares env.name. Imports come before all functions.
func (m *Module) Import(name string, results []Type, params ...Type) *Func {
	if len(m.funcs) > 0 {
		panic("asm: import of " + name + " after a function")
	}
	f := &Func{m: m, name: name, params: params, results: results, index: uint32(len(m.imports))}
	m.imports = append(m.imports, f)
	return f
}

// Func adds a function; its body is what is emitted to it.
func (m *Module) Func(name string, results []Type, params ...Type) *Func {
	f := &Func{m: m, name: name, params: params, results: results, index: uint32(len(m.imports) + len(m.funcs))}
	for i, t := range params {
		f.locals = append(f.locals, local(t, i))
	}
	m.funcs = append(m.funcs, f)
	return f
}

// Export makes f callable from outside under its name.
func (m *Module) Export(f *Func) { m.exports = append(m.exports, f) }

// Slot puts f into the table of functions and returns its place there.
// Slot 0 is never given out.
func (m *Module) Slot(f *Func) int {
	m.table = append(m.table, f)
	return len(m.table)
}

// Bytes returns the binary module.
func (m *Module) Bytes() []byte {
	all := append(append([]*Func{}, m.imports...), m.funcs...)
	var types [][]byte
	typeIndex := map[string]uint64{}
	typeOf := func(f *Func) uint64 {
		key := string(f.signature())
		i, ok := typeIndex[key]
		if !ok {
			i = uint64(len(types))
			typeIndex[key] = i
			types = append(types, []byte(key))
		}
		return i
	}
	for _, f := range all {
		typeOf(f)
		for _, c := range f.indirect {
			typeOf(&Func{params: c.params, results: c.results})
		}
	}

	out := []byte{0, 'a', 's', 'm', 1, 0, 0, 0}
	section := func(id byte, items [][]byte) {
		if len(items) > 0 {
			out = append(out, id)
			out = append(out, sized(vector(items))...)
		}
	}
	section(1, types)

	var imports [][]byte
	for _, f := range m.imports {
		imports = append(imports, append(append(str("env"), str(f.name)...), append([]byte{0}, uleb(typeOf(f))...)...))
	}
	limits := append(append([]byte{1}, uleb(uint64(m.memory.min))...), uleb(uint64(m.memory.max))...)
	if m.memory.shared {
		limits[0] = 3
	}
	if m.memory.imported {
		imports = append(imports, append(append(str("env"), str("memory")...), append([]byte{2}, limits...)...))
	}
	section(2, imports)

	var decls, exports, code [][]byte
	for _, f := range m.funcs {
		decls = append(decls, uleb(typeOf(f)))
		code = append(code, sized(f.body(typeOf)))
	}
	section(3, decls)
	if len(m.table) > 0 {
		section(4, [][]byte{append([]byte{0x70, 0}, uleb(uint64(len(m.table)+1))...)})
	}
	if !m.memory.imported && m.memory.max > 0 {
		section(5, [][]byte{limits})
		exports = append(exports, append(str("memory"), 2, 0))
	}
	for _, f := range m.exports {
		exports = append(exports, append(append(str(f.name), 0), uleb(uint64(f.index))...))
	}
	section(7, exports)
	if len(m.table) > 0 {
		elem := append([]byte{0}, 0x41, 1, 0x0b) // active, table 0, from slot 1
		elem = append(elem, uleb(uint64(len(m.table)))...)
		for _, f := range m.table {
			elem = append(elem, uleb(uint64(f.index))...)
		}
		section(9, [][]byte{elem})
	}
	section(10, code)

	// The functions' names, for profilers.
	var names [][]byte
	for _, f := range all {
		names = append(names, append(uleb(uint64(f.index)), str(f.name)...))
	}
	out = append(out, 0)
	return append(out, sized(append(str("name"), append([]byte{1}, sized(vector(names))...)...))...)
}

func (f *Func) signature() []byte {
	b := append([]byte{0x60}, uleb(uint64(len(f.params)))...)
	for _, t := range f.params {
		b = append(b, t.wire())
	}
	b = append(b, uleb(uint64(len(f.results)))...)
	for _, t := range f.results {
		b = append(b, t.wire())
	}
	return b
}

func str(s string) []byte { return sized([]byte(s)) }

func sized(b []byte) []byte { return append(uleb(uint64(len(b))), b...) }

func vector(items [][]byte) []byte {
	b := uleb(uint64(len(items)))
	for _, it := range items {
		b = append(b, it...)
	}
	return b
}

func uleb(v uint64) []byte {
	var b []byte
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

func sleb(v int64) []byte {
	var b []byte
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if (v == 0 && c&0x40 == 0) || (v == -1 && c&0x40 != 0) {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}

func f32bytes(v float32) []byte {
	u := math.Float32bits(v)
	return []byte{byte(u), byte(u >> 8), byte(u >> 16), byte(u >> 24)}
}

func f64bytes(v float64) []byte {
	u := math.Float64bits(v)
	b := make([]byte, 8)
	for i := range b {
		b[i] = byte(u >> (8 * i))
	}
	return b
}

func check(ok bool, format string, args ...any) {
	if !ok {
		panic("asm: " + fmt.Sprintf(format, args...))
	}
}

package gguf

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
)

// A kind is the type of a metadata value.
type kind uint32

const (
	kindU8 kind = iota
	kindI8
	kindU16
	kindI16
	kindU32
	kindI32
	kindF32
	kindBool
	kindString
	kindArray
	kindU64
	kindI64
	kindF64
)

// size is the bytes of a value of fixed size, 0 for strings and arrays.
func (k kind) size() int {
	switch k {
	case kindU8, kindI8, kindBool:
		return 1
	case kindU16, kindI16:
		return 2
	case kindU32, kindI32, kindF32:
		return 4
	case kindU64, kindI64, kindF64:
		return 8
	}
	return 0
}

// A value keeps the bytes of the file and is decoded when it is asked for: a
// vocabulary that nobody reads makes no hundred thousand strings.
type value struct {
	kind  kind // of the value, or of an array's elements
	array bool
	n     int // elements; 1 for what is no array
	raw   []byte
}

// Metadata holds a file's key-value pairs. The second result of its methods is
// false when the key is absent or its value is of another kind; integers of
// every width are one kind, and so are the two floating-point types.
type Metadata struct {
	values map[string]value
}

// Keys lists the keys in order.
func (m Metadata) Keys() []string { return slices.Sorted(maps.Keys(m.values)) }

// String returns a string.
func (m Metadata) String(key string) (string, bool) {
	s, ok := strings(m.values[key], false)
	return first(s), ok
}

// Strings returns an array of strings.
func (m Metadata) Strings(key string) ([]string, bool) { return strings(m.values[key], true) }

// Int returns an integer.
func (m Metadata) Int(key string) (int64, bool) {
	v, ok := ints(m.values[key], false)
	return first(v), ok
}

// Ints returns an array of integers.
func (m Metadata) Ints(key string) ([]int64, bool) { return ints(m.values[key], true) }

// Float returns a floating-point number.
func (m Metadata) Float(key string) (float64, bool) {
	v, ok := floats[float64](m.values[key], false)
	return first(v), ok
}

// Floats returns an array of floating-point numbers as float32, which is what
// files have.
func (m Metadata) Floats(key string) ([]float32, bool) { return floats[float32](m.values[key], true) }

// Bool returns a boolean.
func (m Metadata) Bool(key string) (bool, bool) {
	v, ok := bools(m.values[key], false)
	return first(v), ok
}

// Bools returns an array of booleans.
func (m Metadata) Bools(key string) ([]bool, bool) { return bools(m.values[key], true) }

// Describe says in a few words what stands under key, for lists and errors.
func (m Metadata) Describe(key string) string {
	v, ok := m.values[key]
	if v.array {
		return fmt.Sprintf("array of %d", v.n)
	}
	if s, ok := m.String(key); ok {
		return fmt.Sprintf("%q", s)
	}
	if i, ok := m.Int(key); ok {
		return fmt.Sprint(i)
	}
	if f, ok := m.Float(key); ok {
		return fmt.Sprint(f)
	}
	if b, ok := m.Bool(key); ok {
		return fmt.Sprint(b)
	}
	if ok {
		return "an integer beyond 63 bits"
	}
	return "absent"
}

// first is the only element of a decoded scalar, or zero.
func first[T any](s []T) (v T) {
	if len(s) > 0 {
		v = s[0]
	}
	return v
}

// strings decodes a string or an array of them. All share one piece of memory.
func strings(v value, array bool) ([]string, bool) {
	if v.kind != kindString || v.array != array || v.raw == nil {
		return nil, false
	}
	all := string(v.raw)
	out := make([]string, v.n)
	for i, at := 0, 0; i < v.n; i++ {
		n := int(binary.LittleEndian.Uint64(v.raw[at:]))
		out[i] = all[at+8 : at+8+n]
		at += 8 + n
	}
	return out, true
}

func ints(v value, array bool) ([]int64, bool) {
	if v.array != array || v.raw == nil {
		return nil, false
	}
	le := binary.LittleEndian
	var at func([]byte) int64
	switch v.kind {
	case kindU8:
		at = func(b []byte) int64 { return int64(b[0]) }
	case kindI8:
		at = func(b []byte) int64 { return int64(int8(b[0])) }
	case kindU16:
		at = func(b []byte) int64 { return int64(le.Uint16(b)) }
	case kindI16:
		at = func(b []byte) int64 { return int64(int16(le.Uint16(b))) }
	case kindU32:
		at = func(b []byte) int64 { return int64(le.Uint32(b)) }
	case kindI32:
		at = func(b []byte) int64 { return int64(int32(le.Uint32(b))) }
	case kindU64, kindI64:
		at = func(b []byte) int64 { return int64(le.Uint64(b)) }
	default:
		return nil, false
	}
	out := decode(v, at)
	if v.kind == kindU64 && slices.ContainsFunc(out, func(i int64) bool { return i < 0 }) {
		return nil, false // beyond 63 bits
	}
	return out, true
}

func floats[T float32 | float64](v value, array bool) ([]T, bool) {
	if v.array != array || v.raw == nil {
		return nil, false
	}
	switch v.kind {
	case kindF32:
		return decode(v, func(b []byte) T {
			return T(math.Float32frombits(binary.LittleEndian.Uint32(b)))
		}), true
	case kindF64:
		return decode(v, func(b []byte) T {
			return T(math.Float64frombits(binary.LittleEndian.Uint64(b)))
		}), true
	}
	return nil, false
}

func bools(v value, array bool) ([]bool, bool) {
	if v.kind != kindBool || v.array != array || v.raw == nil {
		return nil, false
	}
	return decode(v, func(b []byte) bool { return b[0] != 0 }), true
}

// decode reads each element of fixed size.
func decode[T any](v value, at func([]byte) T) []T {
	out := make([]T, v.n)
	for i := range out {
		out[i] = at(v.raw[i*v.kind.size():])
	}
	return out
}

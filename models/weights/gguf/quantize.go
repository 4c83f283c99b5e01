package gguf

import (
	"encoding/binary"
	"math"

	"prelude/engine/half"
)

func putF16(dst []byte, f float32) { binary.LittleEndian.PutUint16(dst, half.F32ToF16(f)) }

// inverse is 1/d as ggml takes it: 0 for 0. A d so small that 1/d overflows has
// an f16 scale of 0 as well.
func inverse(d float32) float32 {
	if id := 1 / d; d != 0 && !math.IsInf(float64(id), 0) {
		return id
	}
	return 0
}

// QuantizeQ8_0 sets dst to the Q8_0 blocks of src, ggml's reference way: a
// block's scale is its largest magnitude / 127, its elements are rounded to
// nearest, halves away from zero. len(src) is a multiple of 32, dst has 34 bytes
// for 32 elements. Magnitudes above 127·65504 overflow the scale to infinity.
func QuantizeQ8_0(dst []byte, src []float32) {
	for ; len(src) > 0; dst, src = dst[34:], src[32:] {
		block, out := src[:32], dst[2:34]
		var largest uint32 // magnitudes order as their bits do, which is faster
		for _, x := range block {
			largest = max(largest, math.Float32bits(x)&^sign)
		}
		d := math.Float32frombits(largest) / 127
		id := inverse(d)
		putF16(dst, d)
		for i, x := range block {
			out[i] = byte(roundAway(x * id))
		}
	}
}

// LostQ8_0 is the sum of the squares of what the Q8_0 blocks in q8 miss of src, and that of src.
func LostQ8_0(q8 []byte, src []float32) (lost, whole float64) {
	for ; len(src) > 0; q8, src = q8[34:], src[32:] {
		d := f16(q8)
		var l, w float32
		for i, x := range src[:32] {
			e := x - d*float32(int8(q8[2+i]))
			l += e * e
			w += x * x
		}
		lost += float64(l)
		whole += float64(w)
	}
	return lost, whole
}

// roundAway rounds to the nearest integer, halves away from zero: ½ with the
// sign of f is added, exactly since in float64, and the fraction cut off.
func roundAway(f float32) int32 {
	const half = 0x3fe0_0000_0000_0000
	v := float64(f)
	return int32(v + math.Float64frombits(half|math.Float64bits(v)&(1<<63)))
}

// QuantizeQ4_0 sets dst to the Q4_0 blocks of src (18 bytes for 32 elements):
// the element of largest magnitude becomes −8, the others follow its scale.
func QuantizeQ4_0(dst []byte, src []float32) {
	for ; len(src) > 0; dst, src = dst[18:], src[32:] {
		var extreme float32
		for _, x := range src[:32] {
			if abs(x) > abs(extreme) {
				extreme = x
			}
		}
		d := extreme / -8
		id := inverse(d)
		putF16(dst, d)
		for i := range 16 {
			dst[2+i] = nibble(float32(src[i]*id)+8.5) | nibble(float32(src[i+16]*id)+8.5)<<4
		}
	}
}

// QuantizeQ4_1 sets dst to the Q4_1 blocks of src (20 bytes for 32 elements):
// a block's range is cut into 15 steps.
func QuantizeQ4_1(dst []byte, src []float32) {
	for ; len(src) > 0; dst, src = dst[20:], src[32:] {
		low, high := src[0], src[0]
		for _, x := range src[1:32] {
			low, high = min(low, x), max(high, x)
		}
		d := (high - low) / 15
		id := inverse(d)
		putF16(dst, d)
		putF16(dst[2:], low)
		for i := range 16 {
			dst[4+i] = nibble(float32((src[i]-low)*id)+0.5) | nibble(float32((src[i+16]-low)*id)+0.5)<<4
		}
	}
}

// nibble cuts a non-negative number to 0…15.
func nibble(f float32) byte { return min(byte(f), 15) }

// sign is the sign bit of a float32.
const sign = 1 << 31

func abs(f float32) float32 { return math.Float32frombits(math.Float32bits(f) &^ sign) }

// Multiples sets dst to a Q8_0 block whose elements are d·q of the block src: types whose
// values are whole multiples of their scale keep every bit that way, where a scale of
// their own would round them. It tells whether the type's block is one.
func (t Type) Multiples(dst, src []byte) bool {
	var q [32]int
	switch t {
	case Q5_0:
		high := binary.LittleEndian.Uint32(src[2:])
		for i, b := range src[6:22] {
			q[i] = (int(b&15) | int(high>>i&1)<<4) - 16
			q[i+16] = (int(b>>4) | int(high>>(i+16)&1)<<4) - 16
		}
	case Q5_1:
		d, m, high := f16(src), f16(src[2:]), binary.LittleEndian.Uint32(src[4:])
		least := math.Round(float64(m) / float64(d))
		if d == 0 && m != 0 || d != 0 && (least*float64(d) != float64(m) || least < -127 || least > 127-31) {
			return false
		}
		if d == 0 {
			least = 0
		}
		for i, b := range src[8:24] {
			q[i] = (int(b&15) | int(high>>i&1)<<4) + int(least)
			q[i+16] = (int(b>>4) | int(high>>(i+16)&1)<<4) + int(least)
		}
	case IQ4_NL:
		for i, b := range src[2:18] {
			q[i], q[i+16] = int(iq4[b&15]), int(iq4[b>>4])
		}
	default:
		return false
	}
	copy(dst, src[:2])
	for i, v := range q {
		dst[2+i] = byte(int8(v))
	}
	return true
}

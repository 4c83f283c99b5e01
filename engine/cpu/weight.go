package cpu

import (
	"encoding/binary"

	"prelude/engine"
	"prelude/engine/half"
)

// weightOf is the buffer of op that may be stored in a type other than F32.
func weightOf(op engine.Op) engine.Buffer {
	switch o := op.(type) {
	case *engine.Linear:
		return o.W
	case *engine.CrossEntropy:
		return o.W
	case *engine.Embed:
		return o.W
	}
	return engine.None
}

// panelRows is how many rows of a packed weight are unpacked at a time.
func panelRows(s engine.Spec) int { return min(s.Rows(), max(1, 1<<20/s.Cols())) }

// weightRows are rows [from, to) of a weight of any type; packed types are unpacked into
// the panel. The values are the same in float32 and in float64.
func (c *plan[T]) weightRows(w engine.Buffer, from, to int) []T {
	s := c.p.Spec(w)
	cols := s.Cols()
	if s.DType == engine.F32 {
		return c.at(w)[from*cols : to*cols]
	}
	out := c.dev.panel[:(to-from)*cols]
	root, off := c.p.Root(w)
	unpack(out, s.DType, c.bound[root].raw[s.DType.Bytes(off+from*cols):])
	return out
}

// unpack writes len(dst) weights of a packed type; src holds whole blocks (GGUF's
// block_q8_0, block_q4_0, block_q4_1).
func unpack[T Float](dst []T, t engine.DType, src []byte) {
	u16 := func(i int) uint16 { return binary.LittleEndian.Uint16(src[i:]) }
	switch t {
	case engine.F16:
		for i := range dst {
			dst[i] = T(half.F16ToF32(u16(2 * i)))
		}
	case engine.BF16:
		for i := range dst {
			dst[i] = T(half.BF16ToF32(u16(2 * i)))
		}
	case engine.Q8_0:
		for b := 0; b*32 < len(dst); b++ {
			d := half.F16ToF32(u16(b * 34))
			for i, q := range src[b*34+2 : b*34+34] {
				dst[b*32+i] = T(d * float32(int8(q)))
			}
		}
	case engine.Q4_0:
		for b := 0; b*32 < len(dst); b++ {
			d := half.F16ToF32(u16(b * 18))
			for i, q := range src[b*18+2 : b*18+18] {
				dst[b*32+i] = T(d * float32(int(q&15)-8))
				dst[b*32+16+i] = T(d * float32(int(q>>4)-8))
			}
		}
	case engine.Q4_1:
		for b := 0; b*32 < len(dst); b++ {
			d, m := half.F16ToF32(u16(b*20)), half.F16ToF32(u16(b*20+2))
			for i, q := range src[b*20+4 : b*20+20] {
				dst[b*32+i] = T(float32(d*float32(q&15)) + m)
				dst[b*32+16+i] = T(float32(d*float32(q>>4)) + m)
			}
		}
	}
}

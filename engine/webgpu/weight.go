package webgpu

import (
	"fmt"

	"prelude/engine"
)

// On the device a stored weight is an array of words of four bytes. F16 and BF16 keep the
// order of the file, two elements to a word. Quantised types have all quants first, then a
// word for each block with its scale (and minimum) as halves.
//
//	Q8_0  8 words of int8 a block of 32
//	Q4_0, Q4_1  4 words a block; byte i holds element i in its low nibble, 16+i above
func quantBytes(t engine.DType) int {
	switch t {
	case engine.Q8_0:
		return 32
	case engine.Q4_0, engine.Q4_1:
		return 16
	}
	return 0
}

// deviceBytes is the size on the device of n elements, and the byte where scales begin.
func deviceBytes(t engine.DType, n int) (size, scales int) {
	if q := quantBytes(t); q > 0 {
		blocks := n / 32
		return blocks * (q + 4), blocks * q
	}
	return t.Bytes(n), 0
}

// splitBlocks splits blocks of a file into quants and scale words.
func splitBlocks(t engine.DType, src []byte) (quants, scales []byte) {
	q, unit := quantBytes(t), t.Bytes(32)
	n := len(src) / unit
	quants, scales = make([]byte, n*q), make([]byte, n*4)
	for i := range n {
		b := src[i*unit : (i+1)*unit]
		copy(scales[4*i:4*i+4], b[:unit-q])
		copy(quants[i*q:], b[unit-q:])
	}
	return quants, scales
}

// joinBlocks is the inverse of splitBlocks.
func joinBlocks(t engine.DType, dst, quants, scales []byte) {
	q, unit := quantBytes(t), t.Bytes(32)
	for i := range len(dst) / unit {
		b := dst[i*unit : (i+1)*unit]
		copy(b[:unit-q], scales[4*i:])
		copy(b[unit-q:], quants[i*q:(i+1)*q])
	}
}

// part is the piece of a tensor, rows [from, to), that one GPU buffer holds.
type part struct {
	from, to     int // rows
	size, scales int // bytes of the buffer, and the byte at which scales begin
}

// partsOf cuts a tensor by rows so that each part can be bound.
func partsOf(s engine.Spec, l Limits) ([]part, error) {
	cols, rows := s.Cols(), s.Rows()
	if cols%s.DType.Block() != 0 {
		return nil, fmt.Errorf("webgpu: rows of %v are no whole blocks of %d", s, s.DType.Block())
	}
	one, _ := deviceBytes(s.DType, cols)
	step := rows
	if int64(one)*int64(rows) > l.arena() {
		step = int(l.arena() / int64(max(1, one)))
		if cols%4 != 0 {
			step = step / 4 * 4 // parts begin where they can be read by fours
		}
	}
	if rows > 0 && step == 0 {
		return nil, fmt.Errorf("webgpu: one row of %v takes %d bytes, this adapter binds at most %d", s, one, l.arena())
	}
	var all []part
	for from := 0; from == 0 || from < rows; from += max(1, step) {
		to := min(from+step, rows)
		size, scales := deviceBytes(s.DType, (to-from)*cols)
		all = append(all, part{from, to, (max(size, 1) + 15) / 16 * 16, scales})
	}
	return all, nil
}

// unpackers are the accessors of a packed weight: %[1]s its name, %[2]s its memory.
var unpackers = map[engine.DType]string{
	engine.F16: `fn %[1]s(i: u32) -> f32 { let j = P.%[1]s_o + i; let v = unpack2x16float(%[2]s[j >> 1u]); return select(v.x, v.y, (j & 1u) == 1u); }
fn %[1]s4(i: u32) -> vec4<f32> { let j = (P.%[1]s_o + i) >> 1u; return vec4<f32>(unpack2x16float(%[2]s[j]), unpack2x16float(%[2]s[j + 1u])); }
`,
	engine.BF16: `fn %[1]s(i: u32) -> f32 { let j = P.%[1]s_o + i; let v = %[2]s[j >> 1u]; return bitcast<f32>(select(v << 16u, v & 0xffff0000u, (j & 1u) == 1u)); }
fn %[1]s4(i: u32) -> vec4<f32> { let j = (P.%[1]s_o + i) >> 1u; let a = %[2]s[j]; let b = %[2]s[j + 1u];
  return bitcast<vec4<f32>>(vec4<u32>(a << 16u, a & 0xffff0000u, b << 16u, b & 0xffff0000u)); }
`,
	engine.Q8_0: `fn %[1]s4(i: u32) -> vec4<f32> { let q = bitcast<i32>(%[2]s[i >> 2u]); let d = unpack2x16float(%[2]s[P.%[1]s_s + (i >> 5u)]).x;
  return d * vec4<f32>(vec4<i32>(extractBits(q, 0u, 8u), extractBits(q, 8u, 8u), extractBits(q, 16u, 8u), extractBits(q, 24u, 8u))); }
fn %[1]s(i: u32) -> f32 { return %[1]s4(i & ~3u)[i & 3u]; }
`,
	engine.Q4_0: `fn %[1]s4(i: u32) -> vec4<f32> { let q = %[2]s[((i >> 5u) << 2u) | ((i >> 2u) & 3u)] >> (((i >> 4u) & 1u) << 2u); let d = unpack2x16float(%[2]s[P.%[1]s_s + (i >> 5u)]).x;
  return d * (vec4<f32>(vec4<u32>(q, q >> 8u, q >> 16u, q >> 24u) & vec4<u32>(15u)) - 8.0); }
fn %[1]s(i: u32) -> f32 { return %[1]s4(i & ~3u)[i & 3u]; }
`,
	engine.Q4_1: `fn %[1]s4(i: u32) -> vec4<f32> { let q = %[2]s[((i >> 5u) << 2u) | ((i >> 2u) & 3u)] >> (((i >> 4u) & 1u) << 2u); let d = unpack2x16float(%[2]s[P.%[1]s_s + (i >> 5u)]);
  return d.x * vec4<f32>(vec4<u32>(q, q >> 8u, q >> 16u, q >> 24u) & vec4<u32>(15u)) + d.y; }
fn %[1]s(i: u32) -> f32 { return %[1]s4(i & ~3u)[i & 3u]; }
`,
}

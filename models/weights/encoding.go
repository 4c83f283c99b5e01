package weights

import (
	"encoding/binary"

	"prelude/engine"
	"prelude/models/weights/gguf"
)

// An encoding is how a file stores a tensor's elements, and what becomes of
// them on the device.
type encoding struct {
	block, bytes int // elements and bytes of a block in the file
	dtype        engine.DType
	quant        gguf.Type // set when convert is wanted: dequantise, then Q8_0
	convert      bool
	scales       []int // where the f16 numbers of a quantised block lie
}

// encodings is by the name of the type, which is the same in both formats.
var encodings = map[string]encoding{
	"F32":  {block: 1, bytes: 4, dtype: engine.F32},
	"I32":  {block: 1, bytes: 4, dtype: engine.I32},
	"F16":  {block: 1, bytes: 2, dtype: engine.F16},
	"BF16": {block: 1, bytes: 2, dtype: engine.BF16},
	"Q8_0": {block: 32, bytes: 34, dtype: engine.Q8_0, scales: []int{0}},
	"Q4_0": {block: 32, bytes: 18, dtype: engine.Q4_0, scales: []int{0}},
	"Q4_1": {block: 32, bytes: 20, dtype: engine.Q4_1, scales: []int{0, 2}},
	"Q5_0": {block: 32, bytes: 22, dtype: engine.Q8_0, quant: gguf.Q5_0, convert: true, scales: []int{0}},
	"Q5_1": {block: 32, bytes: 24, dtype: engine.Q8_0, quant: gguf.Q5_1, convert: true, scales: []int{0, 2}},
	"Q4_K": {block: 256, bytes: 144, dtype: engine.Q8_0, quant: gguf.Q4_K, convert: true, scales: []int{0, 2}},
	"Q5_K": {block: 256, bytes: 176, dtype: engine.Q8_0, quant: gguf.Q5_K, convert: true, scales: []int{0, 2}},
	"Q6_K": {block: 256, bytes: 210, dtype: engine.Q8_0, quant: gguf.Q6_K, convert: true, scales: []int{208}},

	"Q2_K":   {block: 256, bytes: 84, dtype: engine.Q8_0, quant: gguf.Q2_K, convert: true, scales: []int{80, 82}},
	"Q3_K":   {block: 256, bytes: 110, dtype: engine.Q8_0, quant: gguf.Q3_K, convert: true, scales: []int{108}},
	"IQ4_NL": {block: 32, bytes: 18, dtype: engine.Q8_0, quant: gguf.IQ4_NL, convert: true, scales: []int{0}},
	"IQ4_XS": {block: 256, bytes: 136, dtype: engine.Q8_0, quant: gguf.IQ4_XS, convert: true, scales: []int{0}},
	"MXFP4":  {block: 32, bytes: 17, dtype: engine.Q8_0, quant: gguf.MXFP4, convert: true, scales: []int{}},

	"IQ3_XXS": {block: 256, bytes: 98, dtype: engine.Q8_0, quant: gguf.IQ3_XXS, convert: true, scales: []int{0}},
	"IQ3_S":   {block: 256, bytes: 110, dtype: engine.Q8_0, quant: gguf.IQ3_S, convert: true, scales: []int{0}},
	"IQ2_XXS": {block: 256, bytes: 66, dtype: engine.Q8_0, quant: gguf.IQ2_XXS, convert: true, scales: []int{0}},
	"IQ2_XS":  {block: 256, bytes: 74, dtype: engine.Q8_0, quant: gguf.IQ2_XS, convert: true, scales: []int{0}},
	"IQ2_S":   {block: 256, bytes: 82, dtype: engine.Q8_0, quant: gguf.IQ2_S, convert: true, scales: []int{0}},
	"IQ1_S":   {block: 256, bytes: 50, dtype: engine.Q8_0, quant: gguf.IQ1_S, convert: true, scales: []int{0}},
	"IQ1_M":   {block: 256, bytes: 56, dtype: engine.Q8_0, quant: gguf.IQ1_M, convert: true},
	"TQ1_0":   {block: 256, bytes: 54, dtype: engine.Q8_0, quant: gguf.TQ1_0, convert: true, scales: []int{52}},
	"TQ2_0":   {block: 256, bytes: 66, dtype: engine.Q8_0, quant: gguf.TQ2_0, convert: true, scales: []int{64}},
}

// fileBytes is the size of n elements in the file, deviceBytes on the device.
func (e encoding) fileBytes(n int) int   { return n / e.block * e.bytes }
func (e encoding) deviceBytes(n int) int { return e.dtype.Bytes(n) }

// toDevice sets dst to the device's form of the blocks in src, and sums what is lost, if sum is
// not nil.
func (e encoding) toDevice(dst, src []byte, sum *Rounded) {
	if !e.convert {
		copy(dst, src)
		return
	}
	var values [256]float32
	size := e.deviceBytes(e.block)
	for i := 0; len(src) > 0; i, dst, src = i+1, dst[size:], src[e.bytes:] {
		exact, measured := e.block == 32 && e.quant.Multiples(dst, src[:e.bytes]), sum != nil && i%roundingSample == 0
		if !exact || measured {
			e.quant.Dequantize(values[:e.block], src[:e.bytes])
		}
		if !exact {
			gguf.QuantizeQ8_0(dst, values[:e.block])
		}
		if measured {
			sum.add(dst[:size], values[:e.block])
		}
	}
}

// notFinite is the index of the first element (or the first of its block) in
// src that is a NaN or infinite, −1 when there is none.
func (e encoding) notFinite(src []byte) int {
	switch {
	case e.scales != nil:
		for _, at := range e.scales {
			for i := at; i < len(src); i += e.bytes {
				if binary.LittleEndian.Uint16(src[i:])&0x7c00 == 0x7c00 {
					return i / e.bytes * e.block
				}
			}
		}
	case e.convert && e.quant == gguf.IQ1_M:
		for i := 0; i < len(src); i += e.bytes {
			if gguf.ScaleIQ1_M(src[i:])&0x7c00 == 0x7c00 {
				return i / e.bytes * e.block
			}
		}
	case e.dtype == engine.F32:
		for i := 0; i < len(src); i += 4 {
			if binary.LittleEndian.Uint32(src[i:])&0x7f800000 == 0x7f800000 {
				return i / 4
			}
		}
	case e.dtype == engine.F16:
		return firstHalf(src, 0x7c00)
	case e.dtype == engine.BF16:
		return firstHalf(src, 0x7f80)
	}
	return -1
}

// firstHalf finds the first 16-bit number whose exponent bits are all set.
func firstHalf(src []byte, exponent uint16) int {
	for i := 0; i < len(src); i += 2 {
		if binary.LittleEndian.Uint16(src[i:])&exponent == exponent {
			return i / 2
		}
	}
	return -1
}

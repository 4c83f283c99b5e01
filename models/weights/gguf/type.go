package gguf

import "fmt"

// A Type is how a tensor's elements are stored, by ggml's number.
type Type uint32

// The types that can be read.
const (
	F32  Type = 0
	F16  Type = 1
	Q4_0 Type = 2
	Q4_1 Type = 3
	Q5_0 Type = 6
	Q5_1 Type = 7
	Q8_0 Type = 8
	Q4_K Type = 12
	Q5_K Type = 13
	Q6_K Type = 14
	BF16 Type = 30

	Q2_K   Type = 10
	Q3_K   Type = 11
	IQ4_NL Type = 20
	IQ4_XS Type = 23
	MXFP4  Type = 39

	IQ3_XXS Type = 18
	IQ3_S   Type = 21
	IQ2_XXS Type = 16
	IQ2_XS  Type = 17
	IQ2_S   Type = 22
	IQ1_S   Type = 19
	IQ1_M   Type = 29
	TQ1_0   Type = 34
	TQ2_0   Type = 35
)

// layout is how a type lays a row out: blocks of so many elements in so many bytes.
type layout struct {
	block, bytes int
	dequantize   func(dst []float32, src []byte) // one block
}

var layouts = map[Type]layout{
	F32:  {1, 4, dequantizeF32},
	F16:  {1, 2, dequantizeF16},
	BF16: {1, 2, dequantizeBF16},
	Q4_0: {32, 18, dequantizeQ4_0},
	Q4_1: {32, 20, dequantizeQ4_1},
	Q5_0: {32, 22, dequantizeQ5_0},
	Q5_1: {32, 24, dequantizeQ5_1},
	Q8_0: {32, 34, dequantizeQ8_0},
	Q4_K: {256, 144, dequantizeQ4_K},
	Q5_K: {256, 176, dequantizeQ5_K},
	Q6_K: {256, 210, dequantizeQ6_K},

	Q2_K:   {256, 84, dequantizeQ2_K},
	Q3_K:   {256, 110, dequantizeQ3_K},
	IQ4_NL: {32, 18, dequantizeIQ4_NL},
	IQ4_XS: {256, 136, dequantizeIQ4_XS},
	MXFP4:  {32, 17, dequantizeMXFP4},

	IQ3_XXS: {256, 98, dequantizeIQ3_XXS},
	IQ3_S:   {256, 110, dequantizeIQ3_S},
	IQ2_XXS: {256, 66, dequantizeIQ2_XXS},
	IQ2_XS:  {256, 74, dequantizeIQ2_XS},
	IQ2_S:   {256, 82, dequantizeIQ2_S},
	IQ1_S:   {256, 50, dequantizeIQ1_S},
	IQ1_M:   {256, 56, dequantizeIQ1_M},
	TQ1_0:   {256, 54, dequantizeTQ1_0},
	TQ2_0:   {256, 66, dequantizeTQ2_0},
}

// names has ggml's name of every type there has been, so that what isn't
// supported can be called by it.
var names = map[Type]string{
	F32: "F32", F16: "F16", Q4_0: "Q4_0", Q4_1: "Q4_1", 4: "Q4_2", 5: "Q4_3", Q5_0: "Q5_0", Q5_1: "Q5_1",
	Q8_0: "Q8_0", 9: "Q8_1", Q2_K: "Q2_K", Q3_K: "Q3_K", Q4_K: "Q4_K", Q5_K: "Q5_K", Q6_K: "Q6_K", 15: "Q8_K",
	IQ2_XXS: "IQ2_XXS", IQ2_XS: "IQ2_XS", IQ3_XXS: "IQ3_XXS", IQ1_S: "IQ1_S", IQ4_NL: "IQ4_NL", IQ3_S: "IQ3_S", IQ2_S: "IQ2_S", IQ4_XS: "IQ4_XS",
	24: "I8", 25: "I16", 26: "I32", 27: "I64", 28: "F64", IQ1_M: "IQ1_M", BF16: "BF16",
	31: "Q4_0_4_4", 32: "Q4_0_4_8", 33: "Q4_0_8_8", TQ1_0: "TQ1_0", TQ2_0: "TQ2_0",
	36: "IQ4_NL_4_4", 37: "IQ4_NL_4_8", 38: "IQ4_NL_8_8", MXFP4: "MXFP4",
}

// supported is what an error lists.
const supported = "F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, IQ4_NL, IQ4_XS, IQ1_S, IQ1_M, IQ2_XXS, IQ2_XS, IQ2_S, IQ3_XXS, IQ3_S, TQ1_0, TQ2_0 and MXFP4"

// String is ggml's name of the type.
func (t Type) String() string {
	if name, ok := names[t]; ok {
		return name
	}
	return fmt.Sprintf("type %d", uint32(t))
}

// Supported says whether tensors of the type can be read.
func (t Type) Supported() bool { return layouts[t].block > 0 }

// Block is the number of elements of a row that are stored together, 0 for a
// type that isn't supported.
func (t Type) Block() int { return layouts[t].block }

// BlockBytes is the number of bytes a block takes.
func (t Type) BlockBytes() int { return layouts[t].bytes }

// Dequantize sets dst to the values of the blocks in src, which must have
// exactly the bytes of len(dst) elements.
func (t Type) Dequantize(dst []float32, src []byte) {
	l := layouts[t]
	for len(dst) > 0 {
		l.dequantize(dst[:l.block], src[:l.bytes])
		dst, src = dst[l.block:], src[l.bytes:]
	}
}

package engine

import "fmt"

// DType is the type of a buffer's elements. Activations are F32 (float64 on the float64
// reference device). F16, BF16 and the quantised types are for frozen weights, which keep
// the bits of their file.
type DType uint8

const (
	F32 DType = iota
	I32
	F16
	BF16
	Q8_0 // blocks of 32: one f16 scale, 32 int8 (GGUF)
	Q4_0 // blocks of 32: one f16 scale, 32 nibbles minus 8
	Q4_1 // blocks of 32: f16 scale and minimum, 32 nibbles
)

var dtypes = [...]struct {
	name         string
	block, bytes int // elements and bytes of a block
}{
	F32: {"F32", 1, 4}, I32: {"I32", 1, 4}, F16: {"F16", 1, 2}, BF16: {"BF16", 1, 2},
	Q8_0: {"Q8_0", 32, 34}, Q4_0: {"Q4_0", 32, 18}, Q4_1: {"Q4_1", 32, 20},
}

func (d DType) String() string {
	if int(d) < len(dtypes) {
		return dtypes[d].name
	}
	return fmt.Sprintf("DType(%d)", uint8(d))
}

// Block is the number of elements that are stored together: 1, or 32 for quantised types.
func (d DType) Block() int { return dtypes[d].block }

// Bytes is the size of n elements as a file stores them; n is a multiple of Block.
func (d DType) Bytes(n int) int { return n / dtypes[d].block * dtypes[d].bytes }

// Spec is the type and shape of a buffer or tensor, outermost dimension first.
type Spec struct {
	DType DType
	Shape []int
}

// Len is the number of elements.
func (s Spec) Len() int {
	n := 1
	for _, d := range s.Shape {
		n *= d
	}
	return n
}

// Bytes is the size in a file.
func (s Spec) Bytes() int { return s.DType.Bytes(s.Len()) }

// Cols is the size of the last dimension, Rows the product of the others.
func (s Spec) Cols() int {
	if len(s.Shape) == 0 {
		return 1
	}
	return s.Shape[len(s.Shape)-1]
}

// Rows is the product of all dimensions but the last.
func (s Spec) Rows() int {
	n := 1
	for _, d := range s.Shape[:max(0, len(s.Shape)-1)] {
		n *= d
	}
	return n
}

func (s Spec) String() string { return fmt.Sprintf("%v%v", s.DType, s.Shape) }

package engine

import (
	"context"
	"encoding/binary"
	"math"
)

// FloatBytes is the content of an F32 tensor that holds x: little-endian float32.
func FloatBytes(x []float32) []byte {
	raw := make([]byte, 4*len(x))
	for i, v := range x {
		binary.LittleEndian.PutUint32(raw[4*i:], math.Float32bits(v))
	}
	return raw
}

// ReadFloats reads the whole of an F32 tensor, after the runs queued before it.
func ReadFloats(ctx context.Context, t Tensor) ([]float32, error) {
	raw := make([]byte, t.Spec().Bytes())
	if err := t.Read(ctx, 0, raw); err != nil {
		return nil, err
	}
	return Floats(raw), nil
}

// Floats are the numbers of an F32 tensor with this content; see [FloatBytes].
func Floats(raw []byte) []float32 {
	x := make([]float32, len(raw)/4)
	for i := range x {
		x[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return x
}

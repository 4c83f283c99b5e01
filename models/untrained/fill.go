package untrained

import (
	"context"
	"encoding/binary"
	"math"

	"prelude/engine"
)

// Fill gives a tensor small random values that depend on seed, the same on every device:
// floats within ±0.05, quantised blocks of any integers with a scale of 2⁻⁹ and no minimum,
// half-precision floats all 2⁻⁹.
func Fill(ctx context.Context, t engine.Tensor, seed uint32) error {
	s := t.Spec()
	unit := s.DType.Bytes(s.DType.Block())
	piece := make([]byte, (1<<20)/unit*unit)
	for off := 0; off < s.Bytes(); off += len(piece) {
		part := piece[:min(len(piece), s.Bytes()-off)]
		for i := 0; i+3 < len(part); i += 4 {
			seed = seed*1664525 + 1013904223
			binary.LittleEndian.PutUint32(part[i:], math.Float32bits((float32(seed>>8)/(1<<24)-0.5)*0.1))
		}
		if s.DType != engine.F32 {
			for i := 0; i < len(part); i += unit {
				binary.LittleEndian.PutUint16(part[i:], 0x1800) // 2⁻⁹
				if s.DType == engine.Q4_1 {
					binary.LittleEndian.PutUint16(part[i+2:], 0)
				}
			}
		}
		if err := t.Write(ctx, off, part); err != nil {
			return err
		}
	}
	return nil
}

package weights

import (
	"context"
	"slices"
	"strings"

	"prelude/engine/safetensors"
)

// scalesSuffix names the scales of a quantised matrix in a safetensors file.
const scalesSuffix = ".scales"

// int8Scales finds the matrices of a safetensors file that are stored as int8
// with scales, "w" I8 [out, in] beside "w.scales" F16 [out, in/32]: Q8_0 with
// scales and elements apart. It returns where the scales of each begin.
func int8Scales(h *safetensors.Header) map[string]int64 {
	scales := map[string]int64{}
	shape := map[string][]int{}
	for _, t := range h.Tensors {
		if n := len(t.Shape); t.DType == safetensors.I8 && n > 0 && t.Shape[n-1]%32 == 0 {
			shape[t.Name] = append(slices.Clone(t.Shape[:n-1]), t.Shape[n-1]/32)
		}
	}
	for _, t := range h.Tensors {
		name, ok := strings.CutSuffix(t.Name, scalesSuffix)
		if want := shape[name]; ok && want != nil && t.DType == safetensors.F16 && slices.Equal(t.Shape, want) {
			scales[name] = t.Offset
		}
	}
	return scales
}

// readBlocks fills dst with whole Q8_0 blocks from element at on: of each 34
// bytes two are the scale and 32 the elements.
func (t *Tensor) readBlocks(ctx context.Context, at int, dst, parts []byte) error {
	n := len(dst) / 34
	elements, scales := parts[:32*n], parts[32*n:34*n]
	if err := t.source.ReadRange(ctx, t.offset+int64(at), elements); err != nil {
		return err
	}
	if err := t.source.ReadRange(ctx, t.scales+int64(at/32*2), scales); err != nil {
		return err
	}
	for i := range n {
		copy(dst[34*i:], scales[2*i:2*i+2])
		copy(dst[34*i+2:], elements[32*i:32*i+32])
	}
	return nil
}

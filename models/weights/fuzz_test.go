package weights_test

import (
	"os"
	"testing"

	"prelude/engine/safetensors"
	"prelude/models/weights"
)

// FuzzOpen: whatever a file that is accepted has for tensors, views of them
// stream without a panic, and as many bytes as they say.
func FuzzOpen(f *testing.F) {
	tiny, err := os.ReadFile("testdata/tiny.gguf")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(tiny)
	f.Add(pack(f))
	f.Add(pack(f, matrix("a", 6, 4), matrix("v", 8), safetensors.Float32("scalar", nil, []float32{1}),
		safetensors.Float32("none", []int{0, 5}, nil), safetensors.Float32("empty rows", []int{1 << 40, 0}, nil),
		safetensors.Float32("huge nothing", []int{0, 1 << 40, 1 << 40}, nil), matrix("cube", 2, 3, 4),
		safetensors.Tensor{Name: "q", DType: safetensors.I8, Shape: []int{2, 32}, Data: make([]byte, 64)}, matrix("q.scales", 2, 1),
		safetensors.Tensor{Name: "r", DType: safetensors.I8, Shape: []int{0}}, matrix("r.scales", 0)))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := weights.Open(ctx, &weights.Bytes{Label: "f", Data: data}, nil)
		if err != nil {
			return
		}
		for _, x := range c.Tensors {
			v := c.View(x.Name)
			n := 0
			if len(x.Shape) > 0 {
				n = x.Shape[0]
			}
			for _, v := range []weights.View{v, v.Rows(n/3, n), v.Unpermute(2), v.Unpermute(2).Rows(0, n/2+1), v.Transpose(), v.Transpose().Rows(0, 1), weights.Concat(v, v)} {
				streamed := 0
				err := v.Stream(ctx, func(_ int64, data []byte) error {
					streamed += len(data)
					return nil
				})
				if err == nil && streamed != v.Spec().Bytes() {
					t.Fatalf("%v of %q: %d bytes streamed, want %d", v.Spec(), x.Name, streamed, v.Spec().Bytes())
				}
			}
		}
	})
}

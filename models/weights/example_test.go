package weights_test

import (
	"context"
	"fmt"

	"prelude/models/weights"
	"prelude/models/weights/gguf"
)

func Example() {
	ctx := context.Background()
	src, err := weights.OpenFile("testdata/tiny.gguf")
	if err != nil {
		panic(err)
	}
	defer src.Close()
	c, err := weights.Open(ctx, src, weights.Dir("testdata"))
	if err != nil {
		panic(err)
	}
	arch, _ := c.GGUF.String("general.architecture")
	heads, _ := c.GGUF.Int("llama.attention.head_count")
	fmt.Println(arch, len(c.Tensors), "tensors")

	query := c.View("blk.0.attn_q.weight").Want(32, 64).Unpermute(int(heads))
	spec := query.Spec() // what to ask the device for
	values := make([]float32, spec.Len())
	_, err = weights.Load(ctx, []weights.Target{{
		Name: "model.layers.0.self_attn.q_proj.weight",
		View: query,
		Write: func(_ context.Context, off int, data []byte) error { // an engine.Tensor's Write
			gguf.Q4_1.Dequantize(values, data)
			return nil
		},
	}}, weights.Options{})
	if err != nil {
		panic(err)
	}
	fmt.Printf("%v %.3f\n", spec, values[:3])
	// Output:
	// llama 12 tensors
	// Q4_1[32 64] [2.431 1.308 -1.780]
}

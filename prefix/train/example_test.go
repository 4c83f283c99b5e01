package train_test

import (
	"context"
	"fmt"
	"testing"

	"prelude/engine/cpu"
	"prelude/models/tiny"
	"prelude/prefix"
	"prelude/prefix/data"
	"prelude/prefix/train"
)

// A prefix learns to continue every prompt with the tokens 5 and 0. The model stays as it is.
func Example() {
	ctx := context.Background()
	model := tiny.Llama(&testing.T{}, cpu.New[float32]()) // random weights, 40 tokens
	method, err := prefix.New(prefix.Choice{"source": "kv", "kv.slots": "4", "start": "gaussian"}, model.Arch.Info())
	if err != nil {
		panic(err)
	}
	var examples train.Data
	for i := range int32(12) {
		e := data.Tokens{IDs: []int32{10 + i, 20 + i, 5, 0}, Start: 2} // the completion begins at token 2
		if i%4 == 0 {
			examples.Val = append(examples.Val, e)
		} else {
			examples.Train = append(examples.Train, e)
		}
	}
	run, err := train.New(ctx, model, method, examples, prefix.StartFrom{}, train.Options{Steps: 150, LR: 0.1, Patience: 100})
	if err != nil {
		panic(err)
	}
	defer run.Close()
	result, err := run.Train(ctx, train.Events{})
	if err != nil {
		panic(err)
	}
	fmt.Println("validation loss 30 % below the bare model's:", result.Best.Loss < 0.7*result.Base)
	// Output: validation loss 30 % below the bare model's: true
}

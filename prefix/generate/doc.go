// Package generate continues a prompt with a frozen model, with or without a prefix.
//
// A [Generator] compiles two plans over the model's weights and one KV cache: prefill
// (the prompt in chunks) and decoding (one row at a growing position). The prefix is
// the attention's other source of keys and values, so it is never copied or recomputed:
//
//	g, err := generate.New(ctx, frozen, method, tensors, 512)
//	end, err := g.Run(ctx, prompt, generate.Options{MaxTokens: 64, Stop: []int32{eos}}, func(id int32) bool { … })
//
// Where the model has an encoder, a third plan reads the prompt once; the keys and values
// that cross-attention sees of it stay, and the decoder begins with its start token.
package generate

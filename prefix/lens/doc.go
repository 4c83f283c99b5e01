// Package lens shows what a prefix does to a frozen model: how it changes the probability of
// each token of an answer, and where the attention goes to it.
//
// An answer is read, not written again: one forward pass with the true tokens as input
// (teacher forcing) gives the logits from which each of its tokens was to be predicted, by
// the bare model and with the prefix. [Compare] makes plain numbers of both:
//
//	tokens, err := lens.Compare(ctx, frozen, method, tensors, tuned, bare)
//	map, err := lens.Attend(ctx, frozen, method, tensors, tuned)
//
// The passes run on any device. What is computed from their outputs (softmax, entropy,
// divergence) is computed in float64.
package lens

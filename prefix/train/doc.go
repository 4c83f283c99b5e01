// Package train tunes a prefix for a frozen model.
//
// A [Run] holds what one training needs: the method's tensors and optimiser state on
// the model's device, a training program and an evaluation program over the same
// weights, the examples cut into batches. It is driven by one call and reports
// through callbacks:
//
//	r, err := train.New(ctx, frozen, method, train.Data{Train: a, Val: b}, train.Options{Steps: 200})
//	res, err := r.Train(ctx, train.Events{Step: …, Eval: …})
//
// The loss is the mean over the completion tokens of a batch, in nats: their
// cross-entropy, or, where examples have a teacher, the divergence from it (METHODS
// §1.11). METHODS §4 has the recipe. On the reference device the same seed gives the
// same curve bit for bit: batches are a function of the step, and nothing that happens
// between steps (evaluation, generation, pauses) touches the training's state.
package train

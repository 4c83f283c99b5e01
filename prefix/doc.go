// Package prefix holds the methods: what produces a prefix for a frozen model, how it is
// gated, how long it is, how it starts, and which few weights train beside it.
//
// A [Method] is one choice on each of these axes. It owns the trainable tensors ([Param])
// and fills the engine's hooks, through which a prefix enters a model:
//
//	m, err := prefix.New(prefix.Choice{"source": "kv", "gate": "log", "length": "l0"}, info)
//	err = m.Start(ctx, frozen, from, rng)             // initial values
//	tensors, err := m.Alloc(ctx, frozen.Dev)
//	part := m.Build(program, arch, input, prefix.Train)
//	out := arch.Forward(program, input, part.Hooks)
//	loss := arch.Loss(program, out.Hidden, targets, weights, false, part.Hooks)
//	grads := program.Grad(append(part.Penalties(program), loss)...)
//	part.Fill(args, rng)                              // before every run: constants and noise
//
// Options register themselves ([Axes] lists them), so that the page, the command line and
// the exports know none by name. To add one, write one file that calls [Register] in an
// init function; what makes the option different from others it says by implementing
// interfaces (option.go). The tests of this package find it and check its gradient, its
// causality, its generation and its freezing.
//
// How it fits together: a source gives each layer's keys and values; a gate and a length
// each give a bias on the scores of the slots, or the gate gives the prefix a softmax of
// its own; [Method.Settle] computes once what does not change from token to token, for
// programs in mode [Replay]; [Method.Freeze] leaves what only training needed behind, and
// [Method.Adapter] writes that in PEFT's formats.
//
// Finished prefixes stand side by side by [Mix], weighed by [Method.Blend]; a nested one
// has every length ([Method.SetLength]); soft slots may stand inside a template
// ([Choice.WithTemplate]), whatever prefix the axes choose beside them.
//
// Shapes: keys and values are one tensor [2·layers, slots, kvHeads·headDim] whose slice 2ℓ
// holds the keys of layer ℓ and 2ℓ+1 its values. Keys are as attention reads them, after
// rotary positions. An encoder-decoder has three kinds of attention, its sites, each on a
// switch of its own: layers are then those of the decoder's self-attention, the encoder's
// and the cross-attention, one after another. Embeddings there are rows of the inputs,
// which whoever packs examples leaves room for ([Method.RowsBefore]). Li and Liang 2021 (arXiv 2101.00190), Liu et al. 2022 (P-Tuning v2,
// arXiv 2110.07602), METHODS §1.10.
package prefix

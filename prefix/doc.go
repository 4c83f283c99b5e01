// Package prefix holds the methods: what produces a prefix for a frozen model, how
// it is gated, how long it is, and how it starts.
//
// A [Method] is one choice on each of these axes. It owns the trainable tensors
// ([Param]) and fills the engine's hooks, through which a prefix enters a model:
//
//	m, err := prefix.New(prefix.Choice{"source": "kv", "start": "examples"}, info)
//	start, err := m.Start(ctx, frozen, given)      // initial values
//	hooks, penalty := m.Hooks(&prefix.Build{Program: p, Arch: arch, Training: true})
//	out := arch.Forward(p, input, hooks)
//
// Choices register themselves ([Axes] lists them), so that the page, the command
// line and the exports know none by name. To add one, write one file here with its
// gradient test.
//
// Shapes: a key/value prefix is one tensor [2·layers, slots, kvHeads·headDim] whose
// slice 2ℓ holds the keys of layer ℓ and 2ℓ+1 its values. Keys are as attention reads
// them, after rotary positions. Li and Liang 2021 (arXiv 2101.00190), Liu et al. 2022
// (P-Tuning v2, arXiv 2110.07602).
package prefix

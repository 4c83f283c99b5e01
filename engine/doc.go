// Package engine turns a model, a prefix and a loss into one program, which a
// device runs.
//
// A [Program] is a flat list of tensor operations ([Op]) over named buffers. It is
// built once, for a model, a method and upper bounds on a batch; reverse mode
// ([Program.Grad]) appends the backward operations to the same list, and only
// where something trainable lies upstream. A [Device] owns all memory and compiles
// a program into a [Plan], which is only replayed: no graph is walked and nothing
// is allocated in the hot loop.
//
// # Shapes
//
// Activations are rows: a batch is packed flat as [rows, width], examples one
// after the other without padding. What belongs together is said by key ranges:
// row t of an attention sees the key rows [lo[t], hi[t]). Causal self-attention,
// bidirectional encoders, cross-attention, sliding windows and a KV cache are all
// fillings of these two integer inputs.
//
// # Bounds
//
// A buffer's first dimension may belong to a [Domain] ("tokens", "loss rows"): an
// upper bound at build time, and a live count handed over with every run. Kernels
// touch live rows only; no change of the count compiles anything.
//
// # Lifetimes
//
// Tensors belong to the device and outlive plans (weights, prefix, optimiser
// state, KV cache); arguments are the inputs of one run; scratch is one area that
// all plans of a device share, laid out by [Program.Layout].
//
// To add an operation, write one file here (builder with its shape rule, bounds of integer
// arguments, backward rule, cost) and one kernel for each device. See crossentropy.go for
// the pattern.
package engine

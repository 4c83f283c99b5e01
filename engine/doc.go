// Package engine turns a model, a prefix and a loss into one program, which a
// device runs.
//
// A [Program] is a flat list of tensor operations ([Op]) over named buffers. It is
// built once for a model, a prefix method and upper bounds on a batch. Reverse mode
// ([Program.Grad]) appends backward operations to the same list, but only for values that
// depend on a trainable tensor. A [Device] owns all memory and compiles a program into a
// [Plan]. A run replays the plan: it walks no graph and allocates nothing.
//
// # Shapes
//
// Activations are rows: a batch is packed flat as [rows, width], one example after the
// other without padding. Key ranges keep examples apart: row t of an attention sees the
// key rows [lo[t], hi[t]). These two integer inputs express causal self-attention,
// bidirectional encoders, cross-attention, sliding windows and a KV cache.
//
// # Bounds
//
// A buffer's first dimension may belong to a [Domain] ("tokens", "loss rows"). A domain
// has an upper bound, fixed when the program is built, and a count of live rows, an input
// of every run. Kernels touch live rows only. A new count needs no compilation.
//
// # Lifetimes
//
// Tensors belong to the device and outlive plans: weights, prefix, optimiser state, KV
// cache. Arguments are the inputs of one run. All other values are scratch: they share one
// area of memory, which all plans of a device use in turn (see [Program.Layout]).
//
// To add an operation, write one file here (builder with its shape rule, bounds of integer
// arguments, backward rule, cost) and one kernel for each device. See crossentropy.go for
// the pattern.
package engine

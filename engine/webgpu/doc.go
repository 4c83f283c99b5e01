// Package webgpu is the device that computes on the GPU of the person's own machine,
// through WebGPU: in a browser's worker, or in Node with Dawn's bindings.
//
//	dev, err := webgpu.Open(ctx, webgpu.Options{})  // the error says why there is none
//	defer dev.Close()
//	plan, err := dev.Compile(ctx, program, tensors)
//	err = plan.Run(ctx, args)                       // queued: returns before it is done
//	err = tensors["loss"].Read(ctx, 0, buf)         // waits
//	if errors.Is(err, webgpu.ErrLost) { … }         // go on from a checkpoint, on a new device
//
// # From a program to dispatches
//
// Compile walks the operations once. Each appends launches: a kernel (a file in
// wgsl), the memory it reads and writes, and its numbers. Then scratch gets its
// place, and launches become dispatches: pipelines, bind groups and sizes, which are
// handed to a script ([Driver]) as one list. A run is one copy of the arguments and
// one call to the script, which records the list and submits it: in one submit where
// the step takes less than 100 ms, else cut between operations into several; what a
// first run will take is guessed low, from what ran before. At most two runs are in
// flight.
//
// # Memory
//
// A tensor is a buffer; one beyond the adapter's limit is cut by rows into several, as is
// a value in scratch, and operations take it part by part where they can, or bind all its
// parts (spans.go). Quantised weights are laid out anew as they are written, quants apart
// from scales (weight.go), and unpacked inside the tile of the product: one copy serves
// look-up, forward and backward. Scratch lies in a few large buffers that all plans share,
// each value in ranges of its own; because in one dispatch a buffer is either read-only or
// writable, ranges of scratch are
// bound for writing throughout. The arguments and the live counts are one buffer.
//
// # Kernels
//
// A file in wgsl is the body of a kernel. [launch.source] puts before it what the
// launch says: constants, the uniform block P, the bindings, and accessors for each
// port: x(i) reads an element, x4(i) four, set_x(i, v) writes. So a kernel does not
// know a weight's type, nor whether two of its ports are one buffer, which WebGPU
// wants bound once. Loops marked //@for are unrolled and branches marked //@if are
// decided in the text, since shader compilers differ in what they do about them.
//
// Features make variants of a kernel, never another result than rounding's: with
// subgroups a workgroup adds up without memory (reduce.wgsl); a [Tile] without workgroup
// memory, which the tuner finds on adapters that compute on a CPU, takes
// gemm_direct.wgsl for gemm.wgsl and makes the workgroups of sums as small as a vector.
// All kernels compute in f32, with two exceptions among products: with a [Tile] that says
// so, forward products multiply in f16 where the adapter has shader-f16; and products with
// frozen weights of a program at [engine.Fast] are computed in 8 bits (eight.go) where the
// language has packed_4x8_integer_dot_product and the tuner finds that to be faster. There
// each factor is rounded to 7 bits and a sign with a scale for each row and block of 32
// terms, so that an outlier costs precision in its own block alone, and a block with an
// element that is not finite makes its row's results NaN.
//
// Sums over rows go in two stages in a fixed order, never through atomics: two runs
// give the same bits. "Not a number" is told by its bits, and what is hidden scores a
// finite −1e30, since WGSL lets a compiler assume that neither NaN nor infinity exist.
//
// # Tests
//
// Go's tests of this package run in Node on SwiftShader, which comes with Chromium
// (see e2e/webgpu/exec.cjs); the rules of binding are checked natively on every
// conformance case.
package webgpu

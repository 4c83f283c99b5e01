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
// Compile walks the operations once. Each operation appends launches: a kernel (a file in
// wgsl), the memory that it reads and writes, and its parameters. Then scratch memory is
// placed, and launches become dispatches: pipelines, bind groups and sizes. A script
// ([Driver]) receives them as one list. A run is one copy of the arguments and one call to
// the script, which records and submits the list. A step of less than 100 ms goes in one
// submit, a longer one in several, cut between operations; the time of a first run is
// estimated from earlier runs, cautiously. At most two runs are in flight.
//
// # Memory
//
// A tensor is a buffer. A tensor, or a value in scratch, that exceeds the adapter's limit
// is cut by rows into several buffers; operations work part by part where they can, else
// they bind all parts (spans.go). Writing a quantised weight separates quants from scales
// (weight.go). Kernels unpack weights inside the tile of the product, so one copy serves
// look-up, forward and backward. Scratch memory is a few large buffers, shared by all
// plans; each value has its own range. Within a dispatch a buffer is either read-only or
// writable, so ranges of scratch are always bound as writable. The arguments and the live
// counts share one buffer.
//
// # Kernels
//
// A file in wgsl is the body of a kernel. launch.source puts the launch's declarations
// before it: constants, the uniform block P, the bindings, and accessors for each port.
// x(i) reads an element, x4(i) reads four, set_x(i, v) writes one. A kernel thus need not
// know the type of a weight, or that two of its ports are in the same buffer, which WebGPU
// allows to be bound only once. Loops marked //@for are unrolled and branches marked //@if
// are decided in the text, because shader compilers treat them differently.
//
// The adapter's features select variants of a kernel, whose results differ by rounding
// only. With subgroups a workgroup computes sums without memory (reduce.wgsl). A [Tile]
// without workgroup memory, which the tuner finds on adapters that compute on a CPU,
// selects gemm_direct.wgsl instead of gemm.wgsl and workgroups of one vector for sums.
// All kernels compute in f32, with two exceptions among products: with a [Tile] that says
// so, forward products multiply in f16 where the adapter has shader-f16; and products with
// frozen weights of a program at [engine.Fast] are computed in 8 bits (eight.go) where the
// language has packed_4x8_integer_dot_product and the tuner finds that to be faster. There
// each factor is rounded to 7 bits and a sign with a scale for each row and block of 32
// terms, so that an outlier costs precision in its own block alone, and a block with an
// element that is not finite makes its row's results NaN.
//
// Sums over rows are computed in two stages in a fixed order, without atomics, so two runs
// give the same bits. WGSL lets a compiler assume that there are no NaNs and infinities:
// kernels recognise them by their bits, and hidden keys score a finite −1e30.
//
// # Tests
//
// Go's tests of this package run in Node on SwiftShader, which comes with Chromium
// (see e2e/webgpu/exec.cjs); the rules of binding are checked natively on every
// conformance case.
package webgpu

// Package simd is the device for every browser: hand-tuned WebAssembly kernels
// over a linear memory that holds weights, activations and the program itself.
//
// A program is lowered once to a chain of records (package command), which the
// kernels (package kernels, written with the assembler of package asm) walk
// without a word to Go: a run writes its arguments into memory and starts the
// walk. In a browser the walk is done by Web Workers over shared memory, where
// the page is cross-origin isolated, and on one thread in slices of 50 ms
// otherwise; in Node by worker_threads; natively by wazero.
//
//	dev, err := simd.New(ctx, simd.Options{})
//	w, err := dev.Alloc(engine.Spec{DType: engine.Q4_0, Shape: []int{576, 576}})
//	plan, err := dev.Compile(ctx, program, map[string]engine.Tensor{"w": w})
//	err = plan.Run(ctx, args)
//
// Four modules are committed under module/: with relaxed SIMD or without, with
// shared memory or their own. "make simd" writes them again from package kernels.
package simd

//go:generate go run ./gen module

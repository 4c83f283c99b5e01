// Package kernels generates the WebAssembly modules of the SIMD device.
//
// [Build] writes one of four modules: with or without relaxed SIMD's fused
// multiply-add, with a memory of its own or a shared one that several threads
// walk. The exports are run (walk.go), peak (micro.go) and memory. Everything a
// kernel needs stands in a record in linear memory: see package command.
//
// Kernels cut work into tiles that any thread may take; a tile reads a
// record, writes its own part of the output and uses its thread's workspace.
package kernels

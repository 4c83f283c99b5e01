// Package asm writes WebAssembly modules: a small typed assembler for the
// kernels of package simd.
//
// A [Value] is an expression: its type and the bytes that leave it on the
// stack. Operators build larger values from smaller ones and statements of a
// [Func] consume them, so a kernel reads like the loop it is:
//
//	m := asm.NewModule()
//	m.OwnMemory(1, 1)
//	f := m.Func("axpy", nil, asm.I32, asm.I32, asm.I32, asm.F32) // x, y, n, a
//	x, y, n, a := f.Param(0), f.Param(1), f.Param(2), f.Param(3)
//	f.For(asm.Const(0), n, 4, func(i asm.Value) {
//		px, py := f.Let(x.Add(i.Shl(2))), f.Let(y.Add(i.Shl(2)))
//		f.Store(py, 0, m.Madd(a.Splat(asm.F32x4), asm.Load(asm.F32x4, px, 0), asm.Load(asm.F32x4, py, 0)))
//	})
//	m.Export(f)
//	wasm := m.Bytes()
//
// A value used twice is computed twice; [Func.Let] keeps it in a local. Types
// are checked while the module is built and a mismatch panics: a generator's
// mistake, not its input's. Vector types carry their lanes (F32x4, I32x4,
// I16x8, I8x16), which WebAssembly itself does not; [Value.As] reinterprets.
//
// The encoding follows the WebAssembly core specification 2.0, chapter 5, the
// threads proposal (atomics, shared memory) and the relaxed SIMD proposal.
package asm

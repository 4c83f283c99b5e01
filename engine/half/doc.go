// Package half converts between float32 and the two 16-bit floating-point
// formats that weight files use: IEEE 754 binary16 (F16: 1 sign, 5 exponent,
// 10 fraction bits) and bfloat16 (BF16: 1, 8, 7; the upper half of a float32).
//
// Widening is exact. Narrowing rounds to nearest, ties to even, and overflows
// to infinity; a NaN stays a NaN, quiet, with its sign and leading payload.
package half

//go:build js

package simd

// Available says whether this host's WebAssembly has SIMD at all.
func Available() bool { return valid("plain-own") }

// Package gguf reads GGUF, the file format of llama.cpp: a model's metadata,
// its tokenizer and its tensors, plain or quantised, in one file.
//
//	"GGUF" │ version: u32 = 3 │ tensors: u64 │ pairs: u64
//	pairs   × { key: string │ kind: u32 │ value }
//	tensors × { name: string │ dims: u32 │ dim: u64 … │ type: u32 │ offset: u64 }
//	padding to general.alignment (32) │ tensor bytes, each padded likewise
//
// Numbers are little endian; a string is a u64 length and its bytes. GGUF lists
// a tensor's dimensions innermost first; here, as everywhere in Prelude, a Shape
// is row-major: a linear map is [out, in].
//
// [Read] reads everything but the tensor bytes. It believes no count or length:
// each is held against the bytes that are left in the file, and nothing is
// allocated ahead of what has been read. Big-endian files, versions 1 and 2 and
// the formats from before GGUF are refused by name, tensors of a type that
// [Type.Supported] doesn't know by the tensor's and the type's.
//
// A quantised [Type] stores a row in blocks of 32 or 256 elements. [Type.Dequantize]
// gives their values, bit for bit as ggml computes them; [QuantizeQ8_0],
// [QuantizeQ4_0] and [QuantizeQ4_1] go the other way.
//
// Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
// Blocks: ggml-quants.c in the same repository, and the Python package gguf.
package gguf

// Package safetensors reads and writes the safetensors format: a table of
// named tensors in front of their plain little-endian bytes. Model weights and
// trained prefixes (PEFT adapters) come in it.
//
//	┌──────────────┬──────────────────────────────┬──────────────────────┐
//	│ n: uint64 LE │ n bytes of JSON, space-padded│ tensor bytes         │
//	└──────────────┴──────────────────────────────┴──────────────────────┘
//	{"__metadata__": {"format": "pt"},
//	 "w": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}
//
// Shapes are row-major; offsets count from the end of the header. A file is
// accepted on the terms of the reference implementation: the tensors lie one
// behind the other from the first data byte to the last of the file, with no
// hole, no overlap and nothing behind them; shape × element size is the length;
// the header is at most 100 MB. On top of it a name may occur only once.
//
// [Open] reads the header alone, from any io.ReaderAt; [File.ReadAt] then reads
// any range of a tensor. Nothing is allocated by what a header claims: the
// claims are first held against the size of the file.
//
// [Write] is deterministic: it puts tensors in the reference's order (wide
// elements first, then by name), which aligns every tensor to its element.
//
// Format: https://github.com/huggingface/safetensors#format
package safetensors

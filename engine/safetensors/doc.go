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
// Shapes are row-major; offsets count from the end of the header. A file must
// satisfy the rules of the reference implementation: the tensors follow each
// other from the first data byte to the end of the file without gaps or
// overlaps; a tensor's length is its shape × element size; the header is at
// most 100 MB. In addition each name must be unique.
//
// [Open] reads only the header, from any io.ReaderAt; [File.ReadAt] then reads
// any range of a tensor. The sizes in a header are checked against the size of
// the file before anything is allocated.
//
// [Write] is deterministic: it puts tensors in the reference's order (wide
// elements first, then by name), which aligns every tensor to its element.
//
// Format: https://github.com/huggingface/safetensors#format
package safetensors

// Package weights reads a model's weight files: it lists their tensors and
// streams them to a device.
//
//	Source ──Open──▶ Catalog ──View──▶ View ──Load──▶ engine.Tensor
//	a file, pieces,  what is inside    rows of it     ≤ 4 MiB at a time
//	a URL            (headers only)    as wanted
//
// A [Source] is read by range, wherever it lies. [Open] knows GGUF version 3,
// safetensors, an index of safetensors shards, and the manifest of a file cut
// into pieces; it reads headers alone, so what is unsupported is named before
// anything big is downloaded. A [Catalog]'s tensors have row-major shapes: a
// linear map is [out, in] whatever the format.
//
// A [View] says what of the file becomes a tensor of the device: a tensor as it
// is, a range of a fused one ([View.Rows]), several together ([Concat]), the
// query and key rows of a llama GGUF put back in order ([View.Unpermute]), or
// GPT-2's matrices the other way round ([View.Transpose]). [Load] fills the
// device's tensors in the file's order, through buffers of 4 MiB; no
// tensor is ever whole in Go's heap.
//
// F32, F16, BF16, Q8_0, Q4_0 and Q4_1 keep the bits of the file; a safetensors
// matrix "w" of I8 [out, in] beside "w.scales" of F16 [out, in/32] is Q8_0. GGUF's other
// quantised types, for which there are no kernels, become Q8_0 on the way; a [Rounding]
// says how many do, and what is lost, for the page to tell.
package weights

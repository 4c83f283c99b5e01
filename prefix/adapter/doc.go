// Package adapter reads and writes a trained prefix as people pass it around: a
// PEFT adapter folder, zipped.
//
//	adapter_config.json        what PEFT reads: the method, the base model, the sizes
//	adapter_model.safetensors  what PEFT reads: the tensors
//	prelude.json               what only Prelude reads: the fingerprint of the frozen
//	                           weights, how text becomes tokens, how training went
//	prelude.safetensors        tensors that PEFT has no word for (gates, convolutions)
//	README.md                  the five lines of Python that load it
//
// A prefix of keys and values (PREFIX_TUNING, CARTRIDGE) is one tensor,
// prompt_embeddings [slots, 2·layers·kvHeads·headDim], each row seen as
// [2·layers, kvHeads, headDim] with block ℓ's keys at 2ℓ and its values at 2ℓ+1.
// Keys are stored after the rotary embedding, at positions 0 … slots−1; the text
// then starts at position slots. Soft prompts (PROMPT_TUNING, P_TUNING, CPT) are
// prompt_embeddings [slots, hidden].
//
// What PEFT cannot load has peft_type [Own], which PEFT does not know, so it
// says so instead of loading half of a method.
//
// [Read] takes files from strangers: every size is bounded before a byte of it is
// inflated, only the five names are allowed, and every tensor is checked against
// what the configuration says, down to the last NaN. [Adapter.Write] makes the
// same bytes from the same adapter, so that an adapter has one hash.
//
// Layout: PEFT 0.21.2, peft_model.py (get_prompt) and utils/save_and_load.py.
package adapter

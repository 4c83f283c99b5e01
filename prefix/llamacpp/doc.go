// Package llamacpp writes what was trained as files that llama.cpp reads, unmodified.
//
// A prefix of keys and values is a part of a KV cache, so it becomes a sequence state file
// ([State]), as llama_state_seq_save_file writes it: llama-server restores it into a slot,
// other programs call llama_state_seq_load_file. LoRA becomes a GGUF adapter ([WriteLoRA]).
// Both are for any GGUF of the model that the prefix was trained on, whatever its weights'
// type. [Export] makes them, with a README and a script, from a method.
//
// Keys are as llama.cpp's attention reads them, after rotary positions. Its converter orders
// the rows of Llama's query and key weights so that the two numbers of a rotation stand side
// by side; Hugging Face has them half a head apart. Keys and LoRA's rows follow the file.
package llamacpp

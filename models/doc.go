// Package models knows model families: how their files name tensors, and how their
// forward pass is built from the engine's operations.
//
// A family is one file here: it reads the family's configuration and implements
// [engine.Architecture]. Tensors keep the names of Hugging Face checkpoints; linear
// maps are stored [out, in]. Everything else (weight files, tokenizers) is shared.
//
// Families register by architecture name; [New] picks one:
//
//	arch, err := models.New(config, specs)
//	out := arch.Forward(program, input, engine.Hooks{})
package models

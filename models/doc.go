// Package models knows model families: how their files name tensors, and how their
// forward pass is built from the engine's operations.
//
// A family is one file here: llama.go (Llama, SmolLM2, Qwen2, Qwen3, Mistral), gpt2.go,
// neox.go (GPT-NeoX, Pythia), gemma.go (Gemma 3), t5.go (T5, Flan-T5). It
//
//   - reads the family's configuration with [Config]'s getters, in the terms of Hugging
//     Face's config.json and of both generations of its keys, and refuses by name what
//     changes the mathematics and is not implemented;
//   - lists the tensors that it wants, under the names that checkpoints have; linear maps
//     are [out, in] here, so a family whose files fuse or transpose them says how to cut
//     them (see checkpoints in load.go);
//   - implements [engine.Architecture]: Forward appends operations, and calls the hooks
//     through which a prefix enters (see pass.go, which does it for all).
//
// A GGUF file's metadata and tensor names are translated to the same terms: one entry a
// family in gguf.go. Weight files, tokenizers and chat templates are packages below.
//
// [Open] reads what says what a model is, [Files.Load] its weights:
//
//	files, err := models.Open(ctx, "smollm2", weights.Dir("static/models/smollm2-135m"), "")
//	model, err := files.Load(ctx, cpu.New[float32](), weights.Options{})
//	out := model.Arch.Forward(program, input, engine.Hooks{})
//
// To add a family, write its file, register it under its model_type, add a case to
// e2e/fixtures/families.py and run it: the tests hold every family in the fixture to
// transformers, and to what prefixes promise of any model (invariants_test.go).
package models

// Pretrain trains a small Llama from nothing with the project's own engine, and
// writes it as a folder that this project and transformers load.
//
//	go run ./models/pretrain -corpus build/corpus -tokenizer tokenizer.json \
//		-out build/pretrain -steps 2000 -export build/model
//
// The corpus folder has train.txt and heldout.txt, texts that each end with
// <|endoftext|>; corpus/build.py makes it from packages of public registries.
// The tokenizer is made by models/tokenizer/trainbpe with the control tokens
// <|endoftext|> and <|pad|>, in that order.
//
// A run is seeded and resumable: batches follow from the seed and the step, weights
// and optimiser state are in checkpoint.safetensors, and the same command goes on
// from there. A resumed run has the curve of an unbroken one, bit for bit on the
// reference device. curve.csv gets a line a step: tokens, training loss in nats a
// token, and now and then the held-out bits a byte.
//
// pretrain.py beside it trains the same configuration (config.json) with PyTorch,
// which learns more an hour; the bundled model comes from it.
package main

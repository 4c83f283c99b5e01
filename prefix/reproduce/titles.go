package main

var titles = map[string]string{
	"E1": "a prefix can't teach a one-layer model a new task",
	"E2": "a prefix of one elicits each of four tasks",
	"E3": "four layers, ten slots: the seen tasks",
	"O":  "orderings from the literature, at toy size",
	"E4": "the double histogram: LoRA of rank one, not a prefix",
}

const preface = `# What papers say of prefix-tuning, rerun here

Written by ` + "`make reproduce`" + `, on this project's engine and prefix methods (WebAssembly SIMD through wazero, one
thread), from the checkpoints beside it, which pretrain.py made. Accuracies are exact match on test examples that no
training saw.
`

package main

const preface = `# What papers say of prefix-tuning, rerun here

Written by ` + "`make reproduce`" + `, on this project's engine and prefix methods (WebAssembly SIMD kernels in Node,
a thread for each processor), from the checkpoints beside it, which pretrain.py made. An experiment stands here once it
has been run; times are of two cores of a Xeon that did nothing else, %.0f minutes for all.

E1 to E4 are those of Petrov, Torr and Bibi (ICLR 2024, arXiv 2310.19698) with their model sizes, data and prefix lengths,
read from their notebooks. Accuracies are exact match on test inputs that no training saw. What differs from the paper:
pretraining takes fewer steps (theirs 40,000 of 64, whatever batch their configuration names) and a learning rate that
falls at the end, and only E4's has their dropout; tuning takes fewer steps at a higher rate, with this project's AdamW; a
prefix starts as noise of the size of real hidden states; exams have 1,000 inputs, not 3,200. E4's checkpoint is E3's,
trained on with dropout; both have twelve padding tokens: E3's prefix of ten stands before two. LoRA is on the maps that the
paper's code adapts, the feed-forward parts and the attention's output projection: as many numbers as the prefix has.

The comparison with PEFT on SmolLM2 stands at the end.
`

const comparisonPreface = `
## Prefixes here, and PEFT's, on 100 examples

SmolLM2-135M-Instruct, 100 distinct prompts of the E2E data with one reference each, 70 to train on and 30 for validation,
plain text with an end token, 200 steps of 8, the same five learning rates for every arm, seed 1: the lowest validation loss in
nats a token (without training 3.096) and the step at which it was. † marks a rate that was given up, as compare/ says: far
behind another rate of its arm at step 60, or far above its own best later. That may be unjust to PEFT's random prefix at low
rates, which begins at a loss of 9.4; its best rate is the grid's edge. The lines are those of compare/compare.csv, which
compare/main.go and compare/compare.py write.

PEFT's cartridge starts from the first 16 tokens of two examples, cartridge:2 from the whole of both, as "examples" does here.
PEFT's matrix products were in bfloat16 with float32 sums; "examples" is the default of the page, and the same method as
cartridge:2 from the same start but for its first slot, which PEFT keeps as it is, and for the order of the examples.
`

const repeatedPreface = `
More seeds at an arm's best rate show what a difference of a hundredth is worth. A seed decides the order of the examples and
LoRA's start; the split and the start of a prefix stay. The lowest validation losses in nats a token:
`

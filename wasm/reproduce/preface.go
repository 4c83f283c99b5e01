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

The comparison with PEFT on SmolLM2 and how fast a prefix learns stand at the end.
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

const pacePreface = `
## How fast a prefix learns

What the default settings are chosen by: trainings of the default method with different schedules, rates and batches on three
small sets, 50 prompts of the E2E data, topics (a classification of 56 messages) and polite (a rewriting of 56 notes), a third
of each held out. "plateau" is the default, and was another one when these lines were measured: the rate held while validation
improved by 1 %, was cut to 0.3 of itself where it did not, from the best prefix so far, and two validations in a row without
improvement ended the training; before the first improvement only a loss that had risen cut the rate, and nothing ended the training
but its limit. Now it goes in rounds of some two and a half passes (1.6 of 200 examples), the first of them, of some fifty examples and fewer, in steps of half the examples, in each of which the rate falls to zero in half a cosine,
does the same at the end of a round, and steps back by 0.15 of the round's way. "linear" falls to zero at
the end of the length that it was given. A loss is in nats a token on the held-out examples. Costs are in examples trained
on, a held-out example that is read counting as a third, so that they don't depend on the machine: until a validation was within
1 % of the lowest loss in the table, and until the end. Within a table the soonest stands first; – never came so near.
The lines are those of wasm/reproduce/pace/pace.csv, which wasm/reproduce/pace/main.go writes. Plateau's lines at 0.03, 0.06, 0.135
and 0.27, and one of SmolLM2's two at 0.02 on e2e (1.6478 at its end), are from before training forgot the momentum of the steps
that it undoes. One line, of SmolLM2 on topics at 0.03, was stopped by hand.
`

const paceRounds = `
Why rounds: SmolLM2 with its chat template on 50 examples as above, products in 8-bit integers, in Chromium on two threads, batches of four,
loss on the held-out examples after 24 steps (38 to 41 s with other programs running, 1.3 s a step without). "Held" keeps its rate, "its
mean" is the exponential mean of its prefixes (0.8 a step), "half held" falls to zero in the second half, "cosine" over all 24 steps:
what a round of "plateau" is now.

| set | base, start | held, 0.02 | its mean | half held, 0.02 | cosine, 0.03 |
| --- | --- | --- | --- | --- | --- |
| e2e | 2.586, 2.443 | 1.610 (1.616 at step 12) | 1.589 | 1.594 | **1.571** |
| topics | 11.325, 1.916 | **0.149** | 0.194 | | 0.319 |
| polite | 2.506, 1.067 | | | | 0.377 |

As plain text, one thread, the best loss within so many steps, of the former "plateau" at 0.02 and of rounds (-precision fast -steps 48):

| set | former: 24 to 30 steps | 48 steps | rounds: 24 steps | 48 steps |
| --- | --- | --- | --- | --- |
| topics | 0.164 | 0.116 | 0.333 | **0.101** |
| polite | 0.335 | 0.335 | **0.335** | 0.335 |

The former "plateau" came to 1.574 on e2e after 45 to 54 steps. A classification, whose loss is far from its end after 24 steps, loses by the
falling rate and goes on in the next round; a text of some length wins half the time. prelude-wren at its own rate with "half held" came to
0.839, 2.034 and 3.055 on topics, polite and e2e (0.968, 1.977 and 3.028 before).

Batches of two, which the first round has since then (40 steps at 0.03): the loss at its end, SmolLM2, plain text, products in 8-bit integers. Since a
training keeps its packed weights between steps, a step of two examples takes 0.52 of one of four (0.56 and 1.08 s on two threads), so that
48 steps of two cost what 25 of four do.

| set | seed | 24 steps of 4, 0.03 | 48 steps of 2, 0.025 | 40 steps of 2, 0.03 | 0.02 |
| --- | --- | --- | --- | --- | --- |
| e2e | 1 | 1.654 (20 steps: 1.637) | 1.626 | **1.600** | 1.613 |
| e2e | 2 | 1.626 | **1.599** | 1.623 | 1.625 |
| e2e, second split | 1 | 1.691 | **1.650** | | |
| e2e, third split | 1 | 1.685 | **1.681** | | |
| topics | 1 | 0.362 | **0.211** | 0.229 | |
| polite | 1 | 0.370 | **0.356** | 0.375 | 0.371 |

They win nearly every first round and lose the run where later rounds have them too: on the first split of e2e the page's two minutes at 0.025 and rounds of 45 came to
1.631 at step 45, 1.778 at step 90 and, at 0.3 of the rate, 1.629 at step 135, where steps of four end at 1.612. With later rounds of four, which is the default
now, it is 1.597 after the first round and **1.586** in the end (e2e/bench/RESULTS.md, "The first half minute"). On the page's tasks prelude-wren comes lower in five
(sentiment 0.273 to 0.238, intent 0.984 to 0.959, orders 0.547 to 0.521, animals 3.746 to 3.718, german 4.763 to 4.751) and higher in two (entities 3.234 to 3.296,
polite 2.435 to 2.440).
The best loss in 192 steps of two, at 1.25 of the model's own rate, and in 96 of four, at 1.5 of it, on e2e, topics and polite:
prelude-wren 2.945, 0.763 and 1.950, and 3.014, 0.808 and 2.035; prelude-lark 2.438, 0.342 and 2.382, and 2.366, 0.350 and 2.401.

Muon (engine/muon.go) updates keys and values since then. In PyTorch, bfloat16, plain text, started from the same two examples, cosine to zero,
loss on the held-out examples (60 prompts of e2e; a third of the others), SmolLM2:

| set | examples in all, a step | AdamW at its best rate | Muon, momentum 0.8, 0.02 | 0.012 |
| --- | --- | --- | --- | --- |
| e2e, 35 prompts | 80, 2 | 1.633, 1.648 (0.03) | 1.621, **1.606**, **1.608** | **1.604**, 1.624 |
| e2e, 200 prompts | 212, 2 | 1.460 (0.03) | **1.417**, **1.428** | 1.435, 1.443 |
| e2e, 200 prompts | 320, 4 | 1.424, 1.436 (0.03), 1.439 (0.02) | **1.399** | |
| topics | 80, 2 | 0.284 (0.03) | **0.114** | 0.150 |
| polite | 80, 2 | 0.336 (0.03) | **0.304** | 0.318 |

Several figures are of seeds 1, 2 and 3. Other momenta on 200 prompts, 212 examples: 0.5 1.445 and 1.440; 0.9 1.559, and 1.383 after 240: what that ends at
is chance. prelude-wren and prelude-lark, 96 steps of four, best loss by AdamW and by Muon: topics 0.816 and 0.791, 0.345 and 0.332; polite 2.040 and 1.971, 2.377 and
2.382; e2e 3.035 and 3.015, 2.364 and 2.311. At 1.45 times that rate wren comes lower still (0.733, 1.927, 2.922) and lark stays behind AdamW (0.351, 2.531, 2.409),
so that the rate grows less in narrow models than AdamW's does. Tried with them and not taken: one scale a slot instead of one a number 1.431 (320 examples, 0.02),
rates by the size of a layer's keys and values 1.442, second moments of 0.95 1.426, averages of the prefixes (within 0.004 of the last), and
no gradient through the prompts' rows, which would spare a third of a step on e2e: 1.475 and 1.497 where the whole gradient comes to 1.399.

A round ends as Lookahead's do (Zhang et al. 2019, arXiv 1907.08610) since then: the prefix goes a share of the way from where the round began to
where its steps have come. In PyTorch as above, the loss at the end of one training and at shares of its way:

| set | seed | the whole way | 0.93 | 0.85 | 0.7 |
| --- | --- | --- | --- | --- | --- |
| e2e, 35 prompts, 80 examples | 1, 2 | 1.621, 1.606 | | **1.612**, **1.599** | 1.627, 1.621 |
| e2e, 35 prompts, 80 examples | 3, 4 | 1.608, 1.604 | 1.604, **1.598** | **1.604**, 1.599 | 1.624, 1.616 |
| e2e, 200 prompts, 320 examples | 2, 3 | 1.412, 1.399 | **1.404**, **1.392** | 1.405, **1.392** | 1.434, 1.419 |
| topics | 1 | 0.114 | | **0.092** | 0.121 |
| polite | 1 | 0.304 | | **0.301** | 0.308 |

Whole trainings of prelude-wren and prelude-lark, 96 steps of four in rounds, by Muon, seeds 1 and 2:

| model, set | the whole way | 0.9 | 0.85 | 0.8 | 0.7 |
| --- | --- | --- | --- | --- | --- |
| wren, topics | 0.791, 0.771 | 0.907, 0.810 | 0.810, 0.877 | 0.747, 0.817 | 0.732, 0.806 |
| wren, polite | 2.032, 2.056 | 1.990, 2.006 | 1.993, 1.987 | 1.976, 1.962 | 1.954, 1.943 |
| wren, e2e | 3.031, 3.155 | 3.006, 3.089 | 2.984, 3.027 | 2.963, 3.047 | 2.941, 2.963 |
| lark, topics | 0.334, 0.388 | 0.322, 0.354 | 0.323, 0.336 | 0.323, 0.349 | 0.336, 0.365 |
| lark, polite | 2.465, 2.456 | 2.423, 2.429 | 2.387, 2.414 | 2.377, 2.384 | 2.427, 2.326 |
| lark, e2e | 2.311, 2.410 | 2.319, 2.347 | 2.315, 2.273 | 2.447, 2.249 | 2.362, 2.355 |

By AdamW, seed 1, 0.85 comes to 0.985, 2.015, 2.983 and 0.350, 2.359, 2.280 where the whole way comes to 0.851, 2.064, 3.085 and 0.345, 2.429, 2.364. What SmolLM2
comes to in the page is in e2e/bench/RESULTS.md, "The first half minute".

Tried for faster steps or less overfitting, in PyTorch, and not taken (where one figure stands it is of seed 1):

- Going on below each block with a part of the rows of its gradient, those of the largest norms (meProp, arXiv 1706.06197, by rows). 320 examples, 200 prompts, by seeds 1, 2, 3: 1.399,
  1.412, 1.399 with all rows; 1.406, 1.433, 1.408 with half of them; 1.402 with 0.6; 1.420 with 0.4. Built for the SIMD device: steps of four of 0.6 take 0.85 of the
  time, and after 24 of them the loss is 1.560 instead of 1.547, so that at equal time hardly anything is won; the least cosine of a gradient is then 0.79 instead of 0.987. Sparing the
  multilayer perceptrons alone, or leaving the residual stream whole, gives cosines no better.
- The prefix of the lower ten layers left as it began (16 % of a step): 1.413 (six: 1.416); 35 prompts 1.640 and 1.627 for 1.621 and 1.606.
- Each head's keys and values as a matrix of their own: 1.405; 35 prompts 1.602, 1.606. A loss on the prompts as well (0.1): 1.616. A start from four examples: 1.602, on 200 prompts 1.403 with
  half of the rows, each step by a half slower.
- Noise on keys and values in each step (of 0.2; arXiv 2305.02423): 35 prompts 1.587 and 1.598, but topics 0.861 and 200 prompts 1.412 for 1.412; of 0.1 1.609 and 1.662 for 1.621 and 1.608.
- A tenth of the start's probabilities in the targets: 1.610, 1.614. A pull to the start in each step: 1.616, 1.605.
- A mean of the ends of two rounds: 1.634 and 1.638 where the first ends at 1.621 and 1.606 (the second at 1.790 and 1.840: it overfits).

Tried at equal steps on e2e, seed 1, with AdamW, and not taken, 20 steps of four each, where the default comes to 1.637: a start from four examples
1.658 (it begins at 2.225 instead of 2.450), batches without the two examples that the prefix starts
from 1.661, a peak of 0.02 1.662, half the rate for values 1.660. Averages of the prefixes of the last steps change a loss of 1.654 after
24 steps to between 1.649 (exponential, 0.9 a step) and 1.660 (the mean of the last twelve). Batches of one, 72 steps in two rounds at 0.02: 1.721 and 1.610.
`

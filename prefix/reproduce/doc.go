// Package reproduce reruns, on this project's own engine and prefix methods, what papers say
// of prefix-tuning: the experiments of Petrov, Torr and Bibi (ICLR 2024, arXiv 2310.19698) at
// their model sizes, and orderings from the literature on a model of 0.2 million parameters.
// It starts from checkpoints that pretrain.py made. The command wasm/reproduce and the
// page's worker run the same experiments:
//
//	x, _ := reproduce.Find("E2")
//	b := reproduce.Bench{Device: dev, Checkpoint: checkpoints.Read}
//	r, err := x.Run(ctx, b, reproduce.Options{Part: "add1"})
//
// A [Result] grows while an experiment runs; [Observer] hears of it.
package reproduce

// Reproduce reruns, on this project's own engine and prefix methods, what papers say of
// prefix-tuning: the experiments of Petrov, Torr and Bibi (ICLR 2024, arXiv 2310.19698) at
// their model sizes, and ten orderings from the literature on a model of 0.2 million
// parameters. It starts from checkpoints that pretrain.py made, prints each figure beside
// the paper's and writes RESULTS.md:
//
//	go run ./prefix/reproduce [-only E1,E2,…] [-out prefix/reproduce]
//
// An experiment's results are kept in results.json beside it, so that one can be rerun alone.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"prelude/engine"
	"prelude/simd"
)

// experiment is one that can be named.
type experiment struct {
	id  string
	run func(ctx context.Context, dev engine.Device, r *result) error
}

var experiments = []experiment{{"E1", e1}, {"E2", e2}, {"E3", e3}, {"E4", e4}, {"E4-LoRA", e4lora}, {"O", orderings}}

func main() {
	only := flag.String("only", "", "experiments to run, with commas between; all where empty")
	out := flag.String("out", "prefix/reproduce", "`folder` of results.json and RESULTS.md")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := reproduce(ctx, *only, *out); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func reproduce(ctx context.Context, only, out string) error {
	all, err := readResults(out)
	if err != nil {
		return err
	}
	begun := time.Now()
	for _, x := range experiments {
		if only != "" && !slices.Contains(strings.Split(only, ","), x.id) {
			continue
		}
		dev, err := simd.New(ctx, simd.Options{})
		if err != nil {
			return err
		}
		r := &result{ID: x.id}
		r.keep = func() error {
			all.put(r)
			return all.write(out)
		}
		from := time.Now()
		if err := x.run(ctx, dev, r); err != nil {
			return fmt.Errorf("%s: %w", x.id, err)
		}
		if r.failed != nil {
			return r.failed
		}
		dev.Close()
		r.Seconds = time.Since(from).Seconds()
		if err := r.keep(); err != nil {
			return err
		}
		fmt.Printf("%s ended after %.0f s, %.0f s in all\n", x.id, r.Seconds, time.Since(begun).Seconds())
	}
	return all.write(out)
}

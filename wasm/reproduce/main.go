// Reproduce runs, on this project's own engine and prefix methods, what papers say of
// prefix-tuning: the experiments of Petrov, Torr and Bibi (ICLR 2024, arXiv 2310.19698) at
// their model sizes, and ten orderings from the literature on a model of 0.2 million
// parameters. It starts from checkpoints that pretrain.py made, prints each figure beside
// the paper's and writes RESULTS.md:
//
//	go run ./wasm/reproduce [-only E1,E2,… | -write] [-out prefix/reproduce] [-compared wasm/reproduce/compare] [-paced wasm/reproduce/pace]
//
// An experiment's results are kept in results.json, so that one can be rerun alone.
// With -write none is run: RESULTS.md is written anew from that file and from compare.csv.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"prelude/prefix/reproduce"
	"prelude/prefix/reproduce/checkpoints"
	"prelude/simd"
)

func main() {
	only := flag.String("only", "", "experiments to run, with commas between; all where empty")
	write := flag.Bool("write", false, "run nothing, write RESULTS.md")
	var at folders
	flag.StringVar(&at.results, "out", "prefix/reproduce", "`folder` of results.json and RESULTS.md")
	flag.StringVar(&at.compared, "compared", "wasm/reproduce/compare", "`folder` of compare.csv")
	flag.StringVar(&at.paced, "paced", "wasm/reproduce/pace", "`folder` of pace.csv")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := rerun(ctx, *only, *write, at); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func rerun(ctx context.Context, only string, write bool, at folders) error {
	for id := range strings.SplitSeq(only, ",") {
		if _, err := reproduce.Find(id); only != "" && err != nil {
			return err
		}
	}
	all, err := readResults(at.results)
	if err != nil {
		return err
	}
	begun := time.Now()
	for _, x := range reproduce.All {
		if write || only != "" && !slices.Contains(strings.Split(only, ","), x.ID) {
			continue
		}
		if err := one(ctx, x, all, at); err != nil {
			return fmt.Errorf("%s: %w", x.ID, err)
		}
		fmt.Printf("%s ended, %.0f s in all\n", x.ID, time.Since(begun).Seconds())
	}
	return all.write(at)
}

// one runs an experiment on a device of its own. What it has found is kept as it goes, since
// it may take long.
func one(ctx context.Context, x reproduce.Experiment, all *results, at folders) error {
	dev, err := simd.New(ctx, simd.Options{})
	if err != nil {
		return err
	}
	defer dev.Close()
	var failed error
	rows, begun := 0, time.Now()
	watch := reproduce.Observer{
		Result: func(r *reproduce.Result) {
			for ; rows < len(r.Rows); rows++ {
				y := r.Rows[rows]
				fmt.Printf("%s | %s | paper %s | here %s | %s\n", r.ID, y.What, y.Paper, y.Ours, y.Want)
			}
			all.put(r)
			failed = errors.Join(failed, all.write(at))
		},
		Eval: func(curve string, step int, loss float64) {
			fmt.Fprintf(os.Stderr, "%s, step %d: validation %.3f, %.0f s\n", curve, step, loss, time.Since(begun).Seconds())
		},
		Between: func() bool { return failed == nil },
	}
	_, err = x.Run(ctx, reproduce.Bench{Device: dev, Checkpoint: checkpoints.Read, Watch: watch}, reproduce.Options{})
	return errors.Join(failed, err)
}

// Pace measures how fast one of this project's methods learns: it trains it with a schedule,
// a rate and a batch on a small set of examples and appends what came out to pace.csv, from
// which wasm/reproduce makes a table:
//
//	go run ./wasm/reproduce/pace [-model M] [-data D] [-schedule S] [-lr R] [-batch B] [-steps N] [-every N] [-seed S] [-split S] [-patience P] [-preset P] [-precision P]
//
// The sets are topics (a classification) and polite (a rewriting), written for this purpose
// and beside this file under the project's licence, and e2e, the first 50 distinct prompts of
// the E2E data. A third of each is held out. What a run cost is counted in steps and
// examples, not in seconds, so that runs on busy machines can be compared. One thread.
package main

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"prelude/engine"
	"prelude/models"
	"prelude/models/weights"
	"prelude/prefix"
	"prelude/simd"
	"prelude/ui/wire"
	"prelude/wasm/reproduce/prompts"
	"prelude/wasm/session"
)

const (
	folder   = "wasm/reproduce/pace"
	e2e      = "../shared/data/e2e/train.jsonl"
	asked    = 50 // prompts of e2e
	valShare = 0.32
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	model := flag.String("model", "smollm2-135m", "`folder` under static/models")
	set := flag.String("data", "e2e", "e2e, topics or polite")
	preset := flag.String("preset", "examples", "a `method` that \"tune methods\" lists")
	split := flag.Uint64("split", 1, "seed of the split")
	t := wire.DefaultTrain()
	flag.StringVar(&t.Schedule, "schedule", t.Schedule, "plateau, linear or cosine")
	flag.StringVar(&t.Optimizer, "optimizer", t.Optimizer, "muon or adamw")
	flag.Float64Var(&t.LR, "lr", 0, "peak rate; 0 is the method's own")
	flag.IntVar(&t.Batch, "batch", t.Batch, "examples a step")
	flag.IntVar(&t.Steps, "steps", 200, "limit in steps")
	flag.IntVar(&t.Eval, "every", 0, "steps between validations, of all held-out examples each; 0 is as suits the schedule")
	flag.Uint64Var(&t.Seed, "seed", t.Seed, "of the order of the examples")
	flag.IntVar(&t.Patience, "patience", t.Patience, "validations in a row without improvement; 0: no end")
	precision := flag.String("precision", "exact", "of products with frozen weights: exact or fast")
	flag.Parse()
	p, err := prefix.FindPreset(*preset)
	if err != nil {
		return err
	}
	t.Minutes, t.Method = 0, maps.Clone(p.Choice)
	numbers, err := engine.ParsePrecision(*precision)
	if err != nil {
		return err
	}
	s, err := open(ctx, filepath.Join("static/models", *model), numbers, simd.Measured)
	if err != nil {
		return err
	}
	examples, err := read(*set)
	if err != nil {
		return err
	}
	d, err := s.SetData(*set+".jsonl", examples, wire.DataOptions{Chat: new(bool), Space: true, ValShare: valShare, Seed: *split})
	if err != nil {
		return err
	}
	fmt.Println(d.Train, "to train on,", d.Val, "for validation")
	var planned wire.Planned
	var evals []string
	done, err := s.Train(ctx, t, session.Watch{Planned: func(x wire.Planned) { planned = x }, Step: func(wire.Step) {},
		Eval: func(e wire.Eval) {
			fmt.Println("step", e.Step, e.Loss, e.By())
			if e.Rows == 0 {
				evals = append(evals, fmt.Sprintf("%d:%.4f", e.Step, e.Loss))
			}
		},
		Between: func() bool { return true }})
	if err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(folder, "pace.csv"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = fmt.Fprintf(f, "%s,%s,%s,%s,%.3g,%d,%d,%d,%d,%.4f,%s\n", *model, *set, *preset, t.Schedule, planned.LR, t.Batch, t.Seed, done.Steps, d.Val, done.BaseLoss, strings.Join(evals, " "))
	return err
}

// open loads the model in a folder onto one thread.
func open(ctx context.Context, dir string, precision engine.Precision, products simd.Products) (*session.Session, error) {
	files, err := models.Open(ctx, filepath.Base(dir), weights.Dir(dir), "")
	if err != nil {
		return nil, err
	}
	dev, err := simd.New(ctx, simd.Options{Threads: 1, Products: products})
	if err != nil {
		return nil, err
	}
	s := &session.Session{Device: dev, Precision: precision}
	return s, s.Load(ctx, files, weights.Options{})
}

// read is a set's lines: of e2e, the first with each of its first prompts.
func read(set string) ([]byte, error) {
	if set != "e2e" {
		return os.ReadFile(filepath.Join(folder, set+".jsonl"))
	}
	raw, err := os.ReadFile(e2e)
	if err != nil {
		return nil, err
	}
	return prompts.First(raw, asked)
}

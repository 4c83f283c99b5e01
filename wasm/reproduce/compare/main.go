// Compare trains one of this project's methods on 100 distinct prompts of the E2E data with
// SmolLM2-135M and appends what came out to compare.csv, beside what compare.py finds with
// PEFT on the same split:
//
//	go run ./wasm/reproduce/compare split            train.jsonl and val.jsonl for compare.py
//	go run ./wasm/reproduce/compare ARM RATE [SEED]  examples, text, li-liang, lora …
//
// An arm is a preset of "tune methods", and settings behind slashes, as in
// examples/kv.slots=200. The seed, 1 where it is left out, is of the order of the examples and
// of what a method draws; the split stays. One call is one arm at one rate, so that the grid
// can be run in pieces, one beside the other, so it takes one thread; a call whose line is
// there already does nothing. A rate is given up at step 60 where its loss is more than 0.2
// nats above what another rate of its arm had there with the same seed, and from then on where
// it is more than 0.15 above its own best.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"prelude/models"
	"prelude/models/weights"
	"prelude/prefix"
	"prelude/prefix/data"
	"prelude/simd"
	"prelude/ui/wire"
	"prelude/wasm/reproduce/compare/runs"
	"prelude/wasm/reproduce/prompts"
	"prelude/wasm/session"
)

const (
	source  = "../shared/data/e2e/train.jsonl"
	folder  = "wasm/reproduce/compare"
	split   = "build/compare"
	modelAt = "static/models/smollm2-135m"

	asked, valShare, splitSeed = 100, 0.3, 1
	steps, batch               = runs.Steps, 8
	every                      = 20 // steps between evaluations
	look, behind, astray       = 60, 0.2, 0.15
)

func main() {
	var err error
	switch {
	case len(os.Args) == 2 && os.Args[1] == "split":
		err = writeSplit()
	case len(os.Args) == 3:
		err = run(context.Background(), os.Args[1], os.Args[2], "1")
	case len(os.Args) == 4:
		err = run(context.Background(), os.Args[1], os.Args[2], os.Args[3])
	default:
		err = errors.New("usage: compare split | compare ARM RATE [SEED]")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// distinct is the first 100 distinct prompts of the data with their first references, as
// JSON Lines.
func distinct() ([]byte, error) {
	raw, err := os.ReadFile(source)
	if err != nil {
		return nil, err
	}
	lines, err := prompts.First(raw, asked)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", source, err)
	}
	return lines, nil
}

// writeSplit writes the two sides of the split that the session makes.
func writeSplit() error {
	raw, err := distinct()
	if err != nil {
		return err
	}
	var all []data.Example
	line := 0
	for text := range bytes.Lines(raw) {
		line++
		var x struct{ Prompt, Completion string }
		if err := json.Unmarshal(text, &x); err != nil {
			return err
		}
		all = append(all, data.Example{Line: line, Prompt: x.Prompt, Completion: x.Completion})
	}
	data.AddSpace(all)
	train, val, _ := data.Split(all, valShare, splitSeed)
	if err := os.MkdirAll(split, 0o777); err != nil {
		return err
	}
	for name, side := range map[string][]data.Example{"train": train, "val": val} {
		var b bytes.Buffer
		for _, e := range side {
			text, err := json.Marshal(map[string]string{"prompt": e.Prompt, "completion": e.Completion})
			if err != nil {
				return err
			}
			b.Write(append(text, '\n'))
		}
		if err := os.WriteFile(filepath.Join(split, name+".jsonl"), b.Bytes(), 0o666); err != nil {
			return err
		}
	}
	fmt.Println(len(train), "to train on,", len(val), "for validation, in", split)
	return nil
}

func run(ctx context.Context, arm, rate, seeded string) error {
	lr, err := strconv.ParseFloat(rate, 64)
	if err != nil {
		return fmt.Errorf("rate %q: %w", rate, err)
	}
	seed, err := strconv.ParseUint(seeded, 10, 64)
	if err != nil {
		return fmt.Errorf("seed %q: %w", seeded, err)
	}
	choice, err := chosen(arm)
	if err != nil {
		return err
	}
	before, err := runs.Read(folder)
	if err != nil {
		return err
	}
	limit := math.Inf(1) // at step 60: above it, the rate is given up
	for _, r := range before {
		if r.By != "prelude" || r.Arm != arm || r.Seed != seed {
			continue
		}
		if r.Rate == lr {
			fmt.Println("already there:", arm, rate, seed)
			return nil
		}
		limit = min(limit, r.Early+behind)
	}
	raw, err := distinct()
	if err != nil {
		return err
	}
	files, err := models.Open(ctx, "smollm2-135m", weights.Dir(modelAt), "")
	if err != nil {
		return err
	}
	dev, err := simd.New(ctx, simd.Options{Threads: 1})
	if err != nil {
		return err
	}
	s := &session.Session{Device: dev}
	if err := s.Load(ctx, files, weights.Options{}); err != nil {
		return err
	}
	d, err := s.SetData("e2e.jsonl", raw, wire.DataOptions{Chat: new(bool), Space: true, ValShare: valShare, Seed: splitSeed})
	if err != nil {
		return err
	}
	fmt.Println(d.Train, "to train on,", d.Val, "for validation")
	var planned wire.Planned
	best, early, hope := math.Inf(1), math.Inf(1), true
	begun := time.Now()
	done, err := s.Train(ctx, wire.Train{Steps: steps, Batch: batch, LR: lr, Seed: seed, Optimizer: "adamw", Method: choice, Patience: steps, Eval: every},
		session.Watch{Planned: func(p wire.Planned) { planned = p },
			Step: func(wire.Step) {},
			Eval: func(e wire.Eval) {
				fmt.Printf("step %d  %.4f\n", e.Step, e.Loss)
				best = min(best, e.Loss)
				if e.Step == look {
					early = e.Loss
				}
				hope = e.Step < look || early <= limit && e.Loss <= best+astray
			},
			Between: func() bool { return hope }})
	if err != nil {
		return err
	}
	f, err := os.OpenFile(runs.File(folder), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = fmt.Fprintf(f, "prelude,%s,%g,%d,%d,%d,%d,%.4f,%.4f,%.4f,%d,%.2f\n", arm, lr, seed, planned.Slots, planned.Trainable, done.Steps, done.BaseLoss, early, done.BestLoss, done.BestStep, time.Since(begun).Seconds()/float64(max(1, done.Steps)))
	return err
}

// chosen is an arm's choice on the axes.
func chosen(arm string) (prefix.Choice, error) {
	parts := strings.Split(arm, "/")
	preset, err := prefix.FindPreset(parts[0])
	if err != nil {
		return nil, err
	}
	choice := maps.Clone(preset.Choice)
	for _, s := range parts[1:] {
		key, value, ok := strings.Cut(s, "=")
		if !ok {
			return nil, fmt.Errorf("arm %q: want key=value behind a slash", arm)
		}
		choice[key] = value
	}
	return choice, nil
}

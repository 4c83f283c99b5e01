// Command learn trains SmolLM2 on a set of examples, with the settings that the page opens with,
// and says when its validation loss came down to a figure: its side of the race with PEFT
// (peft.mjs). It runs natively, in Node and in a page (GOOS=js).
//
//	learn -write DIR                  all.jsonl, train.jsonl and val.jsonl of the first distinct E2E prompts
//	learn -data FILE|URL FOLDER|URL   trains on all.jsonl; "# step seconds loss" and "reached s s"
//	learn -steps N … FOLDER|URL       trains for N steps at a rate that falls to zero; "last loss nats" besides
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"math"
	"os"
	"path/filepath"
	"time"

	"prelude/e2e/bench/must"
	"prelude/e2e/bench/smollm2"
	"prelude/engine"
	"prelude/prefix/data"
	"prelude/ui/wire"
	"prelude/wasm/reproduce/prompts"
	"prelude/wasm/session"
)

const (
	source     = "../shared/data/e2e/train.jsonl"
	training   = 200
	validation = 60
	valShare   = float64(validation) / (training + validation)
	splitSeed  = 1
)

func main() {
	write := flag.String("write", "", "write the split to this `folder`")
	from := flag.String("data", "", "all.jsonl, a file or an address")
	threads := flag.Int("threads", 2, "threads, 0 for all")
	until := flag.Float64("until", 0, "validation `loss` at which to stop")
	lr := flag.Float64("lr", 0, "peak rate; 0 is the method's own")
	optimizer := flag.String("optimizer", wire.DefaultTrain().Optimizer, "muon or adamw")
	every := flag.Int("every", 0, "steps between validations of all held-out examples; 0: as the page does")
	minutes := flag.Float64("minutes", 10, "limit")
	steps := flag.Int("steps", 0, "train for this many steps, with one validation behind them; 0: as the page does")
	seed := flag.Uint64("seed", 1, "of the order of the examples")
	precision := flag.String("precision", wire.DefaultPrecision, "exact or fast")
	script := flag.String("script", "", "address of the threads' script, in a page")
	flag.Parse()
	if *write != "" {
		must.Get(0, split(*write))
		return
	}
	if flag.NArg() != 1 {
		log.Fatal("usage: learn [flags] FOLDER|URL")
	}
	ctx := context.Background()
	p := must.Get(engine.ParsePrecision(*precision))
	s, examples, err := smollm2.Open(ctx, flag.Arg(0), *from, p, *threads, *script)
	must.Get(0, err)
	d := must.Get(s.SetData("all.jsonl", examples, wire.DataOptions{Chat: new(bool), Space: true, ValShare: valShare, Seed: splitSeed}))
	fmt.Printf("# %d to train on, %d for validation, products in %s\n", d.Train, d.Val, engine.ArithmeticOf(s.Device, p))
	o := wire.DefaultTrain()
	o.Minutes, o.LR, o.Optimizer, o.Eval, o.Seed = *minutes, *lr, *optimizer, *every, *seed
	if *steps > 0 {
		o.Steps, o.Minutes, o.Eval, o.Schedule, o.Patience = *steps, 0, *steps, "linear", 0
	}
	must.Get(0, s.Ahead(ctx, o)) // which the page has done by the time of "Start"
	begun, reached, last := time.Now(), math.Inf(1), math.NaN()
	done := must.Get(s.Train(ctx, o, session.Watch{Planned: func(wire.Planned) {}, Step: func(wire.Step) {},
		Eval: func(e wire.Eval) {
			took := time.Since(begun).Seconds()
			fmt.Printf("# %d %.1f %.4f %s\n", e.Step, took, e.Loss, e.By())
			if e.Rows == 0 {
				last = e.Loss
				if e.Loss <= *until {
					reached = min(reached, took)
				}
			}
		},
		Between: func() bool { return math.IsInf(reached, 1) }}))
	fmt.Printf("reached %.2f s\n", reached)
	if *steps > 0 {
		fmt.Printf("last %.4f nats\n", last)
	}
	fmt.Printf("evaluations_of_run %.3f ratio\n", done.EvalSeconds/done.Seconds)
}

// split writes the first distinct prompts with their first references, and the two sides into
// which the session divides them.
func split(dir string) error {
	raw, err := os.ReadFile(source)
	if err != nil {
		return err
	}
	lines, err := prompts.First(raw, training+validation)
	if err != nil {
		return fmt.Errorf("%s: %w", source, err)
	}
	var all []data.Example
	for line := range bytes.Lines(lines) {
		var x struct{ Prompt, Completion string }
		if err := json.Unmarshal(line, &x); err != nil {
			return fmt.Errorf("%s: %w", source, err)
		}
		all = append(all, data.Example{Line: len(all) + 1, Prompt: x.Prompt, Completion: x.Completion})
	}
	data.AddSpace(all)
	train, val, _ := data.Split(all, valShare, splitSeed)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	files := map[string][]byte{"all": lines}
	for name, side := range map[string][]data.Example{"train": train, "val": val} {
		for _, e := range side {
			text, err := json.Marshal(map[string]string{"prompt": e.Prompt, "completion": e.Completion})
			if err != nil {
				return err
			}
			files[name] = append(append(files[name], text...), '\n')
		}
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name+".jsonl"), content, 0o666); err != nil {
			return err
		}
	}
	fmt.Println(len(train), "to train on,", len(val), "for validation, in", dir)
	return nil
}

// Command held times how SmolLM2 answers held-out examples: the first distinct prompts of the E2E
// data, so many to train on and so many held out, answered greedily by the base model and by a
// prefix that was trained for a few steps. It runs natively and in a page (GOOS=js; held.mjs).
//
//	held -data FILE|URL FOLDER|URL
//
// It prints "name value unit", one a line:
//
//	base, tuned       the losses and answers of all held-out examples, in seconds
//	both              their sum
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"log"
	"slices"

	"prelude/e2e/bench/must"
	"prelude/e2e/bench/smollm2"
	"prelude/engine"
	"prelude/ui/wire"
	"prelude/wasm/reproduce/prompts"
	"prelude/wasm/session"
)

func main() {
	from := flag.String("data", "", "E2E examples as JSON lines, a file or an address")
	training := flag.Int("training", 50, "examples to train on")
	held := flag.Int("held", 200, "examples held out")
	steps := flag.Int("steps", 8, "steps of training")
	threads := flag.Int("threads", 2, "threads, 0 for all")
	script := flag.String("script", "", "address of the threads' script, in a page")
	show := flag.Int("show", 0, "rows to print")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("usage: held [flags] FOLDER|URL")
	}
	ctx := context.Background()
	s, examples, err := smollm2.Open(ctx, flag.Arg(0), *from, engine.Fast, *threads, *script)
	must.Get(0, err)
	lines := slices.Collect(bytes.Lines(must.Get(prompts.First(examples, *training+*held))))
	must.Get(s.SetData("train.jsonl", bytes.Join(lines[:*training], nil), wire.DataOptions{Seed: wire.DefaultTrain().Seed}))
	o := wire.DefaultTrain()
	o.Steps, o.Minutes = *steps, 0
	must.Get(s.Train(ctx, o, session.Watch{Planned: func(wire.Planned) {}, Step: func(wire.Step) {}, Eval: func(wire.Eval) {}, Between: func() bool { return true }}))
	d := must.Get(s.SetHeld("validation", "held.jsonl", bytes.Join(lines[*training:], nil)))
	fmt.Printf("# %d held out, products in %s\n", d.Val, engine.ArithmeticOf(s.Device, engine.Fast))
	shelf := must.Get(s.Shelf(ctx))
	both := 0.0
	for _, ask := range []wire.Judge{{Base: true}, {Keys: []int{shelf.InUse}}} {
		j := must.Get(s.Judge(ctx, ask, func(int, int) bool { return true }))
		c := j.Candidates[0]
		tokens := 0
		for i, r := range j.Rows {
			tokens += r.Answers[0].Tokens
			if i < *show {
				fmt.Printf("# %q: %q\n", r.Prompt, r.Answers[0].Text)
			}
		}
		fmt.Printf("# %s: loss %.4f, %s %.4f, %d tokens answered\n", c.Which, c.Loss.Value, c.Figures[0].Name, c.Figures[0].Value, tokens)
		fmt.Printf("%s %.2f s\n", c.Which, j.Seconds)
		both += j.Seconds
	}
	fmt.Printf("both %.2f s\n", both)
}

// Command learn trains SmolLM2 on a set of examples, with the settings that the page opens with,
// and says when its validation loss came down to a figure: its side of the race with PEFT
// (peft.mjs). It runs natively, in Node and in a page (GOOS=js).
//
//	learn -write DIR                  all.jsonl, train.jsonl and val.jsonl of the first distinct E2E prompts
//	learn -data FILE|URL FOLDER|URL   trains on all.jsonl; "# step seconds loss" and "reached s s"
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"prelude/engine"
	"prelude/models"
	"prelude/models/weights"
	"prelude/models/weights/nethttp"
	"prelude/prefix/data"
	"prelude/simd"
	"prelude/ui/wire"
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
	every := flag.Int("every", 0, "steps between validations of all held-out examples; 0: as the page does")
	minutes := flag.Float64("minutes", 10, "limit")
	script := flag.String("script", "", "address of the threads' script, in a page")
	flag.Parse()
	if *write != "" {
		check(0, split(*write))
		return
	}
	if flag.NArg() != 1 {
		log.Fatal("usage: learn [flags] FOLDER|URL")
	}
	var open weights.Opener
	var examples []byte
	if at := flag.Arg(0); strings.Contains(at, "://") {
		open = weights.URLs(nethttp.Get, at)
		answer := check(http.Get(*from))
		examples = check(io.ReadAll(answer.Body))
	} else {
		open, examples = weights.Dir(at), check(os.ReadFile(*from))
	}
	ctx := context.Background()
	dev := check(simd.New(ctx, simd.Options{Threads: *threads, Script: *script}))
	fmt.Println("#", dev)
	s := &session.Session{Device: dev, Precision: engine.Fast}
	check(0, s.Load(ctx, check(models.Open(ctx, "smollm2-135m", open, "")), weights.Options{}))
	d := check(s.SetData("all.jsonl", examples, wire.DataOptions{Chat: new(bool), Space: true, ValShare: valShare, Seed: splitSeed}))
	fmt.Printf("# %d to train on, %d for validation, products in %s\n", d.Train, d.Val, engine.ArithmeticOf(dev, engine.Fast))
	o := wire.DefaultTrain()
	o.Minutes, o.LR, o.Eval = *minutes, *lr, *every
	begun, reached := time.Now(), math.Inf(1)
	done := check(s.Train(ctx, o, session.Watch{Planned: func(wire.Planned) {}, Step: func(wire.Step) {},
		Eval: func(e wire.Eval) {
			took := time.Since(begun).Seconds()
			fmt.Printf("# %d %.1f %.4f %s\n", e.Step, took, e.Loss, e.By())
			if e.Rows == 0 && e.Loss <= *until {
				reached = min(reached, took)
			}
		},
		Between: func() bool { return math.IsInf(reached, 1) }}))
	fmt.Printf("reached %.2f s\n", reached)
	fmt.Printf("evaluations_of_run %.3f ratio\n", done.EvalSeconds/done.Seconds)
}

// split writes the first distinct prompts with their first references, and the two sides into
// which the session divides them.
func split(dir string) error {
	raw, err := os.ReadFile(source)
	if err != nil {
		return err
	}
	var lines bytes.Buffer
	var all []data.Example
	had := map[string]bool{}
	for line := range bytes.Lines(raw) {
		var x struct{ Prompt, Completion string }
		if err := json.Unmarshal(line, &x); err != nil {
			return fmt.Errorf("%s: %w", source, err)
		}
		if !had[x.Prompt] && len(all) < training+validation {
			had[x.Prompt] = true
			lines.Write(line)
			all = append(all, data.Example{Line: len(all) + 1, Prompt: x.Prompt, Completion: x.Completion})
		}
	}
	data.AddSpace(all)
	train, val, _ := data.Split(all, valShare, splitSeed)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	files := map[string][]byte{"all": lines.Bytes()}
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

func check[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

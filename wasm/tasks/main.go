// Tasks measures what models reach on the tasks that the page offers, with the settings that
// it opens with, and writes that where the page reads it.
//
//	go run ./wasm/tasks -model prelude-wren
//	go run ./wasm/tasks -model smollm2-135m -steps 64 intent.jsonl
//
// Without names of files all tasks are measured. What is known of other models and tasks
// stays. -steps is for a machine that does other things beside, where the page's limit in time would
// count those.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"

	"prelude/engine"
	"prelude/models"
	"prelude/models/weights"
	"prelude/simd"
	"prelude/ui"
	"prelude/ui/wire"
	"prelude/wasm/session"
)

const samples, out = "static/samples", "ui/measured.json"

func main() {
	log.SetFlags(0)
	model := flag.String("model", "prelude-wren", "a `name` under static/models")
	steps := flag.Int("steps", 0, "steps of training, `n`; 0: the time that the page opens with")
	flag.Parse()
	asked := wire.DefaultTrain()
	if *steps > 0 {
		asked.Steps, asked.Minutes = *steps, 0
	}
	files := flag.Args()
	if len(files) == 0 {
		files = ui.TaskFiles()
	}
	for _, f := range files {
		m, err := measure(context.Background(), *model, f, asked)
		var no session.Hint
		if errors.As(err, &no) {
			log.Printf("%s with %s: %v", f, *model, err) // a model without a chat template can't chat
			continue
		}
		if err == nil {
			err = keep(f, m)
		}
		if err != nil {
			log.Fatalf("%s: %v", f, err)
		}
		log.Printf("%s with %s: loss %v, by %s %v", f, m.Model, m.Loss, m.By, m.Score)
	}
}

// measure trains on a task and judges the held-out examples.
func measure(ctx context.Context, model, file string, asked wire.Train) (m ui.Measured, err error) {
	content, err := os.ReadFile(filepath.Join(samples, file))
	if err != nil {
		return m, err
	}
	files, err := models.Open(ctx, model, weights.Dir(filepath.Join("static", "models", model)), "")
	if err != nil {
		return m, err
	}
	precision, err := engine.ParsePrecision(wire.DefaultPrecision)
	if err != nil {
		return m, err
	}
	dev, err := simd.New(ctx, simd.Options{})
	if err != nil {
		return m, err
	}
	defer dev.Close()
	s := &session.Session{Device: dev, Precision: precision}
	if err := s.Load(ctx, files, weights.Options{}); err != nil {
		return m, err
	}
	defer s.Close()
	// As the page reads a file: with its seed.
	d, err := s.SetData(file, content, wire.DataOptions{Seed: asked.Seed})
	if err != nil {
		return m, err
	}
	if d.Train == 0 || d.Val == 0 {
		return m, session.Hint{Err: fmt.Errorf("%d examples to train on, %d held out: %v", d.Train, d.Val, d.Errors), Do: "Take a model that can read them."}
	}
	done, err := s.Train(ctx, asked, session.Watch{
		Planned: func(wire.Planned) {}, Step: func(wire.Step) {}, Between: func() bool { return true },
		Eval: func(e wire.Eval) { log.Printf("step %d  %.4f  base %.4f", e.Step, e.Loss, e.Base) },
	})
	if err != nil {
		return m, err
	}
	log.Printf("%s after %.0f s, %d steps", done.Why, done.Seconds, done.Steps)
	shelf, err := s.Shelf(ctx)
	if err != nil {
		return m, err
	}
	j, err := s.Judge(ctx, wire.Judge{Base: true, InContext: true, Keys: []int{shelf.InUse}}, func(int, int) bool { return true })
	if err != nil {
		return m, err
	}
	m = ui.Measured{Model: s.Model().Name, Hash: j.Hash, By: j.Candidates[0].Figures[0].Name, Shots: j.Shots, Steps: asked.Steps, Loss: map[string]float64{}, Score: map[string]float64{}}
	for _, c := range j.Candidates {
		m.Loss[c.Which], m.Score[c.Which] = round(c.Loss.Value), round(c.Figures[0].Value)
	}
	return m, nil
}

// round keeps four digits: the rest is another machine's.
func round(v float64) float64 { return float64(int(v*1e4+0.5)) / 1e4 }

// keep writes a result among those that are known.
func keep(file string, m ui.Measured) error {
	content, err := os.ReadFile(out)
	if err != nil {
		return err
	}
	known := map[string][]ui.Measured{}
	if err := json.Unmarshal(content, &known); err != nil {
		return err
	}
	all := slices.DeleteFunc(known[file], func(x ui.Measured) bool { return x.Model == m.Model })
	all = append(all, m)
	slices.SortFunc(all, func(a, b ui.Measured) int { return cmp.Compare(b.Model, a.Model) })
	known[file] = all
	text, err := json.MarshalIndent(known, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(out, append(text, '\n'), 0o666)
}

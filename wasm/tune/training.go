package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"strings"

	"prelude/ui/wire"
)

// training is the flags of a training, with the page's defaults.
type training struct {
	wire.Train
	flags *flags
}

// training adds the flags of a training.
func (f *flags) training() *training {
	d := wire.DefaultTrain()
	t := &training{flags: f, Train: d}
	t.Method = choices{}
	f.IntVar(&t.Steps, "steps", 0, "limit in steps, instead of -minutes")
	f.Float64Var(&t.Train.Minutes, "minutes", d.Minutes, "limit in minutes")
	f.IntVar(&t.Batch, "batch", d.Batch, "batch size: examples a step")
	f.Float64Var(&t.LR, "lr", d.LR, "peak learning rate; 0 is the method's own")
	f.StringVar(&t.Schedule, "schedule", d.Schedule, "learning rate after warm-up: "+strings.Join(wire.Schedules, " or "))
	f.StringVar(&t.Optimizer, "optimizer", d.Optimizer, "of keys and values that are trained as they are, all else is AdamW's: "+strings.Join(wire.Optimizers, " or "))
	f.IntVar(&t.WarmUp, "warm-up", d.WarmUp, "steps of warm-up; 0 is as suits the schedule")
	f.IntVar(&t.Eval, "evaluate", d.Eval, "steps between evaluations; 0 is as suits the schedule")
	f.IntVar(&t.Patience, "patience", d.Patience, "evaluations in a row without improvement that end the training; 0: it never ends early")
	f.Var(choices(t.Method), "method", "`key=value` of the method, may be given often; 'tune methods' lists them")
	f.Func("preset", "a named `method`, which -method then changes; 'tune methods' lists them", func(id string) error { return choices(t.Method).preset(id) })
	if f.Lookup("seed") == nil {
		f.Uint64Var(&f.seed, "seed", d.Seed, "seed of the start and the order")
	}
	f.Func("settings", "a `file` of settings, such as an export's settings.json, which also says how the examples are read; flags of the training that follow change the rest", t.read)
	return t
}

// read takes the settings of a file: of the training, and how its examples were read.
func (t *training) read(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var all wire.Settings
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&all); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	maps.Copy(t.Method, all.Train.Method)
	all.Train.Method = t.Method // which -method adds to
	t.Train, t.flags.seed, t.flags.options = all.Train, all.Train.Seed, &all.Data
	return nil
}

// request is the training that the flags ask for.
func (t *training) request() (wire.Train, error) {
	r := t.Train
	r.Seed = t.flags.seed
	if r.Steps != 0 && !t.flags.given("minutes") {
		r.Minutes = 0
	}
	r, err := r.Resolve()
	if err != nil {
		return r, usageError{err}
	}
	return r, nil
}

package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync/atomic"

	"prelude/prefix"
	"prelude/ui/wire"
	"prelude/wasm/session"
)

// choices collects -method flags.
type choices map[string]string

func (c choices) String() string { return "" }
func (c choices) Set(s string) error {
	key, value, ok := strings.Cut(s, "=")
	if !ok {
		return fmt.Errorf("want key=value, such as source=mlp")
	}
	c[key] = value
	return nil
}

// preset makes the choices of a named method that -method has not made.
func (c choices) preset(id string) error {
	p, err := prefix.FindPreset(id)
	if err != nil {
		return err
	}
	for key, value := range p.Choice {
		if c[key] == "" {
			c[key] = value
		}
	}
	return nil
}

func runTrain(ctx context.Context, args []string) error {
	f := newFlags("train")
	f.examples()
	t := f.training()
	out := f.output()
	name := f.String("name", "prefix", "the prefix's `name`")
	resume := f.String("resume", "", "go on with a stopped training from its `folder`, which stands beside its -out and ends in .run")
	if err := f.parse(args); err != nil {
		return err
	}
	kept, file, err := f.run(t, out, name, *resume)
	if err != nil {
		return err
	}
	if err := out.try(); err != nil {
		return err
	}
	s, err := f.open(ctx)
	if err != nil {
		return err
	}
	if kept.record.Hash == "" {
		kept.record.Hash = f.hash
	} else if kept.record.Hash != f.hash {
		return session.Hint{Err: fmt.Errorf("-resume: %s is not the file that the training began with", f.data.String()), Do: "Put that file back, or start the training again."}
	}
	done, err := f.train(ctx, s, kept, file)
	if err != nil {
		return err
	}
	zip, _, err := s.Export(context.WithoutCancel(ctx), wire.Export{Name: *name})
	if err != nil {
		return err
	}
	if err := out.write(zip); err != nil {
		return err
	}
	if done.Why == "stopped" && kept.there() {
		fmt.Fprintf(os.Stderr, "to go on: tune train -resume %s\n", kept.path)
		return nil
	}
	return kept.remove()
}

// run is the training that the flags ask for, or the one that is gone on with and its checkpoint.
func (f *flags) run(t *training, out *output, name *string, resume string) (*runFolder, []byte, error) {
	if resume == "" {
		if err := f.require("model", "data", "out"); err != nil {
			return nil, nil, err
		}
		request, err := t.request()
		if err != nil {
			return nil, nil, err
		}
		paths := [3]fileList{f.data, f.valFile, f.testFile}
		for i, files := range paths {
			if paths[i], err = files.absolute(); err != nil {
				return nil, nil, err
			}
		}
		return &runFolder{path: runOf(out.path), record: runRecord{Model: f.model, Device: f.device, Precision: f.precision, Data: paths[0], ValData: paths[1], TestData: paths[2],
			Options: f.dataOptions(), Out: out.path, Name: *name, Train: request}}, nil, nil
	}
	kept, file, err := openRun(resume)
	if err != nil {
		return nil, nil, err
	}
	if err := f.take(kept.record); err != nil {
		return nil, nil, err
	}
	*name = kept.record.Name
	if out.path == "" {
		out.path, out.force = kept.record.Out, true // what the first part has written
	}
	return kept, file, nil
}

// train trains, or goes on from a checkpoint. A signal ends it after the step under way, whose
// checkpoint is kept; before the first step it ends the program's work at once.
func (f *flags) train(ctx context.Context, s *session.Session, kept *runFolder, file []byte) (wire.Trained, error) {
	steps, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	var begun atomic.Bool
	defer context.AfterFunc(ctx, func() {
		if !begun.Load() {
			cancel()
		}
	})()
	r := f.report()
	w := session.Watch{
		Planned: r.planned, Eval: r.eval, Lengths: r.lengths,
		Step:    func(x wire.Step) { begun.Store(true); r.step(x) },
		Between: func() bool { begun.Store(true); return ctx.Err() == nil },
		Stage:   func(p wire.Progress) { r.line("%s", p.Stage) },
		Saved:   func(ask wire.Train, _ int, file []byte) { kept.save(ask, file, r.line) },
	}
	var done wire.Trained
	var err error
	if file == nil {
		done, err = s.Train(steps, kept.record.Train, w)
	} else {
		done, err = s.Resume(steps, kept.record.Train, file, w)
	}
	if err == nil {
		r.trained(done)
	}
	return done, err
}

// answer is what generate writes with -json.
type answer struct {
	Text      string  `json:"text"`
	Tokens    int     `json:"tokens"`
	TokensSec float64 `json:"tokensSec"`
	Ended     bool    `json:"ended"` // by itself, or at a -stop
}

func runGenerate(ctx context.Context, args []string) error {
	f := newFlags("generate")
	f.StringVar(&f.adapter, "adapter", "", "`folder` or .zip of a prefix")
	var g wire.Generate
	f.StringVar(&g.Prompt, "prompt", "", "the `text` to continue")
	f.IntVar(&g.MaxTokens, "max", wire.DefaultAnswer, "longest answer in tokens")
	f.Float64Var(&g.Temperature, "temperature", 0, "0 is greedy")
	f.IntVar(&g.TopK, "top-k", 0, "keep the k likeliest tokens; 0 keeps all")
	f.Float64Var(&g.TopP, "top-p", 0, "keep the likeliest tokens of this mass; 0 keeps all")
	f.Float64Var(&g.MinP, "min-p", 0, "keep tokens of this share of the likeliest's probability")
	f.Float64Var(&g.RepeatPenalty, "repeat-penalty", 0, "1 or 0 is none")
	f.Uint64Var(&g.Seed, "seed", 0, "of sampling")
	f.Func("stop", "a `text` that ends the answer; may be given often", func(s string) error {
		g.Stop = append(g.Stop, s)
		return nil
	})
	if err := f.parse(args, "model", "prompt"); err != nil {
		return err
	}
	if g.MaxTokens < 1 || g.Temperature < 0 {
		return usageError{fmt.Errorf("-max is at least 1, -temperature at least 0")}
	}
	s, err := f.open(ctx)
	if err != nil {
		return err
	}
	g.Tuned = f.adapter != ""
	g.Base = !g.Tuned
	var text strings.Builder
	var last wire.Sample
	err = s.Generate(ctx, g, func(x wire.Sample) bool {
		text.WriteString(x.Text)
		if last = x; !f.json {
			fmt.Print(x.Text)
		}
		return ctx.Err() == nil
	})
	if err != nil {
		return err
	}
	if last.Bytes > 0 {
		fmt.Fprintf(os.Stderr, "the prompt is longer than the model's context: its first %d bytes were left out\n", last.Bytes)
	}
	if f.json {
		return printJSON(answer{text.String(), last.Tokens, last.TokensSec, last.End})
	}
	fmt.Println()
	fmt.Fprintf(os.Stderr, "%d tokens, %.1f a second, ended by itself: %v\n", last.Tokens, last.TokensSec, last.End)
	return ctx.Err()
}

package main

import (
	"context"
	"fmt"
	"os"
	"strings"

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
	out := f.String("out", "", "`folder` or .zip to write the adapter to")
	name := f.String("name", "prefix", "the prefix's `name`")
	if err := f.parse(args, "model", "data", "out"); err != nil {
		return err
	}
	request, err := t.request()
	if err != nil {
		return err
	}
	s, err := f.open(ctx)
	if err != nil {
		return err
	}
	done, err := s.Train(ctx, request, session.Watch{
		Planned: func(p wire.Planned) {
			fmt.Fprintf(os.Stderr, "%d steps, %d slots, %d trainable parameters, learning rate %g, %.0f MB\n", p.Steps, p.Slots, p.Trainable, p.LR, float64(p.PeakBytes)/1e6)
		},
		Step: func(x wire.Step) {
			if x.Skipped > 0 {
				fmt.Fprintf(os.Stderr, "%d steps with a gradient that is not finite were skipped; the learning rate is halved for each\n", x.Skipped)
			}
			fmt.Fprintf(os.Stderr, "step %d of %d  loss %.4f  |g| %.3f  %.0f tokens/s  %.0f s left\n", x.First+len(x.Loss)-1, x.Total, x.Loss[len(x.Loss)-1], x.GradNorm, x.TokensSec, x.LeftSec)
		},
		Eval: func(e wire.Eval) {
			best := ""
			if e.Best {
				best = "  best"
			}
			fmt.Printf("step %d  validation %.4f  base %.4f%s\n", e.Step, e.Loss, e.Base, best)
		},
		Between: func() bool { return ctx.Err() == nil },
		Stage:   func(p wire.Progress) { fmt.Fprintln(os.Stderr, p.Stage) },
		Lengths: printLengths,
	})
	if err != nil {
		return err
	}
	fmt.Printf("best %.4f at step %d of %d (%s, %.0f s); base %.4f\n", done.BestLoss, done.BestStep, done.Steps, done.Why, done.Seconds, done.BaseLoss)
	zip, _, err := s.Export(context.WithoutCancel(ctx), wire.Export{Name: *name})
	if err != nil {
		return err
	}
	return writeAdapter(*out, zip)
}

// printLengths writes the table of lengths once one is picked.
func printLengths(l wire.Lengths) {
	if l.Picked == 0 {
		return
	}
	for _, p := range l.Points {
		mark := ""
		if p.Slots == l.Picked {
			mark = "  picked"
		}
		fmt.Printf("%d slots  validation %.4f  ± %.4f%s\n", p.Slots, p.Loss, p.Error, mark)
	}
}

func runEval(ctx context.Context, args []string) error {
	f := newFlags("eval")
	f.examples()
	f.StringVar(&f.adapter, "adapter", "", "`folder` or .zip of a prefix")
	if err := f.parse(args, "model", "data"); err != nil {
		return err
	}
	s, err := f.open(ctx)
	if err != nil {
		return err
	}
	l, err := s.Evaluate(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("base %.4f\n", l.Base)
	if f.adapter != "" {
		fmt.Printf("prefix %.4f (%.1f %% below base)\n", l.Tuned, 100*(1-l.Tuned/l.Base))
	}
	fmt.Printf("in context %.4f (%d examples)\n", l.InContext, l.Shots)
	return nil
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
	s, err := f.open(ctx)
	if err != nil {
		return err
	}
	g.Tuned = f.adapter != ""
	g.Base = !g.Tuned
	return s.Generate(ctx, g, func(x wire.Sample) bool {
		fmt.Print(x.Text)
		if x.Done {
			fmt.Println()
			fmt.Fprintf(os.Stderr, "%d tokens, %.1f a second, ended by itself: %v\n", x.Tokens, x.TokensSec, x.End)
		}
		return ctx.Err() == nil
	})
}

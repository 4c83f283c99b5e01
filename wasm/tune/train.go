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
	out := f.output()
	name := f.String("name", "prefix", "the prefix's `name`")
	if err := f.parse(args, "model", "data", "out"); err != nil {
		return err
	}
	request, err := t.request()
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
	r := f.report()
	done, err := s.Train(ctx, request, session.Watch{
		Planned: r.planned, Step: r.step, Eval: r.eval, Lengths: r.lengths,
		Between: func() bool { return ctx.Err() == nil },
		Stage:   func(p wire.Progress) { r.line("%s", p.Stage) },
	})
	if err != nil {
		return err
	}
	r.trained(done)
	zip, _, err := s.Export(context.WithoutCancel(ctx), wire.Export{Name: *name})
	if err != nil {
		return err
	}
	return out.write(zip)
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
	if f.json {
		return printJSON(evaluation{l.Base, l.Tuned, l.InContext, l.Shots})
	}
	fmt.Printf("base %.4f\n", l.Base)
	if f.adapter != "" {
		fmt.Printf("prefix %.4f (%.1f %% below base)\n", l.Tuned, 100*(1-l.Tuned/l.Base))
	}
	fmt.Printf("in context %.4f (%d examples)\n", l.InContext, l.Shots)
	return nil
}

// evaluation is what eval writes with -json: mean validation losses in nats a token.
type evaluation struct {
	Base      float64 `json:"base"`
	Prefix    float64 `json:"prefix,omitempty"`
	InContext float64 `json:"inContext"`
	Shots     int     `json:"shots"` // examples in context
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
	if f.json {
		return printJSON(answer{text.String(), last.Tokens, last.TokensSec, last.End})
	}
	fmt.Println()
	fmt.Fprintf(os.Stderr, "%d tokens, %.1f a second, ended by itself: %v\n", last.Tokens, last.TokensSec, last.End)
	return ctx.Err()
}

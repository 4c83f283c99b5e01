package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"prelude/engine"
	"prelude/engine/data"
	"prelude/engine/train"
	"prelude/prefix"
)

// tuned is a finished training.
type tuned struct {
	frozen    engine.Frozen
	method    *prefix.Method
	tensors   map[string]engine.Tensor
	curve     []float64 // training loss by step
	val       float64   // best validation loss
	trainable int64
	stepTime  time.Duration // mean
	flops     float64       // of a step
}

// tune trains a choice with the project's own trainer, all steps, and keeps what was best
// on validation.
func tune(ctx context.Context, f engine.Frozen, c prefix.Choice, d train.Data, given prefix.Given, o train.Options) (*tuned, error) {
	m, err := prefix.New(c, f.Arch.Info())
	if err != nil {
		return nil, err
	}
	o.Patience = o.Steps + 1
	if o.Eval == 0 {
		o.Eval = max(1, o.Steps/10)
	}
	r, err := train.New(ctx, f, m, d, given, o)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	t := &tuned{frozen: f, method: m, tensors: r.Tensors, trainable: m.Trainable(), flops: r.Cost().FLOPs}
	begun, steps := time.Now(), 0
	_, err = r.Train(ctx, train.Events{Step: func(s train.StepInfo) {
		t.curve = append(t.curve, s.Loss...)
		steps += len(s.Loss)
	}, Eval: func(e train.EvalInfo) {
		fmt.Fprintf(os.Stderr, "step %d of %d  validation %.3f  %.0f s\n", e.Step, o.Steps, e.Loss, time.Since(begun).Seconds())
	}})
	t.val = r.Best().Loss
	t.stepTime = time.Since(begun) / time.Duration(max(1, steps))
	return t, err
}

// match is the exact match on tokens.
func (t *tuned) match(ctx context.Context, tokens []data.Tokens) (float64, error) {
	return examine(ctx, t.frozen, t.method, t.tensors, tokens)
}

func (t *tuned) close() {
	for _, x := range t.tensors {
		x.Close()
	}
}

// points thins a curve to n means over equal stretches.
func points(curve []float64, n int) []float64 {
	var all []float64
	for i := range n {
		from, to := i*len(curve)/n, (i+1)*len(curve)/n
		sum := 0.0
		for _, v := range curve[from:to] {
			sum += v
		}
		if to > from {
			all = append(all, sum/float64(to-from))
		}
	}
	return all
}

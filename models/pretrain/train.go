package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"slices"
	"strconv"

	"prelude/engine"
	"prelude/engine/safetensors"
)

const (
	// AdamW's constants: β₂ = 0.95 forgets the steep start sooner than 0.999 would.
	beta1, beta2, epsilon, decay = 0.9, 0.95, 1e-8, 0.1
	clip                         = 1.0 // bound on the gradient's global norm
	warmUp                       = 100 // steps
	cooling                      = 0.3 // share of the run, its last, over which the rate falls to 0
)

// trainer is a model with its optimiser, and programs that train and evaluate it.
type trainer struct {
	*model
	batches     *batches
	steps       int     // in all
	peak        float64 // learning rate
	step        int     // done
	train, eval *windows
	state       map[string]engine.Tensor // of the optimiser, and what is read back
}

func newTrainer(ctx context.Context, dev engine.Device, m *model, b *batches, steps int, peak float64) (*trainer, error) {
	t := &trainer{model: m, batches: b, steps: steps, peak: peak, state: map[string]engine.Tensor{}}
	trains := engine.Hooks{Weight: func(p *engine.Program, name string, w engine.Buffer) engine.Buffer {
		if slices.Contains(m.names, name) {
			p.Train(w)
		}
		return w
	}}
	var err error
	t.train, err = newWindows(ctx, dev, m, b.size, b.seq, t.state, trains, func(w *windows, p *engine.Program, loss engine.Buffer) {
		grads := p.Grad(loss)
		var all []engine.Buffer
		for _, name := range m.names {
			all = append(all, grads[p.Named(name)])
		}
		w.hyper = p.Arg("hyper", engine.AllRows, engine.F32, 3)
		stats := p.GradStats(all, []engine.Buffer{loss}, clip)
		for i, name := range m.names {
			o := engine.AdamW{Beta1: beta1, Beta2: beta2, Eps: epsilon, Rate: 1}
			if matrix(m.Tensors()[name]) {
				o.Decay = decay
			}
			p.AdamW(p.Named(name), all[i], stats, w.hyper, o)
		}
		p.Keep("stats", stats)
	})
	if err != nil {
		return nil, err
	}
	t.eval, err = newWindows(ctx, dev, m, 1, b.seq, t.state, engine.Hooks{}, nil)
	return t, err
}

// rate is the learning rate of a step counted from 0: it rises, stays, and falls to 0.
func (t *trainer) rate(step int) float64 {
	up := float64(step+1) / float64(min(warmUp, max(1, t.steps/10)))
	down := (1 - float64(step)/float64(t.steps)) / cooling
	return t.peak * min(1, up, down)
}

// next does one step and returns its training loss in nats a token.
func (t *trainer) next(ctx context.Context) (float64, error) {
	w := t.train
	t.batches.at(t.step, w.args.Ints[w.ids], w.args.Ints[w.targets])
	n := float64(t.step + 1)
	w.args.Floats[w.hyper] = []float64{t.rate(t.step), 1 / (1 - math.Pow(beta1, n)), 1 / (1 - math.Pow(beta2, n))}
	if err := w.plan.Run(ctx, w.args); err != nil {
		return 0, err
	}
	t.step++
	loss, err := engine.ReadFloats(ctx, w.loss)
	if err != nil {
		return 0, err
	}
	stats, err := engine.ReadFloats(ctx, t.state["stats"])
	if err == nil && stats[2] != 0 {
		err = fmt.Errorf("step %d: the gradient is not finite; a lower -lr may help", t.step)
	}
	return float64(loss[0]), err
}

// kept lists the tensors of a checkpoint.
func (t *trainer) kept() map[string]engine.Tensor {
	all := map[string]engine.Tensor{}
	for _, name := range t.names {
		all[name] = t.weights[name]
		for _, moment := range []string{"adam.m.", "adam.v."} {
			all[moment+name] = t.state[moment+name]
		}
	}
	return all
}

// save writes a checkpoint: weights, optimiser state, and the number of steps done.
func (t *trainer) save(ctx context.Context, path string) error {
	var all []safetensors.Tensor
	for name, x := range t.kept() {
		values, err := engine.ReadFloats(ctx, x)
		if err != nil {
			return err
		}
		all = append(all, safetensors.Float32(name, x.Spec().Shape, values))
	}
	return writeTensors(path, all, map[string]string{"step": strconv.Itoa(t.step)})
}

// restore reads a checkpoint; without one the trainer stays at step 0.
func (t *trainer) restore(ctx context.Context, path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	file, err := safetensors.Open(f, info.Size())
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for name, x := range t.kept() {
		have, err := file.Tensor(name)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if !slices.Equal(have.Shape, x.Spec().Shape) {
			return fmt.Errorf("%s: tensor %q has shape %v, want %v: it is of another configuration or tokenizer", path, name, have.Shape, x.Spec().Shape)
		}
		raw := make([]byte, x.Spec().Bytes())
		if err := file.ReadAt(name, raw, 0); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if err := x.Write(ctx, 0, raw); err != nil {
			return err
		}
	}
	if t.step, err = strconv.Atoi(file.Metadata["step"]); err != nil || t.step < 0 {
		return fmt.Errorf("%s: the metadata's step is %q, want a number", path, file.Metadata["step"])
	}
	return nil
}

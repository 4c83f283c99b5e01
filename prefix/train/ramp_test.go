package train_test

import (
	"context"
	"math"
	"slices"
	"testing"

	"prelude/engine"
	"prelude/engine/cpu"
	"prelude/models/tiny"
	"prelude/prefix"
	"prelude/prefix/train"
)

// A copy is made at each step that was asked for, and of the last where another is the best;
// it is of that step's values, and training does not notice it.
func TestCopies(t *testing.T) {
	ctx := context.Background()
	o := train.Options{Steps: 16, Eval: 4, Seed: 5, LR: 0.05, Schedule: "plateau", WarmUp: 2}
	plain := tune(t, tiny.Llama(t, cpu.New[float32]()), nil, o, nil)
	f := tiny.Llama(t, cpu.New[float32]())
	m, err := prefix.New(nil, f.Arch.Info())
	if err != nil {
		t.Fatal(err)
	}
	r, err := train.New(ctx, f, m, task(), prefix.StartFrom{}, o)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var copied []int
	var losses, rates []float64
	name := ""
	for name = range r.Tensors {
		break
	}
	values := map[int][]float32{}
	res, err := r.Train(ctx, train.Events{
		Step: func(s train.StepInfo) {
			losses, rates = append(losses, s.Loss...), append(rates, s.LR)
			if !(s.GradNorm > 0) {
				t.Errorf("gradient norm %v at step %d", s.GradNorm, s.First)
			}
		},
		Every: 5,
		Copy: func(ctx context.Context, step int) {
			copied = append(copied, step)
			if values[step], err = engine.ReadFloats(ctx, r.Tensors[name]); err != nil {
				t.Error(err)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []int{5, 10, 15}
	if res.Best.Step != res.Steps {
		want = append(want, res.Steps)
	}
	if !slices.Equal(copied, want) {
		t.Errorf("copies after %v, want %v", copied, want)
	}
	if slices.Equal(values[5], values[10]) || slices.Equal(values[10], values[15]) {
		t.Error("copies of several steps are the same")
	}
	if !slices.Equal(losses, plain.losses) {
		t.Error("copies change the training")
	}
	if last := rates[len(rates)-1]; !(last > 0 && last < 0.05) { // it falls over the last fifth
		t.Errorf("the last step's rate is said to be %v", last)
	}
}

// The rate that a ramp suggests trains: better than one a hundred times lower.
func TestRamp(t *testing.T) {
	ctx := context.Background()
	f := tiny.Llama(t, cpu.New[float32]())
	choice := prefix.Choice{"start": "gaussian"}
	m, err := prefix.New(choice, f.Arch.Info())
	if err != nil {
		t.Fatal(err)
	}
	r, err := train.New(ctx, f, m, task(), prefix.StartFrom{}, train.Options{Steps: 1, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if r.Ramp(ctx, 0, 1, 10, nil) == nil || r.Ramp(ctx, 1, 1, 10, nil) == nil || r.Ramp(ctx, 1, 2, 1, nil) == nil {
		t.Error("a ramp that does not rise is taken")
	}
	var rates, losses []float64
	err = r.Ramp(ctx, 1e-4, 10, 60, func(rate, loss float64) bool {
		rates, losses = append(rates, rate), append(losses, loss)
		return !train.Diverged(losses)
	})
	if err != nil {
		t.Fatal(err)
	}
	rate := train.RateOf(rates, losses)
	t.Logf("after %d steps: %.4g", len(rates), rate)
	if rate < 1e-3 || rate > 3 {
		t.Fatalf("suggests a rate of %v", rate)
	}
	found := tune(t, tiny.Llama(t, cpu.New[float32]()), choice, train.Options{Steps: 60, Seed: 1, LR: rate}, nil)
	low := tune(t, tiny.Llama(t, cpu.New[float32]()), choice, train.Options{Steps: 60, Seed: 1, LR: rate / 100}, nil)
	if found.res.Best.Loss > 0.9*low.res.Best.Loss {
		t.Errorf("with the suggested rate %.3f, with a hundredth of it %.3f", found.res.Best.Loss, low.res.Best.Loss)
	}
}

// A made-up ramp: the loss falls fastest at one known rate, and diverges beyond it.
func TestRateOf(t *testing.T) {
	var rates, losses []float64
	for i := range 80 {
		rate := 1e-5 * math.Pow(1e6, float64(i)/79)
		loss := 3 - 1.5/(1+math.Pow(0.01/rate, 2)) // falls fastest at 0.01
		if rate > 0.3 {
			loss += 20 * (rate - 0.3)
		}
		rates, losses = append(rates, rate), append(losses, loss)
		if train.Diverged(losses) {
			break
		}
	}
	if rates[len(rates)-1] > 2 {
		t.Error("a loss that rises is not seen")
	}
	if rate := train.RateOf(rates, losses); rate < 0.007 || rate > 0.015 {
		t.Errorf("suggests %v, want about 0.01", rate)
	}
	// Batches of their own difficulty, in turn, change nothing.
	for i := range losses {
		losses[i] += []float64{0, 0.4, -0.3, 0.2}[i%4]
	}
	if rate := train.RateOf(rates, losses); rate < 0.007 || rate > 0.015 {
		t.Errorf("with batches that differ it suggests %v, want about 0.01", rate)
	}
	up := []float64{1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9, 2, 2.1}
	if rate := train.RateOf(rates[:len(up)], up); rate != 0 {
		t.Errorf("suggests %v where the loss only rises", rate)
	}
	if !train.Diverged([]float64{1, math.NaN()}) || train.Diverged(nil) || train.Diverged([]float64{3, 2, 1}) {
		t.Error("what has diverged is wrong")
	}
}

package train_test

import (
	"testing"

	"prelude/engine/cpu"
	"prelude/models/tiny"
	"prelude/prefix"
	"prelude/prefix/train"
)

// By "plateau" a training ends by itself, and a rate that is far too high is found out and
// mended: it learns as much as with a good one.
func TestPlateauEndsAndMendsItsRate(t *testing.T) {
	for _, optimizer := range []string{"adamw", "muon"} {
		t.Run(optimizer, func(t *testing.T) { endsAndMends(t, optimizer) })
	}
}

func endsAndMends(t *testing.T, optimizer string) {
	losses := map[float64]float64{}
	for _, rate := range []float64{0.1, 3} {
		out := tune(t, tiny.Llama(t, cpu.New[float32]()), prefix.Choice{"start": "gaussian"},
			train.Options{Steps: 1000, Batch: 4, LR: rate, Schedule: "plateau", Optimizer: optimizer, Patience: 2, Seed: 1}, nil)
		if out.res.Why != "validation stopped improving" {
			t.Errorf("at a rate of %g: ended by %q after %d steps", rate, out.res.Why, out.res.Steps)
		}
		t.Logf("rate %g: %d steps, validation %.3f → %.3f", rate, out.res.Steps, out.evals[0], out.res.Best.Loss)
		losses[rate] = out.res.Best.Loss
		if out.res.Best.Loss > 0.8*out.evals[0] {
			t.Errorf("at a rate of %g: %.3f after %.3f at the start", rate, out.res.Best.Loss, out.evals[0])
		}
	}
	if losses[3] > 1.2*losses[0.1] {
		t.Errorf("with a rate far too high %.3f, else %.3f", losses[3], losses[0.1])
	}
}

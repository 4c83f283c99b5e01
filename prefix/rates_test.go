package prefix_test

import (
	"math"
	"testing"

	"prelude/engine/cpu"
	"prelude/prefix"
	"prelude/prefix/data"
	"prelude/prefix/train"
)

// The default learning rate of every option brings the loss down, without a step that is
// not finite: answers that depend on the prompt's first token.
func TestDefaultLearningRates(t *testing.T) {
	var d train.Data
	for i := range 12 {
		a := int32(3 + i)
		x := data.Tokens{IDs: []int32{a, 20, a%5 + 5, a%3 + 30, 0}, Start: 2}
		if d.Train = append(d.Train, x); i%3 == 0 {
			d.Val = append(d.Val, x)
		}
	}
	check := func(axis, option string, c prefix.Choice) {
		t.Run(axis+" "+option, func(t *testing.T) {
			f := models["llama"](t, cpu.New[float32]())
			m, err := prefix.New(c, f.Arch.Info())
			if err != nil {
				t.Fatal(err)
			}
			r, err := train.New(ctx, f, m, d, given(), train.Options{Steps: 60, Batch: 6, Eval: 15, Seed: 1, Patience: 100})
			if err != nil {
				t.Fatal(err)
			}
			first, skipped := math.NaN(), 0
			res, err := r.Train(ctx, train.Events{
				Step: func(i train.StepInfo) { skipped += i.Skipped },
				Eval: func(i train.EvalInfo) {
					if i.Step == 0 {
						first = i.Loss
					}
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("loss %.3f → %.3f at step %d, base %.3f, lr %g", first, res.Best.Loss, res.Best.Step, res.Base, r.LR())
			if !(res.Best.Loss < first*0.98) || skipped > 0 {
				t.Errorf("loss %.4f → %.4f, %d steps skipped, with the default learning rate %g", first, res.Best.Loss, skipped, r.LR())
			}
		})
	}
	for _, a := range prefix.Axes() {
		for _, o := range a.Options {
			c := prefix.Choice{a.ID: o.ID}
			switch a.ID {
			case "source":
				if o.ID == "none" {
					continue
				}
				if !slotless(o.ID) {
					c["start"] = "gaussian"
				}
			case "weights":
				if o.ID == "frozen" {
					continue
				}
				c["source"] = "none"
			case "start":
				if o.ID == "prefix" {
					continue // needs one
				}
				if c["source"] = "embedding"; o.ID == "zeros" {
					c["source"] = "kv"
				}
			default:
				c["start"] = "gaussian"
			}
			check(a.ID, o.ID, c)
		}
	}
}

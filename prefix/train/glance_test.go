package train_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"prelude/engine/cpu"
	"prelude/models/tiny"
	"prelude/prefix"
	"prelude/prefix/data"
	"prelude/prefix/train"
)

// copying is the copying game with as many examples as the page's usual file, of so many
// first and second letters: of few it is soon learned.
func copying(seed uint64, firsts, seconds int) (d train.Data) {
	rng := rand.New(rand.NewPCG(seed, 9))
	for i := range 50 {
		a, b := int32(2+rng.IntN(firsts)), int32(14+rng.IntN(seconds))
		t := data.Tokens{IDs: []int32{a, b, 1, b, a, 0}, Start: 3}
		if i < 34 {
			d.Train = append(d.Train, t)
		} else {
			d.Val = append(d.Val, t)
		}
	}
	return d
}

// By "plateau" a run goes in rounds and ends by itself; all held-out examples are read where a
// round ends and some in its middle, which is told; evaluations take at most 8 % of the time; and
// the best prefix's loss is that of all.
func TestEvaluationsCostLittle(t *testing.T) {
	ctx := context.Background()
	const round = 24    // of nine steps a pass
	const reading = 0.4 // what a held-out example that is read costs, of one that is trained on
	for name, letters := range map[string][2]int{"few": {3, 4}, "many": {11, 13}} {
		for seed := range uint64(3) {
			d := copying(seed, letters[0], letters[1])
			o := train.Options{Steps: 40 * round, Batch: 4, LR: 0.1, Schedule: "plateau", Patience: 2, Seed: seed + 1}
			f := tiny.Llama(t, cpu.New[float32]())
			m, err := prefix.New(prefix.Choice{"start": "gaussian"}, f.Arch.Info())
			if err != nil {
				t.Fatal(err)
			}
			r, err := train.New(ctx, f, m, d, prefix.StartFrom{}, o)
			if err != nil {
				t.Fatal(err)
			}
			read, glances := 0, 0
			res, err := r.Train(ctx, train.Events{Eval: func(e train.EvalInfo) {
				want := 0
				if e.Step%round == round/2 {
					want = 4
				}
				if e.Of != 16 || e.Rows != want || e.Rows > 0 && e.Best || !(e.Loss > 0) {
					t.Errorf("an evaluation is %+v", e)
				}
				switch {
				case e.Step == 0:
				case e.Rows > 0:
					read += e.Rows
					glances++
				default:
					read += e.Of
				}
			}})
			if err != nil {
				t.Fatal(err)
			}
			share := reading * float64(read) / (reading*float64(read) + float64(res.Steps*o.Batch))
			t.Logf("%s letters: %.3f at %d of %d, evaluations %.1f %%", name, res.Best.Loss, res.Best.Step, res.Steps, 100*share)
			if share > 0.08 || glances != res.Steps/round || res.Why != "validation stopped improving" {
				t.Errorf("%s letters: evaluations took %.3f of %d steps, %d of them glances; ended by %q", name, share, res.Steps, glances, res.Why)
			}
			if res.Evals <= 0 || res.Evals >= res.Time {
				t.Errorf("evaluations took %v of %v", res.Evals, res.Time)
			}
			e, err := train.NewEvaluator(ctx, f, m, r.Tensors, d.Val, 16)
			if err != nil {
				t.Fatal(err)
			}
			if loss, err := e.Loss(ctx); err != nil || math.Abs(loss-res.Best.Loss) > 1e-5 {
				t.Errorf("the best has a loss of %.6f over all held-out examples, told as %.6f (%v)", loss, res.Best.Loss, err)
			}
			e.Close()
			r.Close()
		}
	}
}

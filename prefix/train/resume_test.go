package train_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"prelude/engine"
	"prelude/engine/cpu"
	"prelude/models/tiny"
	"prelude/prefix"
	"prelude/prefix/train"
	"prelude/simd"
)

// A run that is cut at any step and goes on from its checkpoint's file, in another process
// as it were, has the losses, the evaluations and the end of one that was never cut.
func TestResumeIsExact(t *testing.T) {
	ctx := context.Background()
	devices := map[string]func() engine.Device{
		"cpu": func() engine.Device { return cpu.New[float32]() },
		"simd": func() engine.Device {
			dev, err := simd.New(ctx, simd.Options{})
			if err != nil {
				t.Fatal(err)
			}
			return dev
		},
	}
	choices := []prefix.Choice{nil, {"source": "mlp", "start": "gaussian"}, {"length": "l0"}, {"length": "nested", "gate": "zeroinit"}, {"source": "embedding", "weights": "lora"}}
	for name, open := range devices {
		for i, choice := range choices {
			t.Run(name+" "+string(rune('a'+i)), func(t *testing.T) {
				o := train.Options{Steps: 30, Eval: 4, Seed: 11, LR: 0.02, Patience: 0}
				if i%2 == 0 { // of both kinds of schedule; this one goes back to the best prefix
					o.Schedule, o.LR = "plateau", 0.2
				}
				if i == 0 { // in whole rounds with a glance in the middle
					o.Eval, o.Batch = 0, 2
				}
				if i != 1 {
					o.Optimizer = "muon"
				}
				whole := tune(t, tiny.Llama(t, open()), choice, o, nil)
				for range 3 {
					cut := 1 + rand.IntN(29)
					losses, evals, res := resumed(t, open, choice, o, cut)
					if !slices.Equal(losses, whole.losses) {
						t.Fatalf("cut at %d: losses\n%v, without the cut\n%v", cut, losses, whole.losses)
					}
					if !slices.Equal(evals, whole.evals) {
						t.Errorf("cut at %d: evaluations\n%v, without the cut\n%v", cut, evals, whole.evals)
					}
					if res.Best.Step != whole.res.Best.Step || res.Best.Loss != whole.res.Best.Loss || res.Why != whole.res.Why {
						t.Errorf("cut at %d: ended with %d %v %q, without the cut %d %v %q", cut, res.Best.Step, res.Best.Loss, res.Why, whole.res.Best.Step, whole.res.Best.Loss, whole.res.Why)
					}
					for name, want := range whole.res.Best.State {
						if !bytes.Equal(res.Best.State[name], want) {
							t.Errorf("cut at %d: %s is another", cut, name)
						}
					}
				}
			})
		}
	}
}

// resumed trains to a step, and goes on from the checkpoint's file on a fresh device.
func resumed(t *testing.T, open func() engine.Device, choice prefix.Choice, o train.Options, cut int) (losses, evals []float64, res train.Result) {
	t.Helper()
	ctx := context.Background()
	begin := func() *train.Run {
		f := tiny.Llama(t, open())
		m, err := prefix.New(choice, f.Arch.Info())
		if err != nil {
			t.Fatal(err)
		}
		r, err := train.New(ctx, f, m, task(), prefix.StartFrom{}, o)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	var file []byte
	stopped := false
	events := train.Events{
		Step: func(s train.StepInfo) { losses = append(losses, s.Loss...) },
		Eval: func(e train.EvalInfo) {
			if !stopped {
				evals = append(evals, e.Loss)
			}
		},
		Saved: func(c train.Checkpoint) {
			var err error
			if file, err = c.MarshalBinary(); err != nil {
				t.Fatal(err)
			}
			stopped = true // the evaluation that follows belongs to the stop
		},
	}
	steps := 0
	first := events
	first.Between = func() bool { steps++; return steps < cut }
	if _, err := begin().Train(ctx, first); err != nil {
		t.Fatal(err)
	}
	if file == nil {
		t.Fatal("a stop leaves no checkpoint")
	}
	stopped = false
	var c train.Checkpoint
	if err := c.UnmarshalBinary(file); err != nil {
		t.Fatal(err)
	}
	if c.Step != cut || len(losses) != cut {
		t.Fatalf("a checkpoint of step %d after %d losses, want %d", c.Step, len(losses), cut)
	}
	muon := o.Optimizer == "muon" && choice["source"] == ""
	if c.Optimizer() == "muon" != muon {
		t.Errorf("the checkpoint of a training by %q is of one by %q", o.Optimizer, c.Optimizer())
	}
	events.Saved = nil
	r := begin()
	if err := r.Restore(ctx, c); err != nil {
		t.Fatal(err)
	}
	res, err := r.Train(ctx, events)
	if err != nil {
		t.Fatal(err)
	}
	return losses, evals, res
}

// A stop evaluates what was learned since the last evaluation, and keeps it.
func TestStopKeepsWhatWasLearned(t *testing.T) {
	n := 0
	out := tune(t, tiny.Llama(t, cpu.New[float32]()), nil, train.Options{Steps: 400, Eval: 200, LR: 0.05}, func(*train.Run) bool { n++; return n < 41 })
	if out.res.Why != "stopped" || out.res.Best.Step != 41 || out.res.Best.Loss >= out.evals[0] {
		t.Errorf("stopped after 41 steps: %q keeps step %d with %v, the start has %v", out.res.Why, out.res.Best.Step, out.res.Best.Loss, out.evals[0])
	}
}

// A long run is first evaluated after a few steps.
func TestEarlyEvaluations(t *testing.T) {
	var at []int
	f := tiny.Llama(t, cpu.New[float32]())
	m, err := prefix.New(nil, f.Arch.Info())
	if err != nil {
		t.Fatal(err)
	}
	r, err := train.New(context.Background(), f, m, task(), prefix.StartFrom{}, train.Options{Steps: 1000, Patience: 0})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	n := 0
	if _, err := r.Train(context.Background(), train.Events{Eval: func(e train.EvalInfo) { at = append(at, e.Step) }, Between: func() bool { n++; return n < 100 }}); err != nil {
		t.Fatal(err)
	}
	if want := []int{0, 5, 10, 20, 40, 50, 100}; !slices.Equal(at, want) {
		t.Errorf("evaluated at %v, want %v", at, want)
	}
}

// What is not the checkpoint of this run is refused, and never half restored.
func TestBadCheckpoints(t *testing.T) {
	ctx := context.Background()
	f := tiny.Llama(t, cpu.New[float32]())
	begin := func(choice prefix.Choice, steps int) *train.Run {
		m, err := prefix.New(choice, f.Arch.Info())
		if err != nil {
			t.Fatal(err)
		}
		r, err := train.New(ctx, f, m, task(), prefix.StartFrom{}, train.Options{Steps: steps})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := begin(nil, 10)
	n := 0
	if _, err := r.Train(ctx, train.Events{Between: func() bool { n++; return n < 6 }}); err != nil {
		t.Fatal(err)
	}
	file, err := r.Checkpoint().MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int{0, 1, 7, 8, 100, len(file) / 2, len(file) - 1} {
		if err := new(train.Checkpoint).UnmarshalBinary(file[:at]); err == nil {
			t.Errorf("%d of %d bytes are a checkpoint", at, len(file))
		}
	}
	flipped := bytes.Clone(file)
	flipped[len(file)-5] ^= 4
	if err := new(train.Checkpoint).UnmarshalBinary(flipped); err == nil || !strings.Contains(err.Error(), "changed or cut") {
		t.Errorf("a flipped bit: %v", err)
	}
	if err := begin(prefix.Choice{"source": "mlp"}, 10).Restore(ctx, r.Checkpoint()); err == nil || !strings.Contains(err.Error(), "another run") {
		t.Errorf("a checkpoint of another method: %v", err)
	}
	if err := begin(nil, 5).Restore(ctx, r.Checkpoint()); err == nil || !strings.Contains(err.Error(), "5 steps") {
		t.Errorf("a checkpoint beyond the end: %v", err)
	}
}

func FuzzCheckpoint(f *testing.F) {
	c := train.Checkpoint{Step: 3, State: map[string][]byte{"a": {1, 2, 3, 4}}, Best: train.Best{Step: 2, Loss: 1.5, State: map[string][]byte{"a": {4, 3, 2, 1}}}}
	if file, err := c.MarshalBinary(); err == nil {
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var c train.Checkpoint
		if c.UnmarshalBinary(raw) != nil {
			return
		}
		again, err := c.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if err := new(train.Checkpoint).UnmarshalBinary(again); err != nil {
			t.Fatal(err)
		}
	})
}

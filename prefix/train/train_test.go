package train_test

import (
	"bytes"
	"context"
	"math"
	"strings"
	"testing"

	"prelude/engine"
	"prelude/engine/cpu"
	"prelude/models/tiny"
	"prelude/prefix"
	"prelude/prefix/data"
	"prelude/prefix/generate"
	"prelude/prefix/train"
	"prelude/simd"
)

// task is a copying game: "a b →" is continued with "b a" and the end token.
func task() train.Data {
	var d train.Data
	for i := range 40 {
		a, b := int32(2+i%11), int32(14+i*7%13)
		t := data.Tokens{IDs: []int32{a, b, 1, b, a, 0}, Start: 3}
		if i%5 == 4 {
			d.Val = append(d.Val, t)
		} else {
			d.Train = append(d.Train, t)
		}
	}
	return d
}

type outcome struct {
	losses, evals []float64
	res           train.Result
	tensors       map[string]engine.Tensor
}

func tune(t *testing.T, f engine.Frozen, choice prefix.Choice, o train.Options, between func(r *train.Run) bool) outcome {
	t.Helper()
	ctx := context.Background()
	m, err := prefix.New(choice, f.Arch.Info())
	if err != nil {
		t.Fatal(err)
	}
	r, err := train.New(ctx, f, m, task(), prefix.StartFrom{}, o)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	out := outcome{tensors: r.Tensors}
	ev := train.Events{
		Step: func(s train.StepInfo) {
			if s.First != len(out.losses)+1 {
				t.Errorf("steps from %d after %d", s.First, len(out.losses))
			}
			out.losses = append(out.losses, s.Loss...)
		},
		Eval: func(e train.EvalInfo) { out.evals = append(out.evals, e.Loss) },
	}
	if between != nil {
		ev.Between = func() bool { return between(r) }
	}
	if out.res, err = r.Train(ctx, ev); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTrainingLearns(t *testing.T) {
	for _, c := range []struct {
		model          func(testing.TB, engine.Device) engine.Frozen
		source, starts string
	}{{tiny.Llama, "kv", "examples gaussian"}, {tiny.Llama, "mlp", "examples gaussian"}, {tiny.LFM2, "kv", "examples"}, {tiny.LFM2, "embedding", "gaussian"}} {
		for _, start := range strings.Fields(c.starts) {
			f := c.model(t, cpu.New[float32]())
			t.Run(f.Arch.Info().Family+", "+c.source+" from "+start, func(t *testing.T) {
				out := tune(t, f, prefix.Choice{"source": c.source, "start": start}, train.Options{Steps: 120, LR: 0.05, Patience: 100}, nil)
				if len(out.losses) != 120 {
					t.Fatalf("%d losses for 120 steps", len(out.losses))
				}
				if out.res.Best.Loss > 0.9*out.evals[0] || out.res.Best.Loss > 0.9*out.res.Base {
					t.Errorf("best %.3f, start %.3f, base %.3f: no lower", out.res.Best.Loss, out.evals[0], out.res.Base)
				}
			})
		}
	}
}

// The same seed gives the same curve, bit for bit, and what happens between the steps
// does not change it.
func TestCurveIsReproducible(t *testing.T) {
	o := train.Options{Steps: 30, Seed: 5}
	choice := prefix.Choice{"start": "gaussian"}
	f := tiny.Llama(t, cpu.New[float32]())
	one := tune(t, f, choice, o, nil)
	calls := 0
	two := tune(t, f, choice, o, func(r *train.Run) bool {
		calls++
		if calls%10 == 0 {
			g, err := generate.New(context.Background(), f, r.Method, r.Tensors, 32)
			if err != nil {
				t.Fatal(err)
			}
			defer g.Close()
			if _, err := g.Run(context.Background(), []int32{3, 15, 1}, generate.Options{MaxTokens: 5}, func(int32) bool { return true }); err != nil {
				t.Fatal(err)
			}
		}
		return true
	})
	for i := range one.losses {
		if one.losses[i] != two.losses[i] {
			t.Fatalf("step %d: loss %v and %v", i+1, one.losses[i], two.losses[i])
		}
	}
	o.Seed = 6
	three := tune(t, f, choice, o, nil)
	if three.losses[0] == one.losses[0] {
		t.Error("another seed gives the same first loss")
	}
}

// Frozen means frozen: the weights' bytes are the same after training, and without the
// prefix the logits are the same bit for bit.
func TestWeightsStayAsTheyWere(t *testing.T) {
	ctx := context.Background()
	f := tiny.Llama(t, cpu.New[float32]())
	read := func() map[string][]byte {
		all := map[string][]byte{}
		for name, w := range f.Weights {
			all[name] = make([]byte, w.Spec().Bytes())
			if err := w.Read(ctx, 0, all[name]); err != nil {
				t.Fatal(err)
			}
		}
		return all
	}
	logits := func() []float32 {
		g, err := generate.New(ctx, f, nil, nil, 32)
		if err != nil {
			t.Fatal(err)
		}
		defer g.Close()
		if _, err := g.Run(ctx, []int32{3, 15, 1}, generate.Options{MaxTokens: 1}, func(int32) bool { return true }); err != nil {
			t.Fatal(err)
		}
		z, err := g.Logits(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return append([]float32(nil), z...)
	}
	before, z := read(), logits()
	tune(t, f, nil, train.Options{Steps: 20}, nil)
	for name, raw := range read() {
		if !bytes.Equal(raw, before[name]) {
			t.Errorf("%s changed", name)
		}
	}
	for i, v := range logits() {
		if v != z[i] {
			t.Fatalf("logit %d is %v, was %v", i, v, z[i])
		}
	}
}

func TestEarlyStoppingKeepsTheBest(t *testing.T) {
	f := tiny.Llama(t, cpu.New[float32]())
	out := tune(t, f, prefix.Choice{"start": "gaussian"}, train.Options{Steps: 400, LR: 3, Clip: -1, Eval: 5, Patience: 3}, nil)
	if out.res.Why != "validation stopped improving" || out.res.Steps >= 400 {
		t.Fatalf("ended by %q after %d steps with a learning rate far too high", out.res.Why, out.res.Steps)
	}
	best := math.Inf(1)
	for _, e := range out.evals {
		best = min(best, e)
	}
	if out.res.Best.Loss != best {
		t.Errorf("kept %.4f, the best was %.4f", out.res.Best.Loss, best)
	}
	for name, raw := range out.res.Best.State {
		now := make([]byte, len(raw))
		if err := out.tensors[name].Read(context.Background(), 0, now); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(now, raw) {
			t.Errorf("%s is not that of the best step", name)
		}
	}
}

func TestStopEndsAfterTheStep(t *testing.T) {
	n := 0
	out := tune(t, tiny.Llama(t, cpu.New[float32]()), nil, train.Options{Steps: 400}, func(*train.Run) bool { n++; return n < 7 })
	if out.res.Why != "stopped" || out.res.Steps != 7 || len(out.losses) != 7 {
		t.Errorf("%q after %d steps with %d losses, want stopped after 7", out.res.Why, out.res.Steps, len(out.losses))
	}
}

// A run goes on from a checkpoint on another device, with the same curve.
func TestRestoreOnAnotherDevice(t *testing.T) {
	ctx := context.Background()
	o := train.Options{Steps: 30, Eval: 100, Seed: 3}
	whole := tune(t, tiny.Llama(t, cpu.New[float32]()), nil, o, nil)

	f := tiny.Llama(t, cpu.New[float32]())
	m, _ := prefix.New(nil, f.Arch.Info())
	r, err := train.New(ctx, f, m, task(), prefix.StartFrom{}, o)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	var saved train.Checkpoint
	if _, err := r.Train(ctx, train.Events{Between: func() bool {
		n++
		if n == 12 {
			if err := r.Save(ctx); err != nil {
				t.Fatal(err)
			}
			saved = r.Checkpoint()
		}
		return n < 15
	}}); err != nil {
		t.Fatal(err)
	}
	if saved.Step != 12 {
		t.Fatalf("checkpoint of step %d, want 12", saved.Step)
	}
	f2 := tiny.Llama(t, cpu.New[float32]())
	m2, _ := prefix.New(nil, f2.Arch.Info())
	r2, err := train.New(ctx, f2, m2, task(), prefix.StartFrom{}, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := r2.Restore(ctx, saved); err != nil {
		t.Fatal(err)
	}
	var rest []float64
	if _, err := r2.Train(ctx, train.Events{Step: func(s train.StepInfo) {
		if len(rest) == 0 && s.First != 13 {
			t.Errorf("goes on at step %d, want 13", s.First)
		}
		rest = append(rest, s.Loss...)
	}}); err != nil {
		t.Fatal(err)
	}
	for i, l := range rest {
		if l != whole.losses[12+i] {
			t.Fatalf("step %d: loss %v, without the break %v", 13+i, l, whole.losses[12+i])
		}
	}
	if len(rest) != 18 {
		t.Errorf("%d steps after the break, want 18", len(rest))
	}
}

// Gradients that are not finite change nothing and halve the learning rate; three in a
// row end the training with the best prefix kept.
func TestNotFinite(t *testing.T) {
	ctx := context.Background()
	f := tiny.Llama(t, cpu.New[float32]())
	m, _ := prefix.New(nil, f.Arch.Info())
	r, err := train.New(ctx, f, m, task(), prefix.StartFrom{}, train.Options{Steps: 50, Eval: 100})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	skipped := 0
	res, err := r.Train(ctx, train.Events{
		Step: func(s train.StepInfo) { skipped += s.Skipped },
		Between: func() bool {
			if n++; n == 10 { // an embedding breaks
				raw := make([]byte, f.Weights["model.norm.weight"].Spec().Bytes())
				for i := range raw {
					raw[i] = 0xff
				}
				if err := f.Weights["model.norm.weight"].Write(ctx, 0, raw); err != nil {
					t.Fatal(err)
				}
			}
			return true
		}})
	if err != nil {
		t.Fatal(err)
	}
	if skipped < 3 || !strings.Contains(res.Why, "not finite") {
		t.Errorf("%d steps skipped, ended by %q", skipped, res.Why)
	}
	for name, raw := range res.Best.State {
		for i := 0; i < len(raw); i += 4 {
			if raw[i+3]&0x7f == 0x7f && raw[i+2]&0x80 != 0 {
				t.Fatalf("%s holds a value that is not finite", name)
			}
		}
	}
}

// One step with a gradient that is not finite changes nothing, halves the learning rate,
// and training goes on.
func TestOneStepNotFinite(t *testing.T) {
	ctx := context.Background()
	f := tiny.Llama(t, cpu.New[float32]())
	m, _ := prefix.New(prefix.Choice{"start": "gaussian"}, f.Arch.Info())
	r, err := train.New(ctx, f, m, task(), prefix.StartFrom{}, train.Options{Steps: 80, Eval: 100, LR: 0.01})
	if err != nil {
		t.Fatal(err)
	}
	gain := f.Weights["model.norm.weight"]
	whole := make([]byte, gain.Spec().Bytes())
	if err := gain.Read(ctx, 0, whole); err != nil {
		t.Fatal(err)
	}
	values := func() []byte {
		x := r.Tensors["prefix.kv"]
		raw := make([]byte, x.Spec().Bytes())
		if err := x.Read(ctx, 0, raw); err != nil {
			t.Fatal(err)
		}
		return raw
	}
	n, skipped, lr := 0, 0, 0.0
	var before []byte
	res, err := r.Train(ctx, train.Events{
		Step: func(s train.StepInfo) { skipped, lr = skipped+s.Skipped, s.LR },
		Between: func() bool {
			switch n++; n {
			case 5:
				before = values()
				if err := gain.Write(ctx, 0, bytes.Repeat([]byte{0xff}, len(whole))); err != nil {
					t.Fatal(err)
				}
			case 6:
				if !bytes.Equal(values(), before) {
					t.Error("the step that is not finite changed the prefix")
				}
				if err := gain.Write(ctx, 0, whole); err != nil {
					t.Fatal(err)
				}
			case 7:
				if bytes.Equal(values(), before) {
					t.Error("the step after it changed nothing")
				}
			}
			return true
		}})
	if err != nil {
		t.Fatal(err)
	}
	// The last of 80 steps, 5 of them warm-up, has a 75th of the rate, which was halved.
	if skipped != 1 || math.Abs(lr/(0.005/75)-1) > 1e-9 || res.Steps != 80 {
		t.Errorf("%d steps skipped, learning rate %g, %d steps", skipped, lr, res.Steps)
	}
}

func TestExamplesLongerThanTheContext(t *testing.T) {
	f := tiny.Llama(t, cpu.New[float32]())
	m, _ := prefix.New(prefix.Choice{"start": "gaussian", "kv.slots": "100"}, f.Arch.Info())
	d := task()
	d.Train[3].IDs = make([]int32, 40)
	_, err := train.New(context.Background(), f, m, d, prefix.StartFrom{}, train.Options{Steps: 1})
	if err == nil || !strings.Contains(err.Error(), "100 slots do not fit") {
		t.Errorf("error %v, want one that names the example and the slots", err)
	}
}

// Within a budget a step keeps block inputs only: the same curve, less memory. A budget
// that is too small is an error that says what to make smaller.
func TestBudget(t *testing.T) {
	o := train.Options{Steps: 10, Seed: 3, Eval: 100}
	peak := func(o train.Options) (outcome, int64) {
		dev := cpu.New[float32]()
		out := tune(t, tiny.Llama(t, dev), nil, o, nil)
		return out, dev.Memory().Tensors + dev.Memory().Scratch
	}
	free, most := peak(o)
	o.Budget = most - 1
	tight, less := peak(o)
	if less > o.Budget {
		t.Errorf("%d bytes within a budget of %d", less, o.Budget)
	}
	for i, l := range tight.losses {
		if l != free.losses[i] {
			t.Fatalf("step %d: loss %v, without the budget %v", i+1, l, free.losses[i])
		}
	}
	o.Budget = 1
	dev := cpu.New[float32]()
	f := tiny.Llama(t, dev)
	m, _ := prefix.New(nil, f.Arch.Info())
	before := dev.Memory().Tensors
	if _, err := train.New(context.Background(), f, m, task(), prefix.StartFrom{}, o); err == nil || !strings.Contains(err.Error(), "smaller batch") {
		t.Errorf("a budget of one byte gives error %v", err)
	}
	if after := dev.Memory().Tensors; after != before {
		t.Errorf("a refused training leaves %d bytes on the device", after-before)
	}
}

// What a training takes is what was planned, to the byte, on a device that has more than
// tensors and activations, and a budget counts all of it.
func TestPlannedMemory(t *testing.T) {
	ctx := context.Background()
	within := func(budget int64) (*train.Run, engine.Memory) {
		dev, err := simd.New(ctx, simd.Options{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { dev.Close() })
		f := tiny.Llama(t, dev)
		m, err := prefix.New(nil, f.Arch.Info())
		if err != nil {
			t.Fatal(err)
		}
		r, err := train.New(ctx, f, m, task(), prefix.StartFrom{}, train.Options{Steps: 3, Seed: 3, Budget: budget})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(r.Close)
		if now := dev.Memory(); now != r.Planned {
			t.Errorf("the device holds %+v, %+v was planned", now, r.Planned)
		}
		if _, err := r.Train(ctx, train.Events{}); err != nil {
			t.Fatal(err)
		}
		if now := dev.Memory(); now != r.Planned {
			t.Errorf("after training the device holds %+v, %+v was planned", now, r.Planned)
		}
		return r, r.Planned
	}
	_, most := within(0)
	if r, _ := within(most.Tensors + most.Scratch); r.Recompute {
		t.Error("what is needed does not fit a budget as large")
	}
	r, less := within(most.Tensors + most.Scratch - 1)
	if !r.Recompute || less.Scratch >= most.Scratch {
		t.Errorf("with a byte less: recompute %v, %+v instead of %+v", r.Recompute, less, most)
	}
}

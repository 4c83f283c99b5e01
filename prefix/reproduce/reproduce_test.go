package reproduce

import (
	"context"
	"testing"

	"prelude/engine"
	"prelude/prefix/reproduce/checkpoints"
	"prelude/prefix/train"
	"prelude/simd"
)

func device(t *testing.T) engine.Device {
	dev, err := simd.New(context.Background(), simd.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dev.Close() })
	return dev
}

// newLab is one on the SIMD device, with the checkpoints.
func newLab(t *testing.T) *lab {
	return &lab{Bench: Bench{Device: device(t), Checkpoint: checkpoints.Read}, Result: &Result{}}
}

// holds fails the test where a figure misses its bound.
func (r *Result) holds(t *testing.T) {
	t.Helper()
	for _, x := range r.Rows {
		if x.Want != "" && !x.Met {
			t.Errorf("%s: %s, want %s", x.What, x.Ours, x.Want)
		}
	}
}

func toyBench(t *testing.T) *bench {
	l := newLab(t)
	m, err := l.open(context.Background(), weightsToy, sizesToy, 0)
	if err != nil {
		t.Fatal(err)
	}
	return &bench{l: l, ctx: context.Background(), m: m, seeds: []int{1}, done: map[string]*outcome{}}
}

// single keeps an arm to one rate, which the full run chose.
func single(a arm, rate float64) arm {
	a.rates = []float64{rate}
	return a
}

func TestPrefixCostsAndLeavesTheModel(t *testing.T) {
	b := toyBench(t)
	if err := o7(b); err != nil {
		t.Fatal(err)
	}
	if err := o8(b); err != nil {
		t.Fatal(err)
	}
	b.l.holds(t)
}

// O1 and O2, shortened: one seed, one rate an arm.
func TestSourcesAndStarts(t *testing.T) {
	b := toyBench(t)
	for _, x := range []struct {
		what         string
		upper, lower arm
		of           lesson
	}{
		{"O1", single(kvMLP, 1e-2), single(embedded, 0.06), lesson{composed, 500, 60}},
		{"O2", single(kvHeader, 0.02), single(kvShort, 0.06), lesson{reversed, 50, 15}},
	} {
		if err := b.above(x.what, x.upper, x.lower, x.of, byVal); err != nil {
			t.Fatal(err)
		}
	}
	b.l.holds(t)
}

// E1 and E2, shortened: a prefix leaves a new task at nothing, and the same code gets a known
// one, alone or out of four.
func TestPetrovShort(t *testing.T) {
	ctx := context.Background()
	for _, x := range []struct {
		weights Checkpoint
		task    string
		sizes   sizes
		o       train.Options
		want    *bound
	}{
		{weightsE1, "descending", sizesE1, train.Options{Steps: 25, Batch: 16, LR: 2e-2, Seed: 1, Eval: 25}, atMost(1)},
		{weightsE1, "ascending", sizesE1, train.Options{Steps: 25, Batch: 16, LR: 2e-2, Seed: 1, Eval: 25}, atLeast(90)},
		{weightsE2, "add2", sizesE2, train.Options{Steps: 60, Batch: 16, LR: 5e-2, Seed: 1, Eval: 60}, atLeast(50)},
	} {
		l := newLab(t)
		m, err := l.open(ctx, x.weights, x.sizes, 1)
		if err != nil {
			t.Fatal(err)
		}
		tuned, d, err := l.prefixOn(ctx, m, x.task, 1, x.o)
		if err != nil {
			t.Fatal(err)
		}
		got, err := tuned.match(ctx, d.test[:128])
		if err != nil {
			t.Fatal(err)
		}
		if !x.want.met(100 * got) {
			t.Errorf("%s: %s with a prefix: %.1f %%, want %v", x.weights.Name, x.task, 100*got, x.want)
		}
		tuned.close()
	}
}

// Padding that runs once is the same as padding in every example.
func TestPadding(t *testing.T) {
	ctx := context.Background()
	l := newLab(t)
	m, err := l.open(ctx, weightsE1, sizesE1, 1)
	if err != nil {
		t.Fatal(err)
	}
	read := func(f engine.Frozen, pad int) []float32 {
		d := l.digitsFor("ascending", 1, 4, pad, 1)
		e, err := newExam(ctx, f, nil, nil, d.Train)
		if err != nil {
			t.Fatal(err)
		}
		defer e.close()
		_, z, err := e.read(ctx, 0)
		if err != nil {
			t.Fatal(err)
		}
		return z
	}
	once, each := read(m.behind(), 0), read(m.Frozen, 1)
	for i := range each {
		if d := once[i] - each[i]; d > 1e-3 || d < -1e-3 {
			t.Fatalf("logit %d is %g behind padding that runs once, %g with padding in each example", i, once[i], each[i])
		}
	}
}

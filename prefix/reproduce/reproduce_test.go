package main

import (
	"context"
	"testing"

	"prelude/engine"
	"prelude/engine/train"
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

// holds fails the test where a figure misses its bound.
func (r *result) holds(t *testing.T) {
	t.Helper()
	for _, x := range r.Rows {
		if x.Want != "" && !x.Met {
			t.Errorf("%s: %s, want %s", x.What, x.Ours, x.Want)
		}
	}
}

func toyBench(t *testing.T) *bench {
	m, err := open(context.Background(), device(t), "toy", sizesToy, 0)
	if err != nil {
		t.Fatal(err)
	}
	return &bench{ctx: context.Background(), m: m, seeds: []int{1}, done: map[string]*outcome{}}
}

// single keeps an arm to one rate, which the full run chose.
func single(a arm, rate float64) arm {
	a.rates = []float64{rate}
	return a
}

func TestPrefixCostsAndLeavesTheModel(t *testing.T) {
	b, r := toyBench(t), &result{ID: "O"}
	if err := o7(b, r); err != nil {
		t.Fatal(err)
	}
	if err := o8(b, r); err != nil {
		t.Fatal(err)
	}
	r.holds(t)
}

// O1 and O2, shortened: one seed, one rate an arm.
func TestSourcesAndStarts(t *testing.T) {
	b, r := toyBench(t), &result{ID: "O"}
	for _, x := range []struct {
		what         string
		upper, lower arm
		of           lesson
	}{
		{"O1", single(kvMLP, 1e-2), single(embedded, 0.06), lesson{composed, 500, 60}},
		{"O2", single(kvHeader, 0.02), single(kvShort, 0.06), lesson{reversed, 50, 15}},
	} {
		if err := b.above(r, x.what, x.upper, x.lower, x.of, byVal); err != nil {
			t.Fatal(err)
		}
	}
	r.holds(t)
}

// E1 and E2, shortened: a prefix leaves a new task at nothing, and the same code gets a known
// one, alone or out of four.
func TestPetrovShort(t *testing.T) {
	ctx := context.Background()
	for _, x := range []struct {
		checkpoint, task string
		sizes            sizes
		o                train.Options
		want             *bound
	}{
		{"e1", "descending", sizesE1, train.Options{Steps: 25, Batch: 16, LR: 2e-2, Seed: 1, Eval: 25}, atMost(1)},
		{"e1", "ascending", sizesE1, train.Options{Steps: 25, Batch: 16, LR: 2e-2, Seed: 1, Eval: 25}, atLeast(90)},
		{"e2", "add2", sizesE2, train.Options{Steps: 60, Batch: 16, LR: 5e-2, Seed: 1, Eval: 60}, atLeast(50)},
	} {
		m, err := open(ctx, device(t), x.checkpoint, x.sizes, 1)
		if err != nil {
			t.Fatal(err)
		}
		tuned, d, err := prefixOn(ctx, m, x.task, 1, x.o)
		if err != nil {
			t.Fatal(err)
		}
		got, err := tuned.match(ctx, d.test[:128])
		if err != nil {
			t.Fatal(err)
		}
		if !x.want.met(100 * got) {
			t.Errorf("%s: %s with a prefix: %.1f %%, want %v", x.checkpoint, x.task, 100*got, x.want)
		}
		tuned.close()
	}
}

// Padding that runs once is the same as padding in every example.
func TestPadding(t *testing.T) {
	ctx := context.Background()
	m, err := open(ctx, device(t), "e1", sizesE1, 1)
	if err != nil {
		t.Fatal(err)
	}
	read := func(f engine.Frozen, pad int) []float32 {
		d := digitsFor("ascending", 1, 4, pad, 1)
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

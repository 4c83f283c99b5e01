package ui

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"prelude/ui/wire"
)

// madeRun is a run of n steps with these curves and noise; validation comes every tenth step.
func madeRun(seed uint64, n int, noise float64, train, val, grad func(x float64) float64) *runRecord {
	rng := rand.New(rand.NewPCG(seed, 7))
	r := &runRecord{First: 1, Planned: &wire.Planned{LR: 0.01, Slots: 40}, Evals: []wire.Eval{{Step: 0, Loss: val(0), Base: 3}}}
	for i := 1; i <= n; i++ {
		x := float64(i) / float64(n)
		r.Losses = append(r.Losses, train(x)+noise*rng.NormFloat64())
		r.Points = append(r.Points, stepPoint{Step: i, LR: 0.01, Grad: grad(x) * math.Exp(0.4*rng.NormFloat64()), Tokens: 100})
		if i%10 == 0 {
			r.Evals = append(r.Evals, wire.Eval{Step: i, Loss: val(x) + noise/8*rng.NormFloat64(), Base: 3})
		}
	}
	return r
}

func falling(from, to float64) func(float64) float64 {
	return func(x float64) float64 { return to + (from-to)*math.Exp(-5*x) }
}

func level(v float64) func(float64) float64 { return func(float64) float64 { return v } }

func kinds(all []sign) (k []string) {
	for _, s := range all {
		k = append(k, s.kind)
	}
	return k
}

// Runs that learn as they should, quickly or slowly, quietly or not, of any length and cut
// at any step, give no sign.
func TestCleanRunsGiveNoSign(t *testing.T) {
	clean := map[string]func(seed uint64, n int) *runRecord{
		"steady": func(s uint64, n int) *runRecord {
			return madeRun(s, n, 0.15, falling(2.6, 1.5), falling(2.4, 1.55), level(1))
		},
		"noisy": func(s uint64, n int) *runRecord {
			return madeRun(s, n, 0.5, falling(2.6, 1.2), falling(2.4, 1.3), level(1))
		},
		"settled": func(s uint64, n int) *runRecord {
			return madeRun(s, n, 0.2, falling(2.6, 0.9), falling(2.4, 1.8), level(0.5))
		},
		"grows": func(s uint64, n int) *runRecord {
			return madeRun(s, n, 0.15, falling(2.6, 1.5), falling(2.4, 1.55), func(x float64) float64 { return 0.3 + 3*x })
		},
		"low": func(s uint64, n int) *runRecord {
			return madeRun(s, n, 0.02, falling(0.5, 0.03), falling(0.5, 0.05), level(1))
		},
	}
	for name, make := range clean {
		for seed := range uint64(30) {
			whole := make(seed, []int{20, 60, 200, 1000}[seed%4])
			for _, part := range []float64{0.2, 0.5, 1} {
				r := *whole
				n := int(part * float64(len(r.Losses)))
				r.Losses, r.Points = r.Losses[:n], r.Points[:n]
				r.Evals = slices.DeleteFunc(slices.Clone(r.Evals), func(e wire.Eval) bool { return e.Step > n })
				if got := signs(&r, []string{"a b", "c", "d"}, []string{"a", "c", "d"}); len(got) > 0 {
					t.Errorf("%s, seed %d, %d steps: %v %q", name, seed, n, kinds(got), got[0].sentence)
				}
			}
		}
	}
}

// Each fault gives its sign, and no other.
func TestSigns(t *testing.T) {
	for name, x := range map[string]struct {
		run  *runRecord
		want []string
	}{
		"rises":     {madeRun(1, 100, 0.1, func(x float64) float64 { return 2 - 2*x + 4*x*x }, func(x float64) float64 { return 2 - 2*x + 4*x*x }, level(1)), []string{signRises}},
		"jumps":     {madeRun(2, 60, 0.1, func(x float64) float64 { return 2 + 5*math.Max(0, x-0.5) }, level(2), level(1)), []string{signRises}},
		"explodes":  {madeRun(3, 60, 0.1, falling(2.6, 1.5), falling(2.4, 1.5), func(x float64) float64 { return 1 + 1e4*math.Pow(math.Max(0, x-0.9), 1) }), []string{signExplode}},
		"overfits":  {madeRun(4, 200, 0.1, falling(2.6, 0.4), func(x float64) float64 { return 1.6 + 2*(x-0.3)*(x-0.3) }, level(1)), []string{signOverfit}},
		"still":     {madeRun(5, 80, 0.05, level(2.5), level(2.4), level(1)), []string{signStill}},
		"too early": {madeRun(6, 8, 0.05, level(2.5), level(2.4), level(1)), nil},
		"nothing":   {&runRecord{}, nil},
	} {
		if got := kinds(signs(x.run, nil, nil)); !slices.Equal(got, x.want) {
			t.Errorf("%s: %v, want %v", name, got, x.want)
		}
	}
	clean := madeRun(1, 100, 0.1, falling(2.6, 1.5), falling(2.4, 1.5), level(1))
	same, differ := []string{" yes.", "yes.", "yes. "}, []string{"yes.", "no.", "maybe."}
	if got := kinds(signs(clean, same, differ)); !slices.Equal(got, []string{signAlike}) {
		t.Errorf("answers all alike: %v", got)
	}
	for _, x := range [][2][]string{{same, same}, {differ, differ}, {same[:2], differ[:2]}, {{"", "", ""}, differ}, {same, differ[:2]}} {
		if got := signs(clean, x[0], x[1]); len(got) > 0 {
			t.Errorf("%q beside %q: %v", x[0], x[1], kinds(got))
		}
	}
}

// A sign's button starts again with what it says; under way it ends the run first.
func TestHeed(t *testing.T) {
	d := &disk{files: map[string]text{}}
	a, s := sitWithExamples(t, d)
	a.set.by, a.set.steps, a.set.lr = "steps", "80", "0.3"
	a.startTraining()
	m, _ := last[wire.Train](s)
	a.Receive(wire.Planned{ID: m.ID, Steps: 80, LR: 0.3}, nil)
	for i := range 60 {
		a.Receive(wire.Step{First: i + 1, Loss: []float64{2 + 0.05*float64(max(0, i-30))}, LR: 0.3, GradNorm: 1}, nil)
	}
	got := a.signs()
	if !slices.Equal(kinds(got), []string{signRises}) {
		t.Fatalf("signs %v", kinds(got))
	}
	a.heed(got[0])
	if len(a.signs()) != 0 || a.run.status != runStopping || len(a.queue.waiting) != 1 {
		t.Errorf("%v, %d wait", a.run.status, len(a.queue.waiting))
	}
	s.finish(a, m.ID)
	if next, _ := last[wire.Train](s); next.ID == m.ID || next.LR != 0.1 || next.Steps != 80 {
		t.Errorf("then %+v", next)
	}
}

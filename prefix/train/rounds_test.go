package train

import (
	"context"
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"prelude/engine"
	"prelude/engine/cpu"
	"prelude/models/tiny"
	"prelude/prefix"
	"prelude/prefix/data"
)

// The rate of each round rises to its peak and falls to nearly nothing, in runs of any length,
// and ends at nearly nothing where a limit cuts a round.
func TestRoundsLand(t *testing.T) {
	const pass = 9
	for _, steps := range []int{16, 23, 24, 30, 50, 96, 101, 1000} {
		for _, o := range []Options{{Schedule: plateau, Steps: steps}, {Schedule: plateau, Time: 1}} {
			s := o.schedule(steps, pass)
			var rates []float64
			for i := range steps {
				rates = append(rates, s.at(i))
			}
			if last := rates[steps-1]; last > 0.2 {
				t.Errorf("of %d steps the last has %.3f of the rate: %.2f", steps, last, rates)
			}
			for i := range steps {
				if k, _ := s.place(i + 1); k == 0 && rates[i] > 0.15 {
					t.Errorf("of %d steps in rounds of %d number %d has %.3f of the rate", steps, s.round, i, rates[i])
				}
			}
			if top := slices.Max(rates); !(top > 0.99 && top <= 1) {
				t.Errorf("of %d steps none has the peak: %.2f", steps, rates)
			}
			if o.Steps > 0 && (s.round > 36 || steps > 16 && s.round < 16) {
				t.Errorf("%d steps have rounds of %d", steps, s.round)
			}
		}
	}
}

// Where time is the limit the first round has five thirds of a round's steps, of half the examples
// each; it lands too where the limit comes before its end.
func TestTheOpening(t *testing.T) {
	timed := Options{Schedule: plateau, Time: 1, Batch: 4}
	if n := timed.opening(9); n != 40 {
		t.Errorf("the first round has %d steps", n)
	}
	for _, o := range []Options{{Schedule: plateau, Steps: 96, Batch: 4}, {Schedule: "linear", Time: 1, Batch: 4}, {Schedule: plateau, Time: 1, Batch: 1}} {
		if n := o.opening(9); n != 0 {
			t.Errorf("%+v begins with %d steps of half the examples", o, n)
		}
	}
	if n := timed.opening(50); n != 0 {
		t.Errorf("of 200 examples the first round has %d steps of half as many", n)
	}
	s := timed.schedule(unknown, 9)
	var ends []int
	for i := range 90 {
		if k, _ := s.place(i); k == 0 {
			ends = append(ends, i)
		}
	}
	if !slices.Equal(ends, []int{0, 40, 64, 88}) {
		t.Errorf("rounds begin at %v", ends)
	}
	if short := timed.schedule(30, 9); short.at(29) > 0.1 || short.at(4) < 0.9 {
		t.Errorf("a run that ends within its first round has rates of %.2f and %.2f", short.at(4), short.at(29))
	}
}

// prepared is a run on so many examples to train on and held out, all the same one.
func prepared(t *testing.T, train, held int, o Options) *Run {
	t.Helper()
	f := tiny.Llama(t, cpu.New[float32]())
	m, err := prefix.New(nil, f.Arch.Info())
	if err != nil {
		t.Fatal(err)
	}
	x := []data.Tokens{{IDs: []int32{2, 14, 1, 14, 2, 0}, Start: 3}}
	r, err := New(context.Background(), f, m, Data{Train: slices.Repeat(x, train), Val: slices.Repeat(x, held)}, prefix.StartFrom{}, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// A run that was prepared long before it began saves nothing at its first step.
func TestPreparedLongAgo(t *testing.T) {
	r := prepared(t, 1, 0, Options{Steps: 2})
	r.savedAt = time.Now().Add(-time.Hour)
	if _, err := r.Train(context.Background(), Events{Saved: func(c Checkpoint) { t.Errorf("saved after step %d", c.Step) }}); err != nil {
		t.Fatal(err)
	}
}

// At the end of a round the prefix stands between where the round began and where its steps have come,
// the last of which, at nearly no rate, hardly move it.
func TestARoundStepsBack(t *testing.T) {
	ctx := context.Background()
	r := prepared(t, 1, 12, Options{Steps: 16, Schedule: plateau}) // the middle of the round reads some of the held-out
	values := func() (all []float64) {
		for _, name := range slices.Sorted(maps.Keys(r.Tensors)) {
			x, err := engine.ReadFloats(ctx, r.Tensors[name])
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range x {
				all = append(all, float64(v))
			}
		}
		return all
	}
	start := values()
	moved := func() (d float64) {
		for i, v := range values() {
			d += (v - start[i]) * (v - start[i])
		}
		return math.Sqrt(d)
	}
	var way []float64
	if _, err := r.Train(ctx, Events{Between: func() bool { way = append(way, moved()); return true }}); err != nil {
		t.Fatal(err)
	}
	if n := len(way); n != 16 || math.Abs(way[15]/way[14]-plateauAhead) > 0.02 {
		t.Errorf("after each step so far from the start: %.3f; want %.2f of the way at the end of a round", way, plateauAhead)
	}
}

// A round is some two and a half passes, of 64 to 320 examples, whatever the batch; of large batches
// 16 steps at least.
func TestRoundsByBatch(t *testing.T) {
	for _, x := range []struct{ batch, pass, want int }{
		{2, 17, 45}, {2, 4, 32}, {2, 500, 160}, {1, 34, 90}, {4, 9, 24}, {4, 2, 16}, {4, 250, 80}, {8, 5, 16}, {16, 60, 80}, {0, 5, 16},
	} {
		if got := (Options{Schedule: plateau, Time: 1, Batch: x.batch}).round(unknown, x.pass); got != x.want {
			t.Errorf("rounds of batches of %d, %d a pass, have %d steps, want %d", x.batch, x.pass, got, x.want)
		}
	}
}

// A ramp reads whole batches, also of a run that would begin with halves.
func TestARampReadsWholeBatches(t *testing.T) {
	r := prepared(t, 4, 0, Options{Time: time.Minute, Schedule: plateau, Batch: 4})
	if err := r.Ramp(context.Background(), 1e-4, 1e-3, 2, func(float64, float64) bool { return true }); err != nil {
		t.Fatal(err)
	}
	if n := len(r.batches.At(0).Examples); n != 4 {
		t.Errorf("a ramp reads %d examples a step, want 4", n)
	}
}

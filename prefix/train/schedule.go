package train

import (
	"cmp"
	"fmt"
	"math"
	"time"
)

// Options of a training. Zero values are the defaults.
type Options struct {
	Steps int           // limit in steps, or
	Time  time.Duration // limit in time: the measured step time sets the number of steps
	Batch int           // examples a step; 0: 8. By "plateau" within a time the first round of few examples has half as many
	LR    float64       // peak learning rate; 0: the method's own
	// Optimizer is "adamw" (default) or "muon", which is [engine.Muon] for keys and values that are
	// trained as they are, and AdamW for all else.
	Optimizer string
	Schedule  string  // after warm-up: "linear" (default), "cosine" or "plateau"
	WarmUp    int     // steps; 0: 5 % of all, from 5 to 20; by "plateau" 4
	Clip      float64 // global gradient norm; 0: 1, negative: none
	Seed      uint64
	Eval      int     // steps between evaluations, of all held-out examples each; 0: a twentieth of all, at least 5; by "plateau" a round, and a glance in its middle
	Patience  int     // evaluations in a row without improvement before stopping; 0: never
	Base      float64 // the bare model's validation loss where it is known; 0: it is measured
	Budget    int64   // bytes that the device may hold, tensors and scratch; 0: no limit
}

// The schedule "plateau" has no length. It goes in rounds, in each of which the rate falls from
// its peak to zero in half a cosine, since that is what a prefix is best after (Loshchilov and
// Hutter, arXiv 1608.03983), and then takes a step back (see lookahead). Where a round has not
// improved validation, training goes back to the best prefix and on with a part of the rate, so that a rate that is too high for the data
// is found out, and mended, at the end of the first. Over the last fifth of a limit that is met
// within a round, the rate falls to zero. Where time is the limit and the examples are few, the
// first round goes in steps of half the examples: far from the best prefix a step more is worth
// more than a gradient of less noise. Muon learns in a round what AdamW learns in two or three, at
// a lower peak. The numbers were measured on three data sets and three models: prefix/reproduce/RESULTS.md, "How fast a prefix learns".
const (
	plateau        = "plateau"
	plateauPeak    = 1.5  // of the method's rate, which is that of a rate that holds; by Muon 1
	plateauCut     = 0.3  // the rate's factor where validation has not improved
	plateauGain    = 0.01 // the least improvement that counts, of the loss
	plateauWarmUp  = 4
	plateauLanding = 0.2  // share of the limit over which the rate falls
	plateauAhead   = 0.85 // share of a round's way that is kept

	leastGain = 0.001 // of the other schedules

	adamW    = "adamw"
	muon     = "muon"
	muonBeta = 0.8 // of a momentum for some tens of steps
	// Narrow models want Muon's rate to grow less than AdamW's: by this power of 576/hidden less.
	muonNarrow = 0.25

	defaultBatch = 8
)

func (o Options) check() error {
	switch {
	case o.Steps <= 0 && o.Time <= 0:
		return fmt.Errorf("train: neither a number of steps nor a time is given")
	case o.Batch < 0 || o.LR < 0 || o.WarmUp < 0 || o.Eval < 0 || o.Patience < 0:
		return fmt.Errorf("train: batch, learning rate, warm-up, evaluation interval and patience can't be negative")
	case o.Schedule != "" && o.Schedule != "linear" && o.Schedule != "cosine" && o.Schedule != plateau:
		return fmt.Errorf("train: schedule %q is unknown; known are linear, cosine, plateau", o.Schedule)
	case o.Optimizer != "" && o.Optimizer != adamW && o.Optimizer != muon:
		return fmt.Errorf("train: optimizer %q is unknown; known are adamw, muon", o.Optimizer)
	}
	return nil
}

// interval is the number of steps between evaluations, of a run of so many steps of which
// pass make one pass over the examples.
func (o Options) interval(total, pass int) int {
	switch {
	case o.Eval > 0:
		return o.Eval
	case o.Schedule == plateau:
		return o.round(total, pass)
	}
	return max(5, min(total/20, 50))
}

// round is the number of steps of a round, of a run of so many steps of which pass make one
// pass over the examples: some two and a half passes, of 64 examples at least, where that is no
// fewer than 16 steps, and of five times as many at most. A run that is given in steps has whole
// rounds.
func (o Options) round(total, pass int) int {
	least := o.leastRound()
	n := min(max(8*pass/3, least), 5*least)
	if o.Steps > 0 {
		rounds := max(1, (total+n/2)/n)
		return max(1, (total+rounds-1)/rounds)
	}
	return min(n, total)
}

// leastRound is how many steps a round has at least.
func (o Options) leastRound() int { return max(64/cmp.Or(o.Batch, defaultBatch), 16) }

// opening is the number of steps of half the examples that the first round has: five thirds of the
// others', which take less time than a round. It is 0 where the first is as the others, as it is of
// more than some fifty examples, of which half batches learn no more than whole ones.
func (o Options) opening(pass int) int {
	if o.Schedule != plateau || o.Steps > 0 || cmp.Or(o.Batch, defaultBatch) < 2 {
		return 0
	}
	n := o.round(unknown, pass)
	if n > 2*o.leastRound() {
		return 0
	}
	return 5 * n / 3
}

// gain is the part of the loss by which an evaluation has to be below the best one before to
// count as better.
func (o Options) gain() float64 {
	if o.Schedule == plateau {
		return plateauGain
	}
	return leastGain
}

// schedule gives the learning rate's factor at each step.
type schedule struct {
	kind        string
	warm, total int
	round       int // steps, by "plateau",
	first       int // and of the first round where that is another number
}

func (o Options) schedule(total, pass int) schedule {
	warm := o.WarmUp
	switch {
	case warm > 0:
	case o.Schedule == plateau:
		warm = plateauWarmUp
	case total == unknown:
		warm = 10
	default:
		warm = min(max(total/20, 5), 20)
	}
	s := schedule{kind: o.Schedule, warm: min(warm, total), total: total}
	if o.Schedule == plateau {
		s.round, s.first = o.round(total, pass), min(o.opening(pass), total)
		s.warm = min(s.warm, s.round/2)
	}
	return s
}

// at is the factor of step, counted from 0: it rises linearly through the warm-up and
// falls to zero at the end, in a line or half a cosine; by "plateau" in each round.
func (s schedule) at(step int) float64 {
	if s.round > 0 {
		return s.inRound(step)
	}
	if step < s.warm {
		return float64(step+1) / float64(s.warm)
	}
	left := 1 - float64(step-s.warm)/float64(max(1, s.total-s.warm))
	left = min(max(left, 0), 1)
	switch s.kind {
	case "cosine":
		return 0.5 - 0.5*math.Cos(math.Pi*left)
	}
	return left
}

// place is how many steps of its round come before a step, and how many the round has.
func (s schedule) place(step int) (k, of int) {
	if step < s.first {
		return step, s.first
	}
	return (step - s.first) % s.round, s.round
}

func (s schedule) inRound(step int) float64 {
	k, of := s.place(step)
	f := 0.0
	if k < s.warm {
		f = float64(k+1) / float64(s.warm)
	} else {
		f = 0.5 + 0.5*math.Cos(math.Pi*float64(k-s.warm)/float64(of-s.warm))
	}
	if whole, _ := s.place(s.total); whole == 0 {
		return f
	}
	return f * min(float64(s.total-step)/(plateauLanding*float64(s.total)), 1)
}

const (
	beta1, beta2, epsilon = 0.9, 0.999, 1e-8
)

// hyper is AdamW's argument at update t, counted from 1.
func hyper(lr float64, t int) []float64 {
	return []float64{lr, 1 / (1 - math.Pow(beta1, float64(t))), 1 / (1 - math.Pow(beta2, float64(t)))}
}

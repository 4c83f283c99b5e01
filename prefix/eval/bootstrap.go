package eval

import (
	"math/rand/v2"
	"slices"
)

// Resamples is how many bootstrap samples an interval or a comparison takes.
const Resamples = 1000

// Sample is a figure for each row of a set: its mean over the set weighs the rows.
type Sample struct {
	Values  []float64
	Weights []float64 // nil: all rows the same
}

// Mean is the weighted mean, 0 for no rows.
func (s Sample) Mean() float64 { return s.mean(nil) }

// mean is that of the rows that are drawn, with repetitions; nil is every row once.
func (s Sample) mean(rows []int) float64 {
	sum, weight := 0.0, 0.0
	add := func(i int) {
		w := 1.0
		if s.Weights != nil {
			w = s.Weights[i]
		}
		sum += w * s.Values[i]
		weight += w
	}
	if rows == nil {
		for i := range s.Values {
			add(i)
		}
	}
	for _, i := range rows {
		add(i)
	}
	if weight == 0 {
		return 0
	}
	return sum / weight
}

// Interval is the 95 % percentile interval of the mean (Efron and Tibshirani 1993, §13.3):
// rows are drawn with replacement, from a fixed seed.
func (s Sample) Interval() (low, high float64) {
	n := len(s.Values)
	if n == 0 {
		return 0, 0
	}
	means := make([]float64, 0, Resamples)
	resample(n, func(rows []int) { means = append(means, s.mean(rows)) })
	slices.Sort(means)
	at := func(p float64) float64 { return means[int(p*float64(len(means)-1)+0.5)] }
	return at(0.025), at(0.975)
}

// Better is in how many of 100 resamples of the same rows a has the higher mean than b, a tie
// counting half (paired bootstrap, Koehn 2004). For a loss the lower mean is the better one:
// ask for Better(b, a).
func Better(a, b Sample) float64 {
	n := min(len(a.Values), len(b.Values))
	if n == 0 {
		return 50
	}
	wins := 0.0
	resample(n, func(rows []int) {
		switch x, y := a.mean(rows), b.mean(rows); {
		case x > y:
			wins++
		case x == y:
			wins += 0.5
		}
	})
	return 100 * wins / Resamples
}

// resample draws n of n rows with replacement, Resamples times: the same draws for the same
// n, so that what is compared is compared on the same rows.
func resample(n int, each func(rows []int)) {
	rng := rand.New(rand.NewPCG(uint64(n), 0x626f6f74)) // a stream of its own: "boot"
	rows := make([]int, n)
	for range Resamples {
		for i := range rows {
			rows[i] = rng.IntN(n)
		}
		each(rows)
	}
}

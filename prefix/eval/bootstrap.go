package eval

import (
	"math/rand/v2"
	"slices"
)

// Resamples is how many bootstrap samples an interval or a comparison takes.
const Resamples = 1000

// A Statistic is a figure of some rows of a set, by their numbers; a row may occur more
// than once.
type Statistic func(rows []int) float64

// Interval is the 95 % percentile interval of a statistic of n rows (Efron and Tibshirani
// 1993, §13.3): rows are drawn with replacement, from a fixed seed. It is 0, 0 for no rows.
func Interval(n int, s Statistic) (low, high float64) {
	if n == 0 {
		return 0, 0
	}
	values := make([]float64, 0, Resamples)
	resample(n, func(rows []int) { values = append(values, s(rows)) })
	slices.Sort(values)
	at := func(p float64) float64 { return values[int(p*float64(len(values)-1)+0.5)] }
	return at(0.025), at(0.975)
}

// Better is in how many of 100 resamples of the same n rows a is higher than b, a tie
// counting half (paired bootstrap, Koehn 2004). Of a loss the lower is the better one: ask
// for Better(n, b, a).
func Better(n int, a, b Statistic) float64 {
	if n == 0 {
		return 50
	}
	wins := 0.0
	resample(n, func(rows []int) {
		switch x, y := a(rows), b(rows); {
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

// every is each of n rows once.
func every(n int) []int {
	rows := make([]int, n)
	for i := range rows {
		rows[i] = i
	}
	return rows
}

// Figure is one number about a set of answers, with its 95 % interval.
type Figure struct {
	Name      string
	Value     float64
	Low, High float64
}

// NewFigure takes a statistic of n rows.
func NewFigure(name string, n int, s Statistic) Figure {
	low, high := Interval(n, s)
	return Figure{name, s(every(n)), low, high}
}

// Mean is the mean of a value of each row.
func Mean(values []float64) Statistic { return Weighted(values, nil) }

// Weighted is the mean of a value of each row, each counting as much as its weight; nil
// weighs all the same. It is 0 for no rows.
func Weighted(values, weights []float64) Statistic {
	return func(rows []int) float64 {
		sum, weight := 0.0, 0.0
		for _, i := range rows {
			w := 1.0
			if weights != nil {
				w = weights[i]
			}
			sum += w * values[i]
			weight += w
		}
		return ratio(sum, weight)
	}
}

// ratio is a/b, 0 where there is nothing to count.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

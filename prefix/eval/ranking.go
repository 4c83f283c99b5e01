package eval

import (
	"fmt"
	"math"
	"slices"
)

// A Ranking is how likely a model holds each label as the answer to each row.
type Ranking struct {
	Labels []string
	// LogProbs[i][l] is the log-probability of label l, end token included, after the prompt of
	// row i, in nats.
	LogProbs [][]float64
}

// Pick is the label that row i is taken for, the first of equals, and its probability among
// the labels.
func (r Ranking) Pick(i int) (label int, sure float64) {
	all := r.LogProbs[i]
	for l, p := range all {
		if p > all[label] {
			label = l
		}
	}
	sum := 0.0
	for _, p := range all {
		sum += math.Exp(p - all[label])
	}
	return label, 1 / sum
}

// Bins is the number of bins of confidence that calibration is measured in.
const Bins = 10

// A Bin is the rows whose label was picked with a probability above Low and up to High.
type Bin struct {
	Low, High   float64
	Count       int
	Sure, Right float64 // mean probability, share of right picks; 0 where Count is
}

// Calibration is how a ranking's probabilities compare with how often it is right.
type Calibration struct {
	Confusion *Confusion
	Bins      []Bin
}

// Judge scores a ranking by the true labels: accuracy, macro-F1 (of the labels that occur in
// truth or are picked, as scikit-learn's), and the expected calibration error over Bins bins
// of equal width (Naeini et al. 2015; Guo et al. 2017, §2).
func (r Ranking) Judge(gold []string) (Judgement, Calibration, error) {
	var j Judgement
	if len(gold) != len(r.LogProbs) {
		return j, Calibration{}, fmt.Errorf("eval: %d true labels, and a ranking of %d rows", len(gold), len(r.LogProbs))
	}
	n := len(gold)
	truths, picks, sure := make([]int, n), make([]int, n), make([]float64, n)
	names := make([]string, n)
	for i, g := range gold {
		if truths[i] = slices.Index(r.Labels, g); truths[i] < 0 {
			return j, Calibration{}, fmt.Errorf("eval: row %d has the label %q, which is not ranked", i+1, g)
		}
		picks[i], sure[i] = r.Pick(i)
		names[i] = r.Labels[picks[i]]
		j.Scores = append(j.Scores, truth(picks[i] == truths[i]))
	}
	confusion, err := NewConfusion(gold, names)
	if err != nil {
		return j, Calibration{}, err
	}
	j.add("accuracy", Mean(j.Scores))
	j.add("macro-F1", macroF1(truths, picks, len(r.Labels)))
	j.add("calibration error", func(rows []int) float64 { return calibrationError(bins(rows, sure, j.Scores), len(rows)) })
	return j, Calibration{confusion, bins(every(n), sure, j.Scores)}, nil
}

// macroF1 is the mean of the F1 of those labels of rows that occur in truth or are picked.
func macroF1(truths, picks []int, labels int) Statistic {
	right, found, real := make([]int, labels), make([]int, labels), make([]int, labels)
	return func(rows []int) float64 {
		clear(right)
		clear(found)
		clear(real)
		for _, i := range rows {
			real[truths[i]]++
			found[picks[i]]++
			if truths[i] == picks[i] {
				right[picks[i]]++
			}
		}
		sum, n := 0.0, 0.0
		for l := range labels {
			if found[l]+real[l] > 0 {
				sum += f1(right[l], found[l], real[l])
				n++
			}
		}
		return ratio(sum, n)
	}
}

// bins puts rows in bins by their probability.
func bins(rows []int, sure, right []float64) []Bin {
	all := make([]Bin, Bins)
	for b := range all {
		all[b].Low, all[b].High = float64(b)/Bins, float64(b+1)/Bins
	}
	for _, i := range rows {
		b := &all[min(max(int(math.Ceil(sure[i]*Bins))-1, 0), Bins-1)]
		b.Count++
		b.Sure += sure[i]
		b.Right += right[i]
	}
	for b := range all {
		if n := float64(all[b].Count); n > 0 {
			all[b].Sure /= n
			all[b].Right /= n
		}
	}
	return all
}

// calibrationError is the mean over n rows of how far a bin's probability is from its share of
// right picks.
func calibrationError(bins []Bin, n int) float64 {
	sum := 0.0
	for _, b := range bins {
		sum += float64(b.Count) * math.Abs(b.Sure-b.Right)
	}
	return ratio(sum, float64(n))
}

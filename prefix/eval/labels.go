package eval

import (
	"errors"
	"fmt"
	"slices"
)

// A Confusion counts predictions: Counts[g][p] examples of Labels[g] were taken for
// Labels[p].
type Confusion struct {
	Labels []string // those that occur, in alphabetical order
	Counts [][]int
}

// NewConfusion compares the true labels with the predicted ones, position by position.
func NewConfusion(gold, predicted []string) (*Confusion, error) {
	if len(gold) != len(predicted) {
		return nil, fmt.Errorf("eval: %d true labels, and %d predictions", len(gold), len(predicted))
	}
	if len(gold) == 0 {
		return nil, errors.New("eval: no labels to score")
	}
	c := &Confusion{Labels: slices.Concat(gold, predicted)}
	slices.Sort(c.Labels)
	c.Labels = slices.Compact(c.Labels)
	for range c.Labels {
		c.Counts = append(c.Counts, make([]int, len(c.Labels)))
	}
	for i := range gold {
		g, _ := slices.BinarySearch(c.Labels, gold[i])
		p, _ := slices.BinarySearch(c.Labels, predicted[i])
		c.Counts[g][p]++
	}
	return c, nil
}

// truth and taken are how often label i is right, and how often it is predicted.
func (c *Confusion) truth(i int) (n int) {
	for _, count := range c.Counts[i] {
		n += count
	}
	return n
}

func (c *Confusion) taken(i int) (n int) {
	for _, row := range c.Counts {
		n += row[i]
	}
	return n
}

func (c *Confusion) total() (n int) {
	for i := range c.Labels {
		n += c.truth(i)
	}
	return n
}

// Accuracy is the share of right predictions.
func (c *Confusion) Accuracy() float64 {
	right := 0
	for i := range c.Labels {
		right += c.Counts[i][i]
	}
	return float64(right) / float64(c.total())
}

// Score is precision, recall and F1 of the label with that index; 0 where a ratio
// has nothing to count.
func (c *Confusion) Score(i int) PRF {
	return newPRF(c.Counts[i][i], c.taken(i), c.truth(i))
}

// MacroF1 is the mean of the labels' F1, so that rare labels count as much as
// common ones. A label that occurs in predictions alone counts with 0.
func (c *Confusion) MacroF1() float64 {
	sum := 0.0
	for i := range c.Labels {
		sum += c.Score(i).F1
	}
	return sum / float64(len(c.Labels))
}

// Majority is the commonest true label, and the accuracy of always saying it: what
// any method has to beat.
func (c *Confusion) Majority() (label string, accuracy float64) {
	best := 0
	for i := range c.Labels {
		if c.truth(i) > c.truth(best) {
			best = i
		}
	}
	return c.Labels[best], float64(c.truth(best)) / float64(c.total())
}

package eval

import (
	"fmt"

	"prelude/prefix/data"
)

// PRF is precision, recall and F1, from 0 to 1, and how many there are in truth.
type PRF struct {
	Precision, Recall, F1 float64
	Count                 int
}

func newPRF(right, found, truth int) PRF {
	p := PRF{F1: f1(right, found, truth), Count: truth}
	if found > 0 {
		p.Precision = float64(right) / float64(found)
	}
	if truth > 0 {
		p.Recall = float64(right) / float64(truth)
	}
	return p
}

// EntityScore is over all entities (micro average), and by type.
type EntityScore struct {
	PRF
	ByType map[string]PRF
}

// Spans scores entities as the CoNLL-2000 scorer does: one is right where start, end
// and type are. gold[i] and predicted[i] are those of sentence i; [data.Spans] reads
// them from tags.
func Spans(gold, predicted [][]data.Span) (EntityScore, error) {
	return scoreEntities(gold, predicted, func(s data.Span) string { return s.Type })
}

// Entities scores entities that were written out as text, without their places: one
// is right where text and type are, as often as it occurs in truth.
func Entities(gold, predicted [][]data.Entity) (EntityScore, error) {
	return scoreEntities(gold, predicted, func(e data.Entity) string { return e.Type })
}

func scoreEntities[E comparable](gold, predicted [][]E, typ func(E) string) (EntityScore, error) {
	if len(gold) != len(predicted) {
		return EntityScore{}, fmt.Errorf("eval: entities of %d sentences in truth, and of %d predicted", len(gold), len(predicted))
	}
	type counts struct{ right, found, truth int }
	var all counts
	byType := map[string]*counts{}
	of := func(e E) *counts {
		c := byType[typ(e)]
		if c == nil {
			c = new(counts)
			byType[typ(e)] = c
		}
		return c
	}
	for i := range gold {
		left := map[E]int{}
		for _, e := range gold[i] {
			left[e]++
			of(e).truth++
			all.truth++
		}
		for _, e := range predicted[i] {
			of(e).found++
			all.found++
			if left[e] > 0 {
				left[e]--
				of(e).right++
				all.right++
			}
		}
	}
	s := EntityScore{PRF: newPRF(all.right, all.found, all.truth), ByType: map[string]PRF{}}
	for name, c := range byType {
		s.ByType[name] = newPRF(c.right, c.found, c.truth)
	}
	return s, nil
}

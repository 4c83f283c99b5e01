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

// entityCounts are entities that are in truth and predicted, predicted, and in truth.
type entityCounts struct{ right, found, truth int }

func (c *entityCounts) add(d entityCounts) {
	c.right += d.right
	c.found += d.found
	c.truth += d.truth
}

// countEntities counts those of one sentence by type.
func countEntities[E comparable](gold, predicted []E, typ func(E) string) map[string]entityCounts {
	all := map[string]entityCounts{}
	count := func(e E, d entityCounts) {
		c := all[typ(e)]
		c.add(d)
		all[typ(e)] = c
	}
	left := map[E]int{}
	for _, e := range gold {
		left[e]++
		count(e, entityCounts{truth: 1})
	}
	for _, e := range predicted {
		d := entityCounts{found: 1}
		if left[e] > 0 {
			left[e]--
			d.right = 1
		}
		count(e, d)
	}
	return all
}

func scoreEntities[E comparable](gold, predicted [][]E, typ func(E) string) (EntityScore, error) {
	if len(gold) != len(predicted) {
		return EntityScore{}, fmt.Errorf("eval: entities of %d sentences in truth, and of %d predicted", len(gold), len(predicted))
	}
	var all entityCounts
	byType := map[string]entityCounts{}
	for i := range gold {
		for t, c := range countEntities(gold[i], predicted[i], typ) {
			all.add(c)
			d := byType[t]
			d.add(c)
			byType[t] = d
		}
	}
	s := EntityScore{PRF: newPRF(all.right, all.found, all.truth), ByType: map[string]PRF{}}
	for name, c := range byType {
		s.ByType[name] = newPRF(c.right, c.found, c.truth)
	}
	return s, nil
}

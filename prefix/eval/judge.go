package eval

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
)

// Measure is how answers to a set of examples are judged.
type Measure string

// The measures. Each gives every row a score from 0 to 1.
const (
	Labels Measure = "labels" // few different completions: right or wrong
	JSON   Measure = "json"   // parsed equal; else the share of keys with the right value, halved
	Exact  Measure = "exact"  // equal after [Normalize]
	Text   Measure = "text"   // free text: the F1 of ROUGE-L
)

// Measures are all of them.
var Measures = []Measure{Labels, JSON, Exact, Text}

// mostLabels is the most different completions that count as labels, of at least three
// examples each on average.
const mostLabels = 30

// Choose picks the measure for a set by its completions.
func Choose(completions []string) Measure {
	different := map[string]bool{}
	structured, words := len(completions) > 0, 0
	for _, c := range completions {
		c = strings.TrimSpace(c)
		different[c] = true
		words += len(strings.Fields(c))
		structured = structured && (strings.HasPrefix(c, "{") || strings.HasPrefix(c, "[")) && json.Valid([]byte(c))
	}
	switch n := len(completions); {
	case structured:
		return JSON
	case n > 0 && len(different) <= mostLabels && 3*len(different) <= n:
		return Labels
	case n > 0 && words <= 3*n:
		return Exact
	}
	return Text
}

// Score judges an answer.
func (m Measure) Score(answer, reference string) float64 {
	right := func(yes bool) float64 {
		if yes {
			return 1
		}
		return 0
	}
	switch m {
	case Labels:
		return right(strings.TrimSpace(answer) == strings.TrimSpace(reference))
	case Exact:
		return right(Normalize(answer) == Normalize(reference))
	case JSON:
		return scoreJSON(answer, reference)
	}
	s, err := ROUGE([]string{answer}, [][]string{{reference}})
	if err != nil {
		return 0
	}
	return s.L
}

// scoreJSON is 1 where both parse to the same value. An object that does not scores half
// the share of the keys, of both, that have the same value in both.
func scoreJSON(answer, reference string) float64 {
	var got, want any
	if json.Unmarshal([]byte(strings.TrimSpace(answer)), &got) != nil || json.Unmarshal([]byte(strings.TrimSpace(reference)), &want) != nil {
		return 0
	}
	if reflect.DeepEqual(got, want) {
		return 1
	}
	a, okA := got.(map[string]any)
	b, okB := want.(map[string]any)
	if !okA || !okB {
		return 0
	}
	keys := map[string]bool{}
	same := 0
	for key, v := range b {
		keys[key] = true
		if x, ok := a[key]; ok && reflect.DeepEqual(x, v) {
			same++
		}
	}
	for key := range a {
		keys[key] = true
	}
	return float64(same) / float64(len(keys)) / 2
}

// Figure is one number about a set of answers; what has no Interval was measured on the set
// as a whole.
type Figure struct {
	Name      string
	Value     float64
	Low, High float64 // 95 % interval, where Interval is set
	Interval  bool
}

// Summarise gives the figures of a measure over a set of answers, whose row scores these are.
func (m Measure) Summarise(answers, references []string, scores []float64) []Figure {
	with := func(name string, s Sample) Figure {
		low, high := s.Interval()
		return Figure{name, s.Mean(), low, high, true}
	}
	list := slices.Clone(answers)
	refs := make([][]string, len(references))
	for i, r := range references {
		list[i] = strings.TrimSpace(list[i])
		refs[i] = []string{strings.TrimSpace(r)}
	}
	switch m {
	case Labels:
		gold := make([]string, len(refs))
		for i := range refs {
			gold[i] = refs[i][0]
		}
		figures := []Figure{with("accuracy", Sample{Values: scores})}
		if c, err := NewConfusion(gold, list); err == nil {
			figures = append(figures, Figure{Name: "macro-F1", Value: c.MacroF1()})
		}
		return figures
	case Exact:
		return []Figure{with("exact match", Sample{Values: scores})}
	case JSON:
		return []Figure{with("JSON", Sample{Values: scores})}
	}
	figures := []Figure{with("ROUGE-L", Sample{Values: scores})}
	if b, err := BLEU(list, refs, Tokenize13a); err == nil {
		figures = append(figures, Figure{Name: "BLEU", Value: b.Score})
	}
	if c, err := ChrF(list, refs); err == nil {
		figures = append(figures, Figure{Name: "chrF", Value: c})
	}
	return figures
}

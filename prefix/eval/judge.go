package eval

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"

	"prelude/prefix/data"
)

// Measure is how answers to a set of examples are judged.
type Measure string

// The measures. Each gives every row a score from 0 to 1.
const (
	Labels Measure = "labels"   // few different completions: ranked by likelihood, right or wrong
	JSON   Measure = "json"     // the share of keys that have the right value
	Tags   Measure = "entities" // "text | TYPE ; …": the F1 of text and type
	Exact  Measure = "exact"    // equal after [Normalize]
	Text   Measure = "text"     // free text: the F1 of ROUGE-L
)

// Measures are all of them.
var Measures = []Measure{Labels, JSON, Tags, Exact, Text}

// Choose picks the measure for a set by its completions. One label alone is no choice: whether
// it is said is.
func Choose(completions []string) Measure {
	n := len(completions)
	structured, tagged, found, words := n > 0, n > 0, 0, 0
	for _, c := range completions {
		c = strings.TrimSpace(c)
		words += len(strings.Fields(c))
		structured = structured && (strings.HasPrefix(c, "{") || strings.HasPrefix(c, "[")) && json.Valid([]byte(c))
		entities, bad := data.ParseEntities(c)
		tagged = tagged && bad == 0
		found += len(entities)
	}
	switch {
	case structured:
		return JSON
	case tagged && 2*found >= n:
		return Tags
	case len(data.FewLabels(completions)) > 1:
		return Labels
	case n > 0 && words <= 3*n:
		return Exact
	}
	return Text
}

// Judgement is how answers stand by a measure.
type Judgement struct {
	Scores  []float64 // of the rows
	Figures []Figure
	Main    Statistic // the first of Figures, by which answers are compared
}

// add takes another figure; the first one is the main one.
func (j *Judgement) add(name string, s Statistic) {
	if j.Main == nil {
		j.Main = s
	}
	j.Figures = append(j.Figures, NewFigure(name, len(j.Scores), s))
}

// Judge scores answers, each with its reference. Labels without a [Ranking] are right where
// the answer is the label.
func (m Measure) Judge(answers, references []string) (j Judgement) {
	n := min(len(answers), len(references))
	said, want := make([]string, n), make([]string, n)
	for i := range n {
		said[i], want[i] = strings.TrimSpace(answers[i]), strings.TrimSpace(references[i])
	}
	each := func(score func(answer, reference string) float64) (all []float64) {
		for i := range said {
			all = append(all, score(said[i], want[i]))
		}
		return all
	}
	switch m {
	case Labels:
		j.Scores = each(func(a, b string) float64 { return truth(a == b) })
		j.add("accuracy", Mean(j.Scores))
	case Exact:
		j.Scores = each(func(a, b string) float64 { return truth(Normalize(a) == Normalize(b)) })
		j.add("exact match", Mean(j.Scores))
	case JSON:
		j.Scores = each(keysRight)
		j.add("parsed equal", Mean(each(func(a, b string) float64 { return truth(keysRight(a, b) == 1) })))
		j.add("keys right", Mean(j.Scores))
		j.add("valid JSON", Mean(each(func(a, _ string) float64 { return truth(json.Valid([]byte(a))) })))
	case Tags:
		j.entities(said, want)
	default:
		j.Scores = each(func(a, b string) float64 {
			hyp, ref := Words(a), Words(b)
			return f1(longestCommon(hyp, ref), len(hyp), len(ref))
		})
		j.add("ROUGE-L", Mean(j.Scores))
		bleu, chars := make([]bleuCounts, n), make([]chrfCounts, n)
		for i := range said {
			bleu[i], chars[i] = countBLEU(said[i], want[i:i+1], Tokenize13a), countChars(said[i], want[i:i+1])
		}
		j.add("BLEU", func(rows []int) float64 {
			var all bleuCounts
			for _, i := range rows {
				all.add(bleu[i])
			}
			return all.score().Score
		})
		j.add("chrF", func(rows []int) float64 {
			var all chrfCounts
			for _, i := range rows {
				all.add(chars[i])
			}
			return all.score()
		})
	}
	return j
}

func truth(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// keysRight is 1 where both parse to the same value; of two objects that do not, the share of
// the keys, of both, that have the same value in both; else 0.
func keysRight(answer, reference string) float64 {
	var got, want any
	if json.Unmarshal([]byte(answer), &got) != nil || json.Unmarshal([]byte(reference), &want) != nil {
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
	return float64(same) / float64(len(keys))
}

// mostTypes is how many types of entities have a figure of their own.
const mostTypes = 6

// entities judges entities that are written out: F1 over all of them (micro average), by which
// precision and recall it comes, and by type.
func (j *Judgement) entities(said, want []string) {
	counts := make([]map[string]entityCounts, len(said)) // by row and type
	var types []string
	for i := range said {
		found, _ := data.ParseEntities(said[i])
		gold, _ := data.ParseEntities(want[i])
		counts[i] = countEntities(gold, found, func(e data.Entity) string { return e.Type })
		all := entityCounts{}
		for _, c := range counts[i] {
			all.add(c)
		}
		score := f1(all.right, all.found, all.truth)
		if all.found == 0 && all.truth == 0 {
			score = 1 // there are none, and none is said
		}
		j.Scores = append(j.Scores, score)
		for _, e := range gold {
			types = addNew(types, e.Type)
		}
	}
	over := func(typ string, of func(PRF) float64) Statistic { // "" is all types
		return func(rows []int) float64 {
			var all entityCounts
			for _, i := range rows {
				for t, c := range counts[i] {
					if typ == "" || t == typ {
						all.add(c)
					}
				}
			}
			return of(newPRF(all.right, all.found, all.truth))
		}
	}
	j.add("entity F1", over("", func(p PRF) float64 { return p.F1 }))
	j.add("precision", over("", func(p PRF) float64 { return p.Precision }))
	j.add("recall", over("", func(p PRF) float64 { return p.Recall }))
	for _, t := range types[:min(mostTypes, len(types))] {
		j.add("F1 of "+t, over(t, func(p PRF) float64 { return p.F1 }))
	}
}

// addNew adds a name that is not there yet.
func addNew(names []string, name string) []string {
	for _, n := range names {
		if n == name {
			return names
		}
	}
	return append(names, name)
}

// LossFigures are the loss in nats a token, weighed by each row's tokens, the perplexity, and
// the bits per byte of what was expected.
func LossFigures(losses []float64, tokens, bytes []int) (loss, perplexity, bits Figure) {
	n := len(losses)
	weights, nats, sizes := make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range losses {
		weights[i], sizes[i] = float64(tokens[i]), float64(bytes[i])
		nats[i] = losses[i] * weights[i]
	}
	loss = NewFigure("loss", n, Weighted(losses, weights))
	perplexity = Figure{"perplexity", Perplexity(loss.Value), Perplexity(loss.Low), Perplexity(loss.High)}
	bits = NewFigure("bits a byte", n, func(rows []int) float64 {
		a, b := 0.0, 0.0
		for _, i := range rows {
			a += nats[i]
			b += sizes[i]
		}
		return ratio(a, b*math.Ln2)
	})
	return loss, perplexity, bits
}

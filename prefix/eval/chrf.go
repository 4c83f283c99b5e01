package eval

import "strings"

const (
	chrfOrder = 6
	chrfBeta2 = 2 * 2 // recall counts β = 2 times as much as precision
)

// chrfCounts are, for each order, the n-grams of hypothesis and reference and those
// that match.
type chrfCounts [chrfOrder]struct{ hyp, ref, match int }

// ChrF scores a corpus by character n-grams, white space left out, in percent:
// precision and recall are means over the orders 1 to 6 of the corpus's counts. Of
// several references, the one with the best score for its hypothesis counts.
func ChrF(hypotheses []string, references [][]string) (float64, error) {
	if err := checkReferences(hypotheses, references); err != nil {
		return 0, err
	}
	var corpus chrfCounts
	for i, hypothesis := range hypotheses {
		corpus.add(countChars(hypothesis, references[i]))
	}
	return corpus.score(), nil
}

// countChars counts with the reference that has the best score for the hypothesis.
func countChars(hypothesis string, references []string) (best chrfCounts) {
	hyp := charNgrams(hypothesis)
	bestScore := -1.0
	for _, reference := range references {
		counts := matchChars(hyp, charNgrams(reference))
		if score := counts.score(); score > bestScore {
			best, bestScore = counts, score
		}
	}
	return best
}

func (c *chrfCounts) add(d chrfCounts) {
	for n := range c {
		c[n].hyp += d[n].hyp
		c[n].ref += d[n].ref
		c[n].match += d[n].match
	}
}

func charNgrams(text string) (grams [chrfOrder]map[string]int) {
	runes := []rune(strings.Join(strings.FieldsFunc(text, isSpace), ""))
	for n := range grams {
		grams[n] = map[string]int{}
		for i := 0; i+n < len(runes); i++ {
			grams[n][string(runes[i:i+n+1])]++
		}
	}
	return grams
}

func matchChars(hyp, ref [chrfOrder]map[string]int) (c chrfCounts) {
	for n := range c {
		for gram, count := range hyp[n] {
			c[n].match += min(count, ref[n][gram])
			if len(ref[n]) > 0 { // else that order says nothing
				c[n].hyp += count
			}
		}
		for _, count := range ref[n] {
			c[n].ref += count
		}
	}
	return c
}

func (c chrfCounts) score() float64 {
	precision, recall, orders := 0.0, 0.0, 0
	for _, n := range c {
		if n.hyp > 0 && n.ref > 0 {
			precision += float64(n.match) / float64(n.hyp)
			recall += float64(n.match) / float64(n.ref)
			orders++
		}
	}
	if precision+recall == 0 {
		return 0
	}
	precision /= float64(orders)
	recall /= float64(orders)
	return 100 * (1 + chrfBeta2) * precision * recall / (chrfBeta2*precision + recall)
}

package eval

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// bleuOrder is the longest n-gram of BLEU-4.
const bleuOrder = 4

// BLEUScore is a corpus's BLEU-4 and what it is made of.
type BLEUScore struct {
	Score          float64            // percent
	Precisions     [bleuOrder]float64 // percent, smoothed, of 1-grams to 4-grams
	BrevityPenalty float64            // 1 where the hypotheses are not too short
	HypLen, RefLen int                // tokens; of the references those nearest in length
}

// LengthRatio is how long the hypotheses are beside their references.
func (s BLEUScore) LengthRatio() float64 {
	if s.RefLen == 0 {
		return 0
	}
	return float64(s.HypLen) / float64(s.RefLen)
}

// BLEU scores a corpus as sacreBLEU does by default: counts are summed over the
// corpus, each clipped to its most in one reference; the length compared is that of
// the nearest reference, the shorter one of two; the k-th order without a match has
// the precision 1/(2^k · total) ("exp" smoothing). references[i] are those of
// hypotheses[i]. tokenize is Tokenize13a, or TokenizeZh for Chinese.
func BLEU(hypotheses []string, references [][]string, tokenize func(string) []string) (BLEUScore, error) {
	var s BLEUScore
	if err := checkReferences(hypotheses, references); err != nil {
		return s, err
	}
	var all bleuCounts
	for i, hypothesis := range hypotheses {
		all.add(countBLEU(hypothesis, references[i], tokenize))
	}
	return all.score(), nil
}

// bleuCounts are what a hypothesis, or a corpus, adds to BLEU: n-grams that are in a
// reference too, and all of them, by length; tokens of the hypothesis and of the nearest
// reference.
type bleuCounts struct {
	correct, total [bleuOrder]int
	hyp, ref       int
}

func countBLEU(hypothesis string, references []string, tokenize func(string) []string) (c bleuCounts) {
	hyp := tokenize(hypothesis)
	most := map[string]int{}
	distance := -1
	for _, reference := range references {
		ref := tokenize(reference)
		if d := max(len(hyp)-len(ref), len(ref)-len(hyp)); distance < 0 || d < distance || d == distance && len(ref) < c.ref {
			c.ref, distance = len(ref), d
		}
		for n := 1; n <= bleuOrder; n++ {
			for gram, count := range ngrams(ref, n) {
				most[gram] = max(most[gram], count)
			}
		}
	}
	c.hyp = len(hyp)
	for n := 1; n <= bleuOrder; n++ {
		for gram, count := range ngrams(hyp, n) {
			c.total[n-1] += count
			c.correct[n-1] += min(count, most[gram])
		}
	}
	return c
}

func (c *bleuCounts) add(d bleuCounts) {
	for n := range c.total {
		c.correct[n] += d.correct[n]
		c.total[n] += d.total[n]
	}
	c.hyp += d.hyp
	c.ref += d.ref
}

func (c bleuCounts) score() BLEUScore {
	s := BLEUScore{HypLen: c.hyp, RefLen: c.ref}
	s.finish(c.correct, c.total)
	return s
}

func (s *BLEUScore) finish(correct, total [bleuOrder]int) {
	s.BrevityPenalty = 1
	if s.HypLen < s.RefLen {
		s.BrevityPenalty = math.Exp(1 - float64(s.RefLen)/float64(s.HypLen)) // 0 without any words
	}
	if correct == [bleuOrder]int{} {
		return // no smoothing makes something of nothing
	}
	smooth, logs := 1.0, 0.0
	for n := range bleuOrder {
		if total[n] == 0 {
			return // no hypothesis is so long: that precision, and so the score, is 0
		}
		if correct[n] == 0 {
			smooth *= 2
			s.Precisions[n] = 100 / (smooth * float64(total[n]))
		} else {
			s.Precisions[n] = 100 * float64(correct[n]) / float64(total[n])
		}
		logs += math.Log(s.Precisions[n])
	}
	s.Score = s.BrevityPenalty * math.Exp(logs/bleuOrder)
}

// ngrams counts the n-grams of tokens, which hold no NUL.
func ngrams(tokens []string, n int) map[string]int {
	counts := map[string]int{}
	for i := 0; i+n <= len(tokens); i++ {
		counts[strings.Join(tokens[i:i+n], "\x00")]++
	}
	return counts
}

func checkReferences(hypotheses []string, references [][]string) error {
	if len(hypotheses) == 0 {
		return errors.New("eval: no hypotheses to score")
	}
	if len(hypotheses) != len(references) {
		return fmt.Errorf("eval: %d hypotheses, and references for %d", len(hypotheses), len(references))
	}
	for i, r := range references {
		if len(r) == 0 {
			return fmt.Errorf("eval: hypothesis %d has no reference", i)
		}
	}
	return nil
}

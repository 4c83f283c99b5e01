package eval

import (
	"strings"
	"unicode"
)

// ROUGEScore holds F1 scores, from 0 to 1.
type ROUGEScore struct{ R1, R2, L float64 }

// ROUGE is the mean over the corpus of ROUGE-1, ROUGE-2 and ROUGE-L (longest common
// subsequence of the whole text), each with the best of the references, without a
// stemmer and without stop words: on English it equals Google's rouge_score with
// use_stemmer=False.
func ROUGE(hypotheses []string, references [][]string) (ROUGEScore, error) {
	var mean ROUGEScore
	if err := checkReferences(hypotheses, references); err != nil {
		return mean, err
	}
	for i, hypothesis := range hypotheses {
		hyp := Words(hypothesis)
		var best ROUGEScore
		for _, reference := range references[i] {
			ref := Words(reference)
			best.R1 = max(best.R1, ngramF1(hyp, ref, 1))
			best.R2 = max(best.R2, ngramF1(hyp, ref, 2))
			best.L = max(best.L, f1(longestCommon(hyp, ref), len(hyp), len(ref)))
		}
		n := float64(len(hypotheses))
		mean.R1 += best.R1 / n
		mean.R2 += best.R2 / n
		mean.L += best.L / n
	}
	return mean, nil
}

// Words are the lower-case runs of letters, marks and digits of text; a Chinese or
// Japanese character is a word.
func Words(text string) []string {
	var words []string
	start := -1
	end := func(at int) {
		if start >= 0 {
			words = append(words, text[start:at])
			start = -1
		}
	}
	text = strings.ToLower(text)
	for i, c := range text {
		switch {
		case unicode.In(c, unicode.Han, unicode.Hiragana, unicode.Katakana):
			end(i)
			words = append(words, string(c))
		case unicode.In(c, unicode.L, unicode.M, unicode.N):
			if start < 0 {
				start = i
			}
		default:
			end(i)
		}
	}
	end(len(text))
	return words
}

// f1 is 2·match/(a+b): the harmonic mean of match/a and match/b.
func f1(match, a, b int) float64 {
	if match == 0 {
		return 0
	}
	return 2 * float64(match) / float64(a+b)
}

func ngramF1(hyp, ref []string, n int) float64 {
	refCounts := ngrams(ref, n)
	match := 0
	for gram, count := range ngrams(hyp, n) {
		match += min(count, refCounts[gram])
	}
	return f1(match, max(len(hyp)-n+1, 0), max(len(ref)-n+1, 0))
}

// longestCommon is the length of the longest common subsequence.
func longestCommon(a, b []string) int {
	row := make([]int, len(b)+1)
	for i := range a {
		diagonal := 0
		for j := range b {
			up := row[j+1]
			if a[i] == b[j] {
				row[j+1] = diagonal + 1
			} else {
				row[j+1] = max(up, row[j])
			}
			diagonal = up
		}
	}
	return row[len(b)]
}

package eval

import (
	"math"
	"strings"
	"unicode"
)

// DistinctN is the number of different n-grams of words in the texts, over that of
// all: how varied they are.
func DistinctN(texts []string, n int) float64 {
	seen := map[string]bool{}
	total := 0
	for _, text := range texts {
		for gram, count := range ngrams(Words(text), n) {
			seen[gram] = true
			total += count
		}
	}
	if total == 0 {
		return 0
	}
	return float64(len(seen)) / float64(total)
}

// Normalize brings a short answer to the form in which SQuAD compares them: lower
// case, without punctuation, without the words a, an and the, single spaces.
func Normalize(answer string) string {
	answer = strings.Map(func(c rune) rune {
		if unicode.IsPunct(c) || c < 0x80 && unicode.IsSymbol(c) {
			return -1
		}
		return c
	}, strings.ToLower(answer))
	var words []string
	for _, w := range strings.FieldsFunc(answer, isSpace) {
		if w != "a" && w != "an" && w != "the" {
			words = append(words, w)
		}
	}
	return strings.Join(words, " ")
}

// ExactMatch is the share of answers that equal one of their references after
// normalisation.
func ExactMatch(answers []string, references [][]string) (float64, error) {
	if err := checkReferences(answers, references); err != nil {
		return 0, err
	}
	n := 0
	for i, answer := range answers {
		for _, reference := range references[i] {
			if Normalize(answer) == Normalize(reference) {
				n++
				break
			}
		}
	}
	return float64(n) / float64(len(answers)), nil
}

// Perplexity is exp of a mean loss in nats a token. It compares only models with
// the same tokenizer.
func Perplexity(nats float64) float64 { return math.Exp(nats) }

// BitsPerByte turns a loss in nats, summed over tokens that spell so many bytes of
// UTF-8, into bits a byte, which compare across tokenizers. The end token spells
// nothing; its loss belongs to the sum all the same.
func BitsPerByte(nats float64, bytes int) float64 { return nats / (math.Ln2 * float64(bytes)) }

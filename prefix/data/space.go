package data

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// MissingSpace reports whether most completions run into their prompt: "…yes" and
// "Come eat" make "yesCome", which neither a person nor a tokenizer reads as two
// words. AddSpace mends it.
func MissingSpace(examples []Example) bool {
	n := 0
	for _, e := range examples {
		if runsInto(e) {
			n++
		}
	}
	return 2*n > len(examples)
}

// AddSpace puts a space before each completion that runs into its prompt, and says
// how many.
func AddSpace(examples []Example) int {
	n := 0
	for i, e := range examples {
		if runsInto(e) {
			examples[i].Completion = " " + e.Completion
			n++
		}
	}
	return n
}

// runsInto: the completion starts with a letter or digit, and right before it
// stands another, or punctuation that a space follows in writing.
func runsInto(e Example) bool {
	if e.Shape == Messages {
		return false // the chat template puts a border
	}
	before, _ := utf8.DecodeLastRuneInString(e.Prompt)
	after, _ := utf8.DecodeRuneInString(e.Completion)
	if e.Prompt == "" || !isWord(after) || unspaced(before) || unspaced(after) {
		return false
	}
	return isWord(before) || strings.ContainsRune(".,:;!?)]}", before)
}

func isWord(c rune) bool { return unicode.IsLetter(c) || unicode.IsDigit(c) }

// unspaced scripts write no spaces between words.
func unspaced(c rune) bool {
	return unicode.In(c, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

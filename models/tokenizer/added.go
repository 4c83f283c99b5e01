package tokenizer

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// An addedToken is cut out of the text before the model sees it. The fields are
// those of tokenizer.json.
type addedToken struct {
	ID         int32  `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"` // only where no word character touches it
	LStrip     bool   `json:"lstrip"`      // takes the white space before it along
	RStrip     bool   `json:"rstrip"`      // and after it
	Normalized bool   `json:"normalized"`  // looked for after the normaliser
	Special    bool   `json:"special"`

	outside bool // it has no entry in the model's vocabulary
}

// cut hands the added tokens in text to add and what lies between them to rest.
// Of tokens that start at one place the longest counts. find holds indices into
// added.
func cut(text string, at place, find *trie, added []addedToken, add func(int32), rest func(string, place)) {
	done := 0 // text up to here is handed out
	between := func(end int) {
		if done > 0 {
			at = inside
		}
		if done < end {
			rest(text[done:end], at)
		}
	}
	for i := 0; i < len(text); {
		if !find.starts[text[i]] {
			i++
			continue
		}
		found, size := int32(-1), 0
		find.prefixes(text[i:], func(token int32, n int) { found, size = token, n })
		if found < 0 {
			i++
			continue
		}
		a := &added[found]
		start, end := i, i+size
		i = end
		if a.SingleWord && (endsWithWord(text[:start]) || startsWithWord(text[end:])) {
			continue
		}
		if a.LStrip {
			start = len(strings.TrimRightFunc(text[:start], unicode.IsSpace))
		}
		if a.RStrip {
			end = len(text) - len(strings.TrimLeftFunc(text[end:], unicode.IsSpace))
		}
		between(start)
		add(a.ID)
		done = end
	}
	between(len(text))
}

func endsWithWord(s string) bool {
	r, size := utf8.DecodeLastRuneInString(s)
	return size > 0 && isWord(r)
}

func startsWithWord(s string) bool {
	r, size := utf8.DecodeRuneInString(s)
	return size > 0 && isWord(r)
}

// isWord is \w: Unicode's alphabetic characters, marks, decimal digits,
// connectors and joiners.
func isWord(r rune) bool {
	return unicode.In(r, unicode.L, unicode.M, unicode.Nd, unicode.Nl, unicode.Pc, unicode.Other_Alphabetic) ||
		r == 0x200C || r == 0x200D
}

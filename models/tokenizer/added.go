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

// A trie finds added tokens in text: leftmost, and longest among those.
type trie struct {
	next  map[byte]*trie
	token int // index of the added token that ends here, -1: none
}

func newTrie() *trie { return &trie{token: -1} }

func (t *trie) insert(content string, token int) {
	for i := range len(content) {
		if t.next == nil {
			t.next = make(map[byte]*trie)
		}
		child := t.next[content[i]]
		if child == nil {
			child = newTrie()
			t.next[content[i]] = child
		}
		t = child
	}
	t.token = token
}

// longest returns the added token that s starts with and its length, or -1.
func (t *trie) longest(s string) (token, size int) {
	token = -1
	for i := 0; i < len(s) && t.next != nil; i++ {
		if t = t.next[s[i]]; t == nil {
			break
		}
		if t.token >= 0 {
			token, size = t.token, i+1
		}
	}
	return token, size
}

// cut hands the added tokens in text to add and what lies between them to rest.
func (t *trie) cut(text string, first bool, added []addedToken, add func(int32), rest func(string, bool)) {
	done := 0 // text up to here is handed out
	for i := 0; i < len(text) && t.next != nil; {
		if t.next[text[i]] == nil {
			i++
			continue
		}
		token, size := t.longest(text[i:])
		if token < 0 {
			i++
			continue
		}
		a := &added[token]
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
		if start = max(start, done); start > done {
			rest(text[done:start], first && done == 0)
		}
		add(a.ID)
		done = end
	}
	if done < len(text) {
		rest(text[done:], first && done == 0)
	}
}

func endsWithWord(s string) bool {
	r, size := utf8.DecodeLastRuneInString(s)
	return size > 0 && isWord(r)
}

func startsWithWord(s string) bool {
	r, size := utf8.DecodeRuneInString(s)
	return size > 0 && isWord(r)
}

// isWord is \w.
func isWord(r rune) bool {
	return unicode.In(r, unicode.L, unicode.M, unicode.Nd, unicode.Nl, unicode.Pc, unicode.Other_Alphabetic) ||
		r == 0x200C || r == 0x200D
}

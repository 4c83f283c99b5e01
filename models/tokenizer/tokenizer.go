package tokenizer

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// A Tokenizer turns text into ids and back.
type Tokenizer struct {
	vocabulary
	Notes       []string // what a person should know of the file
	added       []addedToken
	raw         *trie // added tokens that are looked for in the text as it is
	normalized  *trie // and those looked for after the normaliser
	normalizers []normalizer
	splitters   []splitter
	model       model
	before      []int32 // what the post-processor puts before the ids
	after       []int32 // and after them
	decoder     decoder
	bos, eos    int32 // -1: none
	special     map[int32]bool
	longest     int
	shrinks     int     // times that the normalisers can shorten a text, 0: any
	growth      float64 // times that the normalisers can lengthen a text
	file        file    // the parts as tokenizer.json spells them, for WriteJSON
	words       sync.Pool

	masking  sync.Once
	masks    *strings.Replacer
	controls []string
}

// A model cuts a word into tokens and appends their ids.
type model interface {
	encode(dst []int32, word string) []int32
}

// Encode returns the ids of text. addSpecial lets the tokenizer's
// post-processor add its begin and end tokens. An added token that stands in
// the text becomes its own id either way.
func (t *Tokenizer) Encode(text string, addSpecial bool) []int32 {
	ids := make([]int32, 0, len(text)/3+8)
	if addSpecial {
		ids = append(ids, t.before...)
	}
	ids = t.appendText(ids, text, begin, false)
	if addSpecial {
		ids = append(ids, t.after...)
	}
	return ids
}

// EncodeMore returns the ids of text that goes on where other text has stopped:
// no begin or end token, and no space put before it by tokenizers that put one
// before a text (SentencePiece).
func (t *Tokenizer) EncodeMore(text string) []int32 {
	return t.appendText(make([]int32, 0, len(text)/3+8), text, more, false)
}

func (t *Tokenizer) appendText(ids []int32, text string, at place, masked bool) []int32 {
	words, _ := t.words.Get().(*wordCache)
	if words == nil {
		words = &wordCache{model: t.model, ids: make(map[string][]int32)}
	}
	emit := func(word string, _ place) {
		if word != "" {
			ids = words.encode(ids, word)
		}
	}
	for i := len(t.splitters) - 1; i >= 0; i-- {
		split, next := t.splitters[i], emit
		emit = func(piece string, at place) { split(piece, at, next) }
	}
	if masked {
		next := emit
		emit = func(piece string, at place) {
			if piece = Unmask(piece); piece != "" {
				next(piece, at)
			}
		}
	}
	add := func(id int32) { ids = append(ids, id) }
	cut(RepairUTF8(text), at, t.raw, t.added, add, func(part string, at place) {
		for _, normalize := range t.normalizers {
			part = normalize(part, at)
		}
		cut(part, at, t.normalized, t.added, add, emit)
	})
	t.words.Put(words)
	return ids
}

// A wordCache remembers the ids of words: text repeats itself.
type wordCache struct {
	model model
	ids   map[string][]int32
}

const (
	cachedWords    = 1 << 15
	cachedWordSize = 64 // bytes; longer words seldom come twice
)

func (c *wordCache) encode(dst []int32, word string) []int32 {
	if len(word) > cachedWordSize {
		return c.model.encode(dst, word)
	}
	if ids, ok := c.ids[word]; ok {
		return append(dst, ids...)
	}
	start := len(dst)
	dst = c.model.encode(dst, word)
	if len(c.ids) >= cachedWords {
		clear(c.ids)
	}
	// A copy of its own, lest one word keep the whole text in memory.
	c.ids[string([]byte(word))] = slices.Clone(dst[start:])
	return dst
}

// A vocabulary is the tokens by id and the ids by token.
type vocabulary struct {
	tokens []string // "" where an id has no token
	ids    map[string]int32
}

// put gives token the id, or says why it can't have it.
func (v *vocabulary) put(token string, id int32) error {
	if id < 0 || int(id) >= len(v.tokens) {
		return fmt.Errorf("token %q has id %d, want 0 to %d", token, id, len(v.tokens)-1)
	}
	if old, ok := v.ids[token]; ok && old != id {
		return fmt.Errorf("token %q has two ids, %d and %d", token, old, id)
	}
	if old := v.tokens[id]; old != "" && old != token {
		return fmt.Errorf("id %d belongs to two tokens, %q and %q", id, old, token)
	}
	v.tokens[id], v.ids[token] = token, id
	return nil
}

// Vocab returns the number of ids: one more than the largest.
func (v *vocabulary) Vocab() int { return len(v.tokens) }

// Token returns the token of id as the tokenizer's file spells it (a byte-level
// tokenizer writes "Ġthe" for " the"), "" if there is none.
func (v *vocabulary) Token(id int32) string {
	if id < 0 || int(id) >= len(v.tokens) {
		return ""
	}
	return v.tokens[id]
}

// ID returns the id of a token in the file's spelling.
func (v *vocabulary) ID(token string) (int32, bool) {
	id, ok := v.ids[token]
	return id, ok
}

// BOS returns the token that texts begin with, if the tokenizer has one.
func (t *Tokenizer) BOS() (int32, bool) { return t.bos, t.bos >= 0 }

// EOS returns the token that ends a text, -1 if the tokenizer has none.
func (t *Tokenizer) EOS() int32 { return t.eos }

// SetSpecial names the begin and end tokens, which tokenizer.json leaves to
// tokenizer_config.json and config.json; "" leaves one as it is.
func (t *Tokenizer) SetSpecial(bos, eos string) error {
	for _, s := range []struct {
		name, token string
		id          *int32
	}{{"bos_token", bos, &t.bos}, {"eos_token", eos, &t.eos}} {
		if s.token == "" {
			continue
		}
		id, ok := t.ID(s.token)
		if !ok {
			return fmt.Errorf("tokenizer: %s %q is not in the vocabulary", s.name, s.token)
		}
		*s.id = id
	}
	return nil
}

// Special tells whether id is a control token (begin, end, padding, a role
// mark) rather than text.
func (t *Tokenizer) Special(id int32) bool {
	return t.special[id]
}

// guessSpecial finds the begin and end tokens in the post-processor, or among
// the names that model families use.
func (t *Tokenizer) guessSpecial() {
	t.bos, t.eos = -1, -1
	if len(t.before) > 0 {
		t.bos = t.before[0]
	}
	if n := len(t.after); n > 0 {
		t.eos = t.after[n-1]
	}
	find := func(to *int32, names ...string) {
		for _, name := range names {
			if id, ok := t.ID(name); ok && *to < 0 {
				*to = id
			}
		}
	}
	find(&t.bos, "<|begin_of_text|>", "<bos>", "<s>")
	find(&t.eos, "<|end_of_text|>", "<eos>", "</s>", "<|endoftext|>", "<|im_end|>")
}

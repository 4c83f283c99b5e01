package tokenizer

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Training says what tokenizer to learn.
type Training struct {
	Vocab   int      // tokens in all, special ones and the 256 bytes included
	Special []string // control tokens; they get the first ids, in this order
	Least   int      // a pair seen less often than this is not joined; 0 means 2
}

// Train learns a byte-level BPE with GPT-2's pre-tokeniser from texts: again
// and again the most frequent pair of neighbours becomes a token (Sennrich et
// al. 2016). Special tokens in the texts are cut out first. Among pairs equally
// frequent the one with the lowest ids wins, so that the same texts always give
// the same tokenizer, whatever their order. The vocabulary is smaller than asked
// for where the texts have no more pairs.
func Train(texts []string, o Training) (*Tokenizer, error) {
	if want := 256 + len(o.Special); o.Vocab < want {
		return nil, fmt.Errorf("tokenizer: vocabulary of %d, want at least %d (256 bytes and %d special tokens)", o.Vocab, want, len(o.Special))
	}
	if len(texts) == 0 {
		return nil, errors.New("tokenizer: no text to learn from")
	}
	l := newLearner(o)
	for _, text := range texts {
		l.count(text)
	}
	return l.learn(o)
}

// A learner holds the distinct words of the texts as lists of ids and how often
// each pair stands in them.
type learner struct {
	tokens  []string
	special []addedToken
	find    *trie
	seen    map[string]int32 // word → index in words
	words   []trainingWord
	merges  []mergePair
	pairs   map[pair]*pairCount
}

type trainingWord struct {
	ids   []int32
	count int64
}

type pairCount struct {
	count int64
	words []int32 // where the pair stands, or once stood
}

func newLearner(o Training) *learner {
	l := &learner{find: newTrie(), seen: make(map[string]int32), pairs: make(map[pair]*pairCount)}
	for i, content := range o.Special {
		l.special = append(l.special, addedToken{ID: int32(i), Content: content, Special: true})
		l.find.insert(content, int32(i))
		l.tokens = append(l.tokens, content)
	}
	// The alphabet in order of its characters, as the Python trainer has it.
	alphabet := slices.Clone(byteToRune[:])
	slices.Sort(alphabet)
	for _, r := range alphabet {
		l.tokens = append(l.tokens, string(r))
	}
	return l
}

func (l *learner) count(text string) {
	words := func(piece string, at place) {
		scanner(scanGPT2).split(piece, at, func(word string, _ place) {
			at, ok := l.seen[word]
			if !ok {
				at = int32(len(l.words))
				l.seen[string([]byte(word))] = at
				l.words = append(l.words, trainingWord{})
			}
			l.words[at].count++
		})
	}
	cut(RepairUTF8(text), begin, l.find, l.special, func(int32) {}, words)
}

// An offered pair waits in the queue with the count that it had when it was put
// there.
type offered struct {
	pair
	count int64
}

func (a offered) before(b offered) bool {
	return cmp.Or(-cmp.Compare(a.count, b.count), cmp.Compare(a.left, b.left), cmp.Compare(a.right, b.right)) < 0
}

func (l *learner) learn(o Training) (*Tokenizer, error) {
	var ids [256]int32
	for i, token := range l.tokens[len(o.Special):] {
		ids[readBytes(token)[0]] = int32(len(o.Special) + i)
	}
	for word, at := range l.seen {
		w := &l.words[at]
		w.ids = make([]int32, len(word))
		for i := range len(word) {
			w.ids[i] = ids[word[i]]
		}
		for i := range len(w.ids) - 1 {
			l.add(pair{w.ids[i], w.ids[i+1]}, at, w.count)
		}
	}
	least := int64(o.Least)
	if least == 0 {
		least = 2
	}
	queue := minHeap[offered]{less: offered.before}
	for p, c := range l.pairs {
		queue.push(offered{p, c.count})
	}
	index := make(map[string]int32, o.Vocab)
	for id, token := range l.tokens {
		index[token] = int32(id)
	}
	for len(l.tokens) < o.Vocab && len(queue.items) > 0 {
		top := queue.pop()
		c := l.pairs[top.pair]
		if c.count != top.count { // it was put there before its words changed
			if c.count > 0 {
				queue.push(offered{top.pair, c.count})
			}
			continue
		}
		if top.count < least {
			break
		}
		left, right := l.tokens[top.left], l.tokens[top.right]
		id, known := index[left+right] // two pairs can spell one token
		if !known {
			id = int32(len(l.tokens))
			l.tokens = append(l.tokens, left+right)
			index[left+right] = id
		}
		l.merges = append(l.merges, mergePair{left, right})
		for p := range l.join(top.pair, id) {
			queue.push(offered{p, l.pairs[p].count})
		}
	}
	return l.tokenizer(index)
}

func (l *learner) add(p pair, word int32, by int64) {
	c := l.pairs[p]
	if c == nil {
		c = new(pairCount)
		l.pairs[p] = c
	}
	c.count += by
	if n := len(c.words); by > 0 && (n == 0 || c.words[n-1] != word) {
		c.words = append(c.words, word)
	}
}

// join puts id in place of p in all words and returns the pairs that became
// more frequent.
func (l *learner) join(p pair, id int32) map[pair]struct{} {
	more := make(map[pair]struct{})
	words := l.pairs[p].words
	for _, at := range words {
		w := &l.words[at]
		for i := 0; i+1 < len(w.ids); i++ {
			if w.ids[i] != p.left || w.ids[i+1] != p.right {
				continue
			}
			change := func(left, old, now int32, right bool) {
				was, is := pair{left, old}, pair{left, now}
				if right {
					was, is = pair{old, left}, pair{now, left}
				}
				l.add(was, at, -w.count)
				l.add(is, at, w.count)
				more[is] = struct{}{}
			}
			if i > 0 {
				change(w.ids[i-1], p.left, id, false)
			}
			if i+2 < len(w.ids) {
				change(w.ids[i+2], p.right, id, true)
			}
			w.ids[i] = id
			w.ids = slices.Delete(w.ids, i+1, i+2)
		}
	}
	delete(more, p)
	l.pairs[p].count, l.pairs[p].words = 0, nil
	return more
}

// tokenizer puts together what was learned.
func (l *learner) tokenizer(index map[string]int32) (*Tokenizer, error) {
	f := &file{
		Version:     "1.0",
		AddedTokens: l.special,
		spec: spec{
			PreTokenizer: json.RawMessage(byteLevelPart),
			Decoder:      json.RawMessage(byteLevelPart),
		},
		Model: modelFile{Type: "BPE", Merges: l.merges},
		vocab: index,
	}
	return f.build()
}

const byteLevelPart = `{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}`

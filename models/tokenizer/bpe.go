package tokenizer

import (
	"fmt"
	"math"
	"unicode/utf8"
)

// bpe joins neighbouring symbols by learned rules, lowest rank first, leftmost
// first among equals.
type bpe struct {
	merges map[pair]merge
	// symbols appends the symbols a word starts as.
	symbols func(dst []int32, word string) []int32
	// whole, if set, finds the words that are tokens as they stand, whatever the
	// merges would make of them (ignore_merges in tokenizer.json, Llama 3).
	whole func(word string) (int32, bool)
	// complete says that every byte has a token, so that nothing is dropped.
	complete bool
}

// A pair is two neighbouring tokens.
type pair struct{ left, right int32 }

// A merge is the rule for one pair: the order in which it was learned and the
// token that it makes.
type merge struct{ rank, id int32 }

// Words of at most this many symbols are merged by scanning for the best pair
// each time; longer ones by a heap, so that a word of a megabyte is not
// quadratic.
const scanLimit = 32

func (m *bpe) encode(dst []int32, word string) []int32 {
	if m.whole != nil {
		if id, ok := m.whole(word); ok {
			return append(dst, id)
		}
	}
	start := len(dst)
	dst = m.symbols(dst, word)
	symbols := dst[start:]
	if len(symbols) > scanLimit {
		return append(dst[:start], m.mergeByHeap(symbols)...)
	}
	return dst[:start+m.mergeByScan(symbols)]
}

// mergeByScan merges in place and returns how many symbols are left.
func (m *bpe) mergeByScan(s []int32) int {
	var at [scanLimit]merge // at[i] is the rule for s[i] and s[i+1]
	look := func(i int) {
		r, ok := m.merges[pair{s[i], s[i+1]}]
		if !ok {
			r.rank = math.MaxInt32
		}
		at[i] = r
	}
	for i := range len(s) - 1 {
		look(i)
	}
	for len(s) > 1 {
		best := 0
		for i := range len(s) - 1 {
			if at[i].rank < at[best].rank {
				best = i
			}
		}
		if at[best].rank == math.MaxInt32 {
			break
		}
		s[best] = at[best].id
		copy(s[best+1:], s[best+2:])
		copy(at[best:len(s)-1], at[best+1:len(s)-1])
		s = s[:len(s)-1]
		if best > 0 {
			look(best - 1)
		}
		if best < len(s)-1 {
			look(best)
		}
	}
	return len(s)
}

// mergeByHeap does the same on a doubly linked list with a heap of candidates.
// A candidate whose symbols have changed since it was pushed is passed over.
func (m *bpe) mergeByHeap(ids []int32) []int32 {
	type node struct{ id, prev, next int32 }
	nodes := make([]node, len(ids))
	for i, id := range ids {
		nodes[i] = node{id, int32(i) - 1, int32(i) + 1}
	}
	nodes[len(nodes)-1].next = -1
	queue := minHeap[candidate]{less: candidate.before}
	push := func(at int32) {
		if at < 0 || nodes[at].next < 0 {
			return
		}
		p := pair{nodes[at].id, nodes[nodes[at].next].id}
		if r, ok := m.merges[p]; ok {
			queue.push(candidate{r, at, p})
		}
	}
	for i := range nodes {
		push(int32(i))
	}
	for len(queue.items) > 0 {
		c := queue.pop()
		n := &nodes[c.at]
		if n.id != c.pair.left || n.next < 0 || nodes[n.next].id != c.pair.right {
			continue
		}
		gone := n.next
		n.id, n.next = c.id, nodes[gone].next
		nodes[gone].id = -1
		if n.next >= 0 {
			nodes[n.next].prev = c.at
		}
		push(n.prev)
		push(c.at)
	}
	out := ids[:0]
	for at := int32(0); at >= 0; at = nodes[at].next {
		out = append(out, nodes[at].id)
	}
	return out
}

// A candidate is a pair that could be merged, and where.
type candidate struct {
	merge
	at   int32
	pair pair
}

func (c candidate) before(d candidate) bool {
	return c.rank < d.rank || c.rank == d.rank && c.at < d.at
}

// byteSymbols starts a word as its bytes. A byte without a token becomes unk, or
// nothing if unk is -1.
func byteSymbols(vocab map[string]int32, unk int32, fuse bool) func([]int32, string) []int32 {
	var ids [256]int32
	for b := range ids {
		id, ok := vocab[string(byteToRune[b])]
		if !ok {
			id = unk
		}
		ids[b] = id
	}
	return func(dst []int32, word string) []int32 {
		start := len(dst)
		for i := range len(word) {
			id := ids[word[i]]
			if id < 0 || id == unk && fuse && len(dst) > start && dst[len(dst)-1] == unk {
				continue
			}
			dst = append(dst, id)
		}
		return dst
	}
}

// charSymbols starts a word as its characters. One without a token becomes its
// bytes ("<0xE4>") if fallback is set and they have tokens, else unk, or nothing
// if unk is -1.
func charSymbols(vocab map[string]int32, unk int32, fuse, fallback bool) func([]int32, string) []int32 {
	bytes := byteTokens(vocab)
	return func(dst []int32, word string) []int32 {
		start := len(dst)
		for i, r := range word {
			char := word[i : i+utf8.RuneLen(r)]
			if id, ok := vocab[char]; ok {
				dst = append(dst, id)
				continue
			}
			known := len(dst)
			for k := 0; k < len(char) && fallback; k++ {
				id := bytes[char[k]]
				if id < 0 {
					dst = dst[:known]
					break
				}
				dst = append(dst, id)
			}
			if len(dst) > known || unk < 0 || fuse && known > start && dst[known-1] == unk {
				continue
			}
			dst = append(dst, unk)
		}
		return dst
	}
}

// byteTokens returns the tokens "<0x00>" to "<0xFF>", -1 where there is none.
func byteTokens(vocab map[string]int32) (ids [256]int32) {
	for b := range ids {
		id, ok := vocab[fmt.Sprintf("<0x%02X>", b)]
		if !ok {
			id = -1
		}
		ids[b] = id
	}
	return ids
}

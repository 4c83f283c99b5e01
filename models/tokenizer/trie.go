package tokenizer

// A trie finds which of many strings a text starts with.
type trie struct {
	next   map[edge]int32 // node and byte → node; the root is 0
	values []int32        // by node; -1: no string ends here
	starts [256]bool      // the bytes that strings start with
}

type edge struct {
	node int32
	b    byte
}

func newTrie() *trie { return &trie{next: make(map[edge]int32), values: []int32{-1}} }

//go:noinline
func (t *trie) insert(s string, value int32) {
	if s == "" {
		return
	}
	t.starts[s[0]] = true
	node := int32(0)
	for i := range len(s) {
		e := edge{node, s[i]}
		child, ok := t.next[e]
		if !ok {
			child = int32(len(t.values))
			t.next[e] = child
			t.values = append(t.values, -1)
		}
		node = child
	}
	t.values[node] = value
}

// prefixes calls found for each string that s starts with, shortest first, with
// its value and its length.
func (t *trie) prefixes(s string, found func(value int32, size int)) {
	node := int32(0)
	for i := range len(s) {
		child, ok := t.next[edge{node, s[i]}]
		if !ok {
			return
		}
		node = child
		if v := t.values[node]; v >= 0 {
			found(v, i+1)
		}
	}
}

package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"sort"
	"strings"

	"prelude/models/tokenizer"
)

// endToken stands after every text of a corpus file.
const endToken = "<|endoftext|>"

// text is a corpus file as tokens: the end token, then each text and the end token.
type text struct {
	ids   []int32
	bytes int // of the texts, an end counted as one byte
}

// readText encodes a corpus file.
func readText(path string, tok *tokenizer.Tokenizer, end int32) (*text, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	docs := strings.Split(string(raw), endToken)
	if last := docs[len(docs)-1]; strings.TrimSpace(last) != "" {
		return nil, fmt.Errorf("%s: the last text does not end with %s", path, endToken)
	}
	docs = docs[:len(docs)-1]
	t := &text{ids: []int32{end}}
	for _, d := range docs {
		t.ids = append(append(t.ids, tok.Encode(d, false)...), end)
		t.bytes += len(d) + 1
	}
	return t, nil
}

// batches cuts a text into windows of seq+1 tokens that begin at a text, every other
// one at the end token before it. An epoch goes over the whole text once, in an order
// that follows from seed and the epoch's number.
type batches struct {
	ids       []int32
	seq, size int
	seed      uint64
	starts    []int
}

func newBatches(t *text, end int32, seq, size int, seed uint64) (*batches, error) {
	b := &batches{ids: t.ids, seq: seq, size: size, seed: seed}
	var ends []int
	for i, id := range t.ids[:len(t.ids)-1] {
		if id == end {
			ends = append(ends, i)
		}
	}
	for at := 0; at+seq < len(t.ids); at += seq {
		if k := sort.SearchInts(ends, at); k < len(ends) && ends[k]+seq+2 <= len(t.ids) {
			b.starts = append(b.starts, ends[k])
		}
	}
	if len(b.starts) < size {
		return nil, fmt.Errorf("train.txt has %d windows of %d tokens, fewer than the %d of one batch", len(b.starts), seq, size)
	}
	return b, nil
}

// at writes the inputs and targets of a step, size windows of seq tokens each.
func (b *batches) at(step int, ids, targets []int32) {
	per := len(b.starts) / b.size
	rng := rand.New(rand.NewPCG(b.seed, uint64(step/per)))
	order := rng.Perm(len(b.starts))
	for r := range b.size {
		k := order[step%per*b.size+r]
		first := b.starts[k] + (k+step/per)%2
		copy(ids[r*b.seq:(r+1)*b.seq], b.ids[first:])
		copy(targets[r*b.seq:(r+1)*b.seq], b.ids[first+1:])
	}
}

// bitsPerByte turns a sum of nats over a text into bits a byte of it.
func (t *text) bitsPerByte(nats float64) float64 { return nats / math.Ln2 / float64(t.bytes) }

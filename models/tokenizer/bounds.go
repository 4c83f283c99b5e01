package tokenizer

import (
	"fmt"
	"strings"
)

// A tokenizer comes with a model, from a stranger. These bounds are far above what any
// tokenizer in use has, and low enough that a small file can't take all memory or time.
const (
	maxFile    = 64 << 20 // bytes of a tokenizer.json
	maxValues  = 2 << 20  // commas in it; the largest in use has 1.4 million
	maxVocab   = 1 << 19  // tokens; the largest vocabularies have 262,144
	maxMerges  = 1 << 20  // Gemma has half a million
	maxAdded   = 1 << 16  // added tokens
	maxContent = 256      // bytes of an added token, or of a Unigram model's token
	maxNodes   = 4 << 20  // of a trie: the bytes of all its strings, shared beginnings once
	maxParts   = 32       // parts of one kind: normalisers, pre-tokenisers, …
	maxDepth   = 4        // Sequences in each other
	maxAround  = 64       // ids that a post-processor puts around a text
	maxGrowth  = 128      // times that the normalisers can lengthen a text
	maxDecoded = 64 << 20
)

// A nest counts parts of one kind and how deep they stand in Sequences.
type nest struct {
	field string // where the outermost part stands
	parts int
	depth int
}

// enter tells of one more part; leave follows where it has been read.
func (n *nest) enter() error {
	n.parts++
	n.depth++
	switch {
	case n.depth > maxDepth:
		return fmt.Errorf("%s has Sequences nested more than %d deep", n.field, maxDepth)
	case n.parts > maxParts:
		return fmt.Errorf("%s has more than %d parts", n.field, maxParts)
	}
	return nil
}

func (n *nest) leave() { n.depth-- }

// growing is how often a text can become as long by replacing old with new.
func growing(old, new string) float64 { return max(1, float64(len(new))/float64(len(old))) }

// grow notes that a normaliser can lengthen a text so many times.
func (t *Tokenizer) grow(times float64, field string) error {
	if t.growth *= times; t.growth > maxGrowth {
		return fmt.Errorf("%s: the normalisers could make a text more than %d times as long", field, maxGrowth)
	}
	return nil
}

// replaceWithin is strings.ReplaceAll, unless the result is longer than most bytes.
func replaceWithin(s, old, new string, most int) (string, bool) {
	if n := strings.Count(s, old); n > 0 && len(new) > len(old) && n > (most-len(s))/(len(new)-len(old)) {
		return "", false
	}
	return strings.ReplaceAll(s, old, new), true
}

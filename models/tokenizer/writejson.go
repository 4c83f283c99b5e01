package tokenizer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// WriteJSON writes the tokenizer as a tokenizer.json, which FromJSON and the
// Python package "tokenizers" read.
func (t *Tokenizer) WriteJSON(w io.Writer) error {
	f := t.file
	f.Version = "1.0"
	switch m := t.model.(type) {
	case *bpe:
		f.Model.Type = "BPE"
		f.Model.Vocab, f.Model.Merges = t.vocabJSON(), m.pairs(t.tokens)
	case *unigram:
		list := make([]scoredToken, len(m.scores))
		for id, score := range m.scores {
			list[id] = scoredToken{t.tokens[id], score}
		}
		vocab, err := json.Marshal(list)
		if err != nil {
			return fmt.Errorf("tokenizer: %w", err) // a score that is no number
		}
		f.Model.Type, f.Model.Vocab = "Unigram", vocab
	case *wordPiece:
		f.Model.Type, f.Model.Vocab = "WordPiece", t.vocabJSON()
	default:
		return fmt.Errorf("tokenizer: can't write a %T as tokenizer.json", t.model)
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	return e.Encode(&f)
}

// vocabJSON writes the model's vocabulary as an object, in order of ids.
func (t *Tokenizer) vocabJSON() json.RawMessage {
	outside := make(map[int32]bool)
	for _, a := range t.added {
		if a.outside {
			outside[a.ID] = true
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	b.WriteByte('{')
	for id, token := range t.tokens {
		if token == "" || outside[int32(id)] {
			continue
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		e.Encode(token) // a string always encodes
		fmt.Fprintf(&b, ":%d", id)
	}
	b.WriteByte('}')
	return b.Bytes()
}

// pairs returns the merges in the order in which they were learned.
func (m *bpe) pairs(tokens []string) []mergePair {
	order := make([]pair, 0, len(m.merges))
	for p := range m.merges {
		order = append(order, p)
	}
	slices.SortFunc(order, func(a, b pair) int { return int(m.merges[a].rank - m.merges[b].rank) })
	all := make([]mergePair, len(order))
	for i, p := range order {
		all[i] = mergePair{tokens[p.left], tokens[p.right]}
	}
	return all
}

package tokenizer

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"
)

// unigram cuts a word into the tokens whose log-probabilities have the largest
// sum (Kudo 2018), found by dynamic programming over the places where a token
// may end (Viterbi).
type unigram struct {
	tokens   *trie
	scores   []float64 // by id
	unk      int32     // -1: none
	unkScore float64
	bytes    *[256]int32 // tokens "<0xE4>" for characters without a token, or nil
}

// An unknown character costs this much more than the least likely token.
const unkPenalty = 10

// A step is the best way to reach a place: the last token and where it starts.
type step struct {
	score float64
	id    int32
	start int32 // -1: the place is not reached
}

func (m *unigram) encode(dst []int32, word string) []int32 {
	best := make([]step, len(word)+1)
	for i := range best {
		best[i].start = -1
	}
	best[0].start = 0
	for at := 0; at < len(word); {
		_, size := utf8.DecodeRuneInString(word[at:])
		from, whole := best[at].score, false
		m.tokens.prefixes(word[at:], func(id int32, n int) {
			score := from + m.scores[id]
			if to := &best[at+n]; to.start < 0 || score > to.score {
				*to = step{score, id, int32(at)}
			}
			whole = whole || n == size
		})
		if !whole {
			score := from + m.unkScore
			if to := &best[at+size]; to.start < 0 || score > to.score {
				*to = step{score, m.unk, int32(at)}
			}
		}
		at += size
	}
	begin := len(dst)
	for end := len(word); end > 0; {
		s := best[end]
		start := int(s.start)
		switch {
		case s.id != m.unk:
			dst = append(dst, s.id)
		case m.bytes != nil:
			for i := end - 1; i >= start; i-- {
				dst = append(dst, m.bytes[word[i]])
			}
		case m.unk >= 0 && (len(dst) == begin || dst[len(dst)-1] != m.unk):
			dst = append(dst, m.unk) // neighbours unknown are one
		}
		end = start
	}
	slices.Reverse(dst[begin:])
	return dst
}

// A scoredToken is ["token", log-probability].
type scoredToken struct {
	token string
	score float64
}

func (s *scoredToken) UnmarshalJSON(data []byte) error {
	var parts []json.RawMessage
	if err := json.Unmarshal(data, &parts); err != nil {
		return err
	}
	if len(parts) != 2 {
		return fmt.Errorf("%s is not a token and its score", data)
	}
	if err := json.Unmarshal(parts[0], &s.token); err != nil {
		return err
	}
	return json.Unmarshal(parts[1], &s.score)
}

func (s scoredToken) MarshalJSON() ([]byte, error) { return json.Marshal([]any{s.token, s.score}) }

func (f *file) buildUnigram(t *Tokenizer) error {
	m := &f.Model
	list := f.scored
	if list == nil {
		if err := json.Unmarshal(m.Vocab, &list); err != nil {
			return fmt.Errorf("%s: %w", f.names.vocab, err)
		}
	}
	vocab := make(map[string]int32, len(list))
	for id, s := range list {
		if old, ok := vocab[s.token]; ok {
			return fmt.Errorf("%s: token %q has two ids, %d and %d", f.names.vocab, s.token, old, id)
		}
		vocab[s.token] = int32(id)
	}
	if err := f.fillVocabulary(t, vocab); err != nil {
		return err
	}
	model := &unigram{tokens: newTrie(), scores: make([]float64, len(list)), unk: -1, unkScore: math.Inf(1)}
	control := map[string]bool{} // cut out of the text before; what is left of them is text
	for _, a := range f.AddedTokens {
		control[a.Content] = a.Special
	}
	for id, s := range list {
		if len(s.token) > maxContent {
			return fmt.Errorf("%s[%d] has %d bytes, want at most %d", f.names.vocab, id, len(s.token), maxContent)
		}
		if len(model.tokens.values) > maxNodes {
			return fmt.Errorf("%s[%d]: the tokens have more than %d bytes", f.names.vocab, id, maxNodes)
		}
		if !control[s.token] {
			model.tokens.insert(s.token, int32(id))
		}
		model.scores[id] = s.score
		model.unkScore = min(model.unkScore, s.score)
	}
	model.unkScore -= unkPenalty
	if m.UnkID != nil {
		if *m.UnkID < 0 || int(*m.UnkID) >= len(list) {
			return fmt.Errorf("model.unk_id is %d, want 0 to %d", *m.UnkID, len(list)-1)
		}
		model.unk = *m.UnkID
	}
	if m.ByteFallback {
		if bytes := byteTokens(vocab); !slices.Contains(bytes[:], -1) {
			model.bytes = &bytes
		}
	}
	t.model = model
	return nil
}

package tokenizer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// A file is Hugging Face's tokenizer.json. GGUF metadata is brought into the
// same form, so that there is one way to build a tokenizer.
type file struct {
	Version     string       `json:"version"`
	Truncation  *struct{}    `json:"truncation"`
	Padding     *struct{}    `json:"padding"`
	AddedTokens []addedToken `json:"added_tokens"`
	spec
	Model modelFile `json:"model"`

	again  map[int32]string // tokens of ids whose text another id has too
	vocab  map[string]int32 // the model's vocabulary, where it is not in Model.Vocab: of BPE,
	scored []scoredToken    // and of Unigram
	names  fieldNames

	wholeLines bool // newlines in a row that are a token stay together, whatever the merges say
}

// fieldNames is what error messages call the large fields: tokenizer.json and
// GGUF have names of their own.
type fieldNames struct{ vocab, merges string }

// spaceMark stands for the space in SentencePiece's vocabularies.
const spaceMark = "▁"

// A spec is the parts of a file that are small and kept as they are.
type spec struct {
	Normalizer    json.RawMessage `json:"normalizer"`
	PreTokenizer  json.RawMessage `json:"pre_tokenizer"`
	PostProcessor json.RawMessage `json:"post_processor"`
	Decoder       json.RawMessage `json:"decoder"`
}

// A modelFile is the "model" of a tokenizer.json: BPE, Unigram or WordPiece.
type modelFile struct {
	Type         string          `json:"type"`
	Dropout      *float64        `json:"dropout,omitempty"`
	UnkToken     *string         `json:"unk_token,omitempty"`
	UnkID        *int32          `json:"unk_id,omitempty"`
	Prefix       *string         `json:"continuing_subword_prefix,omitempty"`
	Suffix       *string         `json:"end_of_word_suffix,omitempty"`
	FuseUnk      bool            `json:"fuse_unk,omitempty"`
	ByteFallback bool            `json:"byte_fallback,omitempty"`
	IgnoreMerges bool            `json:"ignore_merges,omitempty"`
	MaxChars     *int            `json:"max_input_chars_per_word,omitempty"`
	Vocab        json.RawMessage `json:"vocab"`
	Merges       []mergePair     `json:"merges,omitempty"`
}

// A mergePair is ["a", "b"], or "a b" in files from before 2024.
type mergePair [2]string

func (m *mergePair) UnmarshalJSON(data []byte) error {
	if a, b, ok := plainPair(data); ok {
		*m = mergePair{a, b}
		return nil
	}
	if len(data) > 0 && data[0] == '"' {
		var s string
		if err := json.Unmarshal(data, &s); err != nil {
			return err
		}
		left, right, ok := strings.Cut(s, " ")
		if !ok {
			return fmt.Errorf("model.merges has %q, want two tokens", s)
		}
		*m = mergePair{left, right}
		return nil
	}
	var parts []string
	if err := json.Unmarshal(data, &parts); err != nil {
		return err
	}
	if len(parts) != 2 {
		return fmt.Errorf("model.merges has %q, want two tokens", parts)
	}
	*m = mergePair(parts)
	return nil
}

// plainPair reads ["a", "b"] without escapes, as nearly all of tens of thousands are.
func plainPair(data []byte) (a, b string, ok bool) {
	parts := strings.Split(string(data), `"`)
	if len(parts) != 5 || !utf8.Valid(data) || bytes.IndexByte(data, '\\') >= 0 {
		return "", "", false
	}
	for i, want := range []string{"[", ",", "]"} {
		if strings.TrimSpace(parts[2*i]) != want {
			return "", "", false
		}
	}
	return parts[1], parts[3], true
}

// FromJSON reads a tokenizer.json. Errors name the field that is wrong, the part that
// is not known, and the bound that the file goes beyond.
func FromJSON(r io.Reader) (*Tokenizer, error) {
	f := file{names: fieldNames{"model.vocab", "model.merges"}}
	text, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	switch n := bytes.Count(text, []byte(",")); {
	case err != nil:
	case len(text) > maxFile:
		err = fmt.Errorf("more than %d bytes", maxFile)
	case n > maxValues:
		err = fmt.Errorf("more than %d values", maxValues)
	default:
		err = json.Unmarshal(text, &f)
	}
	if err != nil {
		return nil, fmt.Errorf("tokenizer: tokenizer.json: %w", err)
	}
	t, err := f.build()
	if err != nil {
		return nil, fmt.Errorf("tokenizer: tokenizer.json: %w", err)
	}
	return t, nil
}

func (f *file) build() (*Tokenizer, error) {
	if len(f.AddedTokens) > maxAdded {
		return nil, fmt.Errorf("added_tokens has %d entries, want at most %d", len(f.AddedTokens), maxAdded)
	}
	t := &Tokenizer{added: f.AddedTokens, file: *f, raw: newTrie(), normalized: newTrie(), growth: 1, shrinks: 1}
	var err error
	if t.normalizers, err = t.parseNormalizers(f.Normalizer, "normalizer", &nest{field: "normalizer"}); err != nil {
		return nil, err
	}
	var byteLevel bool
	if t.splitters, byteLevel, err = parseSplitters(f.PreTokenizer, "pre_tokenizer", &nest{field: "pre_tokenizer"}); err != nil {
		return nil, err
	}
	switch f.Model.kind() {
	case "BPE":
		err = f.buildBPE(t, byteLevel)
	case "Unigram":
		err = f.buildUnigram(t)
	case "WordPiece":
		err = f.buildWordPiece(t)
	default:
		err = fmt.Errorf("model.type %q is not supported; supported are BPE, Unigram and WordPiece", f.Model.Type)
	}
	if err != nil {
		return nil, err
	}
	t.special = make(map[int32]bool)
	for i, a := range t.added {
		if a.Content == "" {
			return nil, fmt.Errorf("added_tokens[%d].content is empty", i)
		}
		if len(a.Content) > maxContent {
			return nil, fmt.Errorf("added_tokens[%d].content has %d bytes, want at most %d", i, len(a.Content), maxContent)
		}
		if len(t.raw.values)+len(t.normalized.values) > maxNodes {
			return nil, fmt.Errorf("added_tokens[%d]: the added tokens have more than %d bytes", i, maxNodes)
		}
		if a.Special {
			t.special[a.ID] = true
		}
		if !a.Normalized {
			t.raw.insert(a.Content, int32(i))
			continue
		}
		content := a.Content
		for _, normalize := range t.normalizers {
			content = normalize(content, begin)
		}
		t.normalized.insert(content, int32(i))
	}
	if err := t.parsePost(f.PostProcessor, "post_processor", &nest{field: "post_processor"}); err != nil {
		return nil, err
	}
	if err := t.parseDecoder(f.Decoder, byteLevel); err != nil {
		return nil, err
	}
	t.findLongest(byteLevel)
	t.guessSpecial()
	t.file.vocab, t.file.scored, t.file.Model.Vocab, t.file.Model.Merges = nil, nil, nil, nil // large; the model has them
	return t, nil
}

// kind is the model's type, told by its fields in files that don't say.
func (m *modelFile) kind() string {
	if m.Type == "" && m.Merges != nil {
		return "BPE"
	}
	return m.Type
}

// fillVocabulary gives the model's tokens and the added tokens their ids.
func (f *file) fillVocabulary(t *Tokenizer, vocab map[string]int32) error {
	count := len(vocab) + len(f.AddedTokens)
	if count > maxVocab {
		return fmt.Errorf("%s has %d tokens, want at most %d", f.names.vocab, count, maxVocab)
	}
	largest := int32(-1)
	for token, id := range vocab {
		if id < 0 || int(id) > 2*count+1<<10 {
			return fmt.Errorf("%s: token %q has id %d, out of range for %d tokens", f.names.vocab, token, id, count)
		}
		largest = max(largest, id)
	}
	for i, a := range f.AddedTokens {
		if a.ID < 0 || int(a.ID) > 2*count+1<<10 {
			return fmt.Errorf("added_tokens[%d]: token %q has id %d, out of range for %d tokens", i, a.Content, a.ID, count)
		}
		largest = max(largest, a.ID)
	}
	t.vocabulary = vocabulary{make([]string, largest+1), make(map[string]int32, count)}
	for token, id := range vocab {
		if err := t.put(token, id); err != nil {
			return fmt.Errorf("%s: %w", f.names.vocab, err)
		}
	}
	for id, token := range f.again {
		t.tokens[id] = token
	}
	for i, a := range f.AddedTokens {
		if err := t.put(a.Content, a.ID); err != nil {
			return fmt.Errorf("added_tokens[%d]: %w", i, err)
		}
		_, ok := vocab[a.Content]
		f.AddedTokens[i].outside = !ok
	}
	return nil
}

// vocabOf reads the model's vocabulary, if it isn't there.
func (f *file) vocabOf() (map[string]int32, error) {
	if f.vocab != nil {
		return f.vocab, nil
	}
	if n := bytes.Count(f.Model.Vocab, []byte(",")); n > 2*maxVocab { // before it is decoded
		return nil, fmt.Errorf("%s has about %d tokens, want at most %d", f.names.vocab, n, maxVocab)
	}
	var vocab map[string]int32
	if err := json.Unmarshal(f.Model.Vocab, &vocab); err != nil {
		return nil, fmt.Errorf("%s: %w", f.names.vocab, err)
	}
	return vocab, nil
}

func (f *file) buildBPE(t *Tokenizer, byteLevel bool) error {
	m := &f.Model
	switch {
	case m.Dropout != nil && *m.Dropout != 0:
		return fmt.Errorf("model.dropout %v is not supported, want null", *m.Dropout)
	case m.Prefix != nil && *m.Prefix != "":
		return fmt.Errorf("model.continuing_subword_prefix %q is not supported", *m.Prefix)
	case m.Suffix != nil && *m.Suffix != "":
		return fmt.Errorf("model.end_of_word_suffix %q is not supported", *m.Suffix)
	}
	vocab, err := f.vocabOf()
	if err != nil {
		return err
	}
	if err := f.fillVocabulary(t, vocab); err != nil {
		return err
	}
	if len(m.Merges) > maxMerges {
		return fmt.Errorf("%s has %d entries, want at most %d", f.names.merges, len(m.Merges), maxMerges)
	}
	unk := int32(-1)
	if m.UnkToken != nil {
		id, ok := vocab[*m.UnkToken]
		if !ok {
			return fmt.Errorf("model.unk_token %q is not in model.vocab", *m.UnkToken)
		}
		unk = id
	}
	_, oneMark := vocab[spaceMark] // no token has a mark after another character
	model := &bpe{merges: make(map[pair]merge, len(m.Merges))}
	for i, mp := range m.Merges {
		ids := [3]int32{}
		for k, token := range []string{mp[0], mp[1], mp[0] + mp[1]} {
			id, ok := vocab[token]
			if !ok {
				return fmt.Errorf("%s[%d] (%q + %q): token %q is not in %s", f.names.merges, i, mp[0], mp[1], token, f.names.vocab)
			}
			ids[k] = id
		}
		oneMark = oneMark && !strings.Contains(strings.TrimLeft(mp[0]+mp[1], spaceMark), spaceMark)
		model.merges[pair{ids[0], ids[1]}] = merge{int32(i), ids[2]}
	}
	if oneMark && !byteLevel && !m.IgnoreMerges {
		t.splitters = append(t.splitters, splitRuns(spaceMark))
	}
	if byteLevel {
		model.symbols, model.complete = byteSymbols(vocab, unk, m.FuseUnk), true
		for _, c := range byteToRune {
			_, ok := vocab[string(c)]
			model.complete = model.complete && ok
		}
	} else {
		model.symbols = charSymbols(vocab, unk, m.FuseUnk, m.ByteFallback)
		bytes := byteTokens(vocab)
		model.complete = m.ByteFallback && !slices.Contains(bytes[:], -1)
	}
	if f.wholeLines {
		model.whole = func(word string) (int32, bool) {
			if strings.Trim(word, "\n") != "" {
				return 0, false
			}
			id, ok := vocab[word]
			return id, ok
		}
	}
	if m.IgnoreMerges {
		model.whole = func(word string) (int32, bool) {
			if byteLevel {
				word = spellBytes(word)
			}
			id, ok := vocab[word]
			return id, ok
		}
	}
	t.model = model
	return nil
}

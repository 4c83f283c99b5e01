package tokenizer

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// wordPiece cuts a word into the longest token that it starts with, the longest that the rest goes
// on with, and so on (Schuster and Nakajima 2012; Devlin et al. 2018). Tokens that go on begin with a
// mark, "##". A word that can't be cut so to its end is one unknown token.
type wordPiece struct {
	starts, goesOn *trie
	unk            int32
	most           int // characters of a word; longer ones are unknown
}

func (m *wordPiece) encode(dst []int32, word string) []int32 {
	begin, tokens := len(dst), m.starts
	if utf8.RuneCountInString(word) > m.most {
		return append(dst, m.unk)
	}
	for word != "" {
		longest, token := 0, int32(0)
		tokens.prefixes(word, func(id int32, size int) { longest, token = size, id })
		if longest == 0 {
			return append(dst[:begin], m.unk)
		}
		dst, word, tokens = append(dst, token), word[longest:], m.goesOn
	}
	return dst
}

// Characters of a word, where the file doesn't say, and where it says too much.
const (
	wordPieceChars = 100
	maxWordChars   = 1000
)

func (f *file) buildWordPiece(t *Tokenizer) error {
	mark, unknown := "##", "[UNK]"
	if f.Model.Prefix != nil {
		mark = *f.Model.Prefix
	}
	if f.Model.UnkToken != nil {
		unknown = *f.Model.UnkToken
	}
	m := &wordPiece{starts: newTrie(), goesOn: newTrie(), most: wordPieceChars}
	if f.Model.MaxChars != nil {
		m.most = *f.Model.MaxChars
	}
	if m.most < 1 || m.most > maxWordChars {
		return fmt.Errorf("model.max_input_chars_per_word is %d, want 1 to %d", m.most, maxWordChars)
	}
	vocab, err := f.vocabOf()
	if err != nil {
		return err
	}
	if err := f.fillVocabulary(t, vocab); err != nil {
		return err
	}
	var ok bool
	if m.unk, ok = vocab[unknown]; !ok {
		return fmt.Errorf("model.unk_token %q is not in %s", unknown, f.names.vocab)
	}
	for token, id := range vocab {
		if len(token) > maxContent || len(m.starts.values)+len(m.goesOn.values) > maxNodes {
			return fmt.Errorf("%s: its tokens are too long (%.20q)", f.names.vocab, token)
		}
		m.starts.insert(token, id)
		if rest, ok := strings.CutPrefix(token, mark); ok {
			m.goesOn.insert(rest, id)
		}
	}
	t.model = m
	return nil
}

// fromBERT fills in WordPiece as llama.cpp's converter writes it: a "▁" stands before the tokens
// that start a word and nothing before those that go on.
func (f *file) fromBERT(meta Metadata, tokens []string) {
	f.Model.Type = "WordPiece"
	f.vocab = make(map[string]int32, len(tokens))
	for id, token := range tokens {
		if rest, ok := strings.CutPrefix(token, spaceMark); ok {
			token = rest
		} else if !strings.HasPrefix(token, "[") || !strings.HasSuffix(token, "]") {
			token = "##" + token
		}
		f.vocab[token] = int32(id)
	}
	lower, strip := `true`, `null`
	if on, ok := meta.Bool(keyLower); ok && !on {
		lower = `false`
	}
	if on, ok := meta.Bool(keyStrip); ok {
		strip = strconv.FormatBool(on)
	}
	f.Normalizer = json.RawMessage(`{"type":"BertNormalizer","strip_accents":` + strip + `,"lowercase":` + lower + `}`)
	f.PreTokenizer = json.RawMessage(`{"type":"BertPreTokenizer"}`)
	f.Decoder = json.RawMessage(`{"type":"WordPiece"}`)
}

// around returns the ids of what stands before and after BERT's texts, which have names of their own where
// the file doesn't call them begin and end.
func around(meta Metadata, tokens []string, bos, eos int32) (int32, int32, error) {
	var err error
	if bos < 0 {
		bos, err = idFrom(meta, keyCLS, tokens)
	}
	if eos < 0 && err == nil {
		eos, err = idFrom(meta, keySep, tokens)
	}
	return bos, eos, err
}

// bertNormalizer is BERT's: control characters go, white space is a space, a space stands around
// each Chinese character, accents go and letters are lower case where the file says so.
func bertNormalizer(clean, chinese, strip, lower bool) normalizer {
	decompose := form(norm.NFD)
	return func(text string, at place) string {
		var b strings.Builder
		for _, r := range text {
			switch {
			case clean && (r == 0 || r == utf8.RuneError || r != '\t' && r != '\n' && r != '\r' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co) && !within(laterControls, r)):
			case clean && unicode.IsSpace(r):
				b.WriteByte(' ')
			case chinese && within(ideographs, r):
				b.WriteString(" " + string(r) + " ")
			default:
				b.WriteString(string(r))
			}
		}
		text = b.String()
		if strip {
			text = strings.Map(func(r rune) rune {
				if unicode.Is(unicode.Mn, r) && !within(laterMarks, r) || r == 0x1734 {
					return -1
				}
				return r
			}, decompose(text, at))
		}
		if lower { // by characters, of which one has two small ones
			text = strings.Map(unicode.ToLower, strings.ReplaceAll(text, "İ", "i̇"))
		}
		return text
	}
}

// splitBERT cuts at white space, which it drops, and around each punctuation mark.
func splitBERT(piece string, at place, emit func(string, place)) {
	splitWhite(piece, at, func(word string, at place) {
		for word != "" {
			end := strings.IndexFunc(word, bertPoint)
			if end < 0 {
				end = len(word)
			}
			if end == 0 {
				_, end = utf8.DecodeRuneInString(word)
			}
			emit(word[:end], at)
			word, at = word[end:], inside
		}
	})
}

// bertPoint tells what BERT takes for punctuation: Unicode's, and what of ASCII is no letter or digit.
func bertPoint(r rune) bool {
	return r > ' ' && r < 0x7f && !unicode.IsLetter(r) && !unicode.IsDigit(r) || unicode.IsPunct(r) && !within(laterPoints, r) || r == 0x166d || r == 0x111c9
}

// tidy are what the decoder writes without the space before it.
var tidy = strings.NewReplacer(" .", ".", " ?", "?", " !", "!", " ,", ",", " ' ", "'", " n't", "n't", " 'm", "'m", " do not", " don't", " 's", "'s", " 've", "'ve", " 're", "'re")

// joinWords puts a space before each token but those that go on, which lose their mark.
func (d *decoder) joinWords(mark string, cleanup bool) {
	d.lead = true
	d.apply(func(token string) string {
		if token == "" {
			return ""
		}
		if rest, ok := strings.CutPrefix(token, mark); ok {
			token = rest
		} else {
			token = " " + token
		}
		if cleanup {
			token = tidy.Replace(token)
		}
		return token
	})
}

// The Python package knows Unicode 8's classes here; what has come since, or has another class, it
// doesn't take for punctuation, marks or control characters. First and last by turns, as those of Chinese are.
const (
	ideographs = "\u3400\u4DBF\u4E00\u9FFF\uF900\uFAFF\U00020000\U0002A6DF\U0002A700\U0002B73F\U0002B740\U0002B81F\U0002B920\U0002CEAF" +
		"\U0002F800\U0002FA1F"
	laterControls = "\u0890\u0891\u08E2\u08E2\U000110CD\U000110CD\U00013430\U0001345F"
	laterPoints   = "\u061D\u061D\u09FD\u09FD\u0A76\u0A76\u0C77\u0C77\u0C84\u0C84\u1B7D\u1B7E\u2E43\u2E4F\u2E52\u2E5D\U00010EAD\U00010EAD" +
		"\U00010F55\U00010F59\U00010F86\U00010F89\U0001144B\U0001144F\U0001145A\U0001145B\U0001145D\U0001145D\U00011660\U0001166C" +
		"\U000116B9\U000116B9\U0001183B\U0001183B\U00011944\U00011946\U000119E2\U000119E2\U00011A3F\U00011A46\U00011A9A\U00011A9C" +
		"\U00011A9E\U00011AA2\U00011C41\U00011C45\U00011C70\U00011C71\U00011EF7\U00011EF8\U00011FFF\U00011FFF\U00012FF1\U00012FF2" +
		"\U00016E97\U00016E9A\U00016FE2\U00016FE2\U0001E95E\U0001E95F"
	laterMarks = "\u07FD\u07FD\u0898\u089F\u08CA\u08E1\u09FE\u09FE\u0AFA\u0AFF\u0B55\u0B55\u0C04\u0C04\u0C3C\u0C3C\u0D00\u0D00\u0D3B\u0D3C" +
		"\u0D81\u0D81\u0EBA\u0EBA\u180F\u180F\u1885\u1886\u1ABF\u1ACE\u1DF6\u1DFB\uA82C\uA82C\uA8C5\uA8C5\uA8FF\uA8FF\uA9BD\uA9BD" +
		"\U00010D24\U00010D27\U00010EAB\U00010EAC\U00010F46\U00010F50\U00010F82\U00010F85\U00011070\U00011070\U00011073\U00011074" +
		"\U000110C2\U000110C2\U000111C9\U000111C9\U000111CF\U000111CF\U0001123E\U0001123E\U0001133B\U0001133B\U00011438\U0001143F" +
		"\U00011442\U00011444\U00011446\U00011446\U0001145E\U0001145E\U0001182F\U00011837\U00011839\U0001183A\U0001193B\U0001193C" +
		"\U0001193E\U0001193E\U00011943\U00011943\U000119D4\U000119D7\U000119DA\U000119DB\U000119E0\U000119E0\U00011A01\U00011A0A" +
		"\U00011A33\U00011A38\U00011A3B\U00011A3E\U00011A47\U00011A47\U00011A51\U00011A56\U00011A59\U00011A5B\U00011A8A\U00011A96" +
		"\U00011A98\U00011A99\U00011C30\U00011C36\U00011C38\U00011C3D\U00011C3F\U00011C3F\U00011C92\U00011CA7\U00011CAA\U00011CB0" +
		"\U00011CB2\U00011CB3\U00011CB5\U00011CB6\U00011D31\U00011D36\U00011D3A\U00011D3A\U00011D3C\U00011D3D\U00011D3F\U00011D45" +
		"\U00011D47\U00011D47\U00011D90\U00011D91\U00011D95\U00011D95\U00011D97\U00011D97\U00011EF3\U00011EF4\U00016F4F\U00016F4F" +
		"\U00016FE4\U00016FE4\U0001CF00\U0001CF2D\U0001CF30\U0001CF46\U0001E000\U0001E006\U0001E008\U0001E018\U0001E01B\U0001E021" +
		"\U0001E023\U0001E024\U0001E026\U0001E02A\U0001E130\U0001E136\U0001E2AE\U0001E2AE\U0001E2EC\U0001E2EF\U0001E944\U0001E94A"
)

// within tells whether r is in one of ranges, whose first and last characters stand by turns.
func within(ranges string, r rune) bool {
	first := rune(-1)
	for _, c := range ranges {
		if first < 0 {
			first = c
			continue
		}
		if r >= first && r <= c {
			return true
		}
		first = -1
	}
	return false
}

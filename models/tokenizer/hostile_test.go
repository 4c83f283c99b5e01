package tokenizer

import (
	"encoding/base64"
	"fmt"
	"maps"
	"strings"
	"testing"
)

// TestBadFiles: each error names the field that is wrong.
func TestBadFiles(t *testing.T) {
	const bytes = `"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},`
	bpeFile := func(model string) string {
		return `{"added_tokens":[],` + bytes + `"model":{"type":"BPE",` + model + `}}`
	}
	good := `"vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]`
	if _, err := FromJSON(strings.NewReader(bpeFile(good))); err != nil {
		t.Fatalf("the good file: %v", err)
	}
	charsmap := func(raw string) string {
		return `"normalizer":{"type":"Precompiled","precompiled_charsmap":"` + base64.StdEncoding.EncodeToString([]byte(raw)) + `"},`
	}
	for _, c := range []struct{ name, file, want string }{
		{"empty", ``, "unexpected end of JSON"},
		{"cut off", bpeFile(good)[:60], "unexpected end of JSON"},
		{"not an object", `[]`, "cannot unmarshal"},
		{"no model", `{}`, `model.type "" is not supported`},
		{"another model", `{"model":{"type":"WordLevel"}}`, `model.type "WordLevel" is not supported; supported are BPE, Unigram and WordPiece`},
		{"merge not in the vocabulary", bpeFile(`"vocab":{"a":0,"b":1},"merges":["a b"]`), `model.merges[0] ("a" + "b"): token "ab" is not in model.vocab`},
		{"half a merge", bpeFile(`"vocab":{"a":0},"merges":["a"]`), `model.merges has "a", want two tokens`},
		{"three in a merge", bpeFile(`"vocab":{"a":0},"merges":[["a","b","c"]]`), `want two tokens`},
		{"one id for two tokens", bpeFile(`"vocab":{"a":0,"b":0},"merges":[]`), `model.vocab: id 0 belongs to two tokens`},
		{"negative id", bpeFile(`"vocab":{"a":-1},"merges":[]`), `model.vocab: token "a" has id -1`},
		{"huge id", bpeFile(`"vocab":{"a":2000000000},"merges":[]`), `model.vocab: token "a" has id 2000000000`},
		{"id past 32 bits", bpeFile(`"vocab":{"a":1152921504606846976},"merges":[]`), `model.vocab`},
		{"huge added id", `{"added_tokens":[{"id":2000000000,"content":"x"}],` + bytes + `"model":{"type":"BPE",` + good + `}}`, `added_tokens[0]: token "x" has id 2000000000`},
		{"two ids for an added token", `{"added_tokens":[{"id":7,"content":"a"}],` + bytes + `"model":{"type":"BPE",` + good + `}}`, `added_tokens[0]: token "a" has two ids`},
		{"empty added token", `{"added_tokens":[{"id":3,"content":""}],` + bytes + `"model":{"type":"BPE",` + good + `}}`, `added_tokens[0].content is empty`},
		{"dropout", bpeFile(good + `,"dropout":0.1`), "model.dropout"},
		{"suffix", bpeFile(good + `,"end_of_word_suffix":"</w>"`), "model.end_of_word_suffix"},
		{"unknown token missing", bpeFile(good + `,"unk_token":"?"`), `model.unk_token "?" is not in model.vocab`},
		{"normaliser", `{"normalizer":{"type":"Sequence","normalizers":[{"type":"Lowercase"}]},"model":{}}`, `normalizer.normalizers[0].type "Lowercase" is not supported; supported are`},
		{"pre-tokeniser", `{"pre_tokenizer":{"type":"UnicodeScripts"},"model":{}}`, `pre_tokenizer.type "UnicodeScripts" is not supported`},
		{"pattern", `{"pre_tokenizer":{"type":"Split","pattern":{"Regex":"\\w+"},"behavior":"Isolated"},"model":{}}`, `pre_tokenizer.pattern: \w is not supported in "\\w+"`},
		{"post-processor", `{` + bytes + `"post_processor":{"type":"RobertaProcessing"},"model":{"type":"BPE",` + good + `}}`, `post_processor.type "RobertaProcessing" is not supported`},
		{"template of an id without a token", `{` + bytes + `"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"x"}},{"Sequence":{"id":"A"}}],"special_tokens":{"x":{"ids":[99]}}},"model":{"type":"BPE",` + good + `}}`, `"x" has id 99, which has no token`},
		{"decoder", `{` + bytes + `"decoder":{"type":"CTC"},"model":{"type":"BPE",` + good + `}}`, `decoder.type "CTC" is not supported`},
		{"no decoder", `{"model":{"type":"BPE",` + good + `}}`, "decoder is missing"},
		{"words of no character", `{"model":{"type":"WordPiece","max_input_chars_per_word":0,"vocab":{"[UNK]":0}}}`, "model.max_input_chars_per_word is 0, want 1 to 1000"},
		{"no unknown word", `{"model":{"type":"WordPiece","vocab":{"a":0}}}`, `model.unk_token "[UNK]" is not in model.vocab`},
		{"BERT's ends", `{"decoder":{"type":"WordPiece"},"post_processor":{"type":"BertProcessing","sep":["[SEP]",7],"cls":["[CLS]",0]},"model":{"type":"WordPiece","vocab":{"[UNK]":0}}}`, `post_processor: "[CLS]" and "[SEP]" have other ids than 0 and 7`},
		{"charsmap cut off", `{` + charsmap("\x01") + `"model":{}}`, "normalizer: precompiled_charsmap is cut off"},
		{"charsmap claims too much", `{` + charsmap("\xfc\xff\xff\xff????") + `"model":{}}`, "precompiled_charsmap claims a trie of 4294967292 bytes and has 4"},
		{"unigram with a token twice", `{"model":{"type":"Unigram","vocab":[["a",0],["a",0]]}}`, `model.vocab: token "a" has two ids, 0 and 1`},
		{"unigram without scores", `{"model":{"type":"Unigram","vocab":["a"]}}`, `model.vocab`},
		{"unigram's unknown id", `{"model":{"type":"Unigram","unk_id":5,"vocab":[["a",0]]}}`, `model.unk_id is 5, want 0 to 0`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := FromJSON(strings.NewReader(c.file))
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "tokenizer: ") {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

// TestBadMetadata: each error names the key that is wrong.
func TestBadMetadata(t *testing.T) {
	bytes := metadata{
		keyModel: "gpt2", keyPre: "gpt-2",
		keyTokens: []any{"a", "b", "ab", "<end>"},
		keyTypes:  []any{1.0, 1.0, 1.0, 3.0},
		keyMerges: []any{"a b"},
		keyEOS:    3.0,
	}
	scores := metadata{
		keyModel:  "llama",
		keyTokens: []any{"a", "b", "ab"},
		keyScores: []any{-1.0, -2.0, -3.0},
	}
	tok, err := FromGGUF(bytes)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(tok.Encode("abb<end>", true), tok.EOS()); got != "[2 1 3] 3" {
		t.Errorf("got %s, want [2 1 3] 3", got)
	}
	if _, err := FromGGUF(scores); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		base  metadata
		key   string
		value any // nil: the key is missing
		want  string
	}{
		{"no model", bytes, keyModel, nil, keyModel + " is missing"},
		{"another model", bytes, keyModel, "rwkv", keyModel + ` "rwkv" is not supported; supported are bert, gemma4, gpt2, llama and t5`},
		{"no tokens", bytes, keyTokens, nil, keyTokens + " is missing"},
		{"no pre-tokeniser", bytes, keyPre, nil, keyPre + " is missing"},
		{"another pre-tokeniser", bytes, keyPre, "mystery", keyPre + ` "mystery" is not supported; supported are a.x-4.0, afmoe, bailingmoe, `},
		{"a tokeniser that drops white space", bytes, keyModel, "whitespace", keyModel + ` "whitespace" is not supported: it drops white space`},
		{"types of another size", bytes, keyTypes, []any{1.0}, keyTypes + " has 1 entries, want 4"},
		{"no merges", bytes, keyMerges, nil, keyMerges + " is missing"},
		{"half a merge", bytes, keyMerges, []any{"ab"}, keyMerges + `[0] is "ab", want two tokens`},
		{"merge not in the vocabulary", bytes, keyMerges, []any{"b a"}, keyMerges + `[0] ("b" + "a"): token "ba" is not in ` + keyTokens},
		{"end token out of range", bytes, keyEOS, 4.0, keyEOS + " is 4, which has no token"},
		{"begin token negative", bytes, keyBOS, -1.0, keyBOS + " is -1, which has no token"},
		{"no scores", scores, keyScores, nil, keyScores + " is missing"},
		{"scores of another size", scores, keyScores, []any{0.0}, keyScores + " has 1 entries, want 3"},
		{"endless token", scores, keyTokens, []any{"a", "b", strings.Repeat("ab", longestToken)}, fmt.Sprintf("%s[2] has %d bytes", keyTokens, 2*longestToken)},
	} {
		t.Run(c.name, func(t *testing.T) {
			meta := maps.Clone(c.base)
			if meta[c.key] = c.value; c.value == nil {
				delete(meta, c.key)
			}
			_, err := FromGGUF(meta)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

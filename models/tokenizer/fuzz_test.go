package tokenizer

import (
	"bytes"
	"strings"
	"testing"
)

// FuzzFromJSON: no file, however wrong, makes the reader or the tokenizer that it
// gives panic or run away.
func FuzzFromJSON(f *testing.F) {
	f.Add([]byte(`{"pre_tokenizer":{"type":"ByteLevel"},"model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]}}`))
	f.Add([]byte(`{"added_tokens":[{"id":1,"content":"<e>","lstrip":true}],"normalizer":{"type":"NFC"},"decoder":{"type":"Fuse"},"model":{"type":"BPE","unk_token":"a","fuse_unk":true,"vocab":{"a":0},"merges":[]}}`))
	f.Add([]byte(`{"normalizer":{"type":"Precompiled","precompiled_charsmap":"BAAAAAAAAAA="},"pre_tokenizer":{"type":"Metaspace","replacement":"▁"},"decoder":{"type":"Metaspace","replacement":"▁"},"model":{"type":"Unigram","unk_id":0,"vocab":[["a",-1.5],["▁a",-1]]}}`))
	f.Add([]byte(`{"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Digits","individual_digits":true},{"type":"Split","pattern":{"String":" "},"behavior":"MergedWithPrevious"}]},"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"x"}},{"Sequence":{"id":"A"}}],"special_tokens":{"x":{"ids":[0]}}},"decoder":{"type":"ByteFallback"},"model":{"merges":[],"vocab":{"x":0}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		tok, err := FromJSON(bytes.NewReader(data))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "tokenizer: tokenizer.json: ") {
				t.Errorf("error %q does not say where", err)
			}
			return
		}
		ids := tok.Encode(hard+string(data), true)
		for _, id := range ids {
			if id < 0 || int(id) >= tok.Vocab() {
				t.Fatalf("id %d of a vocabulary of %d", id, tok.Vocab())
			}
		}
		tok.Decode(ids)
		if err := tok.WriteJSON(new(bytes.Buffer)); err != nil {
			t.Errorf("read but not written: %v", err)
		}
	})
}

// FuzzRoundTrip: byte-level tokenizers lose nothing but what is not UTF-8.
func FuzzRoundTrip(f *testing.F) {
	f.Add(hard)
	f.Add("\xff\xe2\x82 x'ſ\r\n")
	var toks []*Tokenizer
	for _, name := range []string{"gpt2", "llama3", "smollm"} {
		toks = append(toks, openReference(f, "testdata", name))
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, tok := range toks {
			if got, want := tok.Decode(tok.Encode(text, false)), RepairUTF8(text); got != want {
				t.Errorf("%q comes back as %q", want, got)
			}
		}
	})
}

// FuzzCharsmap: a normaliser from outside never reads past its end.
func FuzzCharsmap(f *testing.F) {
	f.Add([]byte("\x04\x00\x00\x00\x00\x00\x00\x00a\x00"), "a\u0301")
	f.Add([]byte("\x08\x00\x00\x00\x00\x04\x00\x00\x61\x01\x00\x80"), "aé\r\n")
	f.Fuzz(func(t *testing.T, data []byte, text string) {
		if c, err := newCharsmap(data); err == nil {
			c.normalize(text, begin)
		}
	})
}

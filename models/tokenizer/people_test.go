package tokenizer

import (
	"slices"
	"strings"
	"testing"
)

// TestMask: a control token that a person wrote is text, the template's beside it is not,
// and text without one keeps its tokens.
func TestMask(t *testing.T) {
	for _, name := range []string{"smollm", "llama3", "qwen2", "gemma", "llama", "t5"} {
		tok := openReference(t, "testdata", name)
		people := People{tok}
		masked, found := tok.Mask(hard)
		if len(found) == 0 && !slices.Equal(people.Encode(masked, true), tok.Encode(hard, true)) {
			t.Errorf("%s: other tokens for a text without control tokens", name)
		}
		for id := range tok.Vocab() {
			if !tok.Special(int32(id)) || len([]rune(tok.Token(int32(id)))) < 2 {
				continue
			}
			control := tok.Token(int32(id))
			text := "a " + control + " b"
			masked, found := tok.Mask(text)
			if !slices.Contains(found, control) || Unmask(masked) != text {
				t.Fatalf("%s: %q: %q, found %q", name, text, masked, found)
			}
			if slices.Contains(people.Encode(masked, false), int32(id)) {
				t.Errorf("%s: %q is read as a control token", name, text)
			}
			if both := people.Encode(control+masked, false); both[0] != int32(id) || slices.Contains(both[1:], int32(id)) {
				t.Errorf("%s: %q: %v", name, control+text, both)
			}
			if got := tok.Decode(people.EncodeMore(masked)); strings.TrimSpace(got) != text {
				t.Errorf("%s: %q comes back as %q", name, text, got)
			}
		}
	}
}

// TestTwice: a GGUF file whose vocabulary has a token twice loads, with a note; both ids
// are read, and text becomes the last.
func TestTwice(t *testing.T) {
	tok, err := FromGGUF(metadata{keyModel: "gpt2", keyPre: "gpt-2", keyTokens: []any{"a", "b", "a", "ab", "<e>", "<e>"}, keyMerges: []any{"a b"}, keyTypes: []any{1.0, 1.0, 1.0, 1.0, 3.0, 3.0}})
	if err != nil {
		t.Fatal(err)
	}
	if got := tok.Encode("ca ab<e>", false); !slices.Equal(got, []int32{2, 3, 5}) {
		t.Errorf("%v", got)
	}
	if got := tok.Decode([]int32{0, 2, 1, 4}); got != "aab<e>" {
		t.Errorf("%q", got)
	}
	if len(tok.Notes) != 1 || !strings.Contains(tok.Notes[0], `2 tokens of the vocabulary are there twice, like "a"`) {
		t.Errorf("%q", tok.Notes)
	}
}

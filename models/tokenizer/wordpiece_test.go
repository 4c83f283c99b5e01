package tokenizer

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestWordPiece: ids and texts are the Python package's (testdata/wordpiece.py asked it), from a
// tokenizer.json, from one that was written anew, and from GGUF metadata as llama.cpp's converter writes it.
func TestWordPiece(t *testing.T) {
	var want struct {
		Texts      []string
		Tokenizers map[string]struct {
			File    json.RawMessage
			IDs     [][]int32
			Decoded []string
		}
	}
	text, err := os.ReadFile("testdata/wordpiece.json")
	if err == nil {
		err = json.Unmarshal(text, &want)
	}
	if err != nil || len(want.Tokenizers) != 4 || len(want.Texts) < 300 {
		t.Fatal(err, len(want.Tokenizers), len(want.Texts))
	}
	for name, c := range want.Tokenizers {
		tok, err := FromJSON(bytes.NewReader(c.File))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var again bytes.Buffer
		if err := tok.WriteJSON(&again); err != nil {
			t.Fatal(err)
		}
		rewritten, err := FromJSON(&again)
		if err != nil {
			t.Fatal(err)
		}
		all := map[string]*Tokenizer{name: tok, name + ", written": rewritten}
		if name == "uncased" || name == "cased" {
			var file struct {
				Model struct{ Vocab map[string]int32 }
			}
			if err := json.Unmarshal(c.File, &file); err != nil {
				t.Fatal(err)
			}
			tokens, types := make([]any, len(file.Model.Vocab)), make([]any, len(file.Model.Vocab))
			for token, id := range file.Model.Vocab {
				types[id] = 1.0
				if rest, ok := strings.CutPrefix(token, "##"); ok {
					token = rest
				} else if strings.HasPrefix(token, "[") && strings.HasSuffix(token, "]") {
					types[id] = 3.0
				} else {
					token = spaceMark + token
				}
				tokens[id] = token
			}
			meta := metadata{keyModel: "bert", keyTokens: tokens, keyTypes: types, keyCLS: 2.0, keySep: 3.0, keyLower: name == "uncased"}
			if all[name+", GGUF"], err = FromGGUF(meta); err != nil {
				t.Fatal(err)
			}
		}
		for form, tok := range all {
			if bos, ok := tok.BOS(); !ok || bos != 2 || tok.EOS() != 3 {
				t.Errorf("%s: begins with %d, ends with %d", form, bos, tok.EOS())
			}
			for i, text := range want.Texts {
				ids := tok.Encode(text, true)
				if !slices.Equal(ids, c.IDs[i]) {
					t.Errorf("%s, %+q: %d, want %d", form, text, ids, c.IDs[i])
				}
				if got := tok.Decode(c.IDs[i]); got != c.Decoded[i] {
					t.Errorf("%s: %d is %q, want %q", form, c.IDs[i], got, c.Decoded[i])
				}
			}
		}
	}
}

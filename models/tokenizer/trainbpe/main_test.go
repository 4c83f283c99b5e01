package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"prelude/models/tokenizer"
)

func TestRun(t *testing.T) {
	dir := t.TempDir()
	text, out := filepath.Join(dir, "text"), filepath.Join(dir, "tokenizer.json")
	if err := os.WriteFile(text, []byte(strings.Repeat("low lower lowest ", 20)), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := run(260, "<a>,<b>", out, []string{text}); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tok, err := tokenizer.FromJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	if id, ok := tok.ID("<b>"); !ok || id != 1 || tok.Vocab() != 260 {
		t.Errorf("<b> is %d (%t) of %d tokens, want 1 of 260", id, ok, tok.Vocab())
	}
	for _, c := range []struct {
		vocab int
		paths []string
		want  string
	}{
		{260, nil, "no text files given"},
		{260, []string{filepath.Join(dir, "none")}, "none"},
		{10, []string{text}, "vocabulary of 10"},
	} {
		if err := run(c.vocab, "", out, c.paths); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one with %q", err, c.want)
		}
	}
}

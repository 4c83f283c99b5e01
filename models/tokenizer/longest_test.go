package tokenizer

import (
	"strings"
	"testing"
)

// TestLongest: no text has fewer tokens than Longest says.
func TestLongest(t *testing.T) {
	for _, name := range []string{"gpt2", "llama3", "qwen2", "smollm", "neox", "gemma", "llama", "t5"} {
		tok := openReference(t, "testdata", name)
		if t.Log(name, tok.Longest()); tok.Longest() == 0 {
			if name != "t5" {
				t.Errorf("%s has no bound", name)
			}
			continue
		}
		for _, text := range []string{hard, strings.Repeat(hard, 3), strings.Repeat(" ", 5000), strings.Repeat("1", 5000), strings.Repeat("the ", 500), strings.Repeat("e\u0301\u0327", 500)} {
			if n := len(tok.Encode(text, false)); n < len(text)/tok.Longest() {
				t.Errorf("%s: %d tokens of %d bytes, Longest is %d", name, n, len(text), tok.Longest())
			}
		}
	}
}

package tokenizer

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"prelude/models/hostile"
)

// TestExpression cuts as the Python package does: testdata/pieces.py asked it.
func TestExpression(t *testing.T) {
	var want struct {
		Texts    []string
		Patterns map[string]string
		Pieces   map[string][][]string
	}
	text, err := os.ReadFile("testdata/pieces.json")
	if err == nil {
		err = json.Unmarshal(text, &want)
	}
	if err != nil {
		t.Fatal(err)
	}
	for name, own := range map[string]string{"gpt-4o": patternGPT4o, "tekken": patternTekken, "qwen35": patternQwen35, "llama3": patternLlama3, "gpt2": patternGPT2} {
		if want.Patterns[name] != own {
			t.Errorf("%s: the reference was asked for %q", name, want.Patterns[name])
		}
	}
	for name, pattern := range want.Patterns {
		e, err := newExpression(pattern)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for i, text := range want.Texts {
			var got []string
			e.split(text, begin, func(piece string, _ place) { got = append(got, piece) })
			if !slices.Equal(got, want.Pieces[name][i]) {
				t.Errorf("%s, %q: got %q, want %q", name, text, got, want.Pieces[name][i])
			}
		}
	}
}

// TestNamedPreTokenizers cuts as llama.cpp's patterns do for names of tokenizer.ggml.pre, by
// the Python package; and every name's parts can be built.
func TestNamedPreTokenizers(t *testing.T) {
	var want struct {
		Texts []string
		Named map[string][][]string
	}
	text, err := os.ReadFile("testdata/pieces.json")
	if err == nil {
		err = json.Unmarshal(text, &want)
	}
	if err != nil || len(want.Named) < 9 {
		t.Fatal(len(want.Named), err)
	}
	for name, f := range families {
		split, _, err := parseSplitters(json.RawMessage(f.preTokenizer), name, &nest{field: name})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for i, pieces := range want.Named[name] {
			var got []string
			emit := func(piece string, _ place) {
				if piece != "" {
					got = append(got, piece)
				}
			}
			for _, split := range slices.Backward(split) {
				next := emit
				emit = func(piece string, at place) { split(piece, at, next) }
			}
			emit(want.Texts[4*i], begin)
			if !slices.Equal(got, pieces) {
				t.Errorf("%s, %q: got %q, want %q", name, want.Texts[4*i], got, pieces)
			}
		}
	}
}

// TestExpressionRefuses what it would read otherwise, and takes no pattern's time.
func TestExpressionRefuses(t *testing.T) {
	for _, pattern := range []string{`(?<=a)b`, `(?=a)`, `a++`, `a?+`, `[a-z&&[^b]]`, `[]a]\s+(?!\S)|\s+`, `[^]a]`, `\bword`, `^a`, `a$`, `(a)\1`, `(?>a)`, `\s+(?!\S)`, `(`, `a{1000000}`, strings.Repeat("a", 5000)} {
		if _, err := newExpression(pattern); err == nil {
			t.Errorf("%.40q is read", pattern)
		}
	}
	hostile.Within(t, 5*time.Second, 500<<20, func() {
		for _, pattern := range []string{`(a+)+b`, `(a|aa)+$?b`, `(a*)*c`, `(?:a{1,100}){1,10}b`, `(x+x+)+y`} {
			e, err := newExpression(pattern)
			if err != nil {
				continue
			}
			e.split(strings.Repeat("a", 2000)+strings.Repeat("x", 2000), begin, func(string, place) {})
		}
	})
}

// FuzzExpression: no pattern and no text lose a byte.
func FuzzExpression(f *testing.F) {
	for _, p := range []string{patternGPT4o, patternQwen35, `\p{L}+|\d{2}`, `(a|b)*`, `\s+(?!\S)|\s+`, `[]\s+(?!\S)|\s+`} {
		f.Add(p, hard)
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		e, err := newExpression(pattern)
		if err != nil || len(text) > 1000 {
			return
		}
		var b strings.Builder
		e.split(text, begin, func(piece string, _ place) { b.WriteString(piece) })
		if b.String() != text {
			t.Errorf("%q cuts %q into %q", pattern, text, b.String())
		}
	})
}

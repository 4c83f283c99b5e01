package tokenizer

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"prelude/models/hostile"
)

// TestExpression cuts as the Python package does: testdata/pieces.py asked it.
func TestExpression(t *testing.T) {
	var want struct {
		Texts    []string
		Patterns map[string]string
		Pieces   map[string][][]string
	}
	readPieces(t, &want)
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

// TestRemoved drops what the Python package drops of a text.
func TestRemoved(t *testing.T) {
	var want struct {
		Texts    []string
		Patterns map[string]string
		Removed  map[string][][]string
	}
	readPieces(t, &want)
	if len(want.Removed) < 3 {
		t.Fatal(len(want.Removed))
	}
	for name, all := range want.Removed {
		of, invert, _ := strings.Cut(name, " ")
		raw := fmt.Sprintf(`{"type":"Split","pattern":{"Regex":%s},"behavior":"Removed","invert":%s}`, quote(want.Patterns[of]), strings.ToLower(invert))
		split, _, err := parseSplitters(json.RawMessage(raw), name, &nest{field: name})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for i, pieces := range all {
			var got []string
			split[0](want.Texts[8*i], begin, func(piece string, _ place) { got = append(got, piece) })
			if !slices.Equal(got, pieces) {
				t.Errorf("%s, %q: got %q, want %q", name, want.Texts[8*i], got, pieces)
			}
		}
	}
}

// TestForms: normal forms by the tables that the Python package has, which are older than Go's.
func TestForms(t *testing.T) {
	var want struct{ Forms map[string][][2]string }
	readPieces(t, &want)
	for name, f := range map[string]norm.Form{"NFC": norm.NFC, "NFD": norm.NFD, "NFKC": norm.NFKC, "NFKD": norm.NFKD} {
		if len(want.Forms[name]) < 70 {
			t.Fatalf("%s: %d texts", name, len(want.Forms[name]))
		}
		for _, c := range want.Forms[name] {
			if got := form(f)(c[0], begin); got != c[1] {
				t.Errorf("%s of %+q: %+q, want %+q", name, c[0], got, c[1])
			}
		}
	}
}

func readPieces(t *testing.T, to any) {
	t.Helper()
	text, err := os.ReadFile("testdata/pieces.json")
	if err == nil {
		err = json.Unmarshal(text, to)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestNamedPreTokenizers cuts as llama.cpp's patterns do for names of tokenizer.ggml.pre, by
// the Python package; and every name's parts can be built.
func TestNamedPreTokenizers(t *testing.T) {
	var want struct {
		Texts []string
		Named map[string][][]string
	}
	readPieces(t, &want)
	if len(want.Named) < 9 {
		t.Fatal(len(want.Named))
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

// TestEveryName: the names in testdata/pre.txt are those of llama.cpp's llama-vocab.cpp.
func TestEveryName(t *testing.T) {
	text, err := os.ReadFile("testdata/pre.txt")
	if err != nil {
		t.Fatal(err)
	}
	names := strings.Fields(string(text))
	if len(names) < 90 {
		t.Fatal(len(names))
	}
	for _, name := range names {
		if _, ok := families[name]; !ok && name != "whitespace" { // refused by tokenizer.ggml.model
			t.Errorf("%s is not known", name)
		}
	}
}

// TestGroups: what looks ahead over numbers and white space cuts as the Python package does.
func TestGroups(t *testing.T) {
	var want struct {
		Long    []string
		Grouped map[string][][]int // the pieces' characters
	}
	readPieces(t, &want)
	if len(want.Grouped) != 4 || len(want.Long) < 300 {
		t.Fatal(len(want.Grouped), len(want.Long))
	}
	for name, all := range want.Grouped {
		split, _, err := parseSplitters(json.RawMessage(families[name].preTokenizer), name, &nest{field: name})
		if err != nil {
			t.Fatal(err)
		}
		for i, lengths := range all {
			var got []int
			emit := func(piece string, _ place) {
				if piece != "" {
					got = append(got, utf8.RuneCountInString(piece))
				}
			}
			for _, split := range slices.Backward(split) {
				next := emit
				emit = func(piece string, at place) { split(piece, at, next) }
			}
			emit(want.Long[i], begin)
			if !slices.Equal(got, lengths) {
				t.Errorf("%s, %q: got %d, want %d", name, want.Long[i], got, lengths)
			}
		}
	}
}

// TestMarkedBPE: Gemma 4's vocabulary has merges over characters, "▁" for a space, bytes as tokens, and keeps newlines together.
func TestMarkedBPE(t *testing.T) {
	tokens := []any{"<bos>", "<eos>", "<unk>", "a", "b", "▁", "▁a", "\n", "\n\n", "ab"}
	types := []any{3.0, 3.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0}
	for b := range 256 {
		tokens, types = append(tokens, fmt.Sprintf("<0x%02X>", b)), append(types, 6.0)
	}
	meta := metadata{keyModel: "gemma4", keyTokens: tokens, keyTypes: types, keyMerges: []any{"▁ a", "a b"}, keyBOS: 0.0, keyEOS: 1.0, keyUnk: 2.0, keyAddBOS: true}
	for _, kind := range []string{"gemma4", "granite-embed-multi-311m", "sarvam-moe"} {
		if kind != "gemma4" {
			meta[keyModel], meta[keyPre] = "gpt2", kind
		}
		tok, err := FromGGUF(meta)
		if err != nil {
			t.Fatal(kind, err)
		}
		want := []int32{0, 6, 3, 9, 8, 10 + 0xc3, 10 + 0xa9, 7}
		if kind == "sarvam-moe" {
			want = []int32{0, 6, 3, 9, 7, 7, 10 + 0xc3, 10 + 0xa9, 7}
		}
		const text = " aaab\n\né\n"
		if got := tok.Encode(text, true); !slices.Equal(got, want) {
			t.Errorf("%s: %d, want %d", kind, got, want)
		}
	}
}

// TestExpressionRefuses what it would read otherwise, and takes no pattern's time.
func TestExpressionRefuses(t *testing.T) {
	for _, pattern := range []string{`(?<=a)b`, `(?=a)`, `a++`, `a?+`, `[a-z&&b]`, `[a&&[^[b]]]`, `[a&&[b]&&[c]]`, `[]a]\s+(?!\S)|\s+`, `[^]a]`, `\bword`, `^a`, `a$`, `(a)\1`, `(?>a)`, `\s+(?!\S)`, `(`, `a{1000000}`, strings.Repeat("a", 5000)} {
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

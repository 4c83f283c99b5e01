package tokenizer

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// BenchmarkEncode reports MB/s on the package's own source repeated, and on the
// hard lines of the reference.
func BenchmarkEncode(b *testing.B) {
	var source strings.Builder
	paths, _ := filepath.Glob("*.go")
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			b.Fatal(err)
		}
		source.Write(data)
	}
	var lines [][]byte
	unpack(b, "testdata/lines.json.gz", &lines)
	var hardLines strings.Builder
	for _, line := range lines {
		hardLines.Write(line)
	}
	for _, name := range []string{"gpt2", "llama3", "qwen2", "smollm", "neox", "llama", "gemma", "t5"} {
		tok := openReference(b, "testdata", name)
		for _, text := range []struct{ name, text string }{{"source", source.String()}, {"hard", hardLines.String()}} {
			b.Run(name+"/"+text.name, func(b *testing.B) {
				b.SetBytes(int64(len(text.text)))
				for b.Loop() {
					tok.Encode(text.text, false)
				}
			})
		}
	}
}

// BenchmarkEncodeCold starts each time without remembered words.
func BenchmarkEncodeCold(b *testing.B) {
	const dir = "../../build/tokenizer-reference"
	text, err := os.ReadFile("../../go.sum")
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range []string{"gpt2-real", "smollm2"} {
		if _, err := os.Stat(dir); err != nil {
			b.Skipf("no %s: make it with testdata/reference.py", dir)
		}
		tok := openReference(b, dir, name)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				tok.words = sync.Pool{}
				tok.Encode(string(text), false)
			}
		})
	}
}

// BenchmarkEncodeLongWord is a word of a megabyte, which must not take time
// quadratic in its length.
func BenchmarkEncodeLongWord(b *testing.B) {
	word := strings.Repeat("ab", 1<<19)
	for _, name := range []string{"gpt2", "phrases", "t5"} {
		tok := openReference(b, "testdata", name)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(word)))
			for b.Loop() {
				tok.Encode(word, false)
			}
		})
	}
}

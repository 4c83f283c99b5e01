package tokenizer

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/fnv"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestReference compares with the Python packages tokenizers and sentencepiece,
// line by line: testdata/reference.py made the files.
func TestReference(t *testing.T) {
	compareFolder(t, "testdata")
}

// TestReferenceLarge does the same on 12,000 lines, on every Unicode character,
// and with the tokenizers of GPT-2 and SmolLM2.
func TestReferenceLarge(t *testing.T) {
	if testing.Short() {
		t.Skip("a minute of comparing")
	}
	const dir = "../../build/tokenizer-reference"
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no %s: make it with testdata/reference.py", dir)
	}
	compareFolder(t, dir)
}

// TestSpecialInside: texts with special tokens at their start, inside and at their end, with blanks
// around them and without, as the Python package encodes them (testdata/special.py).
func TestSpecialInside(t *testing.T) {
	text, err := os.ReadFile("testdata/special.json")
	if err != nil {
		t.Fatal(err)
	}
	var want map[string][][3]json.RawMessage
	if err := json.Unmarshal(text, &want); err != nil || len(want) < 10 {
		t.Fatal(err, len(want))
	}
	for name, rows := range want {
		tok := openReference(t, "testdata", name)
		for _, row := range rows {
			var text string
			var plain, whole []int32
			if err := errors.Join(json.Unmarshal(row[0], &text), json.Unmarshal(row[1], &plain), json.Unmarshal(row[2], &whole)); err != nil {
				t.Fatal(err)
			}
			if got := tok.Encode(text, false); !slices.Equal(got, plain) {
				t.Errorf("%s: %q has the ids %v, want %v", name, text, got, plain)
			}
			if got := tok.Encode(text, true); !slices.Equal(got, whole) {
				t.Errorf("%s: %q has the ids %v with begin and end, want %v", name, text, got, whole)
			}
		}
	}
}

func compareFolder(t *testing.T, dir string) {
	var lines [][]byte
	unpack(t, filepath.Join(dir, "lines.json.gz"), &lines)
	wants, err := filepath.Glob(filepath.Join(dir, "*.want.json.gz"))
	if err != nil || len(wants) < 10 {
		t.Fatalf("%s has %d files of expected ids (%v), want at least 10", dir, len(wants), err)
	}
	for _, path := range wants {
		name := strings.TrimSuffix(filepath.Base(path), ".want.json.gz")
		t.Run(name, func(t *testing.T) {
			var want []uint32
			unpack(t, path, &want)
			if len(want) != 2*len(lines) {
				t.Fatalf("%d hashes, want %d", len(want), 2*len(lines))
			}
			tok := openReference(t, dir, name)
			wrong := 0
			for i, line := range lines {
				if want[2*i] == 0 {
					continue // SentencePiece cuts control tokens out of no text
				}
				ids := tok.Encode(string(line), name != "spm" && name != "smollm2")
				if hash(idBytes(ids)) != want[2*i] {
					wrong++
					if wrong <= 5 {
						t.Errorf("line %d, %q: ids %v differ", i, line, ids)
					}
					continue
				}
				if text := tok.Decode(ids); hash([]byte(text)) != want[2*i+1] {
					wrong++
					if wrong <= 5 {
						t.Errorf("line %d, %q: decoded %q differs", i, line, text)
					}
				}
			}
			if wrong > 0 {
				t.Errorf("%d of %d lines differ", wrong, len(lines))
			}
		})
	}
}

// openReference opens NAME.tokenizer.json.gz or NAME.metadata.json.gz.
func openReference(t testing.TB, dir, name string) *Tokenizer {
	t.Helper()
	path := filepath.Join(dir, name+".metadata.json.gz")
	if _, err := os.Stat(path); err == nil {
		var meta metadata
		unpack(t, path, &meta)
		tok, err := FromGGUF(meta)
		if err != nil {
			t.Fatal(err)
		}
		return tok
	}
	tok, err := FromJSON(bytes.NewReader(gunzip(t, filepath.Join(dir, name+".tokenizer.json.gz"))))
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func idBytes(ids []int32) []byte {
	var b []byte
	for _, id := range ids {
		b = binary.LittleEndian.AppendUint32(b, uint32(id))
	}
	return b
}

func hash(b []byte) uint32 {
	h := fnv.New32a()
	h.Write(b)
	return h.Sum32()
}

func unpack(t testing.TB, path string, to any) {
	t.Helper()
	if err := json.Unmarshal(gunzip(t, path), to); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func gunzip(t testing.TB, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// metadata is Metadata read from JSON, for tests.
type metadata map[string]any

func (m metadata) String(key string) (string, bool) { return value[string](m, key) }
func (m metadata) Bool(key string) (bool, bool)     { return value[bool](m, key) }
func (m metadata) Int(key string) (int64, bool) {
	f, ok := value[float64](m, key)
	return int64(f), ok
}
func (m metadata) Strings(key string) ([]string, bool) {
	return list(m, key, func(v any) string { return v.(string) })
}
func (m metadata) Floats(key string) ([]float32, bool) {
	return list(m, key, func(v any) float32 { return float32(v.(float64)) })
}
func (m metadata) Ints(key string) ([]int64, bool) {
	return list(m, key, func(v any) int64 { return int64(v.(float64)) })
}

func value[T any](m metadata, key string) (T, bool) {
	v, ok := m[key].(T)
	return v, ok
}

func list[T any](m metadata, key string, convert func(any) T) ([]T, bool) {
	from, ok := m[key].([]any)
	var out []T
	for _, v := range from {
		out = append(out, convert(v))
	}
	return out, ok
}

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"prelude/models/hostile"
	"prelude/prefix/data"
)

// Parquet tables as people's programs write them (testdata/parquet.py) are read as the
// same rows in JSON Lines; several files are one.
func TestReadExamples(t *testing.T) {
	csv := filepath.Join(t.TempDir(), "a.csv")
	more, other := strings.Replace(csv, "a.csv", "b.csv", 1), strings.Replace(csv, "a.csv", "c.csv", 1)
	for path, text := range map[string]string{csv: "prompt,completion\na,b", more: "prompt,completion\r\nc,d\r\n", other: "question,answer\ne,f\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ paths, want string }{
		{"testdata/plain.parquet", "[{Größe? 10 cm} {Line\nbreak yes}]"},
		{"testdata/chosen.parquet", "[{a b} {a c} {a d}]"},
		{"testdata/talks.parquet", "[hello 2]"},
		{"testdata/plain.parquet,testdata/chosen.parquet", "[{Größe? 10 cm} {Line\nbreak yes} {a b} {a c} {a d}]"},
		{csv + "," + more, "[{a b} {c d}]"},
		{csv + "," + other, "other columns"},
		{csv + ",testdata/plain.parquet", "different kinds"},
		{"testdata/none.parquet", "no such file"},
	} {
		name, content, err := readExamples(c.paths)
		if err != nil {
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: error %v, want %s", c.paths, err, c.want)
			}
			continue
		}
		set, err := data.Parse(name, content, data.Options{})
		if err != nil || len(set.Errors) > 0 {
			t.Errorf("%s: %v, %v", c.paths, err, set)
			continue
		}
		var got []any
		for _, e := range set.Examples {
			if n := len(e.Messages); n > 0 {
				got = append(got, e.Messages[n-1].Content)
			} else {
				got = append(got, struct{ prompt, completion string }{e.Prompt, e.Completion})
			}
		}
		if fmt.Sprint(got) != c.want {
			t.Errorf("%s: %v, want %s", c.paths, got, c.want)
		}
	}
}

// TestBrokenParquet: a table with wrong bytes is an error or rows, in little time and memory.
func TestBrokenParquet(t *testing.T) {
	rng := rand.New(rand.NewPCG(20261129, 0))
	for _, name := range []string{"plain", "talks", "chosen"} {
		text, err := os.ReadFile("testdata/" + name + ".parquet")
		if err != nil {
			t.Fatal(err)
		}
		hostile.Within(t, 20*time.Second, 256<<20, func() {
			for range 1500 {
				file := slices.Clone(text)
				for range 1 + rng.IntN(4) {
					file[rng.IntN(len(file))] = byte(rng.Uint32())
				}
				fromParquet(file) // an error or not
			}
		})
	}
}

// FuzzParquet: no file panics or takes the machine.
func FuzzParquet(f *testing.F) {
	for _, name := range []string{"plain", "talks", "chosen"} {
		text, err := os.ReadFile("testdata/" + name + ".parquet")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		if lines, err := fromParquet(file); err == nil && len(lines) > data.DefaultMaxBytes {
			t.Errorf("%d bytes", len(lines))
		}
	})
}

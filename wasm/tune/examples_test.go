package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
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
		{"testdata/hub.parquet", "[{bad\nLabel:  negative} {good\nLabel:  positive} {fine\nLabel:  positive}]"},
		{"testdata/plain.parquet,testdata/chosen.parquet", "[{Größe? 10 cm} {Line\nbreak yes} {a b} {a c} {a d}]"},
		{csv + "," + more, "[{a b} {c d}]"},
		{csv + "," + other, "other columns"},
		{csv + ",testdata/plain.parquet", "different kinds"},
		{"testdata/none.parquet", "no such file"},
	} {
		name, content, err := new(fetcher).readExamples(split(c.paths))
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

// TestCommas: a comma parts files, but in an address only before another address or a file that is
// there; the name of a file that is there is a name, and a flag that is given again names more.
func TestCommas(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"a.csv", "b.csv", "a,c.csv"} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ given, want string }{
		{"a.csv", "a.csv"},
		{"a.csv,b.csv", "a.csv|b.csv"},
		{"a.csv,none.csv", "a.csv|none.csv"},
		{"a,c.csv", "a,c.csv"},
		{"a,c.csv b.csv", "a,c.csv|b.csv"},
		{"https://x.example/a,b.csv?c=1,2", "https://x.example/a,b.csv?c=1,2"},
		{"https://x.example/a,b,hf://datasets/o/n,http://y", "https://x.example/a,b|hf://datasets/o/n|http://y"},
		{"a.csv,https://x.example/1,2,b.csv", "a.csv|https://x.example/1,2|b.csv"},
	} {
		var l fileList
		for _, text := range strings.Fields(c.given) {
			if err := l.Set(text); err != nil {
				t.Fatal(err)
			}
		}
		if got := strings.Join(l, "|"); got != c.want {
			t.Errorf("%s is %s, want %s", c.given, got, c.want)
		}
		all, err := l.absolute()
		for i, file := range all {
			if isAddress(l[i]) != isAddress(file) || isAddress(file) == filepath.IsAbs(file) {
				t.Errorf("%s is %s in a run's record", l[i], file)
			}
		}
		kept, _ := json.Marshal(all)
		var back fileList
		if err != nil || json.Unmarshal(kept, &back) != nil || !slices.Equal(all, back) {
			t.Errorf("%s comes back as %v, %v", kept, back, err)
		}
	}
	var old fileList
	if err := json.Unmarshal([]byte(`"a.csv,b.csv"`), &old); err != nil || len(old) != 2 {
		t.Errorf("an older run's files are %v, %v", old, err)
	}
}

// The page's reader (wasm/parquet), in Node, reads every table as this one does, but for Brotli, which it refuses.
func TestThePageReadsTheSame(t *testing.T) {
	files, err := filepath.Glob("testdata/*.parquet")
	if err != nil || len(files) < 10 {
		t.Fatal(err, files)
	}
	said, err := exec.Command("node", append([]string{"../parquet/try.mjs"}, files...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	answers := json.NewDecoder(bytes.NewReader(said))
	for _, file := range files {
		var answer struct {
			Lines, Why string
			Rows, Of   int
		}
		if err := answers.Decode(&answer); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(file, "brotli") {
			if answer.Why != "brotli" {
				t.Errorf("%s: %+v", file, answer)
			}
			continue
		}
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := fromParquet(content)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		want, got := rowsOf(t, string(lines)), rowsOf(t, answer.Lines)
		if len(want) != len(got) || answer.Rows != len(got) || answer.Of != len(got) {
			t.Errorf("%s: %d rows, %d in the page, which says %d of %d", file, len(want), len(got), answer.Rows, answer.Of)
			continue
		}
		for i := range want {
			if fmt.Sprint(want[i]) != fmt.Sprint(got[i]) {
				t.Errorf("%s, row %d: %v, in the page %v", file, i+1, want[i], got[i])
			}
		}
	}
}

// rowsOf reads JSON Lines. Numbers are text: where JavaScript has too few bits for one, the page
// gives its digits in quotes.
func rowsOf(t *testing.T, lines string) (rows []map[string]any) {
	t.Helper()
	for d := json.NewDecoder(strings.NewReader(strings.ReplaceAll(lines, ":-0,", ":0,"))); d.More(); {
		d.UseNumber()
		row := map[string]any{}
		if err := d.Decode(&row); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
	return rows
}

// A table with wrong bytes is an answer of the page's reader too, in little memory. How long one
// may take the page bounds (static/page.js); most take no time.
func TestBrokenParquetInThePage(t *testing.T) {
	files, err := filepath.Glob("testdata/*.parquet")
	if err != nil {
		t.Fatal(err)
	}
	said, err := exec.Command("node", append([]string{"../parquet/try.mjs", "-hostile", "300"}, files...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	var worst struct{ MS, Bytes, Answers, Refused float64 }
	if err := json.Unmarshal(said, &worst); err != nil {
		t.Fatal(err)
	}
	if worst.Answers != float64(300*len(files)) || worst.Refused < worst.Answers/2 || worst.MS > 20_000 || worst.Bytes > 512<<20 {
		t.Errorf("%+v", worst)
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

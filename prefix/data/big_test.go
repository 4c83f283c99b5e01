package data

import (
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"prelude/models/hostile"
)

// TestManyRows: of a file with more rows than can be used a sample is read, from all of
// it, in order, and said; memory stays below six times the file.
func TestManyRows(t *testing.T) {
	var b strings.Builder
	for i := range 500_000 {
		fmt.Fprintf(&b, `{"prompt":"question %d","completion":"answer %d"}`+"\n", i, i)
	}
	content := []byte(b.String())
	b.Reset()
	hostile.Within(t, 5*time.Second, 6*uint64(len(content)), func() {
		set, err := Parse("many.jsonl", content, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if len(set.Examples) != DefaultMaxRows || len(set.Errors) != 0 {
			t.Fatalf("%d examples, %d errors", len(set.Examples), len(set.Errors))
		}
		if len(set.Notes) != 1 || !strings.Contains(set.Notes[0], "500000 examples, more than can be used: 20000 of them") {
			t.Errorf("notes %q", set.Notes)
		}
		half, last := 0, 0
		for _, e := range set.Examples {
			if e.Line <= last || e.Prompt != fmt.Sprintf("question %d", e.Line-1) {
				t.Fatalf("line %d after %d: %q", e.Line, last, e.Prompt)
			}
			if last = e.Line; e.Line <= 250_000 {
				half++
			}
		}
		if half < 9_500 || half > 10_500 {
			t.Errorf("%d of the sample are from the first half", half)
		}
	})
}

// TestLongValues: one value that fills a file is read, or refused, in no time.
func TestLongValues(t *testing.T) {
	for kind, line := range map[string]string{
		"number": `{"prompt":"a","completion":` + strings.Repeat("1", 20_000_000) + "}\n",
		"text":   `{"prompt":"` + strings.Repeat("a", 20_000_000) + `","completion":"b"}` + "\n",
		"keys":   "{" + strings.Repeat(`"k":1,`, 3_000_000) + `"x":1}` + "\n",
		"lists":  `{"prompt":` + strings.Repeat("[", 10_000_000) + "\n",
		"items":  `{"messages":[` + strings.Repeat(`1,`, 5_000_000) + `1]}` + "\n",
		"braces": strings.Repeat("{", 10_000_000),
		"lines":  strings.Repeat("{\n", 5_000_000),
		"quotes": strings.Repeat(`{"`, 5_000_000),
		"commas": strings.Repeat("{},\n", 1_000_000),
		"escape": `{"prompt":"a","completion":"` + strings.Repeat(`\u0041`, 3_000_000) + "\"}\n",
		"notes":  strings.Repeat(`{"prompt":"a","completion":1,"a":1,"b":1,"c":1}`+"\n", 200_000),
	} {
		t.Run(kind, func(t *testing.T) {
			content := []byte(line)
			hostile.Within(t, 5*time.Second, 500<<20, func() { Parse("x.jsonl", content, Options{}) })
		})
	}
}

// TestFile reads the file that PRELUDE_DATA names and tells what it took.
func TestFile(t *testing.T) {
	name := os.Getenv("PRELUDE_DATA")
	if name == "" {
		t.Skip("PRELUDE_DATA names no file")
	}
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	debug.FreeOSMemory()
	hostile.Within(t, time.Minute, 6*uint64(len(content)), func() {
		set, err := Parse(name, content, Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Log(len(set.Examples), "examples", set.Notes)
		train, val, notes := Split(set.Examples, 0.2, 1)
		t.Log(len(train), len(val), notes)
	})
}

// unbounded is letters without a bound on what a token stands for.
type unbounded struct{ letters }

func (unbounded) Longest() int { return 0 }

// TestTrim: what is trimmed before it is tokenised is what would be cut off after.
func TestTrim(t *testing.T) {
	for _, n := range [][2]int{{1, 1}, {10, 3}, {500, 3}, {3, 500}, {500, 500}, {0, 500}} {
		e := Example{Prompt: strings.Repeat("abc", n[0]), Completion: strings.Repeat("de", n[1])}
		want, err := Encoding{Tokenizer: unbounded{}, Context: 20, Cut: true, BOS: []int32{1}}.Tokenise(e)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Encoding{Tokenizer: letters{}, Context: 20, Cut: true, BOS: []int32{1}}.Tokenise(e)
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%v: %v, %v; want %v", n, got, err, want)
		}
		_, err = Encoding{Tokenizer: letters{}, Context: 20}.Tokenise(e)
		if fits := 3*n[0]+2*n[1]+1 <= 20; fits != (err == nil) {
			t.Errorf("%v: %v", n, err)
		}
	}
}

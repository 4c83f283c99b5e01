package data

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestMadeFiles reads what spreadsheets, data frames and well-known data sets write:
// testdata/made/made.py made the files, and says what is in them.
func TestMadeFiles(t *testing.T) {
	var want map[string][]json.RawMessage
	text, err := os.ReadFile("testdata/made/want.json")
	if err == nil {
		err = json.Unmarshal(text, &want)
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(want) < 20 {
		t.Fatalf("%d files", len(want))
	}
	for name, examples := range want {
		content, err := os.ReadFile(filepath.Join("testdata/made", name))
		if err != nil {
			t.Fatal(err)
		}
		set, err := Parse(name, content, Options{})
		if err != nil || len(set.Errors) > 0 || len(set.Examples) != len(examples) {
			t.Errorf("%s: %v, %+v", name, err, set)
			continue
		}
		for i, e := range set.Examples {
			var got any = []string{e.Prompt, e.Completion}
			if e.Shape == Messages {
				turns := [][]string{}
				for _, m := range e.Messages {
					turns = append(turns, []string{m.Role, m.Content})
				}
				got = turns
			}
			var wanted any
			json.Unmarshal(examples[i], &wanted)
			if fmt.Sprint(got) != fmt.Sprint(wanted) {
				t.Errorf("%s, example %d: got %q, want %q", name, i+1, got, wanted)
			}
		}
	}
}

// TestColumns: a person's mapping decides, whatever the names are.
func TestColumns(t *testing.T) {
	o := Options{Prompt: "Frage", Completion: "Antwort"}
	for _, in := range []string{"Nr,Frage,Antwort\n1,a,b\n", "Antwort;Frage\nb;a\n", `{"Frage":"a","Antwort":"b","prompt":"x"}`} {
		set, err := Parse("x", []byte(in), o)
		if err != nil || len(set.Examples) != 1 || set.Examples[0].Prompt != "a" || set.Examples[0].Completion != "b" {
			t.Errorf("%q: %v, %+v", in, err, set)
		}
	}
	if _, err := Parse("x.csv", []byte("a,b\n1,2\n"), o); err == nil || !strings.Contains(err.Error(), "columns {a}, {b}") {
		t.Errorf("error %v", err)
	}
}

// TestBadRows: a row of another length is an error by its line; quotes that never close
// take no more than what is left.
func TestBadRows(t *testing.T) {
	set, err := Parse("x.csv", []byte("prompt,completion\na,b\nc\nd,e,f\n\"g\nh\",i\n,\nj,k\n"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var lines []int
	for _, e := range set.Errors {
		lines = append(lines, e.Line)
	}
	if len(set.Examples) != 3 || !slices.Equal(lines, []int{3, 4}) || set.Examples[1].Prompt != "g\nh" || set.Examples[1].Line != 5 || set.Examples[2].Line != 8 {
		t.Errorf("%+v", set)
	}
	if !strings.Contains(set.Errors[0].Message, "has 1 cell, and the first row names 2") {
		t.Errorf("%v", set.Errors)
	}
}

// TestEachAnswer: every answer with loss is an example with what stands before it.
func TestEachAnswer(t *testing.T) {
	set, err := Parse("x.jsonl", []byte(`{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c"},{"role":"assistant","content":"d","weight":0},{"role":"user","content":"e"},{"role":"assistant","content":"f"}]}`), Options{})
	if err != nil || len(set.Errors) > 0 {
		t.Fatal(err, set)
	}
	var got []string
	for _, e := range EachAnswer(set.Examples) {
		var turns []string
		for _, m := range e.Messages {
			turns = append(turns, m.Content)
		}
		got = append(got, strings.Join(turns, ""))
	}
	if fmt.Sprint(got) != "[ab abcdef]" {
		t.Errorf("%q", got)
	}
	for line, want := range map[string]string{
		`{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b","weight":0}]}`:   `every answer has "weight" 0`,
		`{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b","weight":0.5}]}`: `"weight" of 0.5, want 0 (not learned) or 1`,
	} {
		set, err := Parse("x.jsonl", []byte(line), Options{})
		if err != nil || len(set.Errors) != 1 || !strings.Contains(set.Errors[0].Message, want) {
			t.Errorf("%s: %v, %+v", line, err, set)
		}
	}
}

// TestSplitKeepsWhatLooksAlike: prompts that differ in white space or in Unicode's forms
// stand on one side.
func TestSplitKeepsWhatLooksAlike(t *testing.T) {
	var es []Example
	for i := range 120 {
		for j, form := range []string{"caf\u00e9 %d", "cafe\u0301 %d", " caf\u00e9  %d\n"} {
			es = append(es, Example{Line: len(es) + 1, Shape: PromptCompletion, Prompt: fmt.Sprintf(form, i), Completion: fmt.Sprint(j)})
		}
	}
	train, val, _ := Split(es, 0.2, 3)
	side := map[string]bool{}
	for _, e := range train {
		side[spelled(e.Prompt)] = true
	}
	for _, e := range val {
		if side[spelled(e.Prompt)] {
			t.Fatalf("%q is on both sides", e.Prompt)
		}
	}
	if len(val) < 60 {
		t.Errorf("%d for validation", len(val))
	}
}

// FuzzTable: no table makes Parse panic or lose a row in silence.
func FuzzTable(f *testing.F) {
	for _, s := range []string{"prompt,completion\na,b\n", "sep=;\nprompt;completion\n\"a\n\"\"b\";c\n", "text\tlabel\nx\ty", "prompt|completion\n\"a|b", ",prompt,completion\n0,a,b\n"} {
		f.Add([]byte(s), "", "")
		f.Add([]byte(s), "prompt", "completion")
	}
	f.Fuzz(func(t *testing.T, content []byte, prompt, completion string) {
		set, err := Parse("x.csv", content, Options{Prompt: prompt, Completion: completion})
		if err != nil {
			if !strings.HasPrefix(err.Error(), "data: ") {
				t.Errorf("error %q does not say where it is from", err)
			}
			return
		}
		last := 0
		for _, e := range set.Examples {
			if e.Line < last {
				t.Fatalf("line %d after %d", e.Line, last)
			}
			last = e.Line
		}
	})
}

package session

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"prelude/prefix/data"
	"prelude/ui/wire"
)

// TestLines: what is written out as JSON lines is read as the same examples, whatever file
// they came in, and another file's stand behind them.
func TestLines(t *testing.T) {
	for name, content := range map[string]string{
		"a.jsonl": `{"prompt":"a","completion":" b \"x\""}` + "\n" + `{"prompt":"c\nd","completion":" e"}`,
		"b.csv":   "prompt,completion\n\"a, b\",c\nd,e\n",
		"c.jsonl": `{"text":"a","label":"good"}` + "\n" + `{"text":"b","label":"bad"}`,
		"d.jsonl": `{"instruction":"a","input":"i","output":"b"}` + "\n" + `{"instruction":"c","output":"d"}`,
		"e.json":  `[{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b","weight":0},{"role":"user","content":"c"},{"role":"assistant","content":"d"}]}]`,
		"f.jsonl": `{"tokens":["a","b"],"tags":["O","B-X"]}`,
		"g.jsonl": `{"prompt":"a","chosen":"b","rejected":"c"}`,
		"h.jsonl": `{"text":"only this"}`,
		"i.jsonl": `{"question":"a","answer":"b"}`,
		"j.jsonl": `{"source":"a","target":"b"}`,
	} {
		var s Session
		if _, err := s.SetData(name, []byte(content), wire.DataOptions{}); err != nil {
			t.Fatal(err)
		}
		m, lines, err := s.Lines(wire.Lines{Name: "more.jsonl"}, []byte(`{"prompt":"more","completion":" of it"}`+"\nnot json\n"))
		if err != nil {
			t.Fatal(err)
		}
		if m.New != 1 {
			t.Errorf("%s: %d of %d examples are the other file's", name, m.New, m.Count)
		}
		want, err := data.Parse(name, []byte(content), data.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := data.Parse("lines.jsonl", lines, data.Options{})
		if err != nil {
			t.Fatal(err)
		}
		texts := func(all []data.Example) (out []string) {
			for _, e := range all {
				out = append(out, fmt.Sprintf("%q %q %q %v", e.Prompt, e.Completion, e.Label, e.Messages))
			}
			return out
		}
		if a, b := texts(got.Examples), append(texts(want.Examples), `"more" " of it" "" []`); !slices.Equal(a, b) || m.Count != len(b) || m.Bad != 1 {
			t.Errorf("%s: %v, want %v; %+v", name, a, b, m)
		}
		if _, _, err := s.Lines(wire.Lines{Name: "holiday.png"}, []byte("\x89PNG....")); err == nil || !strings.Contains(err.Error(), "picture") {
			t.Errorf("a picture: %v", err)
		}
	}
}

// TestColumns: a file whose columns mean nothing shows its first rows, and is read once it is
// said which of them hold what; what was there before stays where that fails.
func TestColumns(t *testing.T) {
	for name, content := range map[string]string{
		"x.csv":   "id;frage;antwort\n1;who?;the mill\n2;why?;\"tea; cake\"\n",
		"y.jsonl": `{"id":1,"frage":"who?","antwort":"the mill"}` + "\n" + `{"id":2,"frage":"why?","antwort":"tea; cake"}`,
	} {
		var s Session
		d, err := s.SetData(name, []byte(content), wire.DataOptions{})
		if err != nil || d.Count != 0 || len(d.Columns) != 3 || d.Columns[2].Name != "antwort" || !slices.Equal(d.Columns[2].Cells, []string{"the mill", "tea; cake"}) {
			t.Fatalf("%s: %+v: %v", name, d, err)
		}
		d, err = s.Reparse(wire.DataOptions{PromptColumn: "frage", CompletionColumn: "antwort"})
		if err != nil || d.Count != 2 || len(d.Columns) != 3 {
			t.Errorf("%s: %+v: %v", name, d, err)
		}
		if _, lines, err := s.Lines(wire.Lines{}, nil); err != nil || !strings.Contains(string(lines), `{"prompt":"who?","completion":"the mill"}`) {
			t.Errorf("%s: %s: %v", name, lines, err)
		}
	}
	for _, prose := range []string{"Dear all,\nthis is no table.\n", "{broken", "\x00\x01"} {
		if got := data.Columns("x.jsonl", []byte(prose)); len(got) > 1 {
			t.Errorf("%q has columns %v", prose, got)
		}
	}
}

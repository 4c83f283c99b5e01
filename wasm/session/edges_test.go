package session

import (
	"testing"

	"prelude/ui/wire"
)

// TestWrittenAsTrained: what is recorded with a prefix says how its examples were written,
// so that it is asked the same way.
func TestWrittenAsTrained(t *testing.T) {
	for _, c := range []struct {
		lines, template, system string
		chat                    bool
	}{
		{`{"prompt":"a","completion":"b"}`, "", "", false},
		{`{"text":"a","label":"b"}`, "{text}\nLabel: {label}", "", false},
		{`{"instruction":"a","output":"b"}`, "{instruction}\n{output}", "", false},
		{`{"question":"a","answer":"b"}`, "{question}\n{answer}", "", false},
		{`{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}`, "", "", true},
		{`{"messages":[{"role":"system","content":"s"},{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}`, "", "s", true},
		{`{"messages":[{"role":"system","content":"s"},{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}
{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}`, "", "", true},
	} {
		var s Session
		if _, err := s.SetData("x.jsonl", []byte(c.lines), wire.DataOptions{}); err != nil {
			t.Fatal(err)
		}
		got := s.examples.text()
		system := ""
		if got.System != nil {
			system = *got.System
		}
		if got.Template != c.template || got.Chat != c.chat || system != c.system {
			t.Errorf("%s: %+v, system %q", c.lines, got, system)
		}
	}
}

package wire

import (
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
)

// What is written is what was judged, also where answers hold quotes and lines; a spreadsheet
// finds no formula in it.
func TestWriteJudged(t *testing.T) {
	j := Judged{Candidates: []Candidate{{Name: "Base"}, {Name: "=mine"}},
		Rows: []JudgedRow{{Prompt: "=1+1", Expected: "a, \"b\"\nc", Answers: []RowAnswer{{Text: "<b>", Score: 0.25, Loss: 3}, {Text: "-x", Score: 1, Loss: 1.5}}}}}
	text, err := j.Write("csv")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
	if err != nil || len(rows) != 2 || len(rows[0]) != 8 {
		t.Fatalf("%q: %v", text, err)
	}
	if got := strings.Join(rows[1], "|"); got != "'=1+1|a, \"b\"\nc|<b>|0.25|3|'-x|1|1.5" || rows[0][5] != "'=mine" {
		t.Errorf("rows %q", rows)
	}
	if text, err = j.Write("jsonl"); err != nil || !strings.Contains(string(text), "<b>") {
		t.Fatalf("%q: %v", text, err)
	}
	var back JudgedRow
	if err := json.Unmarshal(text, &back); err != nil || back.Expected != j.Rows[0].Expected || back.Answers[1] != j.Rows[0].Answers[1] {
		t.Errorf("%q: %v", text, err)
	}
	if _, err := j.Write("xls"); err == nil {
		t.Error("a kind that there is not")
	}
}

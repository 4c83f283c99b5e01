package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// eval writes the page's table, and its rows as the page saves them; a test set is measured
// apart, and what can't be is refused before a model is loaded.
func TestEvalWritesTheTable(t *testing.T) {
	s := newShell(t)
	s.small()
	var b strings.Builder
	for i := range 60 {
		fmt.Fprintf(&b, "{\"text\": \"guest %d\", \"label\": \"%s\"}\n", i, []string{"tea", "cake"}[i%2])
	}
	write(t, filepath.Join(s.dir, "labels.jsonl"), b.String(), 0o666)
	const line = "tune eval -device cpu -model tiny -data labels.jsonl "
	table := s.ok(line + "-rows rows.csv")
	for _, want := range []string{"Base", "In context (17)", "perplexity", "bits a byte", "accuracy", "macro-F1", "calibration error", "true label", "of 100 resamples by loss", "16 held-out examples"} {
		if !strings.Contains(table, want) {
			t.Errorf("%q is not in\n%s", want, table)
		}
	}
	f, err := os.Open(filepath.Join(s.dir, "rows.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) != 17 || strings.Join(rows[0][:4], ",") != "prompt,expected,Base,Base score" {
		t.Errorf("%d rows, %q, %v", len(rows), rows[0], err)
	}
	var e evaluation
	if err := json.Unmarshal([]byte(s.ok(line+"-json -rows rows.jsonl -test 20 -on test -measure exact -context=false")), &e); err != nil || !e.Test || e.Count != 16 || e.Measure != "exact" || e.Base <= 0 || len(e.Candidates) != 1 {
		t.Errorf("%+v, %v", e, err)
	}
	if n := strings.Count(string(s.read("rows.jsonl")), "\n"); n != 16 {
		t.Errorf("%d rows of JSON", n)
	}
	if table = s.ok(line + "-losses"); strings.Contains(table, "accuracy") || !strings.Contains(table, "perplexity") {
		t.Errorf("losses alone:\n%s", table)
	}
	write(t, filepath.Join(s.dir, "val.jsonl"), "{\"text\": \"a mill\", \"label\": \"tea\"}\n{\"text\": \"a pond\", \"label\": \"cake\"}\n", 0o666)
	if table = s.ok(line + "-val-data val.jsonl"); !strings.Contains(table, "2 held-out examples") {
		t.Errorf("a file of one's own:\n%s", table)
	}
	s.refused(line+"-val-data tea.jsonl", 1, "is read as prompt/completion, the examples as text/label")
	s.refused(line+"-rows x.xls", 2, ".csv or .jsonl")
	s.refused(line+"-rows x.csv -losses", 2, "exclude each other")
	s.refused(line+"-on moon", 2, "validation and test")
	s.refused(line+"-on test", 1, "no test set")
	s.refused(line+"-measure taste", 1, `measure "taste" is unknown`)
	s.refused("tune eval -device cpu -model tiny -data tea.jsonl -measure labels", 1, "same answer")
}

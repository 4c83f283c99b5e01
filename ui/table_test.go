package ui

import (
	"strings"
	"testing"

	"prelude/ui/wire"
)

// A Parquet table is read before the worker gets it, as one of several files too; what is in
// the way is told, and what was left of it.
func TestTables(t *testing.T) {
	a, s := open(t)
	table := File{Name: "a.parquet", Size: 9, Ref: text("PAR1...")}
	a.openFiles([]File{table, {Name: "b.jsonl", Size: 1, Ref: text("b")}})
	if m, _ := last[wire.Data](s); m.Name != "" || a.unpacking != "a.parquet" {
		t.Errorf("reading %q", a.unpacking)
	}
	s.table(Table{Why: "Offset is outside"})
	if m := taken(a, s, ""); m.Name != "b.jsonl" || a.unpacking != "" {
		t.Errorf("then %+v", m)
	}
	if n := a.notices[atData]; !strings.Contains(n.message, "a.parquet can’t be read as a Parquet table: Offset") {
		t.Errorf("told %+v", n)
	}
	a.openFiles([]File{table})
	a.addData()
	s.table(Table{Lines: text("{}\n"), Rows: 1, Of: 2})
	lined(a, s, "{}\n{}\n")
	if m := taken(a, s, ""); m.Name != "b.jsonl + a.parquet" {
		t.Errorf("then %+v", m)
	}
	if n := a.notices[atData]; n.message != "Of a.parquet the first 1 of 2 rows were read." {
		t.Errorf("told %+v", n)
	}
	for why, want := range map[string]string{"slow": "more columns", "group": "more columns, or more in one group", "columns": "more columns", "brotli": "Brotli", "elsewhere": "encrypted", "empty": "empty"} {
		if n := (Table{Why: why}).refused(table); !strings.Contains(n.message, want) || n.hint == "" {
			t.Errorf("%s: %+v", why, n)
		}
	}
	// A training that was begun meanwhile is not disturbed.
	a.openFiles([]File{table})
	a.replaceData()
	a.run.status = runGoing
	s.table(Table{Lines: text("{}\n"), Rows: 1, Of: 1})
	if m, _ := last[wire.Data](s); m.Name == "a.parquet" {
		t.Errorf("read %+v", m)
	}
}

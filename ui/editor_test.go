package ui

import (
	"strings"
	"testing"

	"prelude/ui/wire"
)

// lined answers the request for lines that is under way.
func lined(a *App, s *stage, lines string) wire.Lines {
	m, _ := last[wire.Lines](s)
	a.Receive(wire.Lined{ID: m.ID, Count: strings.Count(lines, "\n"), New: 1}, text(lines))
	return m
}

// taken answers the reading under way.
func taken(a *App, s *stage, shape string) wire.Data {
	m, _ := last[wire.Data](s)
	a.Receive(wire.Dataset{ID: m.ID, Name: m.Name, Shape: shape, Count: 2, Train: 1, Val: 1}, nil)
	return m
}

// A second file asks what is to become of the first; of several each is read, one behind
// the other.
func TestReplaceOrAdd(t *testing.T) {
	a, s := trained(t)
	before := a.data.file.Name
	two := []File{{Name: "b.jsonl", Size: 3, Ref: text("b")}, {Name: "c.csv", Size: 3, Ref: text("c")}}
	a.openFiles(two)
	if m, _ := last[wire.Data](s); m.Name == "b.jsonl" || len(a.data.offered) != 2 {
		t.Fatalf("without being asked %+v was read", m)
	}
	a.addData()
	if m := lined(a, s, "{}\n{}\n"); m.Name != "b.jsonl" || m.Alone || s.blob(wire.Lines{}) != text("b") {
		t.Errorf("adds %+v", m)
	}
	if m := taken(a, s, ""); m.Name != before+" + b.jsonl" || s.blob(wire.Data{}) != text("{}\n{}\n") {
		t.Errorf("reads %+v", m)
	}
	if m := lined(a, s, "{}\n{}\n{}\n"); m.Name != "c.csv" {
		t.Errorf("adds %+v", m)
	}
	taken(a, s, "")
	if a.data.file.Name != before+" + b.jsonl + c.csv" {
		t.Errorf("the examples are %q", a.data.file.Name)
	}
	if c := (&DataPanel{App: a}); c.partNames() != before+": 1, b.jsonl: 1, c.csv: 1" {
		t.Errorf("they come from %s", c.partNames())
	}

	a.openFiles(two[1:])
	a.replaceData()
	if m := taken(a, s, ""); m.Name != "c.csv" || len(a.data.offered) != 0 {
		t.Errorf("replaced by %+v", m)
	}

	// One that is refused by name does not hold up the next.
	a.openFiles([]File{{Name: "empty.jsonl"}, {Name: "d.jsonl", Size: 1, Ref: text("d")}})
	a.addData()
	if m := lined(a, s, "{}\n"); m.Name != "d.jsonl" {
		t.Errorf("then %+v", m)
	}
	taken(a, s, "")
	if n := a.notices[atData]; !strings.Contains(n.message, "empty.jsonl") {
		t.Errorf("%+v", n)
	}
}

// Of several files that come at once all are read; one that the worker refuses is told when
// the others are there; while a training is under way none is.
func TestSeveralFilesAtOnce(t *testing.T) {
	files := []File{{Name: "a.png", Size: 1, Ref: text("a")}, {Name: "b.jsonl", Size: 1, Ref: text("b")}, {Name: "c.jsonl", Size: 1, Ref: text("c")}}
	a, s := open(t)
	a.openFiles(files)
	m, _ := last[wire.Data](s)
	a.Receive(wire.Error{ID: m.ID, Message: "a.png is a picture"}, nil)
	if m := taken(a, s, ""); m.Name != "b.jsonl" {
		t.Errorf("after the refused one %+v is read", m)
	}
	lined(a, s, "{}\n{}\n")
	if m := taken(a, s, ""); m.Name != "b.jsonl + c.jsonl" || len(a.data.adding) != 0 {
		t.Errorf("at last %+v", m)
	}
	if n := a.notices[atData]; n.message != "a.png is a picture" || n.hint != whatIsRead() {
		t.Errorf("told %+v", n)
	}
	a.run.status = runGoing
	a.openFiles(files)
	if n := a.notices[atData]; !strings.Contains(n.hint, "a.png") || len(a.data.adding)+len(a.data.offered) != 0 {
		t.Errorf("while it trains: %+v, %d wait", n, len(a.data.adding))
	}
}

// Examples are edited, deleted, written and pasted; what is not text alone is edited as a
// line of JSON.
func TestEditing(t *testing.T) {
	a, s := trained(t)
	a.editData()
	const chat = `{"messages":[{"role":"user","content":"a"}]}`
	lined(a, s, `{"prompt":"a \"x\"","completion":" b"}`+"\n"+`{"prompt":"c","completion":" d"}`+"\n"+chat+"\n")
	c := &EditPanel{App: a}
	if len(c.shown()) != 3 || c.row(0).texts[0] != `a "x"` || c.row(2).keys != nil || c.row(2).line != chat {
		t.Fatalf("rows %+v", a.data.edit.rows)
	}
	c.set(0, 1, " B\n<b>")
	a.data.deleteRow(1)
	a.data.addRow()
	c.set(2, 0, "new")
	c.setLine(1, "{")
	a.saveRows()
	if n := a.notices[atData]; !strings.Contains(n.message, "Example 2 is not JSON") {
		t.Errorf("%+v", n)
	}
	c.setLine(1, chat)
	a.saveRows()
	want := `{"prompt":"a \"x\"","completion":" B\n\u003cb\u003e"}` + "\n" + chat + "\n" + `{"prompt":"new","completion":""}` + "\n"
	if m := taken(a, s, ""); !strings.HasSuffix(m.Name, "(edited)") || s.blob(wire.Data{}) != text(want) {
		t.Errorf("%s: %v, want %v", m.Name, s.blob(wire.Data{}), want)
	}
	if a.data.edit.open {
		t.Error("the editor stays open over other examples")
	}

	a.data.edit.paste = "prompt\tcompletion\nx\ty\n"
	a.pasteRows()
	if m := lined(a, s, "{}\n"); m.Name != "pasted examples" {
		t.Errorf("pasted %+v", m)
	}

	b, s2 := open(t)
	b.data = examples{}
	b.editData()
	(&EditPanel{App: b}).set(0, 0, "first")
	b.saveRows()
	if m, _ := last[wire.Data](s2); m.Name != "my examples" || s2.blob(wire.Data{}) != text(`{"prompt":"first","completion":""}`+"\n") {
		t.Errorf("written %+v", m)
	}
}

// Columns that mean nothing are chosen in the page.
func TestUnknownColumns(t *testing.T) {
	a, s := open(t)
	a.openData(File{Name: "x.csv", Size: 1, Ref: text("x")})
	m, _ := last[wire.Data](s)
	a.Receive(wire.Dataset{ID: m.ID, Columns: []wire.Column{{Name: "id"}, {Name: "frage", Cells: []string{"who?"}}, {Name: "antwort"}}}, nil)
	c := &DataPanel{App: a}
	if !c.nameless() || a.data.blocked() == "" || a.data.columns[0] != "id" {
		t.Errorf("%+v", a.data)
	}
	a.data.columns = [2]string{"frage", "antwort"}
	if c.columnClass("frage") != "as-prompt" || c.cell(a.data.set.Columns[2], 0) != "" {
		t.Error("the choice is not shown")
	}
	a.useColumns()
	if m, _ := last[wire.Reparse](s); m.Opts.PromptColumn != "frage" || m.Opts.CompletionColumn != "antwort" {
		t.Errorf("read again with %+v", m.Opts)
	}
}

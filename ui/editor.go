package ui

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"prelude/ui/wire"
)

// editor is the examples as a person edits them: JSON lines that the worker has written out
// of whatever file they came in.
type editor struct {
	id     int // the writing under way, else 0
	join   string
	alone  bool
	rows   []row
	open   bool
	at     int // the first that is shown
	change bool
	paste  string
}

// row is one example: the texts of its keys, in order, or the whole line where it holds
// more than texts.
type row struct {
	keys, texts []string
	line        string
}

// rowsShown is how many examples are edited at once.
const rowsShown = 4

// readRow takes an example's line apart.
func readRow(line string) row {
	d := json.NewDecoder(strings.NewReader(line))
	r := row{line: line}
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return r
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return row{line: line}
		}
		value, err := d.Token()
		text, ok := value.(string)
		if err != nil || !ok {
			return row{line: line}
		}
		r.keys, r.texts = append(r.keys, fmt.Sprint(key)), append(r.texts, text)
	}
	return r
}

// write gives the row as a line.
func (r row) write(out *bytes.Buffer) error {
	if r.keys == nil {
		var one bytes.Buffer
		if err := json.Compact(&one, []byte(r.line)); err != nil {
			return err
		}
		out.Write(append(one.Bytes(), '\n'))
		return nil
	}
	sep := "{"
	for i, key := range r.keys {
		name, _ := json.Marshal(key)
		text, _ := json.Marshal(r.texts[i])
		fmt.Fprintf(out, "%s%s:%s", sep, name, text)
		sep = ","
	}
	out.WriteString("}\n")
	return nil
}

// editData opens the examples for editing; where there are none, an empty one.
func (a *App) editData() {
	e := &a.data.edit
	if a.training() || e.id != 0 {
		return
	}
	if a.data.set == nil {
		*e = editor{open: true, paste: e.paste}
		a.data.addRow()
		return
	}
	*e = editor{paste: e.paste}
	e.id = a.ask(atData, func(id int) wire.Message { return wire.Lines{ID: id} }, nil)
}

// join puts the examples of another file behind those that are there.
func (a *App) join(name string, b Bytes) {
	e := &a.data.edit
	*e = editor{join: name, alone: a.data.set == nil || a.data.sample()}
	e.id = a.ask(atData, func(id int) wire.Message { return wire.Lines{ID: id, Name: name, Alone: e.alone} }, b)
}

// pasteRows takes pasted examples: behind those that are there, or alone.
func (a *App) pasteRows() {
	text := a.data.edit.paste
	if a.training() || strings.TrimSpace(text) == "" {
		return
	}
	b := a.host.Bytes(text)
	if a.data.set == nil || a.data.sample() {
		a.takeData(File{Name: say("editor.pasted-examples"), Size: int64(b.Len())}, b)
		return
	}
	a.join(say("editor.pasted-examples"), b)
}

// onLined takes the examples as lines: to edit them, or as what two files make together.
func (a *App) onLined(m wire.Lined, blob any) {
	e := &a.data.edit
	if m.ID != e.id {
		return
	}
	delete(a.asked, m.ID)
	e.id = 0
	b, ok := blob.(Bytes)
	if !ok {
		return
	}
	if e.join != "" {
		name := e.join
		parts := []part{{name, m.New}}
		if a.data.file != nil && !e.alone {
			before := a.data.parts
			if before == nil {
				before = []part{{a.data.file.Name, m.Count - m.New}}
			}
			parts = append(slices.Clone(before), parts...)
			name = a.data.file.Name + " + " + name
		}
		a.rewrite(name, b)
		a.data.parts = parts
		if m.Bad > 0 {
			a.refuse(atData, say("editor.cant-be-read-and", plural(m.Bad, "line")), say("editor.open-the-file-alone"))
		}
		return
	}
	e.open = true
	for line := range strings.Lines(b.String()) {
		e.rows = append(e.rows, readRow(strings.TrimSpace(line)))
	}
}

// rewrite hands changed examples to the worker, with the options as they are.
func (a *App) rewrite(name string, b Bytes) {
	opts, with, adding, late := a.data.opts, a.form, a.data.adding, a.data.late
	opts.PromptColumn, opts.CompletionColumn = "", ""
	if a.data.file == nil || a.data.sample() {
		opts, with = wire.DataOptions{Seed: 1}, form{val: defaultVal}
	}
	a.study = study{paste: a.study.paste}
	a.data.keep()
	a.data = examples{file: &File{Name: name, Size: int64(b.Len())}, bytes: b, before: a.data.before, opts: opts, adding: adding, late: late}
	a.form = with
	a.sendData()
}

// saveRows makes the edited examples the ones to learn from.
func (a *App) saveRows() {
	e := &a.data.edit
	var out bytes.Buffer
	for i, r := range e.rows {
		if err := r.write(&out); err != nil {
			a.refuse(atData, say("editor.example-is-not-json", i+1, err), say("editor.mend-it-or-delete"))
			e.at = i - i%rowsShown
			return
		}
	}
	if out.Len() == 0 {
		a.refuse(atData, say("editor.no-example-is-left"), say("editor.add-one-or-close"))
		return
	}
	name := say("editor.my-examples")
	if f := a.data.file; f != nil {
		name = say("editor.edited", strings.TrimSuffix(f.Name, say("editor.edited", "")))
	}
	delete(a.notices, atData)
	a.rewrite(name, a.host.Bytes(out.String()))
}

// addRow puts an empty example at the end, with the keys of the first.
func (d *examples) addRow() {
	e := &d.edit
	r := row{keys: []string{"prompt", "completion"}}
	if len(e.rows) > 0 {
		if first := e.rows[0]; first.keys != nil {
			r.keys = first.keys
		} else {
			r = row{line: `{"messages": [{"role": "user", "content": ""}, {"role": "assistant", "content": ""}]}`}
		}
	}
	r.texts = make([]string, len(r.keys))
	e.rows = append(e.rows, r)
	e.at = (len(e.rows) - 1) / rowsShown * rowsShown
	e.change = true
}

// deleteRow takes an example out.
func (d *examples) deleteRow(i int) {
	e := &d.edit
	e.rows = append(e.rows[:i:i], e.rows[i+1:]...)
	e.at = min(e.at, max(0, len(e.rows)-1)/rowsShown*rowsShown)
	e.change = true
}

// EditPanel edits the examples, and takes pasted ones.
type EditPanel struct{ App *App }

func (c *EditPanel) shown() []int {
	e := &c.App.data.edit
	var all []int
	for i := e.at; i < min(e.at+rowsShown, len(e.rows)); i++ {
		all = append(all, i)
	}
	return all
}

func (c *EditPanel) row(i int) *row { return &c.App.data.edit.rows[i] }

func (c *EditPanel) set(i, k int, text string) {
	c.App.data.edit.rows[i].texts[k], c.App.data.edit.change = text, true
}

func (c *EditPanel) setLine(i int, text string) {
	c.App.data.edit.rows[i].line, c.App.data.edit.change = text, true
}

func (c *EditPanel) page() string {
	e := &c.App.data.edit
	return say("editor.of", count(min(e.at+1, len(e.rows))), count(min(e.at+rowsShown, len(e.rows))), count(len(e.rows)))
}

func (c *EditPanel) summary() string {
	if c.App.data.set == nil {
		return say("editor.or-write-examples-here")
	}
	return say("editor.edit-the-examples-or")
}

package data

import (
	"encoding/csv"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A Column is one of a table's, or a key of a file's records, with its texts in the first
// of them.
type Column struct {
	Name  string
	Cells []string
}

// columnRows is how many records [Columns] shows.
const columnRows = 3

// Columns finds the columns of a file whose names say nothing here, so that a person can say
// which two hold prompt and completion ([Options]); nil where it has none.
func Columns(name string, content []byte) []Column {
	text, _, err := decode(content)
	if err != nil || blank(text) {
		return nil
	}
	ext := strings.ToLower(path.Ext(name))
	switch {
	case ext == ".tsv" || ext == ".tab":
		return tableColumns(text, '\t')
	case ext == ".csv" || looksLikeTable(text):
		return tableColumns(text, separator(text))
	}
	return recordColumns(text)
}

func tableColumns(text string, sep rune) (all []Column) {
	if sep == 0 {
		return nil
	}
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.LazyQuotes, r.FieldsPerRecord = sep, true, -1
	header, err := r.Read()
	if err != nil || len(header) > maxColumns {
		return nil
	}
	for i, name := range header {
		if name = strings.TrimSpace(name); name == "" {
			name = "column " + strconv.Itoa(i+1)
		}
		all = append(all, Column{Name: name})
	}
	for range columnRows {
		cells, err := r.Read()
		if err != nil {
			break
		}
		for i := range all {
			if i < len(cells) {
				all[i].Cells = append(all[i].Cells, cells[i])
			}
		}
	}
	return all
}

func recordColumns(text string) (all []Column) {
	r := reader{src: text}
	r.space()
	if r.peek() == '[' {
		r.pos++
	}
	for range columnRows {
		for r.space(); r.pos < len(r.src) && r.src[r.pos] == ','; r.space() {
			r.pos++
		}
		if r.pos >= len(r.src) || r.src[r.pos] != '{' {
			break
		}
		v, err := r.value(0)
		if err != nil {
			break
		}
		for _, f := range v.fields {
			at := slices.IndexFunc(all, func(c Column) bool { return c.Name == f.key })
			if at < 0 {
				at, all = len(all), append(all, Column{Name: f.key})
			}
			cell := f.value.text
			if len(f.value.fields) > 0 || f.value.kind == listKind {
				cell = "…"
			}
			all[at].Cells = append(all[at].Cells, cell)
		}
	}
	return all
}

package data

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Tables are what spreadsheets and data frames export (RFC 4180, and its relatives): a
// first row with the columns' names, cells in quotes where they hold the separator, a
// quote (doubled) or a line break, which is read as \n. Each further row is a record with its cells as texts.

// separators that tables use, the likeliest first.
var separators = []rune{',', '\t', ';', '|'}

// separatorNames is what a note calls them.
var separatorNames = map[rune]string{',': "commas", '\t': "tabs", ';': "semicolons", '|': "bars"}

// separator finds what separates the cells of a table's first row: whatever stands there
// most often outside of quotes; 0 where nothing does.
func separator(text string) rune {
	count := map[rune]int{}
	quoted := false
	for _, c := range text {
		if c == '"' {
			quoted = !quoted
		}
		if (c == '\n' || c == '\r') && !quoted {
			break
		}
		if !quoted {
			count[c]++
		}
	}
	best := rune(0)
	for _, s := range separators {
		if count[s] > count[best] {
			best = s
		}
	}
	return best
}

// looksLikeTable reports whether the first line opens no object and names columns of a
// known shape, or the next line has as many separators.
func looksLikeTable(text string) bool {
	first, rest, _ := strings.Cut(strings.TrimLeft(text, gap), "\n")
	if strings.ContainsAny(first, "{[") {
		return false
	}
	sep := separator(first)
	if sep == 0 {
		return false
	}
	second, _, _ := strings.Cut(rest, "\n")
	return strings.Count(first, string(sep)) == strings.Count(second, string(sep)) || strings.HasPrefix(second, `"`)
}

// maxColumns bounds a row.
const maxColumns = maxKeys

// table reads a table's rows.
func (p *parser) table(sep rune) error {
	text := strings.TrimLeft(p.text, "\ufeff")
	skipped := 0
	if line, rest, ok := strings.Cut(text, "\n"); ok && len(line) <= len("sep=;\r") { // what spreadsheets put first
		if said, ok := strings.CutPrefix(strings.TrimRight(line, "\r"), "sep="); ok && len(said) == 1 {
			text, sep, skipped = rest, rune(said[0]), 1
		}
	}
	if sep == 0 {
		sep = separator(text)
	}
	if sep == 0 {
		sep = ','
	}
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.LazyQuotes, r.FieldsPerRecord, r.ReuseRecord = sep, true, -1, true
	header, err := r.Read()
	if err != nil {
		return fmt.Errorf("data: %q: its first row, which names the columns: %w", p.set.Name, err)
	}
	if len(header) > maxColumns {
		return fmt.Errorf("data: %q has %d columns, and at most %d are read", p.set.Name, len(header), maxColumns)
	}
	var names []string
	for i, name := range header {
		name = strings.Clone(strings.TrimSpace(name))
		if name == "" {
			name = "column " + strconv.Itoa(i+1) // an index, mostly
		}
		if slices.Contains(names, name) {
			return fmt.Errorf("data: %q names the column %q twice: rename one", p.set.Name, short(name))
		}
		names = append(names, name)
	}
	if err := p.knownColumns(names); err != nil {
		return err
	}
	p.set.Notes = append(p.set.Notes, fmt.Sprintf("the file is a table whose cells are separated by %s: %s", separatorName(sep), strings.Join(names, ", ")))
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		line, last := 0, 0
		if len(cells) > 0 {
			line, _ = r.FieldPos(0)
			last, _ = r.FieldPos(len(cells) - 1)
			line, last = line+skipped, last+skipped+strings.Count(cells[len(cells)-1], "\n")
		}
		switch {
		case err != nil:
			var bad *csv.ParseError
			if errors.As(err, &bad) {
				line = bad.Line + skipped
			}
			p.set.Errors = append(p.set.Errors, LineError{line, line, fmt.Sprintf("is no row of a table: %v", err)})
		case blankRow(cells):
			continue
		case len(cells) != len(names):
			p.set.Errors = append(p.set.Errors, LineError{line, last, fmt.Sprintf("has %s, and the first row names %d: a text that holds the separator or a line break stands in double quotes", plural(len(cells), "cell"), len(names))})
		default:
			at := p.place()
			if at < 0 {
				continue
			}
			v := value{kind: objectKind}
			for i, cell := range cells {
				v.fields = append(v.fields, field{names[i], value{kind: stringKind, text: strings.Clone(cell)}})
			}
			if err := p.example(v, line, last, at); err != nil {
				p.bad(LineError{line, last, err.Error()}, at)
			}
		}
		if len(p.set.Errors) > p.opts.MaxErrors {
			return fmt.Errorf("data: %q has more than %d bad rows; the first is %w", p.set.Name, p.opts.MaxErrors, p.set.Errors[0])
		}
	}
}

func separatorName(sep rune) string {
	if name, ok := separatorNames[sep]; ok {
		return name
	}
	return strconv.QuoteRune(sep)
}

func blankRow(cells []string) bool {
	return !slices.ContainsFunc(cells, func(c string) bool { return !blank(c) })
}

// knownColumns refuses a table none of whose columns mean anything here, once instead of
// row by row.
func (p *parser) knownColumns(names []string) error {
	v := value{kind: objectKind}
	for _, name := range names {
		v.fields = append(v.fields, field{key: name})
	}
	if _, err := p.match(v); err != nil {
		return fmt.Errorf("data: %q is a table with the columns %s: say which of them holds the prompt and which the completion, or rename two to \"prompt\" and \"completion\"", p.set.Name, braced(names))
	}
	return nil
}

package data

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// Options bounds what Parse reads. The zero value has sensible limits.
type Options struct {
	MaxBytes  int // the largest file read; 0 is DefaultMaxBytes
	MaxErrors int // reading stops with an error beyond so many bad lines; 0 is DefaultMaxErrors
	// Prompt and Completion, if set, are the keys, or columns, that hold them.
	Prompt, Completion string
	MaxRows            int // of a file with more examples so many, chosen at random, are kept; 0 is DefaultMaxRows
}

// The limits of the zero Options.
const (
	DefaultMaxBytes  = 64 << 20
	DefaultMaxErrors = 10000
	DefaultMaxRows   = 20000
)

// A Set is what a file holds. Every record of the file that is not blank is in
// Examples or in Errors, unless there are more than MaxRows: then a note says so.
type Set struct {
	Name     string
	Shape    Shape       // of most examples; Document for plain text
	Examples []Example   // in the file's order
	Errors   []LineError // in the file's order
	Notes    []string    // what was changed or left unused on the way, in plain words
	Document string      // the text of a .txt or .md file
}

// A LineError is a record that is no example. It spans the lines Line to Last,
// counted from 1.
type LineError struct {
	Line, Last int
	Message    string // without the line: `"completion" is missing`
}

func (e LineError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Message) }

// Parse reads a person's file of examples. The name's ending tells plain text
// (.txt, .md) from records; anything else about the file is found out from its
// bytes. The error is of the whole file (empty, binary, too large, a table); what
// is wrong with single records is in Set.Errors.
func Parse(name string, content []byte, opts Options) (*Set, error) {
	if opts.MaxBytes == 0 {
		opts.MaxBytes = DefaultMaxBytes
	}
	if opts.MaxErrors == 0 {
		opts.MaxErrors = DefaultMaxErrors
	}
	if opts.MaxRows == 0 {
		opts.MaxRows = DefaultMaxRows
	}
	if len(content) > opts.MaxBytes {
		return nil, fmt.Errorf("data: %q has %s, and at most %s are read: a few thousand examples are plenty for a prefix, so keep a part (head -n 5000 %s > part.jsonl)",
			name, size(len(content)), size(opts.MaxBytes), path.Base(name))
	}
	text, notes, err := decode(content)
	if err != nil {
		return nil, fmt.Errorf("data: %q %w", name, err)
	}
	if blank(text) {
		return nil, fmt.Errorf("data: %q is empty: it wants one example a line, like {\"prompt\": \"…\", \"completion\": \"…\"}", name)
	}
	p := parser{set: &Set{Name: name, Notes: notes}, text: text, lines: lineCounter{text: text}, opts: opts}
	ext := strings.ToLower(path.Ext(name))
	switch {
	case prose[ext] && !p.startsWithObject():
		p.set.Shape = Document
		p.set.Document = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
		if strings.ContainsRune(text, 0) {
			p.set.Notes = append(p.set.Notes, "the text holds NUL characters, which were kept")
		}
		return p.set, nil
	}
	switch {
	case ext == ".tsv" || ext == ".tab":
		err = p.table('\t')
	case ext == ".csv" || looksLikeTable(text):
		err = p.table(0)
	default:
		err = p.records()
	}
	if err != nil {
		return nil, err
	}
	p.finish()
	return p.set, nil
}

var prose = map[string]bool{".txt": true, ".text": true, ".md": true, ".markdown": true}

func size(n int) string {
	if n < 1<<20 {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%.0f MiB", float64(n)/(1<<20))
}

// finish puts a sample in order and sums up the notes.
func (p *parser) finish() {
	if p.rows > p.opts.MaxRows {
		slices.SortFunc(p.set.Examples, func(a, b Example) int { return a.Line - b.Line })
		p.set.Notes = append(p.set.Notes, fmt.Sprintf("the file has %d examples, more than can be used: %d of them, chosen at random, were read", p.rows, len(p.set.Examples)))
	}
	count := map[Shape]int{}
	for _, e := range p.set.Examples {
		count[e.Shape]++
	}
	var kinds []string
	for _, s := range shapes {
		if n := count[s.shape]; n > 0 {
			kinds = append(kinds, fmt.Sprintf("%d × %s", n, s.keys()))
			if n > count[p.set.Shape] {
				p.set.Shape = s.shape
			}
		}
	}
	if len(kinds) > 1 {
		p.set.Notes = append(p.set.Notes, "the file mixes formats: "+strings.Join(kinds, ", "))
	}
	p.set.Notes = append(p.set.Notes, p.tally.notes()...)
}

// maxNotes bounds the kinds of notes: a file may have other keys in every record.
const maxNotes = 100

// A tally collects which lines a note is about, in the order of their first lines.
type tally struct {
	order []string
	lines map[string]*noted
}

// noted is how many lines a note is about, and the first of them.
type noted struct {
	first []int
	last  int
	count int
}

func (t *tally) add(line int, note string) {
	if t.lines == nil {
		t.lines = map[string]*noted{}
	}
	of, known := t.lines[note]
	if !known && len(t.order) >= maxNotes {
		note = "more was changed or not used than is listed here"
		of, known = t.lines[note]
	}
	if !known {
		t.order = append(t.order, note)
		of = &noted{}
		t.lines[note] = of
	}
	if of.last == line {
		return
	}
	of.last = line
	if of.count++; len(of.first) <= mostLines {
		of.first = append(of.first, line)
	}
}

func (t *tally) notes() []string {
	var out []string
	for _, note := range t.order {
		out = append(out, fmt.Sprintf("%s (%s)", note, lineList(t.lines[note].first, t.lines[note].count)))
	}
	return out
}

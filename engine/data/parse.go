package data

import (
	"errors"
	"fmt"
	"path"
	"strings"
)

// Options bounds what Parse reads. The zero value has sensible limits.
type Options struct {
	MaxBytes  int // the largest file read; 0 is DefaultMaxBytes
	MaxErrors int // reading stops with an error beyond so many bad lines; 0 is DefaultMaxErrors
}

// The limits of the zero Options.
const (
	DefaultMaxBytes  = 64 << 20
	DefaultMaxErrors = 10000
)

// A Set is what a file holds. Every record of the file that is not blank is in
// Examples or in Errors.
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
	case ext == ".csv" || ext == ".tsv":
		return nil, tableError(name)
	case prose[ext] && !p.startsWithObject():
		p.set.Shape = Document
		p.set.Document = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
		if strings.ContainsRune(text, 0) {
			p.set.Notes = append(p.set.Notes, "the text holds NUL characters, which were kept")
		}
		return p.set, nil
	}
	if err := p.records(); err != nil {
		return nil, err
	}
	if len(p.set.Examples) == 0 && isTable(text) {
		return nil, tableError(name)
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

func tableError(name string) error {
	return fmt.Errorf("data: %q is a table (CSV): save it as JSON Lines with the columns \"prompt\" and \"completion\"; in Python: pandas.read_csv(%q).to_json(\"examples.jsonl\", orient=\"records\", lines=True)", name, path.Base(name))
}

// isTable reports whether no line opens an object and the first two have the same
// number of separators.
func isTable(text string) bool {
	lines := strings.FieldsFunc(text, func(c rune) bool { return c == '\n' || c == '\r' })
	if len(lines) < 2 || strings.ContainsAny(lines[0], "{[") {
		return false
	}
	for _, sep := range []string{",", "\t", ";"} {
		if n := strings.Count(lines[0], sep); n > 0 && n == strings.Count(lines[1], sep) {
			return true
		}
	}
	return false
}

// gap holds the characters that may stand between records. U+FEFF is among them:
// it is what joining two files with a byte-order mark leaves behind.
const gap = " \t\r\n\v\f\ufeff"

func blank(s string) bool { return strings.Trim(s, gap) == "" }

// A parser cuts text into records and makes an example or an error of each.
type parser struct {
	set   *Set
	text  string
	pos   int
	lines lineCounter
	opts  Options
	tally tally
}

func (p *parser) skip(chars string) {
	rest := p.text[p.pos:]
	p.pos += len(rest) - len(strings.TrimLeft(rest, chars))
}

// startsWithObject reports whether a file named as text holds records after all.
func (p *parser) startsWithObject() bool {
	text := strings.TrimLeft(p.text, gap)
	r := reader{src: text}
	if text[0] == '[' {
		r.pos++
	}
	if r.peek() != '{' {
		return false
	}
	_, err := r.value(0)
	return err == nil
}

// records reads JSON Lines, objects one after another over any number of lines,
// and lists of objects.
func (p *parser) records() error {
	listLine := 0 // the line of the open list's bracket; 0 outside of a list
	comma := false
	for {
		p.skip(gap)
		if p.pos == len(p.text) {
			break
		}
		if len(p.set.Errors) > p.opts.MaxErrors {
			return fmt.Errorf("data: %q has more than %d bad lines; the first is %w", p.set.Name, p.opts.MaxErrors, p.set.Errors[0])
		}
		c := p.text[p.pos]
		switch {
		case c == '{':
			p.object()
			comma = false
		case c == ',' && !comma && (listLine > 0 || len(p.set.Examples)+len(p.set.Errors) > 0):
			p.pos++ // between a list's items; also "},\n{" that somebody cut out of a list
			comma = true
		case c == ']' && listLine > 0:
			listLine = 0
			p.pos++
		case c == '[' && listLine == 0 && p.opensList():
			listLine = p.lines.at(p.pos)
			p.pos++
		case listLine > 0 && p.badItem():
			comma = false
		default:
			p.badLine()
		}
	}
	if listLine > 0 {
		last := p.lines.at(len(p.text))
		p.set.Errors = append(p.set.Errors, LineError{last, last, fmt.Sprintf("the file ends before the list that opens in line %d is closed: it was cut off while copying or downloading", listLine)})
	}
	return nil
}

// opensList reports whether the bracket at pos opens a list of objects.
func (p *parser) opensList() bool {
	rest := strings.TrimLeft(p.text[p.pos+1:], gap)
	return rest != "" && (rest[0] == '{' || rest[0] == ']')
}

// object reads the object at pos. Where that fails, the record ends with its last
// brace in the same line, or with the line; that of an object whose opening brace
// has a line for itself goes on to the next that opens as far to the left.
func (p *parser) object() {
	start, line := p.pos, p.lines.at(p.pos)
	r := reader{src: p.text, pos: start}
	v, err := r.value(0)
	if err == nil {
		p.pos = r.pos
		last := p.lines.at(r.pos)
		if len(r.same) > 0 {
			err = fmt.Errorf("the key %q is there twice", r.same[0])
		} else {
			if r.lone > 0 {
				p.tally.add(line, "half a character (a lone surrogate) became �")
			}
			if r.raw > 0 {
				p.tally.add(line, "a control character inside a text was kept")
			}
			err = p.example(v, line, last)
		}
		if err != nil {
			p.set.Errors = append(p.set.Errors, LineError{line, last, err.Error()})
		}
		return
	}
	var syntax *syntaxError
	errors.As(err, &syntax)
	end := start + closing(p.text[start:])
	if end == start {
		if end = p.lineEnd(start); blank(p.text[start+1 : end]) {
			end = p.nextOpening(start, end)
		}
	}
	end = start + len(strings.TrimRight(p.text[start:end], gap+","))
	message := "is not valid JSON: " + err.Error()
	if blank(strings.TrimLeft(p.text[min(syntax.at, len(p.text)):], gap)) {
		message = "the file ends in the middle of this example: it was cut off while copying or downloading"
	} else if more := (&lineCounter{text: p.text[start:]}).at(syntax.at - start); more > 1 {
		message += fmt.Sprintf(" (in line %d)", line+more-1)
	}
	p.pos = end
	p.set.Errors = append(p.set.Errors, LineError{line, p.lines.at(end), message})
}

func (p *parser) lineEnd(at int) int {
	if i := strings.IndexAny(p.text[at:], "\r\n"); i >= 0 {
		return at + i
	}
	return len(p.text)
}

// closing is the length of the object that s starts with, judged by its braces and
// quotes alone; 0 if it isn't closed in its line.
func closing(s string) int {
	depth, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\n' || c == '\r':
			return 0
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{':
			depth++
		case c == '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}

// nextOpening is the first line start from pos on whose first character is a brace
// that stands no further right than the one at start.
func (p *parser) nextOpening(start, pos int) int {
	indent := start - (strings.LastIndexAny(p.text[:start], "\r\n") + 1)
	for pos < len(p.text) {
		pos++ // over the line's end
		end := p.lineEnd(min(pos, len(p.text)))
		line := p.text[min(pos, len(p.text)):end]
		body := strings.TrimLeft(line, " \t\ufeff")
		if len(line)-len(body) <= indent && strings.HasPrefix(body, "{") {
			return pos
		}
		pos = end
	}
	return len(p.text)
}

// badItem makes an error of a list's item that is JSON but no object.
func (p *parser) badItem() bool {
	r := reader{src: p.text, pos: p.pos}
	v, err := r.value(0)
	if err != nil {
		return false
	}
	line := p.lines.at(p.pos)
	p.pos = r.pos
	p.set.Errors = append(p.set.Errors, LineError{line, p.lines.at(r.pos), fmt.Sprintf("an item of the list is %s, not an object", v.kind)})
	return true
}

// badLine makes an error of a line, or what is left of it, that opens no object.
func (p *parser) badLine() {
	end := p.lineEnd(p.pos)
	line := p.lines.at(p.pos)
	what := p.text[p.pos:end]
	message := fmt.Sprintf("is not a JSON object: it starts with %s", quoteStart(what))
	switch {
	case what[0] == '[':
		message = fmt.Sprintf("is a list, not an object: want one like %s", shapes[0].keys())
	case strings.HasPrefix(what, `"`) && strings.Contains(what, `":`):
		message = fmt.Sprintf("is not a JSON object: it starts with %s, perhaps a part of an object whose opening brace is lost", quoteStart(what))
	}
	p.pos = end
	p.set.Errors = append(p.set.Errors, LineError{line, line, message})
}

// finish sums up the notes.
func (p *parser) finish() {
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
		p.set.Notes = append(p.set.Notes, "the file mixes shapes: "+strings.Join(kinds, ", "))
	}
	p.set.Notes = append(p.set.Notes, p.tally.notes()...)
}

// maxNotes bounds the kinds of notes: a file may have other keys in every record.
const maxNotes = 100

// A tally collects which lines a note is about, in the order of their first lines.
type tally struct {
	order []string
	lines map[string][]int
}

func (t *tally) add(line int, note string) {
	if t.lines == nil {
		t.lines = map[string][]int{}
	}
	of, known := t.lines[note]
	if !known && len(t.order) >= maxNotes {
		note = "more was changed or not used than is listed here"
		of, known = t.lines[note]
	}
	if !known {
		t.order = append(t.order, note)
	}
	if len(of) == 0 || of[len(of)-1] != line {
		t.lines[note] = append(of, line)
	}
}

func (t *tally) notes() []string {
	var out []string
	for _, note := range t.order {
		out = append(out, fmt.Sprintf("%s (%s)", note, lineList(t.lines[note])))
	}
	return out
}

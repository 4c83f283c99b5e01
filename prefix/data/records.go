package data

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
)

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

	rows   int // examples so far, those that a sample leaves out among them
	chance *rand.Rand
}

// place says where in the set's examples the next one goes: at the end while there is
// room, then in place of one that chance chooses (reservoir sampling), or, by -1,
// nowhere. It is the same for the same file.
func (p *parser) place() int {
	if p.rows++; p.rows <= p.opts.MaxRows {
		return len(p.set.Examples)
	}
	if p.chance == nil {
		p.chance = rand.New(rand.NewPCG(uint64(len(p.text)), 0x526f7773)) // a stream of its own: "Rows"
	}
	if at := p.chance.IntN(p.rows); at < p.opts.MaxRows {
		return at
	}
	return -1
}

// add puts an example in its place.
func (p *parser) add(e Example, at int) {
	if at < len(p.set.Examples) {
		p.set.Examples[at] = e
		return
	}
	p.set.Examples = append(p.set.Examples, e)
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
	at := p.place()
	if at < 0 {
		if n := closing(p.text[start:]); n > 0 { // left out unread
			p.pos = start + n
			return
		}
	}
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
			err = p.example(v, line, last, at)
		}
		if err != nil {
			p.bad(LineError{line, last, err.Error()}, at)
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
	p.bad(LineError{line, p.lines.at(end), message}, at)
}

// bad notes a record that is no example and had a place.
func (p *parser) bad(e LineError, at int) {
	if at == len(p.set.Examples) && p.chance == nil {
		p.rows--
	}
	p.set.Errors = append(p.set.Errors, e)
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

package data

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// A JSON reader of its own (RFC 8259), because encoding/json is silent about what
// people must hear of: the last of two equal keys wins there, a lone surrogate
// becomes U+FFFD, and a number loses its digits on the way to text.

// Bounds of one record, so that hostile input exhausts neither stack nor memory nor
// patience (equal keys are found by comparing all).
const (
	maxDepth  = 64
	maxValues = 1 << 19
	maxKeys   = 256 // of an object
)

type kind byte

const (
	nullKind kind = iota
	boolKind
	numberKind
	stringKind
	listKind
	objectKind
)

func (k kind) String() string {
	return [...]string{"null", "a boolean", "a number", "text", "a list", "an object"}[k]
}

// A value is one JSON value. text holds a string's characters, or a number or
// boolean as written.
type value struct {
	kind   kind
	text   string
	list   []value
	fields []field
}

type field struct {
	key   string
	value value
}

func (v value) get(key string) (value, bool) {
	for _, f := range v.fields {
		if f.key == key {
			return f.value, true
		}
	}
	return value{}, false
}

// A syntaxError is where, in bytes from the text's start, reading failed.
type syntaxError struct {
	at  int
	why string
}

func (e *syntaxError) Error() string { return e.why }

// A reader reads one value at pos. values counts what was read; lone counts escaped
// surrogates without their other half, which become U+FFFD; raw counts control
// characters inside strings, which JSON forbids and which are kept as they are; same
// names keys that an object has twice.
type reader struct {
	src    string
	pos    int
	values int
	lone   int
	raw    int
	same   []string
}

func (r *reader) fail(format string, args ...any) error {
	return &syntaxError{r.pos, fmt.Sprintf(format, args...)}
}

func (r *reader) space() {
	for r.pos < len(r.src) && strings.IndexByte(" \t\r\n", r.src[r.pos]) >= 0 {
		r.pos++
	}
}

// peek returns the next byte after white space, 0 at the end.
func (r *reader) peek() byte {
	r.space()
	if r.pos == len(r.src) {
		return 0
	}
	return r.src[r.pos]
}

func (r *reader) value(depth int) (value, error) {
	if depth > maxDepth {
		return value{}, r.fail("nested more than %d levels deep", maxDepth)
	}
	if r.values++; r.values > maxValues {
		return value{}, r.fail("one object with more than %d values", maxValues)
	}
	switch c := r.peek(); {
	case c == '{':
		return r.object(depth)
	case c == '[':
		return r.array(depth)
	case c == '"':
		s, err := r.str()
		return value{kind: stringKind, text: s}, err
	case c == '-' || '0' <= c && c <= '9':
		return r.number()
	}
	for _, w := range []struct {
		word string
		kind kind
	}{{"null", nullKind}, {"true", boolKind}, {"false", boolKind}} {
		if strings.HasPrefix(r.src[r.pos:], w.word) {
			r.pos += len(w.word)
			return value{kind: w.kind, text: w.word}, nil
		}
	}
	return value{}, r.expected("a value")
}

// expected says what was wanted and what stands there instead.
func (r *reader) expected(what string) error {
	if r.pos >= len(r.src) {
		return r.fail("the file ends where %s should be", what)
	}
	c, _ := utf8.DecodeRuneInString(r.src[r.pos:])
	if c == '\'' {
		return r.fail("want %s, found a single quote: JSON wants double quotes", what)
	}
	return r.fail("want %s, found %q", what, c)
}

func (r *reader) object(depth int) (value, error) {
	v := value{kind: objectKind}
	r.pos++
	if r.peek() == '}' {
		r.pos++
		return v, nil
	}
	for {
		if r.peek() != '"' {
			return v, r.expected(`a key in double quotes`)
		}
		key, err := r.str()
		if err != nil {
			return v, err
		}
		if r.peek() != ':' {
			return v, r.expected(fmt.Sprintf("a colon after %q", short(key)))
		}
		r.pos++
		item, err := r.value(depth + 1)
		if err != nil {
			return v, err
		}
		if _, twice := v.get(key); twice {
			r.same = append(r.same, key)
		}
		v.fields = append(v.fields, field{key, item})
		if len(v.fields) > maxKeys {
			return v, r.fail("an object with more than %d keys", maxKeys)
		}
		switch r.peek() {
		case ',':
			r.pos++
		case '}':
			r.pos++
			return v, nil
		default:
			return v, r.expected(`a comma or "}"`)
		}
	}
}

func (r *reader) array(depth int) (value, error) {
	v := value{kind: listKind}
	r.pos++
	if r.peek() == ']' {
		r.pos++
		return v, nil
	}
	for {
		item, err := r.value(depth + 1)
		if err != nil {
			return v, err
		}
		v.list = append(v.list, item)
		switch r.peek() {
		case ',':
			r.pos++
		case ']':
			r.pos++
			return v, nil
		default:
			return v, r.expected(`a comma or "]"`)
		}
	}
}

func (r *reader) digits() bool {
	start := r.pos
	for r.pos < len(r.src) && '0' <= r.src[r.pos] && r.src[r.pos] <= '9' {
		r.pos++
	}
	return r.pos > start
}

func (r *reader) number() (value, error) {
	start := r.pos
	take := func(chars string) bool {
		if r.pos < len(r.src) && strings.IndexByte(chars, r.src[r.pos]) >= 0 {
			r.pos++
			return true
		}
		return false
	}
	take("-")
	if !take("0") && !r.digits() {
		return value{}, r.expected("a digit")
	}
	if take(".") && !r.digits() {
		return value{}, r.expected("a digit")
	}
	if take("eE") {
		take("+-")
		if !r.digits() {
			return value{}, r.expected("a digit")
		}
	}
	return value{kind: numberKind, text: r.src[start:r.pos]}, nil
}

// str reads a string whose opening quote is at pos.
func (r *reader) str() (string, error) {
	open := r.pos
	r.pos++
	start := r.pos
	var b strings.Builder
	for r.pos < len(r.src) {
		switch c := r.src[r.pos]; {
		case c == '"':
			s := r.src[start:r.pos]
			r.pos++
			if b.Len() == 0 {
				return strings.Clone(s), nil // the file's text need not stay in memory
			}
			b.WriteString(s)
			return b.String(), nil
		case c == '\n' || c == '\r':
			why := `a text in quotes is not closed at the end of its line; a line break inside a text is written \n`
			return "", &syntaxError{r.pos, why}
		case c == '\\':
			b.WriteString(r.src[start:r.pos])
			if err := r.escape(&b); err != nil {
				return "", err
			}
			start = r.pos
		default:
			if c < 0x20 {
				r.raw++
			}
			r.pos++
		}
	}
	return "", r.fail("the file ends inside a text in quotes that opens with %s", quoteStart(r.src[open:]))
}

func (r *reader) escape(b *strings.Builder) error {
	if r.pos+1 >= len(r.src) {
		r.pos = len(r.src)
		return r.fail("the file ends inside an escape")
	}
	c := r.src[r.pos+1]
	if i := strings.IndexByte(`"\/bfnrt`, c); i >= 0 {
		b.WriteByte("\"\\/\b\f\n\r\t"[i])
		r.pos += 2
		return nil
	}
	if c != 'u' {
		bad, _ := utf8.DecodeRuneInString(r.src[r.pos+1:])
		return r.fail(`%q is no escape of JSON; a backslash itself is written \\`, `\`+string(bad))
	}
	u, ok := r.hex4(r.pos + 2)
	if !ok {
		return r.fail(`\u wants four hexadecimal digits`)
	}
	r.pos += 6
	if utf16.IsSurrogate(u) {
		if strings.HasPrefix(r.src[r.pos:], `\u`) {
			if low, ok := r.hex4(r.pos + 2); ok {
				if pair := utf16.DecodeRune(u, low); pair != utf8.RuneError {
					r.pos += 6
					b.WriteRune(pair)
					return nil
				}
			}
		}
		r.lone++
		u = utf8.RuneError
	}
	b.WriteRune(u)
	return nil
}

func (r *reader) hex4(at int) (rune, bool) {
	if at+4 > len(r.src) {
		return 0, false
	}
	u, err := strconv.ParseUint(r.src[at:at+4], 16, 16)
	return rune(u), err == nil
}

// quoteStart is the first few characters of s, quoted for a message.
func quoteStart(s string) string { return strconv.Quote(short(s)) }

// short is the start of the first line of s, for a message.
func short(s string) string {
	if i := strings.IndexAny(s, "\r\n"); i >= 0 {
		s = s[:i]
	}
	const most = 24
	n := 0
	for i := range s {
		if n++; n > most {
			return s[:i] + "…"
		}
	}
	return s
}

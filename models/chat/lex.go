package chat

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A segment is a stretch of template text: plain text, or the inside of
// {{ … }} or {% … %} as tokens.
type segment struct {
	kind   segmentKind
	text   string
	tokens []token
	line   int
}

type segmentKind uint8

const (
	textSegment segmentKind = iota
	printSegment
	tagSegment
)

// A token is a name, a literal or an operator of an expression.
type token struct {
	kind  tokenKind
	text  string // name or operator
	value any    // of a literal: string, int64 or float64
}

type tokenKind uint8

const (
	endToken tokenKind = iota
	nameToken
	literalToken
	operatorToken
)

// lex cuts a template into segments and does the white-space control: "-" beside
// a delimiter takes all white space there; else a tag or comment takes the blanks
// before it on its line (lstrip_blocks) and the line break after it
// (trim_blocks); "+" turns these off.
func lex(source string) ([]segment, error) {
	source = strings.ReplaceAll(source, "\r\n", "\n")
	source = strings.TrimSuffix(source, "\n")
	var segments []segment
	line := 1
	lineStart := true // the text that follows starts a line
	trim := false     // the delimiter before took the white space after it
	for {
		text, rest := source, ""
		open := nextDelimiter(source)
		if open >= 0 {
			text, rest = source[:open], source[open:]
		}
		lines := strings.Count(text, "\n")
		if trim {
			text = strings.TrimLeftFunc(text, unicode.IsSpace)
		}
		if open >= 0 {
			switch sign := at(rest, 2); {
			case sign == '-':
				text = strings.TrimRightFunc(text, unicode.IsSpace)
			case sign != '+' && rest[1] != '{':
				start := strings.LastIndexByte(text, '\n') + 1
				if (start > 0 || lineStart) && strings.TrimSpace(text[start:]) == "" {
					text = text[:start]
				}
			}
		}
		if text != "" {
			segments = append(segments, segment{kind: textSegment, text: text, line: line})
		}
		line += lines
		if open < 0 {
			return segments, nil
		}
		body, after, tokens, err := lexDelimited(rest, line)
		if err != nil {
			return nil, err
		}
		switch rest[1] {
		case '{':
			segments = append(segments, segment{kind: printSegment, tokens: tokens, line: line})
		case '%':
			segments = append(segments, segment{kind: tagSegment, tokens: tokens, line: line})
		}
		line += strings.Count(rest[:len(rest)-len(after)], "\n")
		if len(tokens) == 1 && rest[1] == '%' && tokens[0].is(nameToken, "raw") {
			segments = segments[:len(segments)-1] // the tag itself
			text, next, err := rawText(after, strings.HasSuffix(body, "-"), line)
			if err != nil {
				return nil, err
			}
			segments = append(segments, segment{kind: textSegment, text: text, line: line})
			line += strings.Count(after[:len(after)-len(next)], "\n")
			trim, lineStart, source = false, false, next
			continue
		}
		trim = strings.HasSuffix(body, "-")
		lineStart = false
		if rest[1] != '{' && !trim && !strings.HasSuffix(body, "+") && strings.HasPrefix(after, "\n") {
			after = after[1:]
			line++
			lineStart = true
		}
		source = after
	}
}

var endRaw = regexp.MustCompile(`\{%([-+]?)\s*endraw\s*(?:\+%\}|-%\}\s*|%\}\n?)`)

// rawText reads what a raw block holds, up to its end, and returns what follows.
func rawText(s string, trim bool, line int) (text, after string, err error) {
	end := endRaw.FindStringSubmatchIndex(s)
	if end == nil {
		return "", "", fmt.Errorf("chat: line %d: raw without {%% endraw %%}", line)
	}
	text, after = s[:end[0]], s[end[1]:]
	if trim {
		text = strings.TrimLeftFunc(text, unicode.IsSpace)
	}
	start := strings.LastIndexByte(text, '\n') + 1
	switch sign := s[end[2]:end[3]]; {
	case sign == "-":
		text = strings.TrimRightFunc(text, unicode.IsSpace)
	case sign == "" && start > 0 && strings.TrimSpace(text[start:]) == "":
		text = text[:start]
	}
	return text, after, nil
}

// nextDelimiter returns where the next {{, {% or {# is, or -1.
func nextDelimiter(s string) int {
	for i := 0; i+1 < len(s); i++ {
		if s[i] == '{' && (s[i+1] == '{' || s[i+1] == '%' || s[i+1] == '#') {
			return i
		}
	}
	return -1
}

// lexDelimited reads a comment, print or tag that s starts with. body is what
// stands inside, with the sign before its end; after is what follows.
func lexDelimited(s string, line int) (body, after string, tokens []token, err error) {
	i := 2
	if c := at(s, i); c == '-' || c == '+' {
		i++
	}
	start := i
	if s[1] == '#' {
		size := strings.Index(s[start:], "#}")
		if size < 0 {
			return "", "", nil, fmt.Errorf("chat: line %d: comment without #}", line)
		}
		return s[start : start+size], s[start+size+2:], nil, nil
	}
	end := "}}"
	if s[1] == '%' {
		end = "%}"
	}
	depth := 0 // of brackets: a dict may end in }}
	for {
		for i < len(s) && strings.IndexByte(" \t\n\r\f\v", s[i]) >= 0 {
			i++
		}
		if i >= len(s) {
			return "", "", nil, fmt.Errorf("chat: line %d: %s without %s", line, s[:2], end)
		}
		rest := s[i:]
		sign := 0
		if rest[0] == '-' || rest[0] == '+' {
			sign = 1
		}
		if depth == 0 && strings.HasPrefix(rest[sign:], end) {
			return s[start : i+sign], rest[sign+len(end):], tokens, nil
		}
		t, size, err := lexToken(rest)
		if err != nil {
			return "", "", nil, fmt.Errorf("chat: line %d: %w", line+strings.Count(s[:i], "\n"), err)
		}
		switch t.text {
		case "(", "[", "{":
			if t.kind == operatorToken {
				depth++
			}
		case ")", "]", "}":
			if t.kind == operatorToken {
				depth--
			}
		}
		tokens = append(tokens, t)
		i += size
	}
}

var operators = []string{"**", "//", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "<", ">", "=", "(", ")", "[", "]", "{", "}", ",", ":", ".", "|"}

func lexToken(s string) (token, int, error) {
	switch c := s[0]; {
	case c == '\'' || c == '"':
		return lexString(s)
	case c >= '0' && c <= '9':
		return lexNumber(s)
	case c == '_' || c >= utf8.RuneSelf || unicode.IsLetter(rune(c)):
		end := 0
		for end < len(s) {
			r, size := utf8.DecodeRuneInString(s[end:])
			if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
				break
			}
			end += size
		}
		if end > 0 {
			return token{kind: nameToken, text: s[:end]}, end, nil
		}
	}
	for _, op := range operators {
		if strings.HasPrefix(s, op) {
			return token{kind: operatorToken, text: op}, len(op), nil
		}
	}
	r, _ := utf8.DecodeRuneInString(s)
	return token{}, 0, fmt.Errorf("unexpected character %q", r)
}

func lexNumber(s string) (token, int, error) {
	end, float := 0, false
	for end < len(s) {
		switch c := s[end]; {
		case c >= '0' && c <= '9', c == '_':
		case c == '.' && !float && at(s, end+1) >= '0' && at(s, end+1) <= '9':
			float = true
		case (c == 'e' || c == 'E') && end > 0 && exponent(s[end+1:]) > 0:
			float = true
			end += exponent(s[end+1:])
		default:
			goto done
		}
		end++
	}
done:
	digits := strings.ReplaceAll(s[:end], "_", "")
	var value any
	var err error
	if float {
		value, err = strconv.ParseFloat(digits, 64)
	} else {
		value, err = strconv.ParseInt(digits, 10, 64)
	}
	if err != nil {
		return token{}, 0, fmt.Errorf("number %q is out of range", s[:end])
	}
	return token{kind: literalToken, value: value}, end, nil
}

// exponent returns the length of the digits, and their sign, that s starts with;
// 0 if there are none.
func exponent(s string) int {
	end := 0
	if c := at(s, 0); c == '-' || c == '+' {
		end++
	}
	start := end
	for c := at(s, end); c >= '0' && c <= '9'; c = at(s, end) {
		end++
	}
	if end == start {
		return 0
	}
	return end
}

func lexString(s string) (token, int, error) {
	quote := s[0]
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == quote:
			return token{kind: literalToken, value: b.String()}, i + 1, nil
		case c == '\\' && i+1 < len(s):
			i++
			size, ok := 0, true
			switch e := s[i]; e {
			case 'n':
				b.WriteByte('\n')
			case 't':
				b.WriteByte('\t')
			case 'r':
				b.WriteByte('\r')
			case 'b':
				b.WriteByte('\b')
			case 'f':
				b.WriteByte('\f')
			case 'v':
				b.WriteByte('\v')
			case 'a':
				b.WriteByte('\a')
			case '0':
				b.WriteByte(0)
			case '\\', '\'', '"':
				b.WriteByte(e)
			case '\n': // goes on in the next line
			case 'x':
				size = 2
			case 'u':
				size = 4
			case 'U':
				size = 8
			default: // Python keeps what it doesn't know
				b.WriteByte('\\')
				b.WriteByte(e)
			}
			if size > 0 {
				var code uint64
				if ok = i+size < len(s); ok {
					var err error
					code, err = strconv.ParseUint(s[i+1:i+1+size], 16, 32)
					ok = err == nil && code <= unicode.MaxRune
				}
				if !ok {
					return token{}, 0, fmt.Errorf("bad escape \\%c in a string", s[i])
				}
				b.WriteRune(rune(code))
				i += size
			}
		default:
			b.WriteByte(c)
		}
	}
	return token{}, 0, fmt.Errorf("string without its closing %c", quote)
}

// at returns byte i of s, 0 past its end.
func at(s string, i int) byte {
	if i >= len(s) {
		return 0
	}
	return s[i]
}

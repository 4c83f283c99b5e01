package tokenizer

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Patterns of tokenizers beside those that have a scanner of their own.
const (
	patternGPT4o = `[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|` +
		`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|` +
		`\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	patternTekken = `[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|` +
		`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|` +
		`\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	patternQwen35 = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
)

// An expression cuts text by a regular expression of a tokenizer.json. It runs on RE2,
// whose time is linear in the text whatever the pattern: files come from strangers, and a
// backtracking engine can't be interrupted in a browser, where one thread does all. The
// one thing that tokenizers ask for and RE2 lacks is looking ahead in \s+(?!\S), white
// space but for the character before a word; that is done by hand.
type expression struct {
	re    *regexp.Regexp
	tails []int // groups that stand for \s+(?!\S)

	drop        bool // pieces of one kind are dropped: the matches, or what lies between them
	keepMatches bool
}

const (
	ahead = `\s+(?!\S)`
	// Unicode's white space, as the inside of a class; Go's \s is ASCII's.
	whites = `\t\n\v\f\r \x{85}\p{Z}`
	// Bounds on the program that a pattern becomes: its bytes, and counted repetitions.
	maxPattern = 1024
	maxCount   = 16
)

// newExpression translates a pattern. What it can't say exactly is refused: other
// look-arounds, back references, possessive and atomic groups.
func newExpression(pattern string) (*expression, error) {
	if len(pattern) > maxPattern {
		return nil, fmt.Errorf("the pattern has %d bytes, want at most %d", len(pattern), maxPattern)
	}
	e := &expression{}
	var b strings.Builder
	groups, class := 0, 0
	repeated := false // what came last is a quantifier
	for i := 0; i < len(pattern); {
		rest := pattern[i:]
		switch {
		case class == 0 && strings.HasPrefix(rest, ahead):
			if !strings.Contains(rest[len(ahead):], `|\s+`) {
				return nil, fmt.Errorf(`%q is supported where \s+ follows as an alternative`, ahead)
			}
			groups++
			e.tails = append(e.tails, groups)
			b.WriteString(`([` + whites + `]+)`)
			i += len(ahead)
			repeated = false
			continue
		case class == 0 && rest == `\s+$`: // the end of a line is the end of a piece, or stands before its \n
			b.WriteString(`[` + whites + `]+(?m:$)`)
			i = len(pattern)
			continue
		case rest[0] == '\\' && len(rest) > 1:
			switch rest[1] {
			case 's':
				if class == 0 {
					b.WriteString(`[` + whites + `]`)
				} else {
					b.WriteString(whites)
				}
			case 'S':
				if class > 0 {
					return nil, fmt.Errorf(`\S inside of brackets is not supported in %q`, pattern)
				}
				b.WriteString(`[^` + whites + `]`)
			case 'd':
				b.WriteString(`\p{Nd}`)
			case 'w', 'W', 'b', 'B', 'D', 'h', 'H', 'R', 'X', 'G', 'K', 'A', 'Z', 'z', 'Q', 'E', 'C', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
				return nil, fmt.Errorf(`\%c is not supported in %q`, rest[1], pattern)
			default:
				size := 2
				if end := strings.IndexByte(rest, '}'); strings.HasPrefix(rest[1:], "p{") && end > 0 || strings.HasPrefix(rest[1:], "P{") && end > 0 {
					size = end + 1
				}
				b.WriteString(rest[:size])
				i += size - 2
			}
			i += 2
			repeated = false
			continue
		case class == 0 && intersected.MatchString(rest):
			m := intersected.FindStringSubmatch(rest)
			set, err := intersect(m[1], m[2])
			if err != nil {
				return nil, err
			}
			b.WriteString(set)
			i += len(m[0])
			repeated = false
			continue
		case rest[0] == '[':
			if class > 0 {
				return nil, fmt.Errorf("brackets in brackets are not supported in %q", pattern)
			}
			// Engines disagree on whether this bracket ends the class or is in it.
			if strings.HasPrefix(rest, "[]") || strings.HasPrefix(rest, "[^]") {
				return nil, fmt.Errorf("a class that begins with %q is not supported in %q", "]", pattern)
			}
			class = 1
		case rest[0] == ']' && class > 0:
			class = 0
		case class > 0 && strings.HasPrefix(rest, "&&"):
			return nil, fmt.Errorf("an intersection of classes is not supported in %q", pattern)
		case class > 0:
		case strings.HasPrefix(rest, "(?"):
			prefix := "(?:"
			if strings.HasPrefix(rest, "(?i:") {
				prefix = "(?i:"
			}
			if !strings.HasPrefix(rest, prefix) {
				return nil, fmt.Errorf("the group %.4q is not supported in %q", rest, pattern)
			}
			b.WriteString(prefix)
			i += len(prefix)
			repeated = false
			continue
		case rest[0] == '(':
			groups++
		case rest[0] == '+' && repeated:
			return nil, fmt.Errorf("a possessive %q is not supported in %q", pattern[i-1:i+1], pattern)
		case rest[0] == '{':
			for _, n := range strings.FieldsFunc(rest[1:max(1, strings.IndexByte(rest, '}'))], func(c rune) bool { return c == ',' }) {
				if count, err := strconv.Atoi(n); err != nil || count > maxCount {
					return nil, fmt.Errorf("the repetition %.8q is not supported in %q, want at most %d", rest, pattern, maxCount)
				}
			}
		case rest[0] == '^' || rest[0] == '$':
			return nil, fmt.Errorf("%q is not supported in %q", rest[:1], pattern)
		}
		repeated = class == 0 && strings.IndexByte("?*+}", rest[0]) >= 0
		b.WriteByte(rest[0])
		i++
	}
	re, err := regexp.Compile(b.String())
	if err != nil {
		return nil, fmt.Errorf("%q is not supported: %w", pattern, err)
	}
	if re.NumSubexp() != groups {
		return nil, fmt.Errorf("the groups of %q are not supported", pattern)
	}
	e.re = re
	return e, nil
}

// intersected is a class of what is in two classes, [a&&[b]]; RE2 has none.
var intersected = regexp.MustCompile(`^\[((?:[^\[\]&\\]|\\[^\[\]&])+)&&\[((?:[^\[\]&\\]|\\[^\[\]&])+)\]\]`)

// intersect writes [a&&[b]] as one class, from what stands within the brackets.
func intersect(a, b string) (string, error) {
	var sets [2][]rune // ranges, first and last by turns
	for i, inside := range []string{a, b} {
		e, err := newExpression("[" + inside + "]")
		if err != nil {
			return "", err
		}
		re, err := syntax.Parse(e.re.String(), syntax.Perl)
		if err != nil {
			return "", err
		}
		switch re.Op {
		case syntax.OpCharClass:
			sets[i] = re.Rune
		case syntax.OpLiteral:
			sets[i] = []rune{re.Rune[0], re.Rune[0]}
		default:
			return "", fmt.Errorf("the class [%s&&[%s]] is not supported", a, b)
		}
	}
	var ranges strings.Builder
	for x, y := sets[0], sets[1]; len(x) > 0 && len(y) > 0; {
		if from, to := max(x[0], y[0]), min(x[1], y[1]); from <= to {
			fmt.Fprintf(&ranges, `\x{%x}-\x{%x}`, from, to)
		}
		if x[1] < y[1] {
			x = x[2:]
		} else {
			y = y[2:]
		}
	}
	if ranges.Len() == 0 {
		return `[^\x{0}-\x{10ffff}]`, nil
	}
	return "[" + ranges.String() + "]", nil
}

// split hands out each match, and what lies between matches, as pieces of their own; where one
// kind is dropped, the other.
func (e *expression) split(piece string, at place, emit func(string, place)) {
	hand := func(n int, match bool) {
		if n > 0 {
			if !e.drop || match == e.keepMatches {
				emit(piece[:n], at)
			}
			piece, at = piece[n:], inside
		}
	}
	for piece != "" {
		from, to := e.find(piece)
		if to == 0 {
			break
		}
		hand(from, false)
		hand(to-from, true)
	}
	hand(len(piece), false)
}

// find returns where the first match is that is not empty; 0, 0 if there is none.
func (e *expression) find(s string) (from, to int) {
	m := e.re.FindStringSubmatchIndex(s)
	for skip := 0; m != nil && m[0] == m[1]; { // an empty match: look behind the next character
		_, size := utf8.DecodeRuneInString(s[skip+m[0]:])
		if skip += m[0] + max(size, 1); skip >= len(s) {
			return 0, 0
		}
		if m = e.re.FindStringSubmatchIndex(s[skip:]); m != nil && m[0] < m[1] {
			for i := range m {
				if m[i] >= 0 {
					m[i] += skip
				}
			}
		}
	}
	if m == nil {
		return 0, 0
	}
	for _, g := range e.tails {
		// The white space before a word is given back but for its last character; a
		// single one is what the alternative \s+ matches.
		if m[2*g] == m[0] && m[2*g+1] == m[1] && m[1] < len(s) {
			if _, size := utf8.DecodeLastRuneInString(s[:m[1]]); size < m[1]-m[0] {
				return m[0], m[1] - size
			}
		}
	}
	return m[0], m[1]
}

package tokenizer

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A splitter cuts a piece of text into smaller pieces and hands each to emit.
type splitter func(piece string, at place, emit func(piece string, at place))

// A place is where a piece of text stands.
type place uint8

const (
	begin  place = iota // at the start of a text
	inside              // after something else
	more                // at the start of a text that goes on from another
)

// A scanner returns the length in bytes of the first word of s, which is not
// empty. Each scanner is one of the regular expressions below, by hand: Go's
// regexp has no lookahead and is ten times slower.
type scanner func(s string) int

// The regular expressions by which tokenizer.json names the scanners.
const (
	patternGPT2   = `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
	patternLlama3 = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	patternQwen2  = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
)

var scanners = map[string]scanner{
	patternGPT2:   scanGPT2,
	patternLlama3: func(s string) int { return scanLlama3(s, 3) },
	patternQwen2:  func(s string) int { return scanLlama3(s, 1) },
}

func (scan scanner) split(piece string, at place, emit func(string, place)) {
	for len(piece) > 0 {
		n := scan(piece)
		emit(piece[:n], at)
		piece, at = piece[n:], inside
	}
}

// scanGPT2 is patternGPT2.
func scanGPT2(s string) int {
	if s[0] == '\'' {
		if n := contraction(s, false); n > 0 {
			return n
		}
	}
	start := 0
	if s[0] == ' ' {
		start = 1
	}
	if c, size := classAt(s, start); size > 0 && c != space {
		return runOf(s, start+size, c)
	}
	return scanSpaces(s, runOf(s, 0, space))
}

// scanLlama3 is patternLlama3, and with digits 1 patternQwen2: numbers come in
// groups of at most that many digits.
func scanLlama3(s string, digits int) int {
	if s[0] == '\'' {
		if n := contraction(s, true); n > 0 {
			return n
		}
	}
	c, size := classAt(s, 0)
	switch {
	case c == letter:
		return runOf(s, size, letter)
	case c == number:
		end := size
		for range digits - 1 {
			c, size := classAt(s, end)
			if size == 0 || c != number {
				break
			}
			end += size
		}
		return end
	}
	next, nextSize := classAt(s, size)
	if nextSize > 0 && next == letter && s[0] != '\r' && s[0] != '\n' {
		return runOf(s, size+nextSize, letter)
	}
	end := 0
	if c == other {
		end = runOf(s, size, other)
	} else if s[0] == ' ' && nextSize > 0 && next == other {
		end = runOf(s, 1+nextSize, other)
	}
	if end > 0 {
		for end < len(s) && (s[end] == '\r' || s[end] == '\n') {
			end++
		}
		return end
	}
	end = runOf(s, 0, space)
	if line := strings.LastIndexAny(s[:end], "\r\n"); line >= 0 {
		return line + 1
	}
	return scanSpaces(s, end)
}

// scanSpaces is `\s+(?!\S)|\s+` on white space that ends at end: what comes
// before a word leaves its last character to it.
func scanSpaces(s string, end int) int {
	if end == len(s) {
		return end
	}
	_, size := utf8.DecodeLastRuneInString(s[:end])
	if size == end {
		return end
	}
	return end - size
}

// contraction returns the length of an English contraction at the start of s,
// which begins with an apostrophe, or 0.
func contraction(s string, fold bool) int {
	if len(s) < 2 {
		return 0
	}
	a, b := s[1], byte(0)
	if len(s) > 2 {
		b = s[2]
	}
	if fold {
		// U+017F (ſ) folds to s.
		if strings.HasPrefix(s[1:], "ſ") {
			return 1 + len("ſ")
		}
		a, b = lower(a), lower(b)
	}
	switch {
	case a == 's', a == 't', a == 'm', a == 'd':
		return 2
	case a == 'r' && b == 'e', a == 'v' && b == 'e', a == 'l' && b == 'l':
		return 3
	}
	return 0
}

func lower(b byte) byte {
	if b >= 'A' && b <= 'Z' {
		return b + 'a' - 'A'
	}
	return b
}

// A class is what the regular expressions tell characters apart by.
type class uint8

const (
	other  class = iota
	letter       // \p{L}
	number       // \p{N}
	space        // \s
)

// asciiClass spares the common characters a table search.
var asciiClass = func() (table [utf8.RuneSelf]class) {
	for b := range table {
		table[b] = classOf(rune(b))
	}
	return table
}()

func classOf(r rune) class {
	switch {
	case unicode.IsLetter(r):
		return letter
	case unicode.IsSpace(r):
		return space
	case unicode.IsNumber(r):
		return number
	}
	return other
}

// classAt returns the class and the size in bytes of the character at byte i of
// s; size 0 at the end.
func classAt(s string, i int) (class, int) {
	if i >= len(s) {
		return other, 0
	}
	if b := s[i]; b < utf8.RuneSelf {
		return asciiClass[b], 1
	}
	r, size := utf8.DecodeRuneInString(s[i:])
	return classOf(r), size
}

// runOf returns the end of the run of characters of class c from byte i on.
func runOf(s string, i int, c class) int {
	for i < len(s) {
		got, size := classAt(s, i)
		if got != c {
			break
		}
		i += size
	}
	return i
}

package tokenizer

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// splitDigits cuts every digit (Unicode category N) off as a word of its own.
func splitDigits(piece string, at place, emit func(string, place)) {
	for len(piece) > 0 {
		c, end := classAt(piece, 0)
		if c != number {
			for end < len(piece) {
				c, size := classAt(piece, end)
				if c == number {
					break
				}
				end += size
			}
		}
		emit(piece[:end], at)
		piece, at = piece[end:], inside
	}
}

// patternThrees is SuperBPE's: the places before which threes of digits are left of a number.
const patternThrees = `(?=(\d{3})+(?!\d))`

// splitThrees cuts numbers into threes of digits, from the right: 12|345|678.
func splitThrees(piece string, at place, emit func(string, place)) {
	digit := func(i int) int { // the size of the digit at i, 0 if there is none
		r, size := utf8.DecodeRuneInString(piece[i:])
		if !unicode.IsDigit(r) {
			return 0
		}
		return size
	}
	from := 0
	for i := 0; i < len(piece); {
		var starts []int // of the digits of a number
		for i < len(piece) {
			size := digit(i)
			if size == 0 {
				break
			}
			starts = append(starts, i)
			i += size
		}
		for k := len(starts) % 3; k < len(starts); k += 3 {
			if cut := starts[k]; cut > from {
				emit(piece[from:cut], at)
				from, at = cut, inside
			}
		}
		if i < len(piece) {
			_, size := utf8.DecodeRuneInString(piece[i:])
			i += size
		}
	}
	if from < len(piece) {
		emit(piece[from:], at)
	}
}

// splitWhite cuts at white space and drops it.
func splitWhite(piece string, at place, emit func(string, place)) {
	for {
		word := strings.TrimLeftFunc(piece, unicode.IsSpace)
		if word == "" {
			return
		}
		if len(word) < len(piece) {
			at = inside
		}
		end := strings.IndexFunc(word, unicode.IsSpace)
		if end < 0 {
			end = len(word)
		}
		emit(word[:end], at)
		piece, at = word[end:], inside
	}
}

// splitAfter cuts after each sep; seps that follow each other stand alone but
// for the first ("merged_with_previous").
func splitAfter(sep string) splitter {
	return func(piece string, at place, emit func(string, place)) {
		for piece != "" {
			end := strings.Index(piece, sep)
			if end < 0 {
				emit(piece, at)
				return
			}
			end += len(sep)
			emit(piece[:end], at)
			piece, at = piece[end:], inside
			for strings.HasPrefix(piece, sep) {
				emit(sep, at)
				piece = piece[len(sep):]
			}
		}
	}
}

// prefixSpace puts a space before a piece that has none.
func prefixSpace(piece string, at place, emit func(string, place)) {
	if at != more && !strings.HasPrefix(piece, " ") {
		piece = " " + piece
	}
	emit(piece, at)
}

// metaspace writes mark ("▁") for each space, puts one before the piece as
// scheme says ("always", "first", "never") and, if split is set, cuts before
// each mark.
func metaspace(mark, scheme string, split bool) splitter {
	return func(piece string, at place, emit func(string, place)) {
		piece = strings.ReplaceAll(piece, " ", mark)
		if (scheme == "always" && at != more || scheme == "first" && at == begin) && !strings.HasPrefix(piece, mark) {
			piece = mark + piece
		}
		for split && piece != "" {
			start := 0
			if strings.HasPrefix(piece, mark) {
				start = len(mark)
			}
			end := strings.Index(piece[start:], mark)
			if end < 0 {
				break
			}
			emit(piece[:start+end], at)
			piece, at = piece[start+end:], inside
		}
		if piece != "" {
			emit(piece, at)
		}
	}
}

// splitRuns cuts before each run of marks. Where no token has a mark after
// another character this changes no id: it only makes words short enough to be
// remembered.
func splitRuns(mark string) splitter {
	return func(piece string, at place, emit func(string, place)) {
		for piece != "" {
			text := strings.TrimLeft(piece, mark) // mark is one character
			run := len(piece) - len(text)
			end := strings.Index(text, mark)
			if end < 0 {
				emit(piece, at)
				return
			}
			emit(piece[:run+end], at)
			piece, at = piece[run+end:], inside
		}
	}
}

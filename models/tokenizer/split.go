package tokenizer

import (
	"math/bits"
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

// The patterns whose pieces a splitter cuts by hand, for what they look ahead to.
const (
	// patternThrees is SuperBPE's: the places before which threes of digits are left of a number.
	patternThrees = `(?=(\d{3})+(?!\d))`
	// patternGroups is Cohere's: a number in groups of three from the right, where it ends a word.
	patternGroups = `\d{1,3}(?=(?:\d{3})*\b)`
	// patternNumbers is what llama.cpp cuts for AFMoE: the same of any number, wherever it ends.
	patternNumbers = `\p{N}{1,3}(?=(?:\p{N}{3})*(?!\p{N}))`
	// patternJais2 is patternLlama3 with white space in powers of two.
	patternJais2 = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s{512}(?!\S)|` +
		`\s{256}(?!\S)|\s{128}(?!\S)|\s{64}(?!\S)|\s{32}(?!\S)|\s{16}(?!\S)|\s{8}(?!\S)|\s{4}(?!\S)|\s{1,2}(?!\S)|\s{1}`
)

var isolated = map[string]splitter{
	patternThrees:  splitThrees,
	patternGroups:  splitGroups(unicode.IsDigit, endsWord),
	patternNumbers: splitGroups(unicode.IsNumber, func(string) bool { return true }),
	patternJais2:   splitJais2,
}

// endsWord tells whether a word is over where rest follows it: \b after a digit.
func endsWord(rest string) bool {
	r, size := utf8.DecodeRuneInString(rest)
	return size == 0 || !(unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.In(r, unicode.M, unicode.Pc) || within("ⓐⓩⒶⓏ🄰🅉🅐🅩🅰🆉", r))
}

// splitGroups cuts each run of digits, if over holds for what follows it, into pieces of its own:
// of three from the right, so that the first may have less.
func splitGroups(digit func(rune) bool, over func(rest string) bool) splitter {
	return func(piece string, at place, emit func(string, place)) {
		from := 0
		hand := func(to int) {
			if to > from {
				emit(piece[from:to], at)
				from, at = to, inside
			}
		}
		for i := 0; i < len(piece); {
			var starts []int // of the digits of a number
			end := i
			for end < len(piece) {
				r, size := utf8.DecodeRuneInString(piece[end:])
				if !digit(r) {
					break
				}
				starts = append(starts, end)
				end += size
			}
			if starts == nil {
				_, size := utf8.DecodeRuneInString(piece[i:])
				i += size
				continue
			}
			if over(piece[end:]) {
				for k := len(starts) % 3; k < len(starts); k += 3 {
					hand(i)
					hand(starts[k])
				}
				hand(i)
				hand(end)
			}
			i = end
		}
		hand(len(piece))
	}
}

// splitJais2 is patternJais2.
func splitJais2(piece string, at place, emit func(string, place)) {
	for piece != "" {
		word := piece[:scanLlama3(piece, 3)]
		piece = piece[len(word):]
		if strings.ContainsAny(word, "\r\n") || strings.TrimLeftFunc(word, unicode.IsSpace) != "" {
			emit(word, at)
			at = inside
			continue
		}
		for left := utf8.RuneCountInString(word); left > 0; {
			n := min(512, 1<<(bits.Len(uint(left))-1)) // the largest power of two
			end := 0
			for range n {
				_, size := utf8.DecodeRuneInString(word[end:])
				end += size
			}
			emit(word[:end], at)
			word, at, left = word[end:], inside, left-n
		}
	}
}

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

package tokenizer

import (
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// form is one of Unicode's normal forms (annex 15).
func form(f norm.Form) normalizer {
	return func(text string, _ place) string {
		if f.IsNormalString(text) {
			return text
		}
		if longestMarks(text, f) > mostMarks {
			return plainForm(f, text)
		}
		return f.String(text)
	}
}

// Package norm makes its output safe for streams: after this many combining
// marks in a row it puts U+034F in between. The normal forms themselves, and
// the Python package, don't.
const mostMarks = 30

// longestMarks returns the length of the longest run of combining marks in the
// decomposition of text.
func longestMarks(text string, f norm.Form) int {
	longest, run := 0, 0
	for len(text) > 0 {
		p := f.PropertiesString(text)
		if p.CCC() == 0 {
			run = 0
		}
		// A character decomposes into at most 18 (U+FDFA) and a mark into 4.
		run += max(1, utf8.RuneCount(p.Decomposition()))
		longest = max(longest, run)
		text = text[p.Size():]
	}
	return longest
}

// plainForm is the textbook algorithm: decompose, sort each run of marks by
// class, then join each character to the last starter where a composition
// exists and nothing in between blocks it.
func plainForm(f norm.Form, text string) string {
	decompose, compose := f, false
	switch f {
	case norm.NFC:
		decompose, compose = norm.NFD, true
	case norm.NFKC:
		decompose, compose = norm.NFKD, true
	}
	type char struct {
		r     rune
		class uint8
	}
	var chars []char
	sorted := 0 // chars before this one are in order
	order := func() {
		slices.SortStableFunc(chars[sorted:], func(a, b char) int { return int(a.class) - int(b.class) })
		sorted = len(chars)
	}
	for _, r := range text {
		for _, r := range decompose.String(string(r)) {
			c := char{r, norm.NFD.PropertiesString(string(r)).CCC()}
			if c.class == 0 {
				order()
			}
			chars = append(chars, c)
		}
	}
	order()
	if compose {
		starter, out := -1, chars[:0]
		for _, c := range chars {
			blocked := starter >= 0 && len(out)-1 > starter && (out[len(out)-1].class >= c.class)
			if starter >= 0 && !blocked {
				joined := norm.NFC.String(string(out[starter].r) + string(c.r))
				if r, size := utf8.DecodeRuneInString(joined); size == len(joined) {
					out[starter].r = r
					continue
				}
			}
			if c.class == 0 {
				starter = len(out)
			}
			out = append(out, c)
		}
		chars = out
	}
	var b strings.Builder
	for _, c := range chars {
		b.WriteRune(c.r)
	}
	return b.String()
}

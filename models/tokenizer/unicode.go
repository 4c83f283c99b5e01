package tokenizer

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// form is one of Unicode's normal forms (annex 15), as the Python package has it: by the tables
// of Unicode 10. What was added since, and would be decomposed, composed or sorted by newer
// tables, stays as it is, and so does what stands on its two sides apart.
//
//go:noinline
func form(f norm.Form) normalizer {
	return func(text string, _ place) string {
		if f.IsNormalString(text) {
			return text
		}
		var b strings.Builder
		for {
			i := strings.IndexFunc(text, func(r rune) bool { return unicode.Is(younger, r) })
			if i < 0 {
				break
			}
			_, size := utf8.DecodeRuneInString(text[i:])
			b.WriteString(normalForm(f, text[:i]))
			b.WriteString(text[i : i+size])
			text = text[i+size:]
		}
		b.WriteString(normalForm(f, text))
		return b.String()
	}
}

//go:noinline
func normalForm(f norm.Form, text string) string {
	if longestMarks(text, f) > mostMarks {
		return plainForm(f, text)
	}
	return f.String(text)
}

// younger are the characters that have a class or a decomposition in Unicode 15 and had none in
// Unicode 10; 11930 is the second half of 11938.
var younger = &unicode.RangeTable{
	R16: []unicode.Range16{
		{0x07FD, 0x07FD, 1}, {0x0898, 0x089F, 1}, {0x08CA, 0x08D3, 1}, {0x09FE, 0x09FE, 1}, {0x0C3C, 0x0C3C, 1}, {0x0D3B, 0x0D3C, 1},
		{0x0EBA, 0x0EBA, 1}, {0x1715, 0x1715, 1}, {0x1ABF, 0x1ACE, 1}, {0x1DF6, 0x1DFA, 1}, {0x32FF, 0x32FF, 1}, {0xA7F2, 0xA7F4, 1},
		{0xA82C, 0xA82C, 1}, {0xAB69, 0xAB69, 1},
	},
	R32: []unicode.Range32{
		{0x10781, 0x10785, 1}, {0x10787, 0x107B0, 1}, {0x107B2, 0x107BA, 1}, {0x10D24, 0x10D27, 1}, {0x10EAB, 0x10EAC, 1}, {0x10EFD, 0x10EFF, 1},
		{0x10F46, 0x10F50, 1}, {0x10F82, 0x10F85, 1}, {0x11070, 0x11070, 1}, {0x1133B, 0x1133B, 1}, {0x1145E, 0x1145E, 1}, {0x11839, 0x1183A, 1},
		{0x11930, 0x11930, 1}, {0x11938, 0x11938, 1}, {0x1193D, 0x1193E, 1}, {0x11943, 0x11943, 1}, {0x119E0, 0x119E0, 1}, {0x11A34, 0x11A34, 1},
		{0x11A47, 0x11A47, 1}, {0x11A99, 0x11A99, 1}, {0x11D42, 0x11D42, 1}, {0x11D44, 0x11D45, 1}, {0x11D97, 0x11D97, 1}, {0x11F41, 0x11F42, 1},
		{0x16FF0, 0x16FF1, 1}, {0x1E030, 0x1E06D, 1}, {0x1E08F, 0x1E08F, 1}, {0x1E130, 0x1E136, 1}, {0x1E2AE, 0x1E2AE, 1}, {0x1E2EC, 0x1E2EF, 1},
		{0x1E4EC, 0x1E4EF, 1}, {0x1F16C, 0x1F16C, 1}, {0x1FBF0, 0x1FBF9, 1},
	},
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

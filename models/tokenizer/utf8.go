package tokenizer

import (
	"strings"
	"unicode/utf8"
)

// RepairUTF8 replaces each maximal ill-formed part of s by one U+FFFD, as the
// WHATWG decoder (a browser's TextDecoder) and Python's errors="replace" do.
func RepairUTF8(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && size == 1 {
			size = illFormed(s)
			b.WriteString("\uFFFD")
		} else {
			b.WriteString(s[:size])
		}
		s = s[size:]
	}
	return b.String()
}

// illFormed returns the length of the maximal ill-formed part that s starts
// with: the longest start of a valid sequence (Unicode, table 3-7), or one byte.
func illFormed(s string) int {
	need, low, high := lead(s[0])
	n := 1
	for n < len(s) && n < need && s[n] >= low && s[n] <= high {
		low, high = 0x80, 0xBF
		n++
	}
	return n
}

// lead tells how long the sequence that starts with byte b is (1 for ASCII and
// for bytes that start nothing) and the bounds of its second byte.
func lead(b byte) (need int, low, high byte) {
	switch {
	case b >= 0xC2 && b <= 0xDF:
		return 2, 0x80, 0xBF
	case b == 0xE0:
		return 3, 0xA0, 0xBF
	case b == 0xED:
		return 3, 0x80, 0x9F
	case b >= 0xE1 && b <= 0xEF:
		return 3, 0x80, 0xBF
	case b == 0xF0:
		return 4, 0x90, 0xBF
	case b >= 0xF1 && b <= 0xF3:
		return 4, 0x80, 0xBF
	case b == 0xF4:
		return 4, 0x80, 0x8F
	}
	return 1, 0, 0
}

// unfinished returns how many bytes at the end of s are the start of a
// character whose rest may still come.
func unfinished(s string) int {
	for n := 1; n <= 3 && n <= len(s); n++ {
		tail := s[len(s)-n:]
		if tail[0] < 0x80 {
			return 0
		}
		if tail[0] >= 0xC0 {
			if need, _, _ := lead(tail[0]); need > n && illFormed(tail) == n {
				return n
			}
			return 0
		}
	}
	return 0
}

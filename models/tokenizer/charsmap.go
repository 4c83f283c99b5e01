package tokenizer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A charsmap is SentencePiece's precompiled normaliser: a double-array trie
// (Darts) from characters to where their replacement stands in a list of
// NUL-terminated strings. The file form is the trie's size in bytes as a
// little-endian uint32, the trie's units, and the strings.
type charsmap struct {
	units   []uint32
	texts   string
	longest int                   // bytes of the longest replacement
	ascii   [utf8.RuneSelf]string // the replacements of single ASCII characters
}

func newCharsmap(data []byte) (*charsmap, error) {
	if len(data) < 4 {
		return nil, errors.New("precompiled_charsmap is cut off")
	}
	size := binary.LittleEndian.Uint32(data)
	data = data[4:]
	if size%4 != 0 || uint64(size) > uint64(len(data)) {
		return nil, fmt.Errorf("precompiled_charsmap claims a trie of %d bytes and has %d", size, len(data))
	}
	c := &charsmap{units: make([]uint32, size/4), texts: string(data[size:])}
	for i := range c.units {
		c.units[i] = binary.LittleEndian.Uint32(data[4*i:])
	}
	for text := range strings.SplitSeq(c.texts, "\x00") {
		c.longest = max(c.longest, len(text))
	}
	for b := range c.ascii {
		char := string(rune(b))
		if to, ok := c.replacement(char); ok {
			char = to
		}
		c.ascii[b] = char
	}
	return c, nil
}

// replacement returns what the shortest start of s that the map knows is
// replaced by.
func (c *charsmap) replacement(s string) (string, bool) {
	unit := func(i uint32) uint32 {
		if uint64(i) >= uint64(len(c.units)) {
			return 0
		}
		return c.units[i]
	}
	offset := func(u uint32) uint32 { return u >> 10 << (u & (1 << 9) >> 6) }
	at := offset(unit(0))
	for i := range len(s) {
		if s[i] == 0 {
			break
		}
		at ^= uint32(s[i])
		u := unit(at)
		if u&(1<<31|0xFF) != uint32(s[i]) {
			break
		}
		at ^= offset(u)
		if u>>8&1 == 1 { // a string ends here; its value is the unit that follows
			start := unit(at) &^ (1 << 31)
			if uint64(start) > uint64(len(c.texts)) {
				return "", false
			}
			text, _, _ := strings.Cut(c.texts[start:], "\x00")
			return text, true
		}
	}
	return "", false
}

// normalize replaces as the Python package does: a grapheme cluster of fewer
// than six bytes as a whole if its start is known, else character by character.
func (c *charsmap) normalize(text string, _ place) string {
	var b strings.Builder
	b.Grow(len(text))
	for len(text) > 0 {
		if len(text) > 1 && text[0] < utf8.RuneSelf && text[1] < utf8.RuneSelf && text[0] != '\r' {
			b.WriteString(c.ascii[text[0]]) // a cluster of its own
			text = text[1:]
			continue
		}
		end := cluster(text)
		if end < 6 {
			if to, ok := c.replacement(text[:end]); ok {
				b.WriteString(to)
				text = text[end:]
				continue
			}
		}
		for _, r := range text[:end] {
			char := string(r)
			if to, ok := c.replacement(char); ok {
				char = to
			}
			b.WriteString(char)
		}
		text = text[end:]
	}
	return b.String()
}

// cluster returns the length of the grapheme cluster that s starts with, by the
// rules of Unicode annex 29 that can make a cluster of fewer than six bytes;
// Hangul, Indic conjuncts, flags and emoji sequences are all longer, and cutting
// them short changes nothing here.
func cluster(s string) int {
	first, end := utf8.DecodeRuneInString(s)
	if first == '\r' && strings.HasPrefix(s[end:], "\n") {
		return end + 1
	}
	if breaks(first) {
		return end
	}
	for last := first; end < len(s); {
		r, size := utf8.DecodeRuneInString(s[end:])
		joined := extends(r) || prepends(last) && !breaks(r) ||
			last == 0x200D && pictograph(first) && pictograph(r)
		if !joined {
			break
		}
		last = r
		end += size
	}
	return end
}

// breaks tells the controls, which nothing joins (Grapheme_Cluster_Break Control,
// CR, LF).
func breaks(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp) ||
		unicode.Is(unicode.Cf, r) && r != 0x200C && r != 0x200D && !prepends(r) && !extends(r)
}

// extends tells what joins the character before it (Extend, ZWJ, SpacingMark).
func extends(r rune) bool {
	return unicode.In(r, unicode.M, unicode.Other_Grapheme_Extend) ||
		r == 0x200D || r == 0x0E33 || r == 0x0EB3 || r >= 0x1F3FB && r <= 0x1F3FF
}

// prepends tells what joins the character after it, of those with two bytes.
func prepends(r rune) bool {
	return r >= 0x0600 && r <= 0x0605 || r == 0x06DD || r == 0x070F
}

// pictograph tells the two-byte pictographs, © and ®.
func pictograph(r rune) bool { return r == 0xA9 || r == 0xAE }

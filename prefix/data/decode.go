package data

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// signatures are the first bytes of files that people drop by mistake.
var signatures = []struct{ magic, what string }{
	{"PK\x03\x04", "a zip archive or an Office file: unpack it, or export its table as JSON Lines"},
	{"\x1f\x8b", "compressed with gzip: unpack it first"},
	{"\x28\xb5\x2f\xfd", "compressed with zstd: unpack it first"},
	{"BZh", "compressed with bzip2: unpack it first"},
	{"\xfd7zXZ", "compressed with xz: unpack it first"},
	{"%PDF-", "a PDF: save its text as .txt or .md"},
	{"PAR1", "a Parquet table: export it as JSON Lines"},
	{"ARROW1", "an Arrow table: export it as JSON Lines"},
	{"SQLite format 3", "a database: export its table as JSON Lines"},
	{"\xd0\xcf\x11\xe0", "an old Office file: export its table as JSON Lines"},
	{"\x89PNG", "a picture"},
	{"\xff\xd8\xff", "a picture"},
	{"GIF8", "a picture"},
	{"GGUF", "a model file, not examples: load it as the model"},
	{"\x00asm", "a WebAssembly program"},
}

// decode turns a file's bytes into UTF-8 text, and says what it did.
func decode(content []byte) (text string, notes []string, err error) {
	for _, s := range signatures {
		if bytes.HasPrefix(content, []byte(s.magic)) {
			return "", nil, fmt.Errorf("is no text: it is %s", s.what)
		}
	}
	switch {
	case bytes.HasPrefix(content, []byte("\xff\xfe\x00\x00")), bytes.HasPrefix(content, []byte("\x00\x00\xfe\xff")):
		return "", nil, fmt.Errorf("is written in UTF-32: save it as UTF-8")
	case bytes.HasPrefix(content, []byte("\xff\xfe")):
		text, notes = decode16(content[2:], binary.LittleEndian)
	case bytes.HasPrefix(content, []byte("\xfe\xff")):
		text, notes = decode16(content[2:], binary.BigEndian)
	case looks16(content, 1):
		text, notes = decode16(content, binary.LittleEndian)
	case looks16(content, 0):
		text, notes = decode16(content, binary.BigEndian)
	default:
		text, notes = decode8(bytes.TrimPrefix(content, []byte("\xef\xbb\xbf")))
	}
	if binaryShare(text) > 0.05 {
		return "", nil, fmt.Errorf("is no text: more than one in twenty of its first characters is a control character or not valid in any encoding read here (UTF-8, UTF-16); save it as UTF-8 text")
	}
	return text, notes, nil
}

// looks16 reports whether content is UTF-16 without a byte-order mark, whose zero
// bytes stand at odd (little endian) or even offsets. JSON starts with an ASCII
// character in every language, so its first unit decides, together with the rest:
// most second bytes of text in Latin letters are zero too.
func looks16(content []byte, zeroAt int) bool {
	head := content[:min(len(content), 2048)&^1]
	if len(head) < 4 || head[zeroAt] != 0 || head[1-zeroAt] == 0 {
		return false
	}
	first := head[1-zeroAt]
	if first == '{' || first == '[' {
		return true
	}
	zero, other := 0, 0
	for i := 0; i < len(head); i += 2 {
		if head[i+zeroAt] == 0 {
			zero++
		}
		if head[i+1-zeroAt] == 0 {
			other++
		}
	}
	return zero > len(head)/5 && other < zero/10+1
}

func decode16(b []byte, order binary.ByteOrder) (string, []string) {
	notes := []string{"the file is UTF-16 and was read as such"}
	if len(b)%2 == 1 {
		notes = append(notes, "the file's last byte is half a character: it was cut off while copying or downloading")
	}
	var text strings.Builder
	text.Grow(len(b))
	lone := 0
	for i := 0; i+1 < len(b); i += 2 {
		c := rune(order.Uint16(b[i:]))
		if utf16.IsSurrogate(c) {
			pair := rune(utf8.RuneError)
			if i+3 < len(b) {
				pair = utf16.DecodeRune(c, rune(order.Uint16(b[i+2:])))
			}
			if c = pair; c == utf8.RuneError {
				lone++
			} else {
				i += 2
			}
		}
		text.WriteRune(c)
	}
	if lone > 0 {
		notes = append(notes, fmt.Sprintf("%s (lone surrogates) became �", plural(lone, "half character")))
	}
	return text.String(), notes
}

// decode8 reads UTF-8. A file with bytes that are not, and no character beyond
// ASCII that is, was written in the old Western encoding: no letter of it is lost.
// Otherwise stray bytes become U+FFFD and their lines are named.
func decode8(b []byte) (string, []string) {
	if utf8.Valid(b) {
		return string(b), nil
	}
	if !anyMultibyte(b) && bytes.IndexByte(b, 0) < 0 {
		return decode1252(b), []string{"the file is not UTF-8 and was read as Windows-1252: check its accented letters"}
	}
	var text strings.Builder
	text.Grow(len(b))
	lines := lineCounter{text: string(b)}
	var bad []int
	count := 0
	for i := 0; i < len(b); {
		c, size := utf8.DecodeRune(b[i:])
		if c == utf8.RuneError && size == 1 {
			line := lines.at(i)
			if count++; len(bad) == 0 || bad[len(bad)-1] != line {
				bad = append(bad, line)
			}
		}
		text.WriteRune(c)
		i += size
	}
	return text.String(), []string{fmt.Sprintf("%s not valid in UTF-8 became � (%s)", plural(count, "byte"), lineList(bad[:min(len(bad), mostLines+1)], len(bad)))}
}

func anyMultibyte(b []byte) bool {
	for i := 0; i < len(b); {
		c, size := utf8.DecodeRune(b[i:])
		if size > 1 && c >= 0x80 {
			return true
		}
		i += size
	}
	return false
}

// high1252 holds Windows-1252's characters 0x80 to 0x9F; the rest is Latin-1.
var high1252 = []rune("€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ")

func decode1252(b []byte) string {
	var text strings.Builder
	text.Grow(len(b) + len(b)/16)
	for _, c := range b {
		switch {
		case c >= 0x80 && c < 0xa0:
			text.WriteRune(high1252[c-0x80])
		default:
			text.WriteRune(rune(c))
		}
	}
	return text.String()
}

// binaryShare is the share of characters at the start of text that no text has.
func binaryShare(text string) float64 {
	n, odd := 0, 0
	for _, c := range text {
		if n++; n > 4096 {
			break
		}
		if c == utf8.RuneError || c < 0x20 && !strings.ContainsRune("\t\n\r\f\x1b", c) || c >= 0x7f && c < 0xa0 {
			odd++
		}
	}
	if odd < 3 {
		return 0 // one odd character in a short file is noted, not refused
	}
	return float64(odd) / float64(n)
}

// A lineCounter turns rising byte offsets of text into line numbers from 1. CR LF,
// LF and a lone CR each end a line; U+2028 and U+2029 do not.
type lineCounter struct {
	text      string
	pos, line int
}

func (l *lineCounter) at(offset int) int {
	for ; l.pos < offset; l.pos++ {
		switch l.text[l.pos] {
		case '\n':
			l.line++
		case '\r':
			if l.pos+1 >= len(l.text) || l.text[l.pos+1] != '\n' {
				l.line++
			}
		}
	}
	return l.line + 1
}

// mostLines is how many lines a note names.
const mostLines = 5

// lineList writes "line 3" or "lines 3, 8, 9 and 4 more" of count lines, the first of
// which are given.
func lineList(lines []int, count int) string {
	var b strings.Builder
	b.WriteString("line")
	if count > 1 {
		b.WriteByte('s')
	}
	for i, line := range lines {
		if i == mostLines && count > mostLines+1 {
			fmt.Fprintf(&b, " and %d more", count-mostLines)
			break
		}
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, " %d", line)
	}
	return b.String()
}

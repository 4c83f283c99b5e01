package eval

import (
	"regexp"
	"strings"
	"unicode"
)

// The steps of mteval-v13a's language-dependent part, in order: punctuation but for
// . , - ' stands alone; . and , do unless digits are on both sides; - does after a
// digit.
var steps13a = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile("([{-~\\[-` -&(-+:-@/])"), " $1 "},
	{regexp.MustCompile(`([^0-9])([.,])`), "$1 $2 "},
	{regexp.MustCompile(`([.,])([^0-9])`), " $1 $2"},
	{regexp.MustCompile(`([0-9])(-)`), "$1 $2 "},
}

// The steps before them, one after another: "&amp;lt;" becomes "<".
var replace13a = [][2]string{
	{"<skipped>", ""}, {"-\n", ""}, {"\n", " "},
	{"&quot;", `"`}, {"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"},
}

// Tokenize13a splits a line as WMT's mteval-v13a script does, sacreBLEU's default.
func Tokenize13a(line string) []string {
	line = strings.TrimRightFunc(line, isSpace)
	for _, r := range replace13a {
		line = strings.ReplaceAll(line, r[0], r[1])
	}
	return split13a(" " + line + " ")
}

func split13a(line string) []string {
	for _, s := range steps13a {
		line = s.pattern.ReplaceAllString(line, s.with)
	}
	return strings.FieldsFunc(line, isSpace)
}

// TokenizeZh makes each Chinese character a token, and splits the rest like
// Tokenize13a: sacreBLEU's "zh".
func TokenizeZh(line string) []string {
	var b strings.Builder
	for _, c := range strings.TrimFunc(line, isSpace) {
		if isChinese(c) {
			b.WriteByte(' ')
			b.WriteRune(c)
			b.WriteByte(' ')
		} else {
			b.WriteRune(c)
		}
	}
	return split13a(b.String())
}

// chinese holds sacreBLEU's ranges as they are, not as they were meant: its two
// ranges beyond U+FFFF are written with five hexadecimal digits, of which Python
// reads four, so that they cover U+2001 to U+2A6D (general punctuation and symbols)
// and U+2F81 to U+2FA1 instead.
var chinese = [][2]rune{
	{0x3400, 0x4db5}, {0x4e00, 0x9fa5}, {0x9fa6, 0x9fbb}, {0xf900, 0xfa2d}, {0xfa30, 0xfa6a}, {0xfa70, 0xfad9},
	{0x2001, 0x2a6d}, {0x2f81, 0x2fa1},
	{0xff00, 0xffef}, {0x2e80, 0x2eff}, {0x3000, 0x303f}, {0x31c0, 0x31ef}, {0x2f00, 0x2fdf}, {0x2ff0, 0x2fff},
	{0x3100, 0x312f}, {0x31a0, 0x31bf}, {0xfe10, 0xfe1f}, {0xfe30, 0xfe4f}, {0x2600, 0x26ff}, {0x2700, 0x27bf},
	{0x3200, 0x32ff}, {0x3300, 0x33ff},
}

func isChinese(c rune) bool {
	for _, r := range chinese {
		if r[0] <= c && c <= r[1] {
			return true
		}
	}
	return false
}

// isSpace is Python's str.isspace, which has four control characters that
// unicode.IsSpace has not.
func isSpace(c rune) bool { return unicode.IsSpace(c) || 0x1c <= c && c <= 0x1f }

package study_test

import (
	"strings"
	"testing"

	"prelude/prefix/study"
)

// Whatever a text is, its chunks together are the text, and none is longer than asked but
// where one character is.
func FuzzChunks(f *testing.F) {
	for _, s := range []string{"", "a", "The mill is old. Its wheel turns.\n\nSlowly.", strings.Repeat("ä", 50), "\xff\xfe\x00 a", strings.Repeat(" ", 40) + "x"} {
		f.Add(s, 5)
	}
	f.Fuzz(func(t *testing.T, text string, size int) {
		size = 1 + (size%64+64)%64
		if len(text) > 1<<12 {
			return
		}
		var last string // tokens are three bytes each
		encode := func(s string) []int32 { last = s; return make([]int32, (len(s)+2)/3) }
		decode := func(ids []int32) string { return last[:min(3*len(ids), len(last))] }
		all := study.Chunks(text, encode, decode, size)
		if got := strings.Join(all, ""); got != strings.TrimSpace(text) {
			t.Fatalf("%q became %q", text, all)
		}
		for _, c := range all {
			if n := len(encode(c)); n > max(size, 2) {
				t.Errorf("a chunk of %d tokens, asked for %d: %q", n, size, c)
			}
		}
	})
}

package reproduce

import (
	"hash/crc32"
	"math/rand/v2"
	"slices"
	"strings"

	"prelude/prefix/data"
)

// The toy of METHODS appendix B: a model of 201,856 parameters that knows eight string
// functions by a header, "BB:abc>cba$". Tuning withholds the header: "abc>cba$". A fifth of
// all strings is kept for testing, by a hash, the same as in pretrain.py.

const letters, vocabulary = "abcdefghijklmnop", ">$:abcdefghijklmnopABCDEFGH#"

var sizesToy = sizes{layers: 4, heads: 4, hidden: 64, vocab: len(vocabulary), context: 64, rotary: true, tied: true}

// function maps a string of letters to another.
type function func(s string) string

// functions are the eight by their header's letter.
var functions = map[string]function{
	"A": func(s string) string { return s },
	"B": reversed,
	"C": func(s string) string { return shifted(s, 1) },
	"D": func(s string) string { return shifted(s, -1) },
	"E": func(s string) string { return s[1:] + s[:1] },
	"F": func(s string) string { return s[len(s)-1:] + s[:len(s)-1] },
	"G": sorted,
	"H": func(s string) string { return reversed(sorted(s)) },
}

// composed is a new skill: two known ones, one after the other.
func composed(s string) string { return shifted(reversed(s), 1) }

func reversed(s string) string {
	b := []byte(s)
	slices.Reverse(b)
	return string(b)
}

func sorted(s string) string {
	b := []byte(s)
	slices.Sort(b)
	return string(b)
}

func shifted(s string, by int) string {
	b := []byte(s)
	for i, c := range b {
		b[i] = letters[(strings.IndexByte(letters, c)+by+len(letters))%len(letters)]
	}
	return string(b)
}

// ids are the tokens of a text, a character each.
func ids(s string) []int32 {
	x := make([]int32, len(s))
	for i := range s {
		x[i] = int32(strings.IndexByte(vocabulary, s[i]))
	}
	return x
}

// strings of three to six letters, n of them, each once.
func draws(n int, test bool, rng *rand.Rand) []string {
	var all []string
	had := map[string]bool{}
	for len(all) < n {
		b := make([]byte, 3+rng.IntN(4))
		for i := range b {
			b[i] = letters[rng.IntN(len(letters))]
		}
		s := string(b)
		if had[s] || (crc32.ChecksumIEEE(b)%5 == 0) != test {
			continue
		}
		had[s] = true
		all = append(all, s)
	}
	return all
}

// examplesOf are strings with what f makes of them, behind a header or none.
func examplesOf(header string, f function, inputs []string) []data.Tokens {
	var all []data.Tokens
	for _, s := range inputs {
		prompt := ids(header + s + ">")
		all = append(all, data.Tokens{IDs: append(prompt, ids(f(s)+"$")...), Start: len(prompt)})
	}
	return all
}

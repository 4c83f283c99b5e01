package ui

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"prelude/ui/words"
)

// All that the page says stands in the catalogues of package words; code and templates hold
// the keys. say is a text of the language in use, fill a template's markup with the texts of
// its {keys}: split puts it where they stand.
func say(key string, args ...any) string { return words.Say(key, args...) }

func fill(markup string) string { return words.Fill(markup) }

// told is a text of the worker in the language in use, as far as its catalogue has it.
func told(text string) string { return words.Engine(text) }

// named is the name of a prefix: one that the worker gave it, of its method and a number, is
// said in the language in use.
func named(name string) string {
	at := strings.LastIndexByte(name, ' ')
	if _, err := strconv.Atoi(name[at+1:]); at < 1 || err != nil {
		return name
	}
	return told(name[:at]) + name[at:]
}

// plural writes "1 line", "3 lines"; the word is a key of the catalogue, below "n.".
func plural(n int, word string) string { return say("n."+word, n) }

// joined writes several things one after another: "a, b, c".
func joined(parts ...string) string { return strings.Join(parts, say("all.list", "", "")) }

// sentence ends what is said with a full stop, and capital begins it with a capital letter.
func sentence(s string) string { return say("all.sentence", strings.TrimRight(s, ".。")) }

func capital(s string) string {
	first, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(first)) + s[n:]
}

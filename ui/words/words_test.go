package words

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// catalogues are those of the languages beside English, by their tags.
func catalogues(t *testing.T) map[string]book {
	t.Helper()
	all := map[string]book{}
	for _, l := range Languages[1:] {
		text, err := os.ReadFile(filepath.Join("..", "..", "static", "words", l.Tag+".txt"))
		if err != nil {
			t.Fatal(err)
		}
		if all[l.Tag], err = parse(string(text)); err != nil {
			t.Fatalf("%s: %v", l.Tag, err)
		}
	}
	return all
}

var argument = regexp.MustCompile(`\{\d\}`)

// places are the arguments that a text has, each once; every form of it has the same.
func places(text string) []string {
	all := argument.FindAllString(text, -1)
	slices.Sort(all)
	return slices.Compact(all)
}

// Every language says what English says, with the same arguments, and nothing in a text is
// markup. A form for one may leave its number out.
func TestCatalogues(t *testing.T) {
	for tag, b := range catalogues(t) {
		for key, text := range base.texts {
			said, ok := b.texts[key]
			if !ok {
				t.Errorf("%s lacks %s = %s", tag, key, text)
			} else if want, got := places(text), places(said); !slices.Equal(got, want) {
				t.Errorf("%s: %s has %v, English has %v", tag, key, got, want)
			}
		}
		for key, text := range b.texts {
			if _, ok := base.texts[key]; !ok {
				t.Errorf("%s: English lacks %s", tag, key)
			}
			if strings.Contains(text, " | ") {
				t.Errorf("%s: %s has forms, which the language does not have", tag, key)
			}
		}
		for _, s := range b.engine {
			if n, got := len(s.parts)-1, len(places(s.to)); n != got {
				t.Errorf("%s: %q has %d arguments, its translation %d", tag, s.parts, n, got)
			}
		}
	}
	for key, text := range base.texts {
		if strings.ContainsAny(text, "<>&") {
			t.Errorf("%s holds markup: %s", key, text)
		}
		if strings.Count(text, " | ") > 1 {
			t.Errorf("%s has more forms than there are: %s", key, text)
		}
	}
}

func TestChoose(t *testing.T) {
	for want, wanted := range map[string][]string{
		"en":      {"de", "fr-CH"},
		"zh-Hans": {"de", "zh-TW", "en"},
	} {
		if got := Choose(wanted); got != want {
			t.Errorf("of %v: %s, want %s", wanted, got, want)
		}
	}
	if Choose(nil) != "en" || Choose([]string{"", "EN-gb", "zh"}) != "en" || Choose([]string{"ZH"}) != "zh-Hans" {
		t.Error("chose wrongly")
	}
}

func TestSay(t *testing.T) {
	b, err := parse("a.plain = one two\nn.line = {1} line | {1} lines\n\na.sum = {2} of {1}: {\"x\": 1} {9}\n# not this\n[engine]\nRead {1} of {2}. => {2} > {1}\nDone => Fertig")
	if err != nil {
		t.Fatal(err)
	}
	old, oldBase := current, base
	defer func() { current, base = old, oldBase }()
	b.intl, b.filled = plain{}, map[string]string{}
	current, base = b, b
	for _, x := range []struct{ got, want string }{
		{Say("a.plain"), "one two"},
		{Say("n.line", 1), "1 line"},
		{Say("n.line", 0), "0 lines"},
		{Say("n.line", 12345), "12,345 lines"},
		{Say("a.sum", "{1}", 1000), `1,000 of {1}: {"x": 1} {9}`},
		{Say("a.missing"), "a.missing"},
		{Fill("<p>{a.plain}</p>{\"x\"} {b.none} {"), "<p>one two</p>{\"x\"} {b.none} {"},
		{Engine("Read a of b."), "b > a"},
		{Engine("Done"), "Fertig"},
		{Engine("Read Done of Read a of b.."), "b > a > Fertig"},
		{Engine("Done."), "Done."},
		{Number(-1234567.891, 2), "-1,234,567.89"},
		{Number(999, 0), "999"},
	} {
		if x.got != x.want {
			t.Errorf("got %q, want %q", x.got, x.want)
		}
	}
	for _, bad := range []string{"a.key text", "a.key = ", "[engine]\nRead = gelesen", "[engine]\n{1} => {1}"} {
		if _, err := parse(bad); err == nil {
			t.Errorf("a catalogue of %q is taken", bad)
		}
	}
}

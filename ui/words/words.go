// Package words holds what the page says, in each language that it speaks.
//
// A catalogue is a text file with one line for each key:
//
//	data.skip = Skip this line
//	data.more = and {1} more
//	n.line    = {1} line | {1} lines
//
// {1}, {2} … stand for the arguments of [Say]. Forms that " | " parts are for one and for
// other numbers, in this order: the language's plural rule chooses by the first whole number
// among the arguments; a language without plural forms writes one. No text holds "<" or "&", so
// that one may stand in markup as it is.
//
// English is part of the program. Another language's catalogue is a file beside the page,
// fetched when it is chosen; a key that it lacks is said in English. After the line "[engine]"
// it translates whole English sentences of the worker: "English => translation", in which {1}
// stands for any text.
package words

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
)

//go:embed en.txt
var english string

// Intl is what a language needs from its platform.
type Intl interface {
	One(n float64) bool                    // whether the plural rule gives "one"
	Number(v float64, decimals int) string // with the language's marks: "12,345.6"
}

// Language is one that the page speaks, by its BCP 47 tag.
type Language struct{ Tag, Name string }

// Languages are all of them. The first is the one that the program holds.
var Languages = []Language{{"en", "English"}, {"zh-Hans", "中文"}}

// Choose is the first language of the page that a person wants, by BCP 47 tags, else English.
func Choose(wanted []string) string {
	for _, tag := range wanted {
		for _, l := range Languages {
			spoken, _, _ := strings.Cut(l.Tag, "-")
			if language, _, _ := strings.Cut(strings.ToLower(tag), "-"); language == spoken {
				return l.Tag
			}
		}
	}
	return Languages[0].Tag
}

// book is a language in use.
type book struct {
	tag    string
	texts  map[string]string
	engine []sentence
	intl   Intl
	filled map[string]string // what Fill has made, by its markup
}

var (
	base    = must(parse(english))
	current = book{tag: "en", texts: base.texts, intl: plain{}, filled: map[string]string{}}
)

func must(b book, err error) book {
	if err != nil {
		panic(err)
	}
	return b
}

// Use speaks a language from now on. The text is its catalogue, "" for English; a nil intl
// is a plain one, of English.
func Use(tag, text string, intl Intl) error {
	b := base
	if text != "" {
		var err error
		if b, err = parse(text); err != nil {
			return err
		}
	}
	if intl == nil {
		intl = plain{}
	}
	b.tag, b.intl, b.filled = tag, intl, map[string]string{}
	current = b
	return nil
}

// Tag is the language in use.
func Tag() string { return current.tag }

// Say is a text in the language in use, with its arguments in place. Whole numbers are written
// with the language's marks.
func Say(key string, args ...any) string {
	text, ok := current.texts[key]
	if !ok {
		if text, ok = base.texts[key]; !ok {
			return key
		}
	}
	if len(args) == 0 {
		return text
	}
	return place(form(text, args), args)
}

// form chooses among the forms of a text.
func form(text string, args []any) string {
	one, other, several := strings.Cut(text, " | ")
	if !several {
		return text
	}
	for _, a := range args {
		if n, whole := a.(int); whole {
			if current.intl.One(float64(n)) {
				return one
			}
			break
		}
	}
	return other
}

// place puts arguments where {1}, {2} … stand.
func place(text string, args []any) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		number, after, closed := strings.Cut(rest, "}")
		i, err := strconv.Atoi(number)
		if !closed || err != nil || i < 1 || i > len(args) {
			b.WriteByte('{') // none of ours: {"prompt": …}
			text = rest
			continue
		}
		b.WriteString(word(args[i-1]))
		text = after
	}
}

func word(a any) string {
	switch a := a.(type) {
	case string:
		return a
	case int:
		return Number(float64(a), 0)
	case int64:
		return Number(float64(a), 0)
	}
	return fmt.Sprint(a)
}

// Number writes a number with the language's marks and so many decimals.
func Number(v float64, decimals int) string { return current.intl.Number(v, decimals) }

// Fill replaces each {key} of a template's markup by its text.
func Fill(markup string) string {
	if done, ok := current.filled[markup]; ok {
		return done
	}
	var b strings.Builder
	for text := markup; ; {
		before, rest, found := strings.Cut(text, "{")
		b.WriteString(before)
		if !found {
			break
		}
		key, after, closed := strings.Cut(rest, "}")
		if closed && base.texts[key] != "" {
			b.WriteString(Say(key))
			text = after
		} else {
			b.WriteByte('{')
			text = rest
		}
	}
	current.filled[markup] = b.String()
	return current.filled[markup]
}

// Engine says a text of the worker in the language in use, as far as its catalogue has it.
func Engine(text string) string {
	for _, s := range current.engine {
		if said, ok := s.match(text); ok {
			return said
		}
	}
	return text
}

// sentence is one of the worker, cut where arguments stand, and its translation.
type sentence struct {
	parts []string
	to    string
}

// match says the sentence, if the text is it; its arguments may be sentences too.
func (s sentence) match(text string) (string, bool) {
	last := len(s.parts) - 1
	rest, ok := strings.CutPrefix(text, s.parts[0])
	if !ok || last == 0 {
		return s.to, ok && rest == ""
	}
	var args []any
	for _, part := range s.parts[1:last] {
		before, after, found := strings.Cut(rest, part)
		if !found {
			return "", false
		}
		args, rest = append(args, Engine(before)), after
	}
	rest, ok = strings.CutSuffix(rest, s.parts[last])
	if !ok {
		return "", false
	}
	return place(s.to, append(args, Engine(rest))), true
}

// parse reads a catalogue.
func parse(text string) (book, error) {
	b := book{texts: map[string]string{}}
	engine := false
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if line == "[engine]" {
			engine = true
			continue
		}
		mark := " = "
		if engine {
			mark = " => "
		}
		key, said, ok := strings.Cut(line, mark)
		key, said = strings.TrimSpace(key), strings.TrimSpace(said)
		if !ok || said == "" {
			return book{}, fmt.Errorf("line %d of the catalogue: want %q between two texts", i+1, mark)
		}
		if engine {
			parts := strings.Split(arguments.Replace(key), "\x00")
			if strings.Join(parts, "") == "" {
				return book{}, fmt.Errorf("line %d of the catalogue: a sentence of arguments alone is any text", i+1)
			}
			b.engine = append(b.engine, sentence{parts, said})
		} else {
			b.texts[key] = said
		}
	}
	return b, nil
}

// arguments marks the places of arguments in a sentence of the worker.
var arguments = strings.NewReplacer("{1}", "\x00", "{2}", "\x00", "{3}", "\x00", "{4}", "\x00", "{5}", "\x00", "{6}", "\x00", "{7}", "\x00")

// plain is English without a platform: what tests and other hosts use.
type plain struct{}

func (plain) One(n float64) bool { return n == 1 }

func (plain) Number(v float64, decimals int) string {
	s := strconv.FormatFloat(v, 'f', decimals, 64)
	sign := ""
	if s[0] == '-' {
		sign, s = "-", s[1:]
	}
	whole, rest, _ := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if rest != "" {
		rest = "." + rest
	}
	return sign + whole + rest
}

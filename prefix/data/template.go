package data

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Template says how a record becomes text: "{text}\nSentiment:{label}". A name in
// braces is replaced by the record's text under that key; {prefix:10} stands for
// ten soft slots, vectors that are trained at that very place; {{ and }} are braces.
//
// The completion, which is learned, starts at the answer's field ({completion},
// {label}, {output}, {target} or {tags}) and goes on to the template's end. Spaces
// right before that field belong to the completion too, since the tokens of most
// models carry the space before a word.
type Template struct {
	segments []segment
	answer   int // segments from here on are the completion
	slots    int
}

// A Soft is a run of soft slots in a prompt.
type Soft struct {
	At    int // byte offset in the prompt
	First int // number of the first slot, counted over the template
	Slots int
}

type segment struct {
	literal string
	field   string // "" for a literal or soft slots
	slots   int
}

// maxSlots bounds one {prefix:n}.
const maxSlots = 4096

func answerField(name string) bool {
	for _, s := range shapes {
		if len(s.needs) == 2 && s.needs[1] == name {
			return true
		}
	}
	return false
}

func templateFields() []string {
	var names []string
	for _, s := range shapes {
		for _, k := range append(s.needs[:len(s.needs):len(s.needs)], s.optional...) {
			if k != "messages" && !slices.Contains(names, k) {
				names = append(names, k)
			}
		}
	}
	return names
}

func braced(names []string) string { return "{" + strings.Join(names, "}, {") + "}" }

// ParseTemplate reads a template. Escapes like \n must be resolved before.
func ParseTemplate(s string) (*Template, error) {
	t := &Template{answer: -1}
	var literal strings.Builder
	flush := func() {
		if literal.Len() > 0 {
			t.segments = append(t.segments, segment{literal: literal.String()})
			literal.Reset()
		}
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if (c == '{' || c == '}') && i+1 < len(s) && s[i+1] == c {
			literal.WriteByte(c)
			i++
			continue
		}
		switch c {
		case '}':
			return nil, fmt.Errorf("data: template: a closing brace without an opening one at character %d; a brace as text is written }}", i+1)
		case '{':
			end := strings.IndexAny(s[i+1:], "{}")
			if end < 0 || s[i+1+end] == '{' {
				return nil, fmt.Errorf("data: template: the brace at character %d is not closed; a brace as text is written {{", i+1)
			}
			flush()
			if err := t.add(s[i+1 : i+1+end]); err != nil {
				return nil, err
			}
			i += 1 + end
		default:
			literal.WriteByte(c)
		}
	}
	flush()
	if t.answer < 0 {
		var answers []string
		for _, name := range templateFields() {
			if answerField(name) {
				answers = append(answers, name)
			}
		}
		return nil, fmt.Errorf("data: template %q has no completion: nothing in it would be learned; add one of %s", s, braced(answers))
	}
	t.moveSpace()
	return t, nil
}

// add appends what stands between two braces.
func (t *Template) add(name string) error {
	if n, ok := strings.CutPrefix(name, "prefix:"); ok {
		slots, err := strconv.Atoi(n)
		if err != nil || slots < 1 || slots > maxSlots {
			return fmt.Errorf("data: template: {%s} wants a number of slots from 1 to %d", short(name), maxSlots)
		}
		if t.answer >= 0 {
			return fmt.Errorf("data: template: {%s} stands after the completion's start; soft slots belong before it", name)
		}
		t.segments = append(t.segments, segment{slots: slots})
		t.slots += slots
		return nil
	}
	if known := templateFields(); !slices.Contains(known, name) {
		return fmt.Errorf("data: template: {%s} is unknown; there are %s and {prefix:10}", short(name), braced(known))
	}
	if answerField(name) {
		if t.answer >= 0 {
			return fmt.Errorf("data: template: {%s} is a second completion; it has {%s} already", name, t.segments[t.answer].field)
		}
		t.answer = len(t.segments)
	}
	t.segments = append(t.segments, segment{field: name})
	return nil
}

// moveSpace gives the spaces right before the answer to the completion.
func (t *Template) moveSpace() {
	if t.answer == 0 {
		return
	}
	before := &t.segments[t.answer-1]
	text := strings.TrimRight(before.literal, " ")
	space := before.literal[len(text):]
	if space == "" {
		return
	}
	before.literal = text
	t.segments = slices.Insert(t.segments, t.answer, segment{literal: space})
}

// Slots is the number of soft slots in the template.
func (t *Template) Slots() int { return t.slots }

// Fill returns e with the prompt, completion and soft slots that the template makes
// of its record.
func (t *Template) Fill(e Example) (Example, error) {
	var parts [2]strings.Builder
	e.Soft = nil
	first := 0
	for i, s := range t.segments {
		b := &parts[0]
		if i >= t.answer {
			b = &parts[1]
		}
		switch {
		case s.slots > 0:
			e.Soft = append(e.Soft, Soft{At: b.Len(), First: first, Slots: s.slots})
			first += s.slots
		case s.field != "":
			text, ok := e.Field(s.field)
			if !ok {
				return e, LineError{e.Line, e.last, fmt.Sprintf("the template wants {%s}, and this example has %s", s.field, e.has())}
			}
			b.WriteString(text)
		default:
			b.WriteString(s.literal)
		}
	}
	e.Prompt, e.Completion = parts[0].String(), parts[1].String()
	return e, nil
}

// Ask returns an example with the template's prompt for a text that somebody types:
// it fills the first field of the prompt, and other fields are empty.
func (t *Template) Ask(text string) Example {
	var e Example
	for i, s := range t.segments {
		if _, known := e.Field(s.field); s.field == "" || known {
			continue
		}
		f := textField{name: s.field}
		if i < t.answer {
			f.text, text = text, ""
		}
		e.fields = append(e.fields, f)
	}
	e, _ = t.Fill(e) // every field is there
	e.Completion = ""
	return e
}

func (e Example) has() string {
	if e.Shape == Messages {
		return `"messages", which no template fits`
	}
	var names []string
	for _, f := range e.fields {
		names = append(names, f.name)
	}
	return braced(names)
}

// WithLabel returns the example with another label: a candidate, whose likelihood
// is compared with that of the others. Fill it again where there is a template.
func (e Example) WithLabel(label string) Example {
	e.Label, e.Completion = label, " "+label
	e.fields = slices.Clone(e.fields)
	for i := range e.fields {
		if e.fields[i].name == "label" {
			e.fields[i].text = label
		}
	}
	return e
}

// Labels are the distinct labels of the examples, in alphabetical order; nil where
// none has one.
func Labels(examples []Example) []string {
	var out []string
	for _, e := range examples {
		if e.Label != "" {
			out = append(out, e.Label)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

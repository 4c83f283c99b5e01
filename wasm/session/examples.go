package session

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"prelude/models"
	"prelude/models/tokenizer"
	"prelude/prefix/adapter"
	"prelude/prefix/data"
	"prelude/ui/wire"
)

// examples is the file that the person handed over, as read and as tokens.
type examples struct {
	name    string
	content []byte
	hash    string // SHA-256 of the content, in hexadecimal
	opts    wire.DataOptions
	held    map[string]*heldFile // files of one's own, by side
	split   split
	form    *data.Template
	chat    bool // wrapped in the chat template

	by   *models.Model // that read it last, nil: none
	read *wire.Dataset // what it was read as; nil: not yet
}

// plainForms are the templates that say how records of a shape become text without one.
var plainForms = map[data.Shape]string{
	data.TextLabel:         "{text}\nLabel: {label}",
	data.InstructionOutput: "{instruction}\n{output}",
	data.SourceTarget:      "{source}\n{target}",
	data.QuestionAnswer:    "{question}\n{answer}",
	data.TokensTags:        "{tokens}\nEntities: {tags}",
}

// text says how the examples were written, so that whoever asks writes prompts the same
// way: conversations in the chat template, with the system message that all of them have.
func (e *examples) text() adapter.Text {
	t := adapter.Text{Chat: e.chat, ChatTemplate: e.opts.ChatTemplate, System: e.opts.System, Template: e.opts.Template, Vars: e.opts.Vars}
	all := slices.Concat(e.split.train, e.split.val)
	count, system := map[data.Shape]int{}, map[string]int{}
	alone := 0 // texts without a prompt, which no template wraps
	for _, x := range all {
		count[x.Shape]++
		if x.Shape != data.Messages && x.Prompt == "" {
			alone++
		}
		if x.Shape == data.Messages {
			first := ""
			if x.Messages[0].Role == "system" {
				first = x.Messages[0].Content
			}
			system[first]++
		}
	}
	t.Chat = t.Chat && 2*alone <= len(all)
	for shape, n := range count {
		switch form, ok := plainForms[shape]; {
		case 2*n <= len(all):
		case shape == data.Messages:
			t.Chat = true
			for text := range system {
				if len(system) == 1 && text != "" {
					t.System = &text
				}
			}
		case ok && t.Template == "":
			t.Template = form
		}
	}
	return t
}

// split is the examples on each side of the split, with their tokens. No training and no
// validation reads test.
type split struct {
	train, val, test                   []data.Example
	trainTokens, valTokens, testTokens []data.Tokens
}

// SetData reads a file of examples. It needs no model; tokens are made when there is
// one. The file stays until another one can be read.
func (s *Session) SetData(name string, content []byte, o wire.DataOptions) (wire.Dataset, error) {
	e := &examples{name: name, content: content, opts: o}
	if before := s.examples; before != nil && bytes.Equal(before.content, content) {
		e.hash, e.held = before.hash, before.held
	} else {
		e.hash = fmt.Sprintf("%x", sha256.Sum256(content))
	}
	d, err := s.read(e)
	if err == nil && d.Count == 0 && len(d.Columns) == 0 && s.examples != nil && !bytes.Equal(content, s.examples.content) {
		err = hint("The examples before stay. A file of examples has one JSON object a line.",
			"none of the %d lines of %s can be used; line %d: %s", len(d.Errors), name, d.Errors[0].Line, d.Errors[0].Message)
	}
	if err == nil {
		if s.examples != e {
			s.forgetAhead()
		}
		s.examples = e
	}
	return d, err
}

// Reparse reads the same file with other options.
func (s *Session) Reparse(o wire.DataOptions) (wire.Dataset, error) {
	if s.examples == nil {
		return wire.Dataset{}, hint("Drop a file of examples first.", "there are no examples yet")
	}
	return s.SetData(s.examples.name, s.examples.content, o)
}

// mostVal is the largest share of the examples that is set aside: a third, rounded up.
const mostVal = 0.34

// previews and held-out prompts that the page shows.
const previews, heldOut = 3, 8

// read describes the examples. They are parsed, split and made into tokens once for each
// model.
func (s *Session) read(e *examples) (wire.Dataset, error) {
	if e.read != nil && e.by == s.model {
		return *e.read, nil
	}
	d, all, err := s.parse(e)
	if err != nil {
		return d, err
	}
	if err := s.divide(e, all, &d); err != nil {
		return d, err
	}
	if e.opts.Turns {
		e.split.train, e.split.val, e.split.test = data.EachAnswer(e.split.train), data.EachAnswer(e.split.val), data.EachAnswer(e.split.test)
	}
	if s.model != nil {
		if err := s.tokenise(e, &d); err != nil {
			return d, err
		}
	}
	e.describe(&d)
	if d.Count == 0 && len(d.Errors) == 0 {
		return d, errors.New("the file holds no examples")
	}
	e.read, e.by = &d, s.model
	return d, nil
}

// parse reads the file into examples, by the template if there is one.
func (s *Session) parse(e *examples) (wire.Dataset, []data.Example, error) {
	set, err := data.Parse(e.name, e.content, data.Options{Prompt: e.opts.PromptColumn, Completion: e.opts.CompletionColumn})
	mapped := e.opts.PromptColumn != "" || e.opts.CompletionColumn != ""
	var columns []wire.Column // to choose from, where none of them says what it is, or the choice was made
	if mapped || err != nil || len(set.Examples) == 0 {
		for _, c := range data.Columns(e.name, e.content) {
			columns = append(columns, wire.Column(c))
		}
	}
	if err != nil && (mapped || len(columns) < 2) {
		return wire.Dataset{}, nil, err
	}
	if err != nil {
		return wire.Dataset{Name: e.name, Hash: e.hash, Columns: columns, Errors: []wire.LineError{{Line: 1, Message: strings.TrimPrefix(err.Error(), "data: ")}}}, nil, nil
	}
	d := wire.Dataset{Name: e.name, Hash: e.hash, Shape: string(set.Shape), Notes: set.Notes, Columns: columns}
	if set.Shape == data.Document {
		return d, nil, hint("Drop a file of examples, one JSON object a line.", "%s is a text, not a file of examples", e.name)
	}
	all := set.Examples
	if e.opts.Template != "" {
		if e.form, err = data.ParseTemplate(e.opts.Template); err != nil {
			return d, nil, err
		}
		if e.opts.Chat != nil && *e.opts.Chat && e.form.Slots() > 0 {
			return d, nil, hint("Switch the chat template off, or take {prefix:…} out of the template.", "soft slots can't stand inside a chat template")
		}
		for i, x := range all {
			if all[i], err = e.form.Fill(x); err != nil {
				return d, nil, fmt.Errorf("line %d: %w", x.Line, err)
			}
		}
	}
	for _, bad := range set.Errors {
		d.Errors = append(d.Errors, wire.LineError{Line: bad.Line, Message: bad.Message})
	}
	d.NeedSpace = (s.model == nil || !s.encDec() && !s.wraps(e.opts)) && data.MissingSpace(all)
	if e.opts.Space {
		data.AddSpace(all)
	}
	return d, all, nil
}

// describe counts the examples on both sides and picks held-out prompts to show.
func (e *examples) describe(d *wire.Dataset) {
	if len(d.Errors) > 0 && e.opts.SkipBad {
		d.Skipped = len(d.Errors)
	}
	d.Train, d.Val, d.Test = len(e.split.train), len(e.split.val), len(e.split.test)
	d.Count = d.Train + d.Val + d.Test
	prompts := map[string]bool{}
	for _, side := range [][]data.Example{e.split.train, e.split.val} {
		for _, x := range side {
			prompts[x.Prompt] = true
		}
	}
	d.Prompts = len(prompts)
	seen := map[string]bool{}
	for _, x := range e.split.val {
		if len(x.Messages) == 0 && !seen[x.Prompt] && len(d.HeldOut) < heldOut {
			seen[x.Prompt] = true
			d.HeldOut = append(d.HeldOut, wire.Example{Prompt: x.Prompt, Completion: x.Completion})
		}
	}
}

// edges tells what there is to know about where texts begin and end: control tokens
// inside them, end tokens that they bring, prompts that end in a space.
func (s *Session) edges(all []data.Example, o wire.DataOptions) (notes []string) {
	t := s.model.Tokenizer
	control, brought, spaced, name := 0, 0, 0, ""
	ends := s.ends()
	for _, x := range all {
		texts := []string{x.Prompt, x.Completion}
		for _, m := range x.Messages {
			texts = append(texts, m.Content)
		}
		last := strings.TrimSpace(texts[len(texts)-1])
		if len(x.Messages) == 0 {
			last = strings.TrimSpace(x.Completion)
		}
		for _, id := range ends {
			if strings.HasSuffix(last, t.Token(id)) {
				brought++
				texts[len(texts)-1] = strings.TrimSuffix(strings.TrimSpace(texts[len(texts)-1]), t.Token(id))
				break
			}
		}
		if _, found := t.Mask(strings.Join(texts, "\n")); found != nil {
			control, name = control+1, found[0]
		}
		if !s.wraps(o) && len(x.Messages) == 0 && !s.encDec() && strings.HasSuffix(x.Prompt, " ") {
			spaced++
		}
	}
	if brought > 0 {
		notes = append(notes, fmt.Sprintf("%d answers end in the end token already: it was not added twice", brought))
	}
	if control > 0 {
		notes = append(notes, fmt.Sprintf("%d examples hold a control token of the model, like %s, inside their text: it was taken as text", control, name))
	}
	if spaced > 0 && 2*spaced > len(all) {
		notes = append(notes, fmt.Sprintf("%d prompts end in a space, and most tokens begin with one: move the space to the answer's beginning", spaced))
	}
	if s.end(nil) < 0 {
		notes = append(notes, "the model names no token that ends a text: answers are learned without one, and run to their limit")
	}
	return notes
}

// tokenise makes tokens of both sides and describes them.
func (s *Session) tokenise(e *examples, d *wire.Dataset) error {
	enc, err := s.encoding(e.opts)
	if err != nil {
		return err
	}
	e.chat, d.Chat = enc.Chat, enc.Chat
	sides := []struct {
		of     *[]data.Example
		tokens *[]data.Tokens
		from   string // before an error's message
	}{{&e.split.train, &e.split.trainTokens, ""}, {&e.split.val, &e.split.valTokens, e.held[validationSide].prefix()}, {&e.split.test, &e.split.testTokens, e.held[testSide].prefix()}}
	cut := 0
	d.Notes = append(d.Notes, s.edges(slices.Concat(e.split.train, e.split.val), e.opts)...)
	for _, side := range sides {
		tokens, bad := enc.All(*side.of)
		*side.tokens = tokens
		failed := map[int]bool{}
		for _, b := range bad {
			failed[b.Line] = true
			d.Errors = append(d.Errors, wire.LineError{Line: b.Line, Message: side.from + b.Message})
		}
		kept := (*side.of)[:0:0]
		for _, x := range *side.of {
			if !failed[x.Line] {
				kept = append(kept, x)
			}
		}
		*side.of = kept
		for _, t := range tokens {
			if t.Cut {
				cut++
			}
			n := len(t.Whole())
			d.MeanToks += float64(n)
			d.MaxToks = max(d.MaxToks, n)
		}
	}
	if cut > 0 {
		d.Notes = append(d.Notes, fmt.Sprintf("%d long examples were cut: the beginnings of their prompts, the ends of their answers", cut))
	}
	if n := len(e.split.trainTokens) + len(e.split.valTokens); n > 0 {
		d.MeanToks /= float64(n)
	}
	for i, x := range e.split.train[:min(previews, len(e.split.train))] {
		prompt, completion, err := enc.Text(x)
		if err != nil {
			return err
		}
		prompt, completion = tokenizer.Unmask(prompt), tokenizer.Unmask(completion)
		end := s.model.Tokenizer.Token(s.endOf(adapter.Text{Chat: e.chat || x.Shape == data.Messages, ChatTemplate: e.opts.ChatTemplate}))
		p := wire.Preview{Prompt: prompt, Completion: completion, End: end, Tokens: len(e.split.trainTokens[i].Whole())}
		for _, soft := range x.Soft {
			p.Soft = append(p.Soft, wire.Soft{At: soft.At, Slots: soft.Slots})
		}
		d.Preview = append(d.Preview, p)
	}
	return nil
}

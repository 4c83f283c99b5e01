package data

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Shape names the keys by which a record was understood.
type Shape string

// The shapes that people's files have.
const (
	PromptCompletion  Shape = "prompt/completion"
	Messages          Shape = "messages"
	InstructionOutput Shape = "instruction/output"
	SourceTarget      Shape = "source/target"
	TokensTags        Shape = "tokens/tags"
	TextLabel         Shape = "text/label"
	QuestionAnswer    Shape = "question/answer"
	Preference        Shape = "prompt/chosen"
	Text              Shape = "text"
	Document          Shape = "document" // plain text, not records
)

// An Example is one thing to learn: to continue Prompt with Completion.
type Example struct {
	Line       int    // in the file, from 1
	Shape      Shape  //
	Prompt     string // "" where all of the text is learned
	Completion string // never empty, but for conversations
	Label      string // of text/label; else ""

	// Messages is a conversation that ends with the assistant's answer, which is
	// learned; what stands before it, earlier answers included, is its prompt.
	Messages []Message

	// Soft holds the soft slots of the template that made Prompt.
	Soft []Soft

	last   int         // the record's last line
	fields []textField // as in the record, for templates
}

// A Message is one turn of a conversation.
type Message struct {
	Role      string // "system", "user", "assistant", …
	Content   string
	Untrained bool // an answer whose "weight" is 0
}

type textField struct{ name, text string }

// Field returns the record's text under that key.
func (e Example) Field(name string) (string, bool) {
	for _, f := range e.fields {
		if f.name == name {
			return f.text, true
		}
	}
	return "", false
}

// shapeRule says which keys make a shape. The first rule whose needs are all there
// wins; so the order is from many keys to few.
type shapeRule struct {
	shape    Shape
	needs    []string
	optional []string
	make     func(p *parser, e *Example, v value) error
}

func (s shapeRule) keys() string {
	return `{"` + strings.Join(append(s.needs[:len(s.needs):len(s.needs)], s.optional...), `","`) + `"}`
}

var shapes = []shapeRule{
	{PromptCompletion, []string{"prompt", "completion"}, nil, makePrompt},
	{Preference, []string{"prompt", "chosen"}, []string{"rejected"}, makePreference},
	{Messages, []string{"messages"}, nil, makeMessages},
	{QuestionAnswer, []string{"question", "answer"}, nil, makeQuestion},
	{InstructionOutput, []string{"instruction", "output"}, []string{"input"}, makeInstruction},
	{SourceTarget, []string{"source", "target"}, nil, makeSource},
	{TokensTags, []string{"tokens", "tags"}, nil, makeTags},
	{TextLabel, []string{"text", "label"}, nil, makeLabel},
	{Text, []string{"text"}, nil, makeText},
}

// example makes an example of the object v and adds it to the set.
func (p *parser) example(v value, line, last, at int) error {
	v = p.renamed(v)
	rule, missing := matchShape(v)
	if missing != nil {
		return missing
	}
	e := Example{Line: line, Shape: rule.shape, last: last}
	for _, f := range v.fields {
		if !slices.Contains(rule.needs, f.key) && !slices.Contains(rule.optional, f.key) {
			p.tally.add(line, fmt.Sprintf("the key %q is not used", short(f.key)))
		}
	}
	if err := rule.make(p, &e, v); err != nil {
		return err
	}
	if e.Shape != Messages && blank(e.Completion) {
		return fmt.Errorf("%q is empty: there is nothing to learn", rule.needs[len(rule.needs)-1])
	}
	nul := strings.IndexByte(e.Prompt, 0) >= 0 || strings.IndexByte(e.Completion, 0) >= 0
	for _, m := range e.Messages {
		nul = nul || strings.IndexByte(m.Content, 0) >= 0
	}
	if nul {
		p.tally.add(line, "a NUL character was kept")
	}
	if at >= 0 {
		p.add(e, at)
	}
	return nil
}

// aliases are the names that well-known data sets have for the keys of a shape, tried in
// order where the record has no shape under its own names.
var aliases = []map[string]string{
	{"conversations": "messages"}, {"conversation": "messages"}, {"dialogue": "messages"}, // ShareGPT and its kin
	{"response": "output", "context": "input"}, // Dolly
	{"instruction": "prompt", "response": "completion"},
	{"prompt": "prompt", "response": "completion"}, {"prompt": "prompt", "output": "completion"}, {"prompt": "prompt", "answer": "completion"},
	{"query": "prompt", "response": "completion"}, {"input": "prompt", "output": "completion"}, {"inputs": "prompt", "targets": "completion"},
	{"problem": "question", "solution": "answer"}, {"question": "question", "response": "answer"},
	{"sentence": "text"}, {"review": "text", "sentiment": "label"}, {"text": "text", "category": "label"}, {"text": "text", "class": "label"},
	{"chosen": "messages"}, // a preference whose conversations hold the prompt
}

// renamed gives a record's keys the names that shapes have: as the person maps them, what
// a batch of requests wraps, or as well-known data sets call them.
func (p *parser) renamed(v value) value {
	if p.opts.Prompt != "" || p.opts.Completion != "" {
		return rename(v, map[string]string{p.opts.Prompt: "prompt", p.opts.Completion: "completion"})
	}
	if body, ok := v.get("body"); ok && body.kind == objectKind { // OpenAI's batches
		if _, ok := body.get("messages"); ok {
			v = body
		}
	}
	if _, err := matchShape(v); err == nil {
		return v
	}
	for _, names := range aliases {
		w := rename(v, names)
		if _, err := matchShape(w); err == nil {
			return w
		}
	}
	return v
}

// match is matchShape of the record with its keys renamed.
func (p *parser) match(v value) (shapeRule, error) { return matchShape(p.renamed(v)) }

// rename changes keys; what stood under the new name before is left out.
func rename(v value, names map[string]string) value {
	out := value{kind: v.kind}
	have := map[string]bool{}
	for _, f := range v.fields {
		if to, ok := names[f.key]; ok {
			have[to] = true
		}
	}
	if len(have) < len(names) {
		return v // not all of them are there
	}
	for _, f := range v.fields {
		if to, ok := names[f.key]; ok {
			out.fields = append(out.fields, field{to, f.value})
		} else if !have[f.key] {
			out.fields = append(out.fields, f)
		}
	}
	return out
}

// matchShape finds v's shape, or says what is missing.
func matchShape(v value) (shapeRule, error) {
	var near shapeRule
	most := 0
	for _, rule := range shapes {
		have := 0
		for _, k := range rule.needs {
			if _, ok := v.get(k); ok {
				have++
			}
		}
		if have == len(rule.needs) {
			return rule, nil
		}
		if have > most {
			near, most = rule, have
		}
	}
	if most == 0 {
		return near, unknownKeys(v)
	}
	var missing []string
	for _, k := range near.needs {
		if _, ok := v.get(k); !ok {
			missing = append(missing, strconv.Quote(k))
		}
	}
	return near, fmt.Errorf("%s is missing", strings.Join(missing, ", "))
}

func unknownKeys(v value) error {
	if len(v.fields) == 0 {
		return errors.New("is an empty object")
	}
	var found, known []string
	lists := ""
	for i, f := range v.fields {
		if i < 8 {
			found = append(found, strconv.Quote(short(f.key)))
		} else if i == 8 {
			found = append(found, "…")
		}
		if f.value.kind == listKind && len(f.value.list) > 0 && f.value.list[0].kind == objectKind {
			lists = f.key
		}
	}
	_, role := v.get("role")
	_, content := v.get("content")
	switch {
	case role && content:
		return errors.New(`is a single message; a conversation is one object, {"messages": [ … ]}`)
	case lists != "":
		return fmt.Errorf("its keys are %s; if the list under %q holds the examples, save that list alone", strings.Join(found, ", "), short(lists))
	}
	for _, s := range shapes {
		known = append(known, s.keys())
	}
	return fmt.Errorf("its keys are %s; want those of one of %s", strings.Join(found, ", "), strings.Join(known, " "))
}

// str reads the text under key. Numbers and booleans are taken as they are written.
func (p *parser) str(e *Example, v value, key string) (string, error) {
	f, ok := v.get(key)
	if !ok {
		return "", nil // an optional key; needs were checked before
	}
	text, err := p.asText(e.Line, f, strconv.Quote(key))
	if err != nil {
		return "", err
	}
	e.fields = append(e.fields, textField{key, text})
	return text, nil
}

func (p *parser) asText(line int, v value, what string) (string, error) {
	switch v.kind {
	case stringKind:
		return v.text, nil
	case numberKind, boolKind:
		p.tally.add(line, fmt.Sprintf("%s is %s and was taken as text", what, v.kind))
		return v.text, nil
	}
	return "", fmt.Errorf("%s is %s, want text", what, v.kind)
}

// both reads two texts.
func (p *parser) both(e *Example, v value, first, second string) (a, b string, err error) {
	if a, err = p.str(e, v, first); err == nil {
		b, err = p.str(e, v, second)
	}
	return a, b, err
}

func makePrompt(p *parser, e *Example, v value) (err error) {
	prompt, _ := v.get("prompt")
	completion, _ := v.get("completion")
	if prompt.kind == listKind && completion.kind == listKind {
		// a conversation in two lists of messages
		e.Shape = Messages
		return p.conversation(e, append(prompt.list[:len(prompt.list):len(prompt.list)], completion.list...))
	}
	e.Prompt, e.Completion, err = p.both(e, v, "prompt", "completion")
	return err
}

// makeQuestion is a question and its answer, each on its line.
func makeQuestion(p *parser, e *Example, v value) error {
	question, answer, err := p.both(e, v, "question", "answer")
	e.Prompt, e.Completion = question+"\n", answer
	return err
}

// makePreference learns the answer that was chosen.
func makePreference(p *parser, e *Example, v value) (err error) {
	p.tally.add(e.Line, "of the two answers to a prompt the one that was chosen is learned")
	prompt, _ := v.get("prompt")
	chosen, _ := v.get("chosen")
	if chosen.kind != listKind {
		e.Prompt, e.Completion, err = p.both(e, v, "prompt", "chosen")
		return err
	}
	e.Shape = Messages
	turns := chosen.list
	if prompt.kind == listKind && len(chosen.list) == 1 {
		turns = append(prompt.list[:len(prompt.list):len(prompt.list)], turns...)
	}
	return p.conversation(e, turns)
}

func makeText(p *parser, e *Example, v value) (err error) {
	e.Completion, err = p.str(e, v, "text")
	return err
}

func makeLabel(p *parser, e *Example, v value) error {
	text, label, err := p.both(e, v, "text", "label")
	if err != nil {
		return err
	}
	if blank(label) {
		return errors.New(`"label" is empty: there is nothing to learn`)
	}
	e.Label, e.Prompt, e.Completion = label, text+"\nLabel:", " "+label
	return nil
}

func makeSource(p *parser, e *Example, v value) error {
	source, target, err := p.both(e, v, "source", "target")
	e.Prompt, e.Completion = source+"\n", target
	return err
}

func makeInstruction(p *parser, e *Example, v value) error {
	instruction, output, err := p.both(e, v, "instruction", "output")
	if err != nil {
		return err
	}
	if f, ok := v.get("input"); ok && f.kind != nullKind {
		input, err := p.str(e, v, "input")
		if err != nil {
			return err
		}
		if input != "" {
			instruction += "\n\n" + input
		}
	} else {
		e.fields = append(e.fields, textField{"input", ""})
	}
	e.Prompt, e.Completion = instruction+"\n", output
	return nil
}

func makeTags(p *parser, e *Example, v value) error {
	var columns [2][]string
	for i, key := range []string{"tokens", "tags"} {
		f, _ := v.get(key)
		if f.kind != listKind {
			return fmt.Errorf("%q is %s, want a list", key, f.kind)
		}
		for j, item := range f.list {
			if key == "tags" && item.kind != stringKind {
				return fmt.Errorf(`item %d of "tags" is %s, want a tag's name, like "B-PER" or "O"`, j+1, item.kind)
			}
			text, err := p.asText(e.Line, item, fmt.Sprintf("an item of %q", key))
			if err != nil {
				return err
			}
			columns[i] = append(columns[i], text)
		}
	}
	tokens, tags := columns[0], columns[1]
	if len(tokens) != len(tags) {
		return fmt.Errorf(`"tokens" has %d items and "tags" %d`, len(tokens), len(tags))
	}
	if len(tokens) == 0 {
		return errors.New(`"tokens" is empty: there is nothing to learn`)
	}
	text, entities := strings.Join(tokens, " "), FormatEntities(tokens, Spans(tags))
	e.fields = []textField{{"tokens", text}, {"tags", entities}}
	e.Prompt, e.Completion = text+"\nEntities:", " "+entities
	return nil
}

package chat

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"
)

// A Template is a chat template, ready to render. It is safe for use by several
// goroutines.
type Template struct {
	nodes []node
	spent atomic.Pointer[error] // the first budget that a rendering went beyond
}

// A Message is one turn of a conversation.
type Message struct {
	Role    string // "system", "user", "assistant"
	Content string
}

// Input is what a template is rendered with.
type Input struct {
	Messages []Message
	// AddGenerationPrompt ends the text where the assistant's answer begins.
	AddGenerationPrompt bool
	BOS, EOS            string // the model's begin and end tokens, as text
	// System replaces the system message that the template adds by itself; ""
	// leaves it out; nil leaves it as it is. It does nothing to messages that
	// begin with a system message.
	System *string
	// Now is the time for templates that write the date. Without it they write
	// the fixed date that they have for this case, so that the text stays the
	// same from day to day.
	Now time.Time
	// Vars are further variables that a template knows (enable_thinking, tools):
	// booleans, int, int64, float64, json.Number, strings, and []any and
	// map[string]any of them.
	Vars map[string]any
}

// Parse reads a template. A tag, filter, test, function or method that isn't
// known is refused here, with its name and line.
func Parse(source string) (*Template, error) {
	if len(source) > maxTemplate {
		return nil, fmt.Errorf("chat: a template of %d bytes, want at most %d", len(source), maxTemplate)
	}
	segments, err := lex(source)
	if err != nil {
		return nil, err
	}
	p := &parser{segments: segments, line: 1, macros: map[string]bool{}}
	for _, s := range segments {
		if s.kind == tagSegment && len(s.tokens) > 1 && s.tokens[0].is(nameToken, "macro") {
			p.macros[s.tokens[1].text] = true
		}
	}
	nodes, _, err := p.body()
	if err != nil {
		return nil, err
	}
	return &Template{nodes: nodes}, nil
}

// Render returns the conversation as the model's text. The error is a *Refusal
// where the template itself turns the messages down.
func (t *Template) Render(in Input) (string, error) {
	if in.System == nil || len(in.Messages) > 0 && in.Messages[0].Role == "system" {
		return t.render(in, "")
	}
	if *in.System != "" {
		in.Messages = append([]Message{{"system", *in.System}}, in.Messages...)
		return t.render(in, "")
	}
	own, ok, err := t.DefaultSystem(in)
	if err != nil {
		return "", err
	}
	if !ok {
		return t.render(in, "")
	}
	return t.render(in, own)
}

// errKept: the system message is written together with other text.
var errKept = errors.New("chat: this template has no way to leave its system message out; another text can take its place")

func (t *Template) render(in Input, cut string) (string, error) {
	vars := make(map[string]any)
	for name, v := range in.Vars {
		var err error
		if vars[name], err = fromGo(v); err != nil {
			return "", fmt.Errorf("%w (variable %q)", err, name)
		}
	}
	messages := make([]any, len(in.Messages))
	for i, m := range in.Messages {
		d := newDict()
		d.setText("role", m.Role)
		d.setText("content", m.Content)
		messages[i] = d
	}
	vars["messages"] = messages
	vars["add_generation_prompt"] = in.AddGenerationPrompt
	vars["bos_token"], vars["eos_token"] = in.BOS, in.EOS
	for _, name := range []string{"tools", "documents"} {
		if _, ok := vars[name]; !ok {
			vars[name] = nil // as transformers passes them
		}
	}
	if spent := t.spent.Load(); spent != nil {
		return "", *spent
	}
	steps := baseSteps + messageSteps*len(in.Messages)
	for _, m := range in.Messages {
		steps += byteSteps * len(m.Content)
	}
	// Variables set by the template live in the same scope.
	r := &run{out: &strings.Builder{}, scopes: []map[string]any{vars}, now: in.Now, cut: cut, steps: steps, start: time.Now()}
	if err := r.all(t.nodes); err != nil {
		if beyond(err) { // each further message would cost as much
			err = fmt.Errorf("chat: template: %w: it was not made for use; choose another model, or switch the chat template off", err)
			t.spent.CompareAndSwap(nil, &err)
			return "", err
		}
		if refusal := (*Refusal)(nil); errors.As(err, &refusal) {
			return "", refusal
		}
		return "", fmt.Errorf("chat: template: %w", err)
	}
	text := r.out.String()
	if cut != "" && (r.cut != "" || !keeps(text, in.Messages)) {
		return "", errKept
	}
	return text, nil
}

// keeps tells whether text has the messages' contents.
func keeps(text string, messages []Message) bool {
	for _, m := range messages {
		if !strings.Contains(text, strings.TrimSpace(m.Content)) {
			return false
		}
	}
	return true
}

// DefaultSystem returns the system message that the template adds to
// conversations that have none, and whether it adds one. It compares a
// conversation with a system message to the same without; of in, the messages
// don't count.
func (t *Template) DefaultSystem(in Input) (string, bool, error) {
	const system, user = "\uE000system\uE000", "\uE000user\uE000"
	in.System = nil
	in.Messages = []Message{{"user", user}}
	own, err := t.render(in, "")
	if err != nil {
		return "", false, err
	}
	in.Messages = []Message{{"system", system}, {"user", user}}
	given, err := t.render(in, "")
	if refusal := (*Refusal)(nil); errors.As(err, &refusal) {
		return "", false, nil // no system messages at all
	}
	if err != nil {
		return "", false, err
	}
	before, after, ok := strings.Cut(given, system)
	if !ok || len(own) <= len(before)+len(after) || !strings.HasPrefix(own, before) || !strings.HasSuffix(own, after) {
		return "", false, nil
	}
	return own[len(before) : len(own)-len(after)], true, nil
}

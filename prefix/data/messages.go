package data

import (
	"errors"
	"fmt"
	"strings"
)

func makeMessages(p *parser, e *Example, v value) error {
	list, _ := v.get("messages")
	if list.kind != listKind {
		return fmt.Errorf(`"messages" is %s, want a list of {"role","content"}`, list.kind)
	}
	if system, ok := v.get("system"); ok && system.kind == stringKind && !blank(system.text) { // ShareGPT's, beside the turns
		first := value{kind: objectKind, fields: []field{{"role", value{kind: stringKind, text: "system"}}, {"content", system}}}
		return p.conversation(e, append([]value{first}, list.list...))
	}
	return p.conversation(e, list.list)
}

// roles are the names that ShareGPT files and their kin have for who speaks.
var roles = map[string]string{"human": "user", "gpt": "assistant", "chatgpt": "assistant", "bing": "assistant", "bard": "assistant",
	"model": "assistant", "bot": "assistant", "chatbot": "assistant", "ai": "assistant", "prompter": "user", "function_call": "assistant", "observation": "tool"}

func (p *parser) conversation(e *Example, list []value) error {
	answers := 0
	for i, item := range list {
		m, err := p.message(e, item)
		if err != nil {
			return fmt.Errorf("message %d %w", i+1, err)
		}
		if m.Role == "assistant" {
			answers++
		}
		e.Messages = append(e.Messages, m)
	}
	if len(e.Messages) == 0 {
		return errors.New(`"messages" is empty: there is nothing to learn`)
	}
	e.Messages = upToTrained(e.Messages)
	if len(e.Messages) == 0 {
		return errors.New(`every answer has "weight" 0: there is nothing to learn`)
	}
	end := e.Messages[len(e.Messages)-1]
	if end.Role != "assistant" {
		return fmt.Errorf(`the last message is from %q: want the answer to learn, from "assistant"`, end.Role)
	}
	if blank(end.Content) {
		return errors.New("the last message is empty: there is nothing to learn")
	}
	if answers > 1 && len(e.Messages) > 2 {
		p.tally.add(e.Line, "of several answers in a conversation the last is learned, and the earlier ones are its context")
	}
	return nil
}

// upToTrained leaves out the end of a conversation whose answers carry no loss.
func upToTrained(messages []Message) []Message {
	last := -1
	for i, m := range messages {
		if m.Role == "assistant" {
			last = i
		}
	}
	if last < 0 || !messages[last].Untrained {
		return messages
	}
	for ; last >= 0; last-- {
		if m := messages[last]; m.Role == "assistant" && !m.Untrained {
			break
		}
	}
	return messages[:last+1]
}

// EachAnswer makes an example of every answer that carries loss, the turns before it as
// its prompt, in place of the last answer alone.
func EachAnswer(examples []Example) []Example {
	var out []Example
	for _, e := range examples {
		if e.Shape != Messages {
			out = append(out, e)
			continue
		}
		for i, m := range e.Messages {
			if m.Role == "assistant" && !m.Untrained && !blank(m.Content) && i > 0 {
				one := e
				one.Messages = e.Messages[: i+1 : i+1]
				out = append(out, one)
			}
		}
	}
	return out
}

func (p *parser) message(e *Example, v value) (m Message, err error) {
	if v.kind != objectKind {
		return m, fmt.Errorf(`is %s, want {"role","content"}`, v.kind)
	}
	if _, ok := v.get("role"); !ok {
		for _, names := range []map[string]string{{"from": "role", "value": "content"}, {"speaker": "role", "text": "content"}, {"role": "role", "value": "content"}} {
			v = rename(v, names)
		}
	}
	role, ok := v.get("role")
	if !ok || role.kind != stringKind || role.text == "" {
		return m, errors.New(`has no "role" ("system", "user" or "assistant")`)
	}
	m.Role = role.text
	if known, ok := roles[strings.ToLower(m.Role)]; ok {
		m.Role = known
	}
	for _, f := range v.fields {
		if f.key == "weight" {
			if f.value.kind != numberKind || f.value.text != "0" && f.value.text != "1" {
				return m, fmt.Errorf(`has a "weight" of %s, want 0 (not learned) or 1`, short(f.value.text))
			}
			m.Untrained = f.value.text == "0"
			continue
		}
		if f.key != "role" && f.key != "content" {
			p.tally.add(e.Line, fmt.Sprintf("a message's key %q is not used", short(f.key)))
		}
	}
	content, ok := v.get("content")
	switch {
	case !ok:
		return m, errors.New(`has no "content"`)
	case content.kind == nullKind:
		p.tally.add(e.Line, `a message whose "content" is null was taken as empty`)
	case content.kind == listKind:
		m.Content, err = p.parts(e, content.list)
	default:
		m.Content, err = p.asText(e.Line, content, `"content"`)
		if err != nil {
			err = fmt.Errorf("is wrong: %w", err)
		}
	}
	return m, err
}

// parts joins a content that is a list: texts, or {"type":"text","text":…}.
func (p *parser) parts(e *Example, list []value) (string, error) {
	var b strings.Builder
	for _, part := range list {
		if part.kind == stringKind {
			b.WriteString(part.text)
			continue
		}
		kind, _ := part.get("type")
		text, ok := part.get("text")
		if part.kind != objectKind || kind.text != "text" && kind.text != "" || !ok || text.kind != stringKind {
			name := kind.text
			if name == "" {
				name = part.kind.String()
			}
			return "", fmt.Errorf(`has a part of "content" that is no text (%s): only text can be learned`, short(name))
		}
		b.WriteString(text.text)
	}
	return b.String(), nil
}

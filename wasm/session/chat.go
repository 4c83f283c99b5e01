package session

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"prelude/models"
	"prelude/models/chat"
	"prelude/models/tokenizer"
	"prelude/prefix/adapter"
	"prelude/prefix/data"
	"prelude/ui/wire"
)

// chatSwitches are the variables that templates in use switch by.
var chatSwitches = []string{"enable_thinking", "add_thinking", "keep_cot"}

// conversation is a chat template of a model with the model's own tokens.
type conversation struct {
	text     string
	template *chat.Template
	bos, eos string
	now      time.Time // of templates that write the date: that of loading, for all that follows
	end      int32     // ends the assistant's turn, -1 where the template writes no such token
}

// readChats reads the model's chat templates, by name, "" the default; what can't be read is a
// note.
func readChats(m *models.Model) map[string]*conversation {
	all := map[string]*conversation{}
	if m.Chat != "" {
		c, err := parseTemplate(m, m.Chat)
		if err != nil {
			m.Notes = append(m.Notes, fmt.Sprintf("The model's chat template can't be read (%v): examples stay plain text.", err))
		} else {
			all[""] = c
		}
	}
	for _, t := range m.NamedChats {
		c, err := parseTemplate(m, t.Text)
		if err != nil {
			m.Notes = append(m.Notes, fmt.Sprintf("The model's chat template %q can't be read (%v): it can't be chosen.", t.Name, err))
		} else {
			all[t.Name] = c
		}
	}
	return all
}

// parseTemplate reads a chat template of the model.
func parseTemplate(m *models.Model, text string) (*conversation, error) {
	t, err := chat.Parse(text)
	if err != nil {
		return nil, err
	}
	c := &conversation{text: text, template: t, bos: bosText(m.Tokenizer), eos: m.Tokenizer.Token(m.Tokenizer.EOS()), now: time.Now(), end: -1}
	c.end = c.turnEnd(m.Tokenizer)
	return c, nil
}

// turnEnd finds the control token that the template writes after an answer.
func (c *conversation) turnEnd(t *tokenizer.Tokenizer) int32 {
	const answer = "\uE000answer\uE000"
	text, err := c.Render([]data.Message{{Role: "user", Content: "?"}, {Role: "assistant", Content: answer}}, false, nil, nil)
	if err != nil {
		return -1
	}
	_, after, ok := strings.Cut(text, answer)
	if !ok {
		return -1
	}
	for _, id := range t.EncodeMore(after) {
		if t.Special(id) {
			return id
		}
	}
	return -1
}

func bosText(t *tokenizer.Tokenizer) string {
	if id, ok := t.BOS(); ok {
		return t.Token(id)
	}
	return ""
}

// Render writes messages; where they are open, up to where the assistant's answer starts.
// A nil system leaves the template's own system message, "" takes it away. Vars are the
// template's variables.
func (c *conversation) Render(m []data.Message, open bool, system *string, vars map[string]bool) (string, error) {
	in := chat.Input{AddGenerationPrompt: open, BOS: c.bos, EOS: c.eos, System: system, Now: c.now}
	for _, x := range m {
		in.Messages = append(in.Messages, chat.Message{Role: x.Role, Content: x.Content})
	}
	for name, on := range vars {
		if in.Vars == nil {
			in.Vars = map[string]any{}
		}
		in.Vars[name] = on
	}
	return c.template.Render(in)
}

// DefaultSystem is the system message that the template adds by itself.
func (c *conversation) DefaultSystem() string {
	s, _, err := c.template.DefaultSystem(chat.Input{AddGenerationPrompt: true, BOS: c.bos, EOS: c.eos, Now: c.now})
	if err != nil {
		return ""
	}
	return s
}

// described says what the page may choose in the template.
func (c *conversation) described(name string) wire.ChatTemplate {
	d := wire.ChatTemplate{Name: name, System: c.DefaultSystem()}
	for _, v := range chatSwitches {
		if strings.Contains(c.text, v) {
			d.Switches = append(d.Switches, v)
		}
	}
	return d
}

// noChat says that the model has no chat template of that name, and which it has.
func (s *Session) noChat(name string) error {
	var names []string
	for _, n := range slices.Sorted(maps.Keys(s.chats)) {
		if n == "" {
			n = "default"
		}
		names = append(names, n)
	}
	switch {
	case names == nil:
		return hint("Switch the chat template off.", "%s has no chat template", s.model.Name)
	case name == "":
		return hint("Choose one of them, or switch the chat template off.", "none of %s's chat templates is called default; it has %s", s.model.Name, strings.Join(names, ", "))
	}
	return hint("Choose one of them.", "%s has no chat template called %q; it has %s", s.model.Name, name, strings.Join(names, ", "))
}

// endOf is the token that ends an answer which is written like that.
func (s *Session) endOf(t adapter.Text) int32 {
	if !t.Chat {
		return s.end(nil)
	}
	return s.end(s.chats[t.ChatTemplate])
}

package session

import (
	"strings"
	"time"

	"prelude/models"
	"prelude/models/chat"
	"prelude/models/tokenizer"
	"prelude/prefix/data"
)

// chatSwitches are the variables that templates in use switch by.
var chatSwitches = []string{"enable_thinking", "add_thinking", "keep_cot"}

// conversation is a model's chat template with the model's own tokens.
type conversation struct {
	template *chat.Template
	bos, eos string
	now      time.Time // of templates that write the date: that of loading, for all that follows
	end      int32     // ends the assistant's turn, -1 where the template writes no such token
}

// parseTemplate reads the model's chat template.
func parseTemplate(m *models.Model) (*conversation, error) {
	t, err := chat.Parse(m.Chat)
	if err != nil {
		return nil, err
	}
	c := &conversation{template: t, bos: bosText(m.Tokenizer), eos: m.Tokenizer.Token(m.Tokenizer.EOS()), now: time.Now(), end: -1}
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

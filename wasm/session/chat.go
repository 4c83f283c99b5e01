package session

import (
	"prelude/models"
	"prelude/models/chat"
	"prelude/models/tokenizer"
	"prelude/prefix/data"
)

// conversation is a model's chat template with the model's own tokens.
type conversation struct {
	template *chat.Template
	bos, eos string
}

// parseTemplate reads the model's chat template.
func parseTemplate(m *models.Model) (*conversation, error) {
	t, err := chat.Parse(m.Chat)
	if err != nil {
		return nil, err
	}
	return &conversation{t, bosText(m.Tokenizer), m.Tokenizer.Token(m.Tokenizer.EOS())}, nil
}

func bosText(t *tokenizer.Tokenizer) string {
	if id, ok := t.BOS(); ok {
		return t.Token(id)
	}
	return ""
}

// Render writes messages up to where the assistant's answer starts. A nil system leaves
// the template's own system message, "" takes it away.
func (c *conversation) Render(m []data.Message, system *string) (string, error) {
	in := chat.Input{AddGenerationPrompt: true, BOS: c.bos, EOS: c.eos, System: system}
	for _, x := range m {
		in.Messages = append(in.Messages, chat.Message(x))
	}
	return c.template.Render(in)
}

// DefaultSystem is the system message that the template adds by itself.
func (c *conversation) DefaultSystem() string {
	s, _, err := c.template.DefaultSystem(chat.Input{AddGenerationPrompt: true, BOS: c.bos, EOS: c.eos})
	if err != nil {
		return ""
	}
	return s
}

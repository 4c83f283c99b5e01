package models

import (
	"fmt"
	"strings"

	"prelude/models/weights/gguf"
)

// ChatTemplate is one of several chat templates that a model has, by its name ("tool_use").
type ChatTemplate struct {
	Name string
	Text string `json:"template"` // Jinja
}

// Bounds on the names of chat templates, which people choose from.
const maxChats, maxChatName = 32, 64

// nameChats takes a model's list of chat templates: the reference uses the one called default
// unless another is named.
func (f *Files) nameChats(where string, all []ChatTemplate) error {
	if len(all) > maxChats {
		return fmt.Errorf("models: %s has %d templates, at most %d are read", where, len(all), maxChats)
	}
	seen := map[string]bool{}
	var names []string
	for _, t := range all {
		switch {
		case t.Name == "" || len(t.Name) > maxChatName:
			return fmt.Errorf("models: %s: a template's name has %d bytes, want 1 to %d", where, len(t.Name), maxChatName)
		case seen[t.Name]:
			return fmt.Errorf("models: %s: two templates have the name %q", where, t.Name)
		case t.Name == "default":
			f.Chat = t.Text
		default:
			f.NamedChats = append(f.NamedChats, t)
			names = append(names, fmt.Sprintf("%q", t.Name))
		}
		seen[t.Name] = true
	}
	switch {
	case len(names) == 0:
	case f.Chat == "":
		f.Notes = append(f.Notes, fmt.Sprintf("Of the model's chat templates (%s) none is called default: examples stay plain text until one is chosen.", strings.Join(names, ", ")))
	default:
		f.Notes = append(f.Notes, fmt.Sprintf("Of the model's chat templates the one called default is used unless another is chosen: %s.", strings.Join(names, ", ")))
	}
	return nil
}

// chatsOfGGUF reads the chat template of a GGUF file, and those beside it.
func (f *Files) chatsOfGGUF(m gguf.Metadata) error {
	const key = "tokenizer.chat_template"
	var all []ChatTemplate
	if text, ok := m.String(key); ok {
		all = append(all, ChatTemplate{"default", text})
	}
	names, _ := m.Strings(key + "s")
	for _, name := range names[:min(len(names), maxChats)] {
		if text, ok := m.String(key + "." + name); ok && name != "default" {
			all = append(all, ChatTemplate{name, text})
		}
	}
	return f.nameChats(key+"s", all)
}

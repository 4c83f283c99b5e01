package session

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"prelude/prefix/data"
	"prelude/ui/wire"
)

// Lines writes the examples that are there as JSON lines, and those of another file behind
// them where content is not nil: what a person edits, and what two files make together.
// Lines of either that can't be read are counted, and left out.
func (s *Session) Lines(o wire.Lines, content []byte) (wire.Lined, []byte, error) {
	m := wire.Lined{ID: o.ID}
	var out bytes.Buffer
	write := func(name string, content []byte, opts data.Options) error {
		set, err := data.Parse(name, content, opts)
		if err != nil {
			return err
		}
		if set.Shape == data.Document {
			return hint("Drop it alone to learn it as a text.", "%s is a text, not a file of examples", name)
		}
		for _, e := range set.Examples {
			line, err := json.Marshal(record(e))
			if err != nil {
				return err
			}
			out.Write(append(line, '\n'))
		}
		m.Count, m.Bad = m.Count+len(set.Examples), m.Bad+len(set.Errors)
		return nil
	}
	if e := s.examples; e != nil && !o.Alone {
		if err := write(e.name, e.content, data.Options{Prompt: e.opts.PromptColumn, Completion: e.opts.CompletionColumn}); err != nil {
			return m, nil, err
		}
	}
	if content != nil {
		had := m.Count
		if err := write(o.Name, content, data.Options{}); err != nil {
			return m, nil, err
		}
		if m.New = m.Count - had; m.New == 0 {
			return m, nil, hint("Each needs a prompt and a completion, or what else is listed under accepted formats.", "%s holds no examples that can be read", o.Name)
		}
	}
	return m, out.Bytes(), nil
}

// record is an example under the keys of its shape, so that templates find its fields.
func record(e data.Example) any {
	if e.Shape == data.Messages {
		type message struct {
			Role    string `json:"role"`
			Content string `json:"content"`
			Weight  *int   `json:"weight,omitempty"`
		}
		var all []message
		for _, m := range e.Messages {
			x := message{Role: m.Role, Content: m.Content}
			if m.Untrained {
				x.Weight = new(int)
			}
			all = append(all, x)
		}
		return map[string]any{"messages": all}
	}
	keys := strings.Split(string(e.Shape), "/")
	if slices.Contains([]data.Shape{data.TextLabel, data.InstructionOutput, data.SourceTarget, data.QuestionAnswer, data.Text}, e.Shape) {
		all := map[string]string{}
		for _, key := range append(keys, "input") {
			if text, ok := e.Field(key); ok {
				all[key] = text
			}
		}
		if len(all) >= len(keys) {
			return all
		}
	}
	return wire.Example{Prompt: e.Prompt, Completion: e.Completion}
}

package session

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"prelude/models/tiny"
	"prelude/prefix/adapter"
	"prelude/ui/wire"
)

// beginning is the tiny model whose tokenizer puts a begin token before texts by itself, with a
// chat template that writes one too, and a context of so many tokens.
func beginning(t *testing.T, template string, context int) *Session {
	t.Helper()
	dir := tiny.Folder(t, 0)
	change := func(name string, f func(map[string]any)) {
		var keys map[string]any
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err == nil {
			err = json.Unmarshal(text, &keys)
		}
		if err != nil {
			t.Fatal(err)
		}
		f(keys)
		text, _ = json.Marshal(keys)
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const begin = "<|endoftext|>"
	change("tokenizer.json", func(keys map[string]any) {
		id := keys["added_tokens"].([]any)[0].(map[string]any)["id"]
		keys["post_processor"] = map[string]any{"type": "TemplateProcessing", "pair": []any{},
			"single":         []any{map[string]any{"SpecialToken": map[string]any{"id": begin, "type_id": 0}}, map[string]any{"Sequence": map[string]any{"id": "A", "type_id": 0}}},
			"special_tokens": map[string]any{begin: map[string]any{"id": begin, "ids": []any{id}, "tokens": []any{begin}}}}
	})
	change("tokenizer_config.json", func(keys map[string]any) {
		keys["bos_token"] = begin
		if template != "" {
			keys["chat_template"] = template
		}
	})
	change("config.json", func(keys map[string]any) { keys["max_position_embeddings"] = context })
	return opened(t, dir)
}

// TestAskedAsTrained: what the model reads before an answer in training is, token by token, what
// it reads when it is asked with the record of the prefix: whatever the shape of the examples, with
// the begin token that the tokenizer adds, which is there once where a chat template writes it too.
// The lines of Python that leave with the prefix write the same text, and those for llama.cpp,
// whose server would put the begin token before a prompt that does not begin with tokens.
func TestAskedAsTrained(t *testing.T) {
	const chat = "{{ bos_token }}{% if messages[0]['role'] != 'system' %}(be kind){% endif %}{% for m in messages %}({{ m['role'] }}: {{ m['content'] }}){% endfor %}{% if add_generation_prompt %}(assistant: {% endif %}"
	off := false
	for _, c := range []struct {
		name, template, line, prompt, reads string
		opts                                wire.DataOptions
	}{
		{"plain", "", `{"prompt":"tea %d","completion":" cake"}`, "tea %d", "tea %d", wire.DataOptions{}},
		{"labels", "", `{"text":"tea %d","label":"cake"}`, "tea %d", "tea %d\nLabel:", wire.DataOptions{}},
		{"a form", "", `{"prompt":"tea %d","completion":" cake"}`, "tea %d", "Say: tea %d.", wire.DataOptions{Template: "Say: {prompt}.{completion}"}},
		{"chat", chat, `{"prompt":"tea %d","completion":"cake"}`, "tea %d", "(be kind)(user: tea %d)(assistant: ", wire.DataOptions{}},
		{"chat switched off", chat, `{"prompt":"tea %d","completion":" cake"}`, "tea %d", "tea %d", wire.DataOptions{Chat: &off}},
		{"conversations", chat, `{"messages":[{"role":"user","content":"tea %d"},{"role":"assistant","content":"cake"}]}`, "tea %d", "(be kind)(user: tea %d)(assistant: ", wire.DataOptions{}},
		{"conversations with one system message", chat, `{"messages":[{"role":"system","content":"be short"},{"role":"user","content":"tea %d"},{"role":"assistant","content":"cake"}]}`,
			"tea %d", "(system: be short)(user: tea %d)(assistant: ", wire.DataOptions{}},
	} {
		s := beginning(t, c.template, 256)
		var lines strings.Builder
		for i := range 8 {
			fmt.Fprintf(&lines, c.line+"\n", i)
		}
		if _, err := s.SetData("x.jsonl", []byte(lines.String()), c.opts); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		enc, err := s.encoding(s.examples.opts)
		if err != nil {
			t.Fatal(err)
		}
		enc.Chat = s.examples.chat
		tuned := &tuned{card: adapter.Prelude{Text: s.examples.text()}}
		for _, e := range s.examples.split.train {
			trained, err := enc.Tokenise(e)
			if err != nil {
				t.Fatal(err)
			}
			n := e.Line - 1
			asked, err := s.promptTokens(tuned, wire.Generate{Prompt: fmt.Sprintf(c.prompt, n)})
			if err != nil {
				t.Fatal(err)
			}
			before, after, err := s.frame(tuned)
			if err != nil {
				t.Fatal(err)
			}
			python := s.model.Tokenizer.Encode(before+fmt.Sprintf(c.prompt, n)+after, s.begins(tuned))
			if !slices.Equal(python, asked.IDs) {
				t.Errorf("%s: in Python it reads %q", c.name, s.model.Tokenizer.Decode(python))
			}
			first, rest := s.begun(tuned, before)
			if llama := append(first, s.model.Tokenizer.Encode(rest+fmt.Sprintf(c.prompt, n)+after, false)...); len(first) != 1 || !slices.Equal(llama, asked.IDs) {
				t.Errorf("%s: in llama.cpp it reads %q after %d tokens", c.name, s.model.Tokenizer.Decode(llama), len(first))
			}
			begin := enc.BOS
			if want := trained.IDs[:trained.Start]; !slices.Equal(asked.IDs, want) {
				t.Errorf("%s: asked %q, trained on %q", c.name, s.model.Tokenizer.Decode(asked.IDs), s.model.Tokenizer.Decode(want))
			}
			if len(begin) != 1 || asked.IDs[0] != begin[0] || slices.Contains(asked.IDs[1:], begin[0]) {
				t.Errorf("%s: %v does not begin with %v once", c.name, asked.IDs, begin)
			}
			if got, want := s.model.Tokenizer.Decode(asked.IDs[1:]), fmt.Sprintf(c.reads, n); got != want {
				t.Errorf("%s: reads %q, want %q", c.name, got, want)
			}
		}
	}
}

// TestLongPromptsAreAnswered: where the model has the room, a prompt of more than a thousand tokens
// is read whole.
func TestLongPromptsAreAnswered(t *testing.T) {
	s := beginning(t, "", 2048)
	o := wire.Generate{Prompt: strings.Repeat("the mill on the river serves tea and cake ", 160), Base: true, MaxTokens: 2}
	m, err := s.Measure(o)
	if err != nil || m.Tokens < 1200 || m.Bytes > 0 {
		t.Fatalf("%+v, %v", m, err)
	}
	var last wire.Sample
	if err := s.Generate(t.Context(), o, func(x wire.Sample) bool { last = x; return true }); err != nil || !last.Done || last.Bytes > 0 {
		t.Errorf("%+v, %v", last, err)
	}
}

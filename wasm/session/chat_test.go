package session

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"prelude/engine/cpu"
	"prelude/models"
	"prelude/models/tiny"
	"prelude/models/weights"
	"prelude/ui/wire"
)

// instruct is the tiny model with a chat template.
func instruct(t *testing.T) *Session {
	t.Helper()
	dir := tiny.Folder(t, 0)
	config := `{"chat_template": "{% if messages[0]['role'] != 'system' %}(be kind){% endif %}{% for m in messages %}({{ m['role'] }}: {{ m['content'] }}){% endfor %}{% if add_generation_prompt %}(assistant: {% endif %}"}`
	if err := os.WriteFile(filepath.Join(dir, "tokenizer_config.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := models.Open(context.Background(), "tiny", weights.Dir(dir), "")
	if err != nil {
		t.Fatal(err)
	}
	s := &Session{Device: cpu.New[float32]()}
	if err := s.Load(context.Background(), f, weights.Options{}); err != nil {
		t.Fatal(err)
	}
	return s
}

// asked is a prompt as the model reads it.
func asked(t *testing.T, s *Session, o wire.Generate) string {
	t.Helper()
	tokens, err := s.promptTokens(s.tuned, o)
	if err != nil {
		t.Fatal(err)
	}
	return s.model.Tokenizer.Decode(tokens.Whole())
}

// TestInstructModelsStartWithTheirTemplate: in asking, before there are examples too, and in
// training. A choice, a text without a prompt and soft slots leave it out.
func TestInstructModelsStartWithTheirTemplate(t *testing.T) {
	s := instruct(t)
	question := wire.Generate{Prompt: "who are you?"}
	const wrapped = "(be kind)(user: who are you?)(assistant: "
	if got := asked(t, s, question); got != wrapped {
		t.Errorf("without examples it reads %q", got)
	}
	off := false
	for _, c := range []struct {
		name, lines, preview, asks string
		opts                       wire.DataOptions
	}{
		{"prompts", `{"prompt":"a","completion":" b"}`, "(be kind)(user: a)(assistant: ", wrapped, wire.DataOptions{}},
		{"switched off", `{"prompt":"a","completion":" b"}`, "a", question.Prompt, wire.DataOptions{Chat: &off}},
		{"texts alone", `{"text":"tea and cake"}`, "", question.Prompt, wire.DataOptions{}},
		{"soft slots", `{"prompt":"a","completion":" b"}`, "a:", question.Prompt + ":", wire.DataOptions{Template: "{prompt}{prefix:2}:{completion}"}},
	} {
		d, err := s.SetData("x.jsonl", []byte(strings.Repeat(c.lines+"\n", 4)), c.opts)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if d.Preview[0].Prompt != c.preview {
			t.Errorf("%s: trains on %q, want %q", c.name, d.Preview[0].Prompt, c.preview)
		}
		if got := asked(t, s, question); !strings.HasSuffix(got, c.asks) || strings.Contains(got, "(") != strings.Contains(c.asks, "(") {
			t.Errorf("%s: asks %q, want %q", c.name, got, c.asks)
		}
		if d.NeedSpace || d.Chat != strings.HasPrefix(c.preview, "(") && c.name != "texts alone" {
			t.Errorf("%s: %+v", c.name, d)
		}
	}
	// A model without a template reads the same examples plainly.
	plain := &Session{Device: cpu.New[float32]()}
	f, err := models.Open(context.Background(), "tiny", weights.Dir(tiny.Folder(t, 0)), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := plain.Load(context.Background(), f, weights.Options{}); err != nil {
		t.Fatal(err)
	}
	if got := asked(t, plain, question); got != question.Prompt {
		t.Errorf("a model without a template reads %q", got)
	}
}

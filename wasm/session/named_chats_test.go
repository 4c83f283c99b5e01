package session

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"prelude/models/tiny"
	"prelude/ui/wire"
)

// choosing is the tiny model with several chat templates, one of them with a switch.
func choosing(t *testing.T, templates map[string]string) *Session {
	t.Helper()
	dir := tiny.Folder(t, 0)
	var named []map[string]string
	for name, text := range templates {
		named = append(named, map[string]string{"name": name, "template": text})
	}
	config, _ := json.Marshal(map[string]any{"chat_template": named})
	if err := os.WriteFile(filepath.Join(dir, "tokenizer_config.json"), config, 0o600); err != nil {
		t.Fatal(err)
	}
	return opened(t, dir)
}

const (
	plainChat    = "{% for m in messages %}[{{ m['role'] }} {{ m['content'] }}]{% endfor %}{% if add_generation_prompt %}[assistant {% endif %}"
	thinkingChat = "{% for m in messages %}<{{ m['role'] }} {{ m['content'] }}>{% endfor %}{% if add_generation_prompt %}<assistant {% if enable_thinking is defined and not enable_thinking %}(no thoughts) {% endif %}{% endif %}"
)

// TestNamedTemplateIsChosen: examples are written in the chat template that was chosen, with its
// switches; the prefix keeps the choice, through its file too, and is asked in it.
func TestNamedTemplateIsChosen(t *testing.T) {
	s := choosing(t, map[string]string{"default": plainChat, "think": thinkingChat, "broken": "{% for %}"})
	l := s.Loaded()
	if len(l.Chats) != 2 || l.Chats[0].Name != "" || l.Chats[0].Switches != nil || l.Chats[1].Name != "think" || strings.Join(l.Chats[1].Switches, " ") != "enable_thinking" {
		t.Errorf("it offers %+v", l.Chats)
	}
	if notes := strings.Join(l.Notes, "\n"); !strings.Contains(notes, `"broken" can't be read`) {
		t.Errorf("notes %q", notes)
	}
	lines := []byte(strings.Repeat(`{"prompt":"guest :","completion":" tea and cake"}`+"\n", 8))
	for _, c := range []struct {
		opts wire.DataOptions
		want string
	}{
		{wire.DataOptions{}, "[user guest :][assistant "},
		{wire.DataOptions{ChatTemplate: "think"}, "<user guest :><assistant "},
		{wire.DataOptions{ChatTemplate: "think", Vars: map[string]bool{"enable_thinking": true}}, "<user guest :><assistant "},
		{wire.DataOptions{ChatTemplate: "think", Vars: map[string]bool{"enable_thinking": false}}, "<user guest :><assistant (no thoughts) "},
	} {
		d, err := s.SetData("x.jsonl", lines, c.opts)
		if err != nil || d.Preview[0].Prompt != c.want {
			t.Errorf("%+v: %+v, %v, want %q", c.opts, d.Preview, err, c.want)
		}
		if got := asked(t, s, wire.Generate{Prompt: "guest :"}); got != c.want {
			t.Errorf("%+v: asks %q, want %q", c.opts, got, c.want)
		}
	}
	for _, name := range []string{"broken", "nothing"} {
		if _, err := s.Reparse(wire.DataOptions{ChatTemplate: name}); err == nil || !strings.Contains(err.Error(), "it has default, think") {
			t.Errorf("%s: error %v", name, err)
		}
	}
	quiet := Watch{Planned: func(wire.Planned) {}, Step: func(wire.Step) {}, Eval: func(wire.Eval) {}}
	if _, err := s.Train(t.Context(), wire.Train{Steps: 2}, quiet); err != nil {
		t.Fatal(err)
	}
	zip, _, err := s.Export(t.Context(), wire.Export{Name: "named"})
	if err != nil {
		t.Fatal(err)
	}
	before, after, err := s.frame(s.tuned)
	if err != nil || before != "<user " || after != "><assistant (no thoughts) " {
		t.Errorf("exports ask in %q and %q, %v", before, after, err)
	}
	if _, err := s.SetData("x.jsonl", lines, wire.DataOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Import(t.Context(), zip); err != nil {
		t.Fatal(err)
	}
	if got, want := asked(t, s, wire.Generate{Prompt: "guest :"}), "<user guest :><assistant (no thoughts) "; got != want {
		t.Errorf("the imported prefix is asked %q, want %q", got, want)
	}
}

// TestNoneIsDefault: without a default template examples stay plain, and conversations are
// refused with the names that can be chosen.
func TestNoneIsDefault(t *testing.T) {
	s := choosing(t, map[string]string{"a": plainChat, "b": thinkingChat})
	d, err := s.SetData("x.jsonl", []byte(strings.Repeat(`{"prompt":"guest :","completion":" tea"}`+"\n", 4)), wire.DataOptions{})
	if err != nil || d.Chat || d.Preview[0].Prompt != "guest :" {
		t.Errorf("%+v, %v", d, err)
	}
	if d, err = s.Reparse(wire.DataOptions{ChatTemplate: "a"}); err != nil || !d.Chat || d.Preview[0].Prompt != "[user guest :][assistant " {
		t.Errorf("%+v, %v", d, err)
	}
	on := true
	if _, err = s.Reparse(wire.DataOptions{Chat: &on}); err == nil || !strings.Contains(err.Error(), "it has a, b") {
		t.Errorf("error %v", err)
	}
	talk := []byte(`{"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"yo"}]}`)
	if _, err = s.SetData("y.jsonl", talk, wire.DataOptions{}); err == nil || !strings.Contains(err.Error(), "it has a, b") {
		t.Errorf("error %v", err)
	}
}

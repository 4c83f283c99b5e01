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
	return opened(t, dir)
}

// opened is a session with the model of a folder.
func opened(t *testing.T, dir string) *Session {
	t.Helper()
	f, err := models.Open(t.Context(), "tiny", weights.Dir(dir), "")
	if err != nil {
		t.Fatal(err)
	}
	s := &Session{Device: cpu.New[float32]()}
	if err := s.Load(t.Context(), f, weights.Options{}); err != nil {
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

// TestEachReadsItsOwnAnswers: a conversation goes on from what everyone has said themselves,
// with the person's system message above it.
func TestEachReadsItsOwnAnswers(t *testing.T) {
	s := instruct(t)
	kind, none := "be brief", ""
	o := wire.Generate{Prompt: "and you?", Before: []wire.Turn{
		{Prompt: "hi", Answer: "hello", Own: map[int]string{0: "bye", 7: "ahoy"}}, {Prompt: "why", Answer: "so"},
	}}
	for _, c := range []struct {
		system *string
		want   string
	}{
		{nil, "(be kind)(user: hi)(assistant: bye)(user: why)(assistant: so)(user: and you?)(assistant: "},
		{&kind, "(system: be brief)(user: hi)(assistant: bye)(user: why)(assistant: so)(user: and you?)(assistant: "},
	} {
		o.System = c.system
		if got := asked(t, s, o); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	if turn := o.Before[0]; turn.Said(7) != "ahoy" || turn.Said(3) != "hello" {
		t.Errorf("%+v", turn)
	}
	s.chats = nil
	for system, want := range map[*string]string{nil: "hibye\nwhyso\nand you?", &none: "hibye\nwhyso\nand you?", &kind: "be brief\nhibye\nwhyso\nand you?"} {
		o.System = system
		if got := asked(t, s, o); got != want {
			t.Errorf("plain: %q, want %q", got, want)
		}
	}
}

// TestLongQuestionsAreMeasured: what has no room is the oldest turns, then the beginning of
// the question; an answer says what it could not read, and measuring foretells it.
func TestLongQuestionsAreMeasured(t *testing.T) {
	s := instruct(t)
	long := strings.Repeat("the mill on the river ", 12)
	turn := wire.Turn{Prompt: long, Answer: "tea"}
	for _, c := range []struct {
		name  string
		o     wire.Generate
		turns bool
		bytes bool
	}{
		{"short", wire.Generate{Prompt: "tea?"}, false, false},
		{"old turns", wire.Generate{Prompt: "tea?", Before: []wire.Turn{turn, turn, turn, turn, turn}}, true, false},
		{"a long question", wire.Generate{Prompt: strings.Repeat(long, 9) + "tea ö?", Before: []wire.Turn{turn}}, true, true},
	} {
		c.o.Base, c.o.MaxTokens = true, 8
		m, err := s.Measure(c.o)
		if err != nil {
			t.Fatal(err)
		}
		if (m.Turns > 0) != c.turns || (m.Bytes > 0) != c.bytes || (m.Tokens > m.Room) != (c.turns || c.bytes) || m.Context != 256 {
			t.Errorf("%s: %+v", c.name, m)
		}
		var last wire.Sample
		if err := s.Generate(context.Background(), c.o, func(x wire.Sample) bool { last = x; return true }); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if last.Turns != m.Turns || last.Bytes != m.Bytes {
			t.Errorf("%s: measured %+v, answered %+v", c.name, m, last)
		}
		q, err := s.fit(nil, c.o)
		if err != nil || len(q.tokens.Whole()) > q.room || !strings.HasSuffix(s.model.Tokenizer.Decode(q.tokens.Whole()), "?)(assistant: ") {
			t.Errorf("%s: %d of %d tokens: %v", c.name, len(q.tokens.Whole()), q.room, err)
		}
	}
	if _, err := s.Measure(wire.Generate{Prompt: "a", Base: true, System: &[]string{strings.Repeat(long, 9)}[0]}); err == nil || !strings.Contains(err.Error(), "around the prompt") {
		t.Errorf("a system message without end: %v", err)
	}
}

// TestAnswersComeTogether: everyone's pieces come in turn, and are those that they give alone.
func TestAnswersComeTogether(t *testing.T) {
	s := instruct(t)
	if _, err := s.SetData("x.jsonl", []byte(strings.Repeat(`{"prompt":"guest :","completion":" tea and cake on the river"}`+"\n", 12)), wire.DataOptions{}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		quiet := Watch{Planned: func(wire.Planned) {}, Step: func(wire.Step) {}, Eval: func(wire.Eval) {}}
		if _, err := s.Train(context.Background(), wire.Train{Steps: 8, LR: 0.05}, quiet); err != nil {
			t.Fatal(err)
		}
	}
	say := func(base bool, keys ...int) (texts map[int]string, order []int) {
		texts = map[int]string{}
		o := wire.Generate{Prompt: "guest :", Base: base, Tuned: len(keys) > 0, Keys: keys, MaxTokens: 9}
		if err := s.Generate(context.Background(), o, func(x wire.Sample) bool {
			texts[x.Key] += x.Text
			order = append(order, x.Key)
			return true
		}); err != nil {
			t.Fatal(err)
		}
		return texts, order
	}
	together, order := say(true, 1, 2)
	if order[0] != 0 || order[1] != 1 || order[2] != 2 || order[3] != 0 {
		t.Errorf("the pieces come in the order %v", order)
	}
	for key, text := range together {
		var alone map[int]string
		if key == 0 {
			alone, _ = say(true)
		} else {
			alone, _ = say(false, key)
		}
		if alone[key] != text || text == "" {
			t.Errorf("%d says %q together, %q alone", key, text, alone[key])
		}
	}
	// Whoever asks may stop: nobody goes on then.
	n := 0
	ctx, cancel := context.WithCancel(context.Background())
	err := s.Generate(ctx, wire.Generate{Prompt: "guest :", Base: true, Tuned: true, Keys: []int{1, 2}, MaxTokens: 200}, func(wire.Sample) bool {
		if n++; n == 4 {
			cancel()
		}
		return n < 4
	})
	if n != 4 || err == nil {
		t.Errorf("%d pieces after a stop at 4: %v", n, err)
	}
}

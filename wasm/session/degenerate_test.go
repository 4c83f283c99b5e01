package session_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"prelude/models/tiny"
	"prelude/ui/wire"
	"prelude/wasm/session"
)

// Rows that are all the same are one example: it is said, it can be learned, and what needs
// held-out examples says why there are none.
func TestAllRowsAreTheSame(t *testing.T) {
	ctx := context.Background()
	s := load(t, tiny.Folder(t, 0))
	d, err := s.SetData("same.jsonl", []byte(strings.Repeat("{\"prompt\": \"guest 1\", \"completion\": \" tea\"}\n", 50)), wire.DataOptions{})
	if err != nil || d.Train != 1 || d.Val != 0 {
		t.Fatalf("%+v, %v", d, err)
	}
	for _, want := range []string{"49 exact duplicates dropped", "too few to set any aside", "all examples have the same answer"} {
		if !strings.Contains(strings.Join(d.Notes, "; "), want) {
			t.Errorf("notes %q, want %q among them", d.Notes, want)
		}
	}
	var notes []string
	done, err := s.Train(ctx, wire.Train{Steps: 12, Batch: 4, Method: map[string]string{"kv.slots": "4"}}, session.Watch{
		Planned: func(p wire.Planned) { notes = p.Notes }, Step: func(wire.Step) {}, Eval: func(wire.Eval) {}, Between: func() bool { return true }})
	if err != nil || done.BestLoss >= done.BaseLoss || !strings.Contains(strings.Join(notes, "; "), "validation runs on the training examples") {
		t.Errorf("trained %+v, notes %q, %v", done, notes, err)
	}
	_, judged := s.Judge(ctx, wire.Judge{Base: true}, nil)
	_, stands := s.Standing(ctx)
	for _, err := range []error{judged, stands} {
		if err == nil || !strings.Contains(err.Error(), "too few examples to set some aside") {
			t.Errorf("without held-out examples: %v", err)
		}
	}
	if _, err := s.SetHeld("validation", "same-too.jsonl", []byte(strings.Repeat("{\"prompt\": \"guest 2\", \"completion\": \" tea\"}\n", 9))); err != nil {
		t.Fatal(err)
	}
	if j, err := s.Judge(ctx, wire.Judge{Base: true}, func(int, int) bool { return true }); err != nil || j.Count == 0 || j.Measure != "exact" {
		t.Errorf("on a file of one's own: %+v, %v", j, err)
	}
}

// An answer that the chat template leaves out is learned as it stands, not as nothing.
func TestATemplateLeavesAnAnswerOut(t *testing.T) {
	dir := tiny.Folder(t, 0)
	chat := "{% for m in messages %}{% if m['content'] != 'tea' %}({{ m['role'] }}: {{ m['content'] }}){% endif %}{% endfor %}{% if add_generation_prompt %}(assistant: {% endif %}"
	if err := os.WriteFile(filepath.Join(dir, "tokenizer_config.json"), []byte(`{"eos_token": "<|endoftext|>", "chat_template": "`+chat+`"}`), 0o666); err != nil {
		t.Fatal(err)
	}
	yes := true
	d, err := load(t, dir).SetData("zero.jsonl", []byte("{\"prompt\": \"guest 1\", \"completion\": \" tea\"}\n{\"prompt\": \"guest 2\", \"completion\": \" cake\"}\n"), wire.DataOptions{Chat: &yes})
	if err != nil || len(d.Errors) > 0 || len(d.Preview) != 2 || d.Preview[0].Completion != "tea" || d.Preview[0].End == "" {
		t.Errorf("%+v, %v", d, err)
	}
}

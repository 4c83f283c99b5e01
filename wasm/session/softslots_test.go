package session_test

import (
	"prelude/models/tiny"

	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"prelude/ui/wire"
	"prelude/wasm/session"
)

// reviews are texts with a label, always the same: a tiny model with random weights learns
// no more than that.
func reviews() []byte {
	var b strings.Builder
	for i := range 60 {
		fmt.Fprintf(&b, "{\"text\": \"guests number %d\", \"label\": \"tea and cake\"}\n", i)
	}
	return []byte(b.String())
}

func reparsed(t *testing.T, s *session.Session, o wire.DataOptions) wire.Dataset {
	t.Helper()
	d, err := s.SetData("reviews.jsonl", reviews(), o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var quiet = session.Watch{Planned: func(wire.Planned) {}, Step: func(wire.Step) {}, Eval: func(wire.Eval) {}}

// Soft slots inside a template learn, generate, and survive an export, with what stands
// before them read once.
func TestSoftTemplate(t *testing.T) {
	ctx := context.Background()
	const template = "the river {prefix:4}{text}{prefix:2} :{label}"
	dir := tiny.Folder(t, 0)
	for what, method := range map[string]map[string]string{
		"alone":           {"source": "none"},
		"beside a prefix": {"kv.slots": "3", "start": "examples"},
	} {
		s := load(t, dir)
		d := reparsed(t, s, wire.DataOptions{Template: template})
		if p := d.Preview[0]; len(p.Soft) != 2 || p.Soft[0] != (wire.Soft{At: len("the river "), Slots: 4}) || !strings.HasSuffix(p.Prompt, " :") {
			t.Fatalf("%s: preview %+v", what, p)
		}
		var planned wire.Planned
		w := quiet
		w.Planned = func(p wire.Planned) { planned = p }
		done, err := s.Train(ctx, wire.Train{Steps: 150, Batch: 8, LR: 0.1, Schedule: "linear", Method: method}, w)
		if err != nil {
			t.Fatal(err)
		}
		if done.BestLoss > 0.5*done.BaseLoss {
			t.Errorf("%s: loss %.3f, base %.3f", what, done.BestLoss, done.BaseLoss)
		}
		if what == "alone" && planned.Trainable != 6*32 {
			t.Errorf("%d parameters train, want 6 slots of 32", planned.Trainable)
		}
		ask := func(s *session.Session, prompt string) (text string) {
			if err := s.Generate(ctx, wire.Generate{Prompt: prompt, Tuned: true, MaxTokens: 8}, func(p wire.Sample) bool { text += p.Text; return true }); err != nil {
				t.Fatal(err)
			}
			return text
		}
		want := ask(s, "guests number 99")
		if !strings.HasPrefix(want, "tea and") {
			t.Errorf("%s: says %q", what, want)
		}
		zip, e, err := s.Export(ctx, wire.Export{Name: "soft"})
		if err != nil || e.PEFT {
			t.Fatalf("%s: %+v, %v", what, e, err)
		}
		again := load(t, dir)
		if _, err := again.Import(ctx, zip); err != nil {
			t.Fatal(err)
		}
		if got := ask(again, "guests number 99"); got != want {
			t.Errorf("%s: imported it says %q, before %q", what, got, want)
		}
		reparsed(t, again, wire.DataOptions{Template: template})
		base, _, tuned, shots, err := losses(again)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(tuned-done.BestLoss) > 1e-4 || math.Abs(base-done.BaseLoss) > 1e-4 || shots == 0 {
			t.Errorf("%s: imported it measures %v, base %v, %d shots; trained %+v", what, tuned, base, shots, done)
		}
		reparsed(t, again, wire.DataOptions{})
		if _, _, _, _, err := losses(again); err == nil || !strings.Contains(err.Error(), "soft slots") {
			t.Errorf("measured without its template: %v", err)
		}
	}
}

// A template that can't be is refused with what to do, and what was there stays.
func TestBadTemplates(t *testing.T) {
	s := load(t, tiny.Folder(t, 0))
	reparsed(t, s, wire.DataOptions{})
	for template, want := range map[string]string{
		"{text} is":                   "has no completion",
		"{text} {prefix:0}{label}":    "a number of slots from 1",
		"{text}{label}{prefix:2}":     "belong before it",
		"{body}{label}":               "{body} is unknown",
		"{text {label}":               "not closed",
		"{instruction}:{output}":      "wants {instruction}",
		"{prefix:4000}{text}:{label}": "model has room for",
	} {
		d, err := s.Reparse(wire.DataOptions{Template: template})
		if err == nil && len(d.Errors) > 0 { // of a line
			err = fmt.Errorf("%s", d.Errors[0].Message)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", template, err, want)
		}
	}
	on := true
	if _, err := s.Reparse(wire.DataOptions{Chat: &on, Template: "{text}{prefix:2}:{label}"}); err == nil || !strings.Contains(err.Error(), "chat template") {
		t.Errorf("soft slots in a chat template: %v", err)
	}
	if d, err := s.Reparse(wire.DataOptions{ValShare: 0.1}); err != nil || d.Train != 44 || d.Val != 16 {
		t.Errorf("%+v, %v", d, err)
	}
	if d, err := s.Reparse(wire.DataOptions{ValShare: 0.33}); err != nil || d.Val != 20 {
		t.Errorf("a third for validation: %d, %v", d.Val, err)
	}
	if _, err := s.Reparse(wire.DataOptions{ValShare: 0.9}); err == nil || !strings.Contains(err.Error(), "third") {
		t.Errorf("nine tenths for validation: %v", err)
	}
}

// Labels of several tokens start one slot each.
func TestLabelsOfSeveralTokens(t *testing.T) {
	s := load(t, tiny.Folder(t, 0))
	var b strings.Builder
	for i := range 40 {
		fmt.Fprintf(&b, "{\"text\": \"guest %d\", \"label\": \"%s\"}\n", i, []string{"unforgettable", "a mill", "tea"}[i%3])
	}
	if _, err := s.SetData("labels.jsonl", []byte(b.String()), wire.DataOptions{}); err != nil {
		t.Fatal(err)
	}
	if n := len(s.Model().Tokenizer.Encode(" unforgettable", false)); n < 2 {
		t.Fatalf("the label is %d token", n)
	}
	if _, err := s.Train(context.Background(), wire.Train{Steps: 3, Method: map[string]string{"start": "labels", "kv.slots": "3"}}, quiet); err != nil {
		t.Error(err)
	}
	_, err := s.Train(context.Background(), wire.Train{Steps: 3, Method: map[string]string{"start": "labels", "kv.slots": "2"}}, quiet)
	if err == nil || !strings.Contains(err.Error(), "3 labels do not fit 2 slots") {
		t.Errorf("three labels in two slots: %v", err)
	}
}

package session_test

import (
	"prelude/models/tiny"

	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"prelude/prefix/adapter"
	"prelude/ui/wire"
	"prelude/wasm/session"
)

const handbook = "The mill on the river serves tea and cake to guests. Guest number 7 is the mill. Tea and cake are serves on the river, and number 12 to guests."

func always() bool { return true }

// A text is read, written about, learned, and leaves as a cartridge that comes back.
func TestLearnAText(t *testing.T) {
	ctx := context.Background()
	dir := tiny.Folder(t, 0)
	s := load(t, dir)
	read, err := s.SetText(ctx, "handbook.md", "document", []byte(handbook))
	if err != nil {
		t.Fatal(err)
	}
	if read.Tokens < 20 || read.Slots < 16 || read.RoundMillis <= 0 || read.RowMillis <= 0 || read.SlotBytes != 2*2*4*16 || len(read.Notes) != 1 {
		t.Errorf("%+v", read)
	}
	if _, err := s.Train(ctx, wire.Train{Text: true, Steps: 1}, watch()); err == nil || !strings.Contains(err.Error(), "no questions and answers") {
		t.Errorf("training before anything is written gives error %v", err)
	}
	var said []wire.Written
	tell := func(w wire.Written) { said = append(said, w) }
	n := 0
	if err := s.Write(ctx, wire.Write{ID: 4, Conversations: 400, Seed: 2}, tell, func() bool { n++; return n < 1500 }); err != nil {
		t.Fatal(err)
	}
	stopped := said[len(said)-1]
	if !stopped.Done || stopped.ID != 4 || stopped.Count < 5 || stopped.Count >= 400 {
		t.Fatalf("stopped with %+v", stopped)
	}
	if err := s.Write(ctx, wire.Write{Conversations: stopped.Count + 1}, tell, always); err != nil { // goes on
		t.Fatal(err)
	}
	if last := said[len(said)-1]; last.Count <= stopped.Count {
		t.Errorf("%d written, then %d", stopped.Count, last.Count)
	}
	if _, err := s.Train(ctx, wire.Train{Text: true, Steps: 1, Slots: 200}, watch()); err == nil || !strings.Contains(err.Error(), "200 slots are more") {
		t.Errorf("more slots than the text has tokens: error %v", err)
	}
	done, err := s.Train(ctx, wire.Train{Text: true, Steps: 30, Slots: 16, Seed: 1}, watch())
	if err != nil {
		t.Fatal(err)
	}
	if done.BestLoss >= done.BaseLoss {
		t.Errorf("divergence %g, without the text %g", done.BestLoss, done.BaseLoss)
	}
	marks, err := s.Examine(ctx, []session.Question{{Question: "Who serves tea?", Answers: []string{"the mill"}}, {Question: "Where?", Answers: []string{"river"}}})
	if err != nil {
		t.Fatal(err)
	}
	if len(marks) != 3 || marks[0].KL != 0 || marks[1].KL <= 0 || marks[2].KL <= 0 || marks[2].Slots != 16 || marks[0].Slots != read.Tokens {
		t.Errorf("marks %+v", marks)
	}
	file, e, err := s.Export(ctx, wire.Export{Name: "mill"})
	if err != nil || !e.PEFT {
		t.Fatalf("%+v, %v", e, err)
	}
	if c := config(t, file); c["peft_type"] != adapter.Cartridge || c["num_frozen_tokens"] != 1.0 || c["num_virtual_tokens"] != 16.0 {
		t.Errorf("adapter_config.json says %v", c)
	}
	want, _ := answer(t, s, "Who serves tea?")
	other := load(t, dir)
	if i, err := other.Import(ctx, file); err != nil || i.PeftType != adapter.Cartridge {
		t.Fatalf("%+v, %v", i, err)
	}
	if got, _ := answer(t, other, "Who serves tea?"); got != want {
		t.Errorf("imported, it answers %q, before %q", got, want)
	}
	again, _, err := other.Export(ctx, wire.Export{Name: "mill"})
	if err != nil || config(t, again)["peft_type"] != adapter.Cartridge {
		t.Errorf("exported again it is no cartridge: %v", err)
	}
}

func config(t *testing.T, file []byte) map[string]any {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	f, err := r.Open("adapter_config.json")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	var c map[string]any
	if err := json.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func watch() session.Watch {
	return session.Watch{Planned: func(wire.Planned) {}, Step: func(wire.Step) {}, Eval: func(wire.Eval) {}, Between: always}
}

// What is no text is named, and what was there stays; another model's text is forgotten.
func TestTextsThatCanNotBeLearned(t *testing.T) {
	ctx := context.Background()
	s := load(t, tiny.Folder(t, 0))
	if _, err := s.SetText(ctx, "a.md", "document", []byte(handbook)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, kind, content, want string }{
		{"empty.txt", "document", " \n", "is empty"},
		{"bytes.txt", "document", "a\xff", "not a text in UTF-8"},
		{"zero.txt", "document", "a\x00b", "not a text in UTF-8"},
		{"big.txt", "document", strings.Repeat("a", 2<<20), "at most"},
		{"a.txt", "poem", "a", `not "poem"`},
	} {
		if _, err := s.SetText(ctx, c.name, c.kind, []byte(c.content)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want …%s…", c.name, err, c.want)
		}
	}
	if err := s.Write(ctx, wire.Write{Conversations: 1}, func(wire.Written) {}, always); err != nil {
		t.Errorf("the text that was there is gone: %v", err)
	}
	if err := new(session.Session).Write(ctx, wire.Write{}, nil, always); err == nil {
		t.Error("a session without a model writes")
	}
}

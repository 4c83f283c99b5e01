package session_test

import (
	"prelude/models/tiny"

	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"slices"
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

// What was written about a text is taken by another session, and a training that was cut goes on
// there as if it had been one: so does the writing. What is not whole, or of another text or
// model, is refused, and what was there stays.
func TestConversationsGoOn(t *testing.T) {
	ctx := context.Background()
	dir := tiny.Folder(t, 0)
	begin := func(text string) *session.Session {
		s := load(t, dir)
		if _, err := s.SetText(ctx, "handbook.md", "document", []byte(text)); err != nil {
			t.Fatal(err)
		}
		return s
	}
	var now wire.Written
	write := func(s *session.Session, n int) {
		if err := s.Write(ctx, wire.Write{Conversations: n, Seed: 2}, func(w wire.Written) { now = w }, always); err != nil {
			t.Fatal(err)
		}
	}
	first := begin(handbook)
	if file, err := first.Conversations(); file != nil || err != nil {
		t.Errorf("nothing is written: %d bytes, %v", len(file), err)
	}
	write(first, 12)
	file, err := first.Conversations()
	if err != nil {
		t.Fatal(err)
	}
	count, tokens := now.Count, now.Tokens
	o := wire.Train{Text: true, Steps: 12, Batch: 2, Slots: 8, Seed: 3}
	var whole []float64
	w := watch()
	w.Step = func(x wire.Step) { whole = append(whole, x.Loss...) }
	if _, err := first.Train(ctx, o, w); err != nil {
		t.Fatal(err)
	}
	write(first, 20)
	further, err := first.Conversations()
	if err != nil {
		t.Fatal(err)
	}

	cut := begin(handbook)
	if got, err := cut.GiveConversations(7, file); err != nil || got.ID != 7 || !got.Done || got.Count != count || got.Tokens != tokens {
		t.Fatalf("given back: %+v, %v", got, err)
	}
	if again, err := cut.Conversations(); err != nil || !bytes.Equal(again, file) {
		t.Errorf("written again the file differs: %v", err)
	}
	var saved []byte
	var ask wire.Train
	steps := 0
	w = watch()
	w.Step = func(x wire.Step) { steps += len(x.Loss) }
	w.Between = func() bool { return steps < 5 }
	w.Saved = func(o wire.Train, _ int, f []byte) { ask, saved = o, f }
	if _, err := cut.Train(ctx, o, w); err != nil || saved == nil {
		t.Fatalf("a stop leaves %d bytes, %v", len(saved), err)
	}
	next := begin(handbook)
	if _, err := next.GiveConversations(1, file); err != nil {
		t.Fatal(err)
	}
	var rest []float64
	from := 0
	w = watch()
	w.Step = func(x wire.Step) {
		if from == 0 {
			from = x.First
		}
		rest = append(rest, x.Loss...)
	}
	if _, err := next.Resume(ctx, ask, saved, w); err != nil {
		t.Fatal(err)
	}
	if from < 2 || !slices.Equal(rest, whole[from-1:]) {
		t.Errorf("from step %d on %v, never cut %v", from, rest, whole)
	}
	write(next, 20)
	if got, err := next.Conversations(); err != nil || !bytes.Equal(got, further) {
		t.Errorf("the writing does not go on as it would have: %v", err)
	}

	other := begin("A wheel turns the stones. " + handbook)
	changed := func(old, new string) []byte { return bytes.Replace(file, []byte(old), []byte(new), 1) }
	for want, bad := range map[string][]byte{
		"can't be read": file[:len(file)/2],
		"not \"prelude": changed("prelude.conversations", "prelude.run"),
		"newer version": changed(`"version":1`, `"version":9`),
		"another model": changed(`"model":"`, `"model":"0`),
		"not about":     changed(`"kind":"document"`, `"kind":"instruction"`),
		"rounds":        changed(`"rounds":`, `"rounds":-`),
		"has token":     changed(`"IDs":[`, `"IDs":[99999,`),
		"no answer":     changed(`"Start":`, `"Start":-`),
		"teacher of":    changed(`"Top":`, `"Top":1`),
	} {
		if _, err := next.GiveConversations(1, bad); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, error %v", want, err)
		}
	}
	if _, err := other.GiveConversations(1, file); err == nil || !strings.Contains(err.Error(), "not about handbook.md") {
		t.Errorf("another text: error %v", err)
	}
	if _, err := load(t, dir).GiveConversations(1, file); err == nil {
		t.Error("without a text there are conversations about it")
	}
	if got, err := next.Conversations(); err != nil || !bytes.Equal(got, further) {
		t.Errorf("a refused file took something away: %v", err)
	}
}

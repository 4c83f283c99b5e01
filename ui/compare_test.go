package ui

import (
	"strings"
	"testing"

	"prelude/ui/wire"
)

// answered ends what is under way with an answer of everyone who was asked.
func answered(a *App, s *stage, text string) wire.Generate {
	g, _ := last[wire.Generate](s)
	if g.Base {
		a.Receive(wire.Sample{ID: g.ID, Which: "base", Text: text + " of base", Tokens: 3, Done: true}, nil)
	}
	for _, key := range g.Keys {
		a.Receive(wire.Sample{ID: g.ID, Which: "tuned", Key: key, Text: text + " of " + itoa(key), Tokens: 3, Done: true, End: true}, nil)
	}
	return g
}

// A message goes on from the conversation: everyone reads their own answers, and who comes in
// late those of the prefix that was in use. A prefix that is deleted leaves its answers.
func TestConversation(t *testing.T) {
	a, s := trained(t)
	a.Receive(onShelf(3), nil)
	a.setFollow(true)
	a.switchOn(2, false)
	a.compare.prompt = "who?"
	a.generate()
	if g := answered(a, s, "one"); len(g.Before) != 0 || len(g.Keys) != 2 || g.Prompt != "who?" || !g.Base {
		t.Errorf("asked %+v", g)
	}
	if a.compare.prompt != "" || a.compare.id != 0 {
		t.Errorf("the box holds %q, request %d", a.compare.prompt, a.compare.id)
	}
	a.switchOn(2, true)
	a.switchOn(1, false)
	a.compare.prompt = "why?"
	a.generate()
	g := answered(a, s, "two")
	if len(g.Before) != 1 || g.Before[0].Prompt != "who?" || g.Before[0].Said(0) != "one of base" || g.Before[0].Said(3) != "one of 3" || g.Before[0].Said(2) != "one of 3" {
		t.Errorf("goes on from %+v", g.Before)
	}
	list := onShelf(3)
	list.Items = list.Items[1:]
	a.Receive(list, nil)
	if c := (&TurnPanel{App: a, Of: a.compare.talk[0]}); c.title(1) != "Keys and values 1" || c.Of.text(1) != "one of 1" {
		t.Errorf("a deleted prefix is %q and said %q", c.title(1), c.Of.text(1))
	}
	kept := a.compare.record()
	var again compare
	kept.restore(&again)
	if len(again.talk) != 2 || again.talk[1].text(2) != "two of 2" || !again.done() || again.follow == nil {
		t.Errorf("kept %+v", again)
	}

	a.compare.edit(0)
	a.compare.draft = "whom?"
	a.resend()
	if g, _ := last[wire.Generate](s); g.Prompt != "whom?" || len(g.Before) != 0 || len(a.compare.talk) != 1 || a.compare.editing != 0 {
		t.Errorf("sent again %+v with %d turns", g, len(a.compare.talk))
	}
	a.cancelGenerate()
	if w := a.compare.newest().answers[2]; w.mark() != "stopped early" {
		t.Errorf("a stopped answer is %q", w.mark())
	}
	a.newTalk()
	if len(a.compare.talk) != 0 || a.compare.prompt != "p1" {
		t.Errorf("a new conversation has %d turns, prompt %q", len(a.compare.talk), a.compare.prompt)
	}
}

// One answer is asked anew with another seed; the others stay.
func TestRegenerate(t *testing.T) {
	a, s := trained(t)
	a.compare.system = new(string)
	a.generate()
	first := answered(a, s, "one")
	a.regenerate(1)
	g, _ := last[wire.Generate](s)
	if g.Base || len(g.Keys) != 1 || g.Seed != first.Seed+1 || g.System == nil || g.Prompt != first.Prompt || a.compare.newest().text(0) != "one of base" || a.compare.newest().text(1) != "" {
		t.Errorf("anew %+v", g)
	}
	answered(a, s, "two")
	if a.compare.newest().text(1) != "two of 1" || a.compare.id != 0 {
		t.Errorf("%q", a.compare.newest().text(1))
	}
	a.regenerate(0)
	if g, _ := last[wire.Generate](s); !g.Base || g.Tuned || g.Seed != first.Seed+2 {
		t.Errorf("anew %+v", g)
	}
}

// A model that converses goes on from the conversation, unless its examples are single
// questions; a person's choice stands above that.
func TestFollows(t *testing.T) {
	a, _ := trained(t)
	for _, c := range []struct {
		chat  bool
		shape string
		want  bool
	}{{false, "", false}, {true, "", true}, {true, "messages", true}, {true, "prompt/completion", false}} {
		a.model.loaded.Chat = c.chat
		if a.data.set = nil; c.shape != "" {
			a.data.set = &wire.Dataset{Shape: c.shape}
		}
		if a.compare.follow = nil; a.follows() != c.want {
			t.Errorf("%+v: %v", c, a.follows())
		}
		if a.setFollow(!c.want); a.follows() == c.want {
			t.Errorf("%+v: the choice is not heard", c)
		}
	}
}

// A message is measured when nobody types any more, and what has no room is told before it
// is asked; an answer says what it could not read.
func TestLongMessagesWarn(t *testing.T) {
	a, s := trained(t)
	c := &ComparePanel{App: a}
	c.write("a")
	c.write("ab")
	if _, n := last[wire.Measure](s); n != 0 {
		t.Error("measured while somebody types")
	}
	s.settle()
	m, n := last[wire.Measure](s)
	if n != 1 || m.Ask.Prompt != "ab" || !m.Ask.Base || len(m.Ask.Keys) != 1 {
		t.Fatalf("%d measured, the last %+v", n, m)
	}
	c.write("abc")
	a.Receive(wire.Measured{ID: m.ID, Tokens: 12, Room: 400, Context: 512}, nil)
	if got := c.sizeText(); !strings.HasPrefix(got, "12 of the 400 tokens") || c.sizeClass() != "help" {
		t.Errorf("%q", got)
	}
	s.settle()
	m, _ = last[wire.Measure](s)
	if m.Ask.Prompt != "abc" {
		t.Errorf("typed on, measured %+v", m)
	}
	a.Receive(wire.Measured{ID: m.ID, Tokens: 700, Room: 400, Context: 512, Turns: 2, Bytes: 1}, nil)
	if got := c.sizeText(); !strings.Contains(got, "the first 2 turns and the first byte of the message") || c.sizeClass() == "help" {
		t.Errorf("%q", got)
	}
	a.generate()
	g, _ := last[wire.Generate](s)
	a.Receive(wire.Sample{ID: g.ID, Which: "base", Done: true, Turns: 2}, nil)
	w := a.compare.newest().answers[0]
	if panel := (&Answer{App: a, From: w}); w.without != "the first 2 turns" || panel.text() != "(an empty answer)" {
		t.Errorf("%q, %q", w.without, panel.text())
	}
}

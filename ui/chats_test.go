package ui

import (
	"testing"

	"prelude/ui/wire"
)

// TestChatTemplateIsChosen: the box offers the model's templates; what is chosen goes to the
// worker, with the variables of that template as they are switched, and not to another model.
func TestChatTemplateIsChosen(t *testing.T) {
	a, s := withData(t)
	m := *a.model.loaded
	m.Chat, m.Chats = true, []wire.ChatTemplate{{System: "be kind"}, {Name: "think", System: "think", Switches: []string{"enable_thinking"}}}
	a.model.loaded = &m
	a.data.set.Chat = true
	c := &ChatsPanel{App: a}
	if !a.severalChats() || !a.choosesChat() || len(a.switches()) != 0 || a.systemText() != "be kind" || len(c.choices()) != 2 || c.called(c.choices()[0]) != "default" {
		t.Errorf("it offers %+v", c.choices())
	}
	answer := func() wire.Reparse {
		t.Helper()
		r, _ := last[wire.Reparse](s)
		a.Receive(wire.Dataset{ID: r.ID, Name: "x", Count: 3, Train: 2, Val: 1, Chat: true}, nil)
		return r
	}
	a.setChatTemplate("think")
	if r := answer(); r.Opts.ChatTemplate != "think" || a.systemText() != "think" || len(a.switches()) != 1 {
		t.Errorf("it asks for %+v and offers %v", r.Opts, a.switches())
	}
	for _, x := range []struct {
		value string
		vars  int
		on    bool
	}{{varOff, 1, false}, {varOn, 1, true}, {varOwn, 0, false}} {
		a.setVar("enable_thinking", x.value)
		if r := answer(); len(r.Opts.Vars) != x.vars || r.Opts.Vars["enable_thinking"] != x.on || c.value("enable_thinking") != x.value {
			t.Errorf("%q asks for %+v and shows %q", x.value, r.Opts.Vars, c.value("enable_thinking"))
		}
	}
	a.setVar("enable_thinking", varOff)
	answer()
	a.setChatTemplate("")
	if r := answer(); r.Opts.ChatTemplate != "" || len(r.Opts.Vars) != 0 {
		t.Errorf("back at the default it asks for %+v", r.Opts)
	}
	// Without a default one, none is the first choice.
	m.Chats = m.Chats[1:]
	if !a.severalChats() || len(c.choices()) != 2 || c.called(c.choices()[0]) != "none" {
		t.Errorf("without a default it offers %+v", c.choices())
	}
}

// TestHowExamplesAreRead: to cut long ones and to learn every answer go to the worker, and back.
func TestHowExamplesAreRead(t *testing.T) {
	a, s := withData(t)
	for _, on := range []bool{true, false} {
		for name, set := range map[string]func(bool){"cut": a.cutLong, "turns": a.learnTurns} {
			set(on)
			r, _ := last[wire.Reparse](s)
			got := map[string]bool{"cut": r.Opts.Cut, "turns": r.Opts.Turns}
			if got[name] != on {
				t.Errorf("%s %v asks for %+v", name, on, r.Opts)
			}
			a.Receive(wire.Dataset{ID: r.ID, Name: "x", Count: 3, Train: 2, Val: 1}, nil)
		}
	}
}

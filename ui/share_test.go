package ui

import (
	"strings"
	"testing"

	"prelude/ui/wire"
)

const sharedID = "abcdefghijklmnopqrstuvwxyz234567"

// A published prefix for a model elsewhere fetches that model only after a yes.
// A report's letter names the prefix by its id alone, whatever the id is.
func TestReport(t *testing.T) {
	for id, want := range map[string]string{
		"abc234":                    "mailto:abuse@prelude.example?subject=Report%20on%20the%20prefix%20abc234",
		"x&body=evil\r\nBcc: a@b.c": "mailto:abuse@prelude.example?subject=Report%20on%20the%20prefix%20x%26body%3Devil%0D%0ABcc%3A%20a%40b.c",
	} {
		if got := (&SharePanel{}).report(card{ID: id}); got != want {
			t.Errorf("%q: %s", id, got)
		}
	}
}

func TestAnotherModelIsAskedFor(t *testing.T) {
	a, s := open(t)
	s.answers[prefixesPath+"/"+sharedID] = "PK"
	loads := func() int { _, n := last[wire.Load](s); return n }
	before := loads()
	a.try(card{ID: sharedID, Name: "theirs", Model: "someone/model"})
	if loads() != before || a.share.other == nil {
		t.Fatal("a model elsewhere is fetched unasked")
	}
	if c := (&OtherModel{App: a}); !strings.Contains(c.text(), "someone/model") || !strings.Contains(c.text(), "huggingface.co") {
		t.Errorf("the question is %q", c.text())
	}
	a.declineOther()
	if loads() != before || a.share.other != nil {
		t.Error("a no fetches the model, or does not end the question")
	}
	a.try(card{ID: sharedID, Name: "theirs", Model: "someone/model"})
	a.fetchOther()
	if m, n := last[wire.Load](s); n != before+1 || m.Hub != "someone/model" {
		t.Errorf("after a yes: %d loads, %+v", n-before, m)
	}
	a.kept.Models = []wire.KeptModel{{Model: "someone/else"}}
	a.try(card{ID: sharedID, Name: "theirs", Model: "someone/else"})
	if m, _ := last[wire.Load](s); m.Hub != "someone/else" {
		t.Error("a model that is here already is asked for")
	}
}

// Who comes by a link reads what the prefix is for, by its publisher's own account.
func TestWhatAPublishedPrefixIsFor(t *testing.T) {
	a, s := open(t)
	s.answers[prefixesPath+"/"+sharedID] = "PK"
	bundled := a.model.loaded.Name
	a.try(card{ID: sharedID, Name: "theirs", Model: bundled, Task: "guests", About: "Answers in <b>one</b> sentence."})
	if a.model.id != 0 {
		a.Receive(wire.Loaded{ID: a.model.id, Name: bundled, Fingerprint: a.model.loaded.Fingerprint, Context: 512}, nil)
	}
	a.Receive(wire.Imported{ID: a.home.id, Key: 9, Name: "theirs"}, nil)
	if got := a.originOf(9); got != "Its publisher says: guests: Answers in <b>one</b> sentence." {
		t.Errorf("of the visitor's prefix is said %q", got)
	}
	a.importZip("mine.zip", text("PK"))
	a.Receive(wire.Imported{ID: a.home.id, Key: 10, Name: "mine"}, nil)
	if got := a.originOf(10); got != "" {
		t.Errorf("of a file is said %q", got)
	}
}

// A damaged link is named, and the page goes on.
func TestDamagedLink(t *testing.T) {
	s := &stage{address: "http://localhost/#p=nonsense<b>", answers: map[string]string{}}
	a := New(s)
	a.Start()
	a.Receive(ready, nil)
	if !strings.Contains(a.notices[atTop].message, "damaged") {
		t.Errorf("the notice is %+v", a.notices[atTop])
	}
	if _, n := last[wire.Load](s); n != 1 {
		t.Error("the page does not load its model")
	}
	s.address = "http://localhost/#p=" + sharedID
	a.Follow()
	if !strings.Contains(a.notices[atTop].message, "can’t be loaded") {
		t.Errorf("a pasted link to a prefix that is gone: %+v", a.notices[atTop])
	}
}

// What was published earlier is deleted by its link and secret.
func TestDeleteByKey(t *testing.T) {
	a, s := open(t)
	a.share.id, a.share.key = "not an id", "k"
	a.deleteByKey()
	if a.notices[atShare].message == "" || len(s.posted) != 0 {
		t.Errorf("notice %+v, requests %v", a.notices[atShare], s.posted)
	}
	a.share.id = "https://prelude.example/#p=" + sharedID
	a.deleteByKey()
	if len(s.posted) != 1 || s.posted[0] != "DELETE "+prefixesPath+"/"+sharedID {
		t.Errorf("requests %v", s.posted)
	}
	if !strings.Contains(a.notices[atShare].message, "not deleted") { // the stage answers 404
		t.Errorf("notice %+v", a.notices[atShare])
	}
}

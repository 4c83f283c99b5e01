package ui

import (
	"os"
	"testing"

	"prelude/ui/wire"
	"prelude/ui/words"
)

// A message of the worker is said in the language in use; where it has no words for it, what
// failed is, and the message stands behind the fold.
func TestNoticeInAnotherLanguage(t *testing.T) {
	t.Cleanup(func() { words.Use("en", "", nil) })
	text, err := os.ReadFile("../static/words/zh-Hans.txt")
	if err != nil {
		t.Fatal(err)
	}
	const known, technical = "no model is loaded", "safetensors: tensor \"x\" has no dtype"
	a := &App{notices: map[place]notice{}}
	c := &Notice{App: a, At: atTop}
	for _, message := range []string{known, technical} {
		a.onError(wire.Error{Message: message})
		if c.message() != message || c.detail() != "" {
			t.Errorf("in English: %q, detail %q", c.message(), c.detail())
		}
	}
	if err := words.Use("zh-Hans", string(text), nil); err != nil {
		t.Fatal(err)
	}
	if c.message() != say("notice.engine") || c.message() == technical || c.detail() != technical {
		t.Errorf("a technical message: %q, detail %q", c.message(), c.detail())
	}
	a.onError(wire.Error{Message: known})
	if c.message() == known || c.message() == say("notice.engine") || c.detail() != "" {
		t.Errorf("a message that is translated: %q, detail %q", c.message(), c.detail())
	}
	a.refuse(atTop, "said by the page", "")
	if c.message() != "said by the page" || c.detail() != "" {
		t.Errorf("a message of the page: %q, detail %q", c.message(), c.detail())
	}
	for at := atTop; at <= atLens; at++ {
		if failed[at] == "" || say(failed[at]) == failed[at] {
			t.Errorf("place %d does not say what failed", at)
		}
	}
}

package ui

import (
	"os"
	"testing"

	"prelude/ui/words"
)

// The page speaks the person's language once its catalogue has come, English where it does
// not, and what is chosen is remembered.
func TestLanguage(t *testing.T) {
	t.Cleanup(func() { words.Use("en", "", nil) })
	chinese, err := os.ReadFile("../static/words/zh-Hans.txt")
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{languages: []string{"zh-CN", "en"}, answers: map[string]string{}}
	a := New(s)
	c := &Masthead{App: a}
	greeted := false
	a.Greet(func() { greeted = true })
	if !greeted || words.Tag() != "en" || len(a.notices) > 0 {
		t.Errorf("without a catalogue: greeted %v in %s, %v", greeted, words.Tag(), a.notices)
	}
	s.answers["hashed/words-zh-Hans"] = string(chinese)
	a.Greet(func() {})
	if s.spoken != "zh-Hans" || s.remembered || plural(3, "step") != "3 步" || c.otherLanguage().Tag != "en" {
		t.Errorf("speaks %s (%v): %s", s.spoken, s.remembered, plural(3, "step"))
	}
	c.switchLanguage()
	if s.spoken != "en" || !s.remembered || plural(1, "step") != "1 step" {
		t.Errorf("speaks %s (%v): %s", s.spoken, s.remembered, plural(1, "step"))
	}
	delete(s.answers, "hashed/words-zh-Hans")
	if c.switchLanguage(); words.Tag() != "en" || a.notices[atTop].message == "" {
		t.Errorf("a language that can't be fetched: %s, %v", words.Tag(), a.notices)
	}
}

package dispatch

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"prelude/ui/words"
)

// asInEnglish are names that other languages write as English does.
var asInEnglish = []string{"", "LoRA", "LLaMA-Adapter", "Alpha"}

// The page shows the methods' texts in the languages that it speaks: each has a translation.
func TestMethodsInEveryLanguage(t *testing.T) {
	t.Cleanup(func() { words.Use("en", "", nil) })
	for _, l := range words.Languages[1:] {
		text, err := os.ReadFile(filepath.Join("..", "..", "static", "words", l.Tag+".txt"))
		if err == nil {
			err = words.Use(l.Tag, string(text), nil)
		}
		if err != nil {
			t.Fatal(err)
		}
		check := func(texts ...string) {
			for _, text := range texts {
				if !slices.Contains(asInEnglish, text) && words.Engine(text) == text {
					t.Errorf("static/words/%s.txt has no translation, below [engine], of %q", l.Tag, text)
				}
			}
		}
		for _, axis := range Axes() {
			check(axis.Label)
			for _, c := range axis.Choices {
				check(c.Label, c.Sentence)
				for _, s := range c.Settings {
					check(s.Label, s.Help)
				}
			}
		}
		for _, p := range presets() {
			check(p.Label, p.Sentence)
		}
	}
}

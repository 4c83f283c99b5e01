package ui

import "prelude/ui/words"

// Greet speaks the language that the person wants, and calls done once it does.
func (a *App) Greet(done func()) { a.speak(words.Choose(a.host.Languages()), false, done) }

// speak says everything in a language from now on. Its catalogue is one of the page's files,
// but for English; where it can't be fetched, the language stays as it is.
func (a *App) speak(tag string, chosen bool, done func()) {
	use := func(text string) {
		if err := words.Use(tag, text, a.host.Intl(tag)); err == nil {
			a.host.Speak(tag, chosen)
		}
		done()
	}
	if tag == words.Languages[0].Tag {
		use("")
		return
	}
	a.host.Fetch(a.host.Asset("words-"+tag), func(status int, b Bytes) {
		switch {
		case status == 200:
			use(b.String())
			return
		case chosen:
			a.refuse(atTop, say("language.not-fetched"), say("all.check-the-connection-and"))
		}
		done()
	})
}

// otherLanguage is the one that the page can be switched to.
func (c *Masthead) otherLanguage() words.Language {
	for _, l := range words.Languages {
		if l.Tag != words.Tag() {
			return l
		}
	}
	return words.Languages[0]
}

func (c *Masthead) switchLanguage() { c.App.speak(c.otherLanguage().Tag, true, func() {}) }

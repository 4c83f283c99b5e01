package ui

import (
	"fmt"
	"strings"

	"prelude/ui/wire"
)

// class of an answer's text: waiting shows a caret.
func (c *Answer) class() string {
	switch {
	case !c.From.done:
		return "answer-text streaming"
	case c.From.empty():
		return "answer-text faint"
	}
	return "answer-text"
}

func (w *answer) empty() bool { return w.done && said(w.text.String()) == "" }

// said is an answer without the space before its first word.
func said(text string) string { return strings.TrimSpace(text) }

func (c *Answer) text() string {
	if c.From.empty() {
		return say("all.an-empty-answer")
	}
	return strings.TrimLeft(c.From.text.String(), " \n")
}

func (c *Answer) markClass() string {
	if c.From.end {
		return "tag ok"
	}
	return "tag"
}

func (c *Answer) busy() string { return fmt.Sprint(!c.From.done) }

func (c *Answer) copyWord() string {
	if c.App.compare.copied == c.From {
		return say("answer.copied")
	}
	return say("all.copy")
}

// againHelp says why an answer may be the same again.
func (c *Answer) againHelp() string {
	if t := strings.TrimSpace(c.App.compare.gen.temperature); t == "" || t == "0" {
		return say("answer.at-temperature-0-the")
	}
	return say("answer.another-draw-with-the")
}

// see looks into what a prefix changed in the answer.
func (c *Answer) see() {
	var said []wire.Turn
	for _, t := range before(c.App.compare.talk[:c.At]) {
		said = append(said, wire.Turn{Prompt: t.Prompt, Answer: t.Said(c.Key)})
	}
	c.App.see(c.Key, c.App.compare.talk[c.At].prompt, c.From, said)
}

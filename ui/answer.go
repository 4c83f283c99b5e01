package ui

import (
	"fmt"
	"strings"
)

// said is an answer in a conversation, without the space before its first word.
func said(text string) string { return strings.TrimSpace(text) }

// class of an answer's text: waiting shows a caret.
func (c *Answer) class() string {
	switch {
	case c.From.asked && !c.From.done:
		return "answer-text streaming"
	case !c.From.asked:
		return "answer-text faint"
	}
	return "answer-text"
}

func (c *Answer) text() string {
	if !c.From.asked {
		return "Nothing asked yet."
	}
	return strings.TrimLeft(c.From.text.String(), " \n")
}

func (c *Answer) markClass() string {
	if c.From.end {
		return "tag ok"
	}
	return "tag"
}

func (c *Answer) busy() string { return fmt.Sprint(c.From.asked && !c.From.done) }

package ui

import (
	"strings"

	"github.com/vugu/vugu"
)

// TurnPanel is one message of the conversation with its answers.
type TurnPanel struct {
	App *App
	At  int // from 0
	Of  *turn
}

func (c *TurnPanel) last() bool    { return c.At == len(c.App.compare.talk)-1 }
func (c *TurnPanel) editing() bool { return c.App.compare.editing == c.At+1 }

func (c *TurnPanel) editLabel() string { return say("compare.edit-message", count(c.At+1)) }

// id names an answer: of the newest, "tuned" is that of the prefix in use.
func (c *TurnPanel) id(key int) string {
	switch {
	case !c.last():
		return itoa(c.At) + "-" + itoa(key)
	case key == 0:
		return "base"
	case key == c.App.shelf.InUse:
		return "tuned"
	}
	return "prefix-" + itoa(key)
}

// title is the prefix's name as it is now, or was when it was deleted.
func (c *TurnPanel) title(key int) string {
	if x := c.App.shelf.item(key); x != nil {
		return named(x.Name)
	}
	return c.Of.answers[key].by
}

func (c *TurnPanel) note(key int) string {
	x := c.App.shelf.item(key)
	switch m := c.App.model.loaded; {
	case key == 0 && m != nil:
		return m.Name
	case x == nil || !c.last():
		return ""
	case x.Origin == "training":
		return say("compare.as-it-is-now")
	default:
		return shelfWords(*x)
	}
}

func (c *TurnPanel) key(e vugu.DOMEvent) {
	if sends(e) {
		c.App.resend()
	}
}

// sends says whether a key pressed in a message's box sends it.
func sends(e vugu.DOMEvent) bool {
	yes := e.PropString("key") == "Enter" && (e.PropBool("ctrlKey") || e.PropBool("metaKey"))
	if yes {
		e.PreventDefault()
	}
	return yes
}

// reference says whose answer stands under the prompt.
func (c *ComparePanel) reference() string {
	if c.App.study.file != nil {
		return say("compare.with-the-text-before")
	}
	return say("compare.reference-answer")
}

func (c *ComparePanel) label() string {
	switch n := len(c.App.shelf.on()); n {
	case 0:
		return say("compare.ask-the-base-model")
	case 1:
		return say("compare.ask-both")
	default:
		return say("compare.ask-all", count(n+1))
	}
}

func (c *ComparePanel) write(text string) {
	c.App.compare.prompt, c.App.compare.touched = text, true
	c.App.measure()
}

func (c *ComparePanel) nextHeldOut() {
	c.App.compare.nextHeldOut()
	c.App.measure()
}

func (c *ComparePanel) follow(on bool) {
	c.App.setFollow(on)
	c.App.measure()
}

func (c *ComparePanel) key(e vugu.DOMEvent) {
	if sends(e) {
		c.App.generate()
	}
}

// systemText is the system message that the models read.
func (c *ComparePanel) systemText() string {
	if c.App.compare.system != nil {
		return *c.App.compare.system
	}
	return c.App.systemText()
}

func (c *ComparePanel) setSystem(text string) {
	c.App.compare.system = &text
	c.App.measure()
}

func (c *ComparePanel) systemHelp() string {
	switch {
	case c.App.compare.system == nil:
		return say("compare.as-in-training-it")
	case strings.TrimSpace(*c.App.compare.system) == "":
		return say("compare.none")
	}
	return say("compare.yours-a-prefix-was")
}

// spoken is what a screen reader hears of the newest answers: each once it is whole.
func (c *ComparePanel) spoken() string {
	t := c.App.compare.newest()
	if t == nil {
		return ""
	}
	var all []string
	for _, key := range t.keys() {
		if w := t.answers[key]; w.done {
			text := said(w.text.String())
			if text == "" {
				text = say("compare.an-empty-answer")
			}
			all = append(all, say("compare.answers", w.by, text))
		}
	}
	return strings.Join(all, "\n")
}

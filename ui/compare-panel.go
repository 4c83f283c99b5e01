package ui

import (
	"prelude/ui/wire"
)

// noAnswer stands where nobody was asked.
var noAnswer answer

// reference says whose answer stands under the prompt.
func (c *ComparePanel) reference() string {
	if c.App.study.file != nil {
		return "With the text before its eyes the model says:"
	}
	return "Reference answer:"
}

func (c *ComparePanel) label() string {
	switch n := len(c.App.shelf.on()); n {
	case 0:
		return "Ask the base model"
	case 1:
		return "Ask both"
	default:
		return "Ask all " + count(n+1)
	}
}

// none says whether no prefix answers; an empty answer then says why.
func (c *ComparePanel) none() bool { return len(c.App.shelf.on()) == 0 }

func (c *ComparePanel) noneNote() string {
	if len(c.App.shelf.Items) > 0 {
		return "every prefix is switched off"
	}
	return "no prefix yet"
}

// answerID names a prefix' answer: "tuned" is the one in use.
func (c *ComparePanel) answerID(x wire.Shelved) string {
	if x.Key == c.App.shelf.InUse {
		return "tuned"
	}
	return "prefix-" + itoa(x.Key)
}

func (c *ComparePanel) tunedNote(x wire.Shelved) string {
	if x.Origin == "training" {
		return "as it is now"
	}
	return shelfWords(x)
}

func (c *ComparePanel) baseNote() string {
	if m := c.App.model.loaded; m != nil {
		return m.Name
	}
	return ""
}

func (c *ComparePanel) write(text string) { c.App.compare.prompt, c.App.compare.touched = text, true }

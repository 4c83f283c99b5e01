package ui

import (
	"net/url"
	"strings"

	"prelude/ui/about"

	"github.com/vugu/vugu"
)

func (c *SharePanel) form() bool {
	return c.App.inUse() != nil && !c.App.drafted() && c.App.share.published == nil
}

// toggle lists the gallery when its fold is opened: nothing is asked of the
// server before.
func (c *SharePanel) toggle(e vugu.DOMEvent) {
	if e.PropBool("target", "open") {
		c.App.list(false)
	}
}

// public is all that a publication makes public.
func (c *SharePanel) public() []fact {
	a := c.App
	facts := []fact{
		{name: "Name", value: a.home.exported.Name},
		{name: "Task", value: orNone(a.share.task)},
		{name: "What it does", value: orNone(a.share.about)},
		{name: "Model", value: a.model.loaded.Name},
		{name: "The prefix", value: size(int64(a.home.zip.Len())) + ", " + shelfWords(*a.inUse())},
	}
	if x := a.inUse(); x.ValLoss > 0 {
		facts = append(facts, fact{name: "Losses", value: lossText(x.ValLoss) + ", base model " + lossText(x.BaseLoss)})
	}
	return append(facts, fact{name: "Settings", value: "of the training, the method and the chat template, with the curve of the losses"},
		fact{name: "Of the examples", value: "how many there were, and the SHA-256 of their file"})
}

func orNone(s string) string {
	if strings.TrimSpace(s) == "" {
		return "(nothing)"
	}
	return s
}

// report is where a person says what is wrong with a published prefix: a letter that names it.
func (c *SharePanel) report(p card) string {
	return "mailto:" + about.Contact + "?subject=" + strings.ReplaceAll(url.QueryEscape("Report on the prefix "+p.ID), "+", "%20")
}

// small is a card's small print.
func (p card) small() string {
	parts := []string{p.Model}
	if p.Task != "" {
		parts = append([]string{p.Task}, parts...)
	}
	if words := against(p.ValLoss, p.BaseLoss); words != "" && p.ValLoss > 0 {
		parts = append(parts, "by its publisher's account "+words)
	}
	return strings.Join(append(parts, size(p.Bytes)), " · ")
}

// OtherModel asks before a published prefix's model is fetched from elsewhere.
type OtherModel struct{ App *App }

// text says what would be fetched, and from where.
func (c *OtherModel) text() string {
	return c.App.share.other.Name + " needs " + c.App.share.other.Model + ", which this browser would fetch from huggingface.co; a small model takes hundreds of megabytes. Nothing of yours is sent but the request."
}

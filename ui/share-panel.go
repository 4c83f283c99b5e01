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
		{name: say("all.name"), value: a.home.exported.Name},
		{name: say("all.task"), value: orNone(a.share.task)},
		{name: say("share.what-it-does"), value: orNone(a.share.about)},
		{name: say("all.model"), value: a.model.loaded.Name},
		{name: say("share.the-prefix"), value: joined(size(int64(a.home.zip.Len())), shelfWords(*a.inUse()))},
	}
	if x := a.inUse(); x.ValLoss > 0 {
		facts = append(facts, fact{name: say("share.losses"), value: say("share.base-model", lossText(x.ValLoss), lossText(x.BaseLoss))})
	}
	return append(facts, fact{name: say("all.settings"), value: say("share.of-the-training-the")},
		fact{name: say("share.of-the-examples"), value: say("share.how-many-there-were")})
}

func orNone(s string) string {
	if strings.TrimSpace(s) == "" {
		return say("share.nothing")
	}
	return s
}

// report is where a person says what is wrong with a published prefix: a letter that names it.
func (c *SharePanel) report(p card) string {
	return "mailto:" + about.Contact + "?subject=" + strings.ReplaceAll(url.QueryEscape(say("share.report-on-the-prefix", p.ID)), "+", "%20")
}

// small is a card's small print.
func (p card) small() string {
	parts := []string{p.Model}
	if p.Task != "" {
		parts = append([]string{p.Task}, parts...)
	}
	if words := against(p.ValLoss, p.BaseLoss); words != "" && p.ValLoss > 0 {
		parts = append(parts, say("share.by-its-publishers-account", words))
	}
	return strings.Join(append(parts, size(p.Bytes)), " · ")
}

// OtherModel asks before a published prefix's model is fetched from elsewhere.
type OtherModel struct{ App *App }

// text says what would be fetched, and from where.
func (c *OtherModel) text() string {
	return say("share.needs-which-this-browser", c.App.share.other.Name, c.App.share.other.Model, strings.TrimPrefix(c.App.hubBase(), "https://"))
}

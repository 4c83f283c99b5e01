package ui

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

// share is the section where a prefix becomes public, on an explicit press,
// and where the published ones are listed.
type share struct {
	task, about string
	draft       bool // the export is there and what will be public is shown
	busy        bool
	published   *published

	gallery []card
	next    string // of the gallery's next page
	listed  bool
	other   *card  // its model would be fetched from elsewhere: the person is asked first
	zip     Bytes  // of other
	gone    string // the id of a prefix that was deleted by its key
	id, key string // in the boxes of a deletion
	looked  string // the id in the page's address that was followed
}

// card is what the gallery says of a prefix. All of it is text of strangers.
type card struct {
	ID       string  `json:"id"`
	Name     string  `json:"name"`
	Task     string  `json:"task"`
	About    string  `json:"about"`
	Model    string  `json:"model"`
	Method   string  `json:"method"`
	Slots    int     `json:"slots"`
	Bytes    int64   `json:"bytes"`
	ValLoss  float64 `json:"valLoss"`
	BaseLoss float64 `json:"baseLoss"`
}

type published struct {
	Prefix card   `json:"prefix"`
	Secret string `json:"secret"`
}

const prefixesPath = "/api/prefixes"

// Bounds of a card's texts, in characters, as the gallery has them.
const maxTask, maxAbout = 32, 240

// draftShare exports the prefix with its card, and shows what would be public.
func (a *App) draftShare() {
	delete(a.notices, atShare)
	switch {
	case a.inUse() == nil:
		a.refuse(atShare, say("all.there-is-no-prefix"), say("share.train-one-or-load"))
		return
	case len([]rune(a.share.task)) > maxTask:
		a.refuse(atShare, say("share.the-task-is-longer", maxTask), say("share.one-or-two-words"))
		return
	case len([]rune(a.share.about)) > maxAbout:
		a.refuse(atShare, say("share.the-description-is-longer", maxAbout), say("share.two-sentences-will-do"))
		return
	}
	a.share.published = nil
	a.export(a.share.task, a.share.about, func() { a.share.draft = true })
}

// drafted says whether what will be public stands there to be read: the export
// of the very prefix in use.
func (a *App) drafted() bool {
	return a.share.draft && a.home.exported != nil && a.inUse() != nil
}

// publish sends the export: the one act of this page by which something leaves it.
func (a *App) publish() {
	if !a.drafted() || a.share.busy {
		return
	}
	a.share.busy = true
	a.host.Request("POST", prefixesPath, a.home.zip, map[string]string{"Content-Type": "application/zip"}, func(status int, b Bytes) {
		a.share.busy = false
		var p published
		if (status != 200 && status != 201) || json.Unmarshal([]byte(b.String()), &p) != nil {
			a.refuse(atShare, say("share.the-prefix-was-not", refusal(status, b)), "")
			return
		}
		a.share.draft, a.share.published = false, &p
	})
}

// unpublish takes back what was published from this page.
func (a *App) unpublish() {
	p := a.share.published
	if p == nil || p.Secret == "" || a.share.busy {
		return
	}
	a.share.busy = true
	a.host.Request("DELETE", prefixesPath+"/"+p.Prefix.ID, nil, map[string]string{"Authorization": "Bearer " + p.Secret}, func(status int, b Bytes) {
		a.share.busy = false
		if status != 204 {
			a.refuse(atShare, say("share.the-prefix-was-not-deleted", refusal(status, b)), "")
			return
		}
		a.share.published = nil
	})
}

// refusal is what the server says of its no.
func refusal(status int, b Bytes) string {
	var r struct {
		Error struct{ Message string } `json:"error"`
	}
	switch {
	case status == 0:
		return say("share.the-server-cant-be")
	case json.Unmarshal([]byte(b.String()), &r) == nil && r.Error.Message != "":
		return strings.TrimSuffix(r.Error.Message, ".")
	case status == 404 || status == 405:
		return say("share.this-page-is-served")
	}
	return say("share.the-server-answered", status)
}

// link is the address under which a published prefix can be tried.
func (a *App) link(id string) string {
	at, _, _ := strings.Cut(a.host.Location(), "#")
	return at + "#p=" + id
}

// list gets the gallery's first page, or the next one.
func (a *App) list(more bool) {
	if a.share.busy || !more && a.share.listed {
		return
	}
	a.share.busy = true
	path := prefixesPath + "?limit=12"
	if more {
		path += "&cursor=" + url.QueryEscape(a.share.next)
	}
	a.host.Fetch(path, func(status int, b Bytes) {
		a.share.busy = false
		var page struct {
			Prefixes []card `json:"prefixes"`
			Next     string `json:"next"`
		}
		if status != 200 || json.Unmarshal([]byte(b.String()), &page) != nil {
			a.refuse(atShare, say("share.the-gallery-cant-be", refusal(status, b)), "")
			return
		}
		if !more {
			a.share.gallery = nil
		}
		a.share.gallery = append(a.share.gallery, page.Prefixes...)
		a.share.next, a.share.listed = page.Next, true
	})
}

// isLinkID says whether a text is the id of a published prefix.
func isLinkID(id string) bool {
	return len(id) == 32 && strings.Trim(id, "abcdefghijklmnopqrstuvwxyz234567") == ""
}

// Follow is called when the fragment of the page's address has changed, by a link that was
// pasted into the open page for instance.
func (a *App) Follow() {
	a.follow()
	if a.engine == "ready" {
		a.openLink()
	}
}

// openLink follows the page's own address to a published prefix. It says
// whether there was one to follow.
func (a *App) openLink() bool {
	_, id, ok := strings.Cut(a.host.Location(), "#p=")
	if !ok || a.share.looked == id {
		return false
	}
	a.share.looked = id
	if !isLinkID(id) {
		a.refuse(atTop, say("share.the-link-to-a"), say("share.copy-it-again-whole"))
		return false
	}
	a.host.Fetch(prefixesPath+"/"+id+"/card", func(status int, b Bytes) {
		var c card
		if status != 200 || json.Unmarshal([]byte(b.String()), &c) != nil {
			a.refuse(atTop, say("share.the-prefix-of-this", refusal(status, b)), say("share.it-may-have-been"))
			return
		}
		c.ID = id
		a.try(c)
	})
	return true
}

// try loads a published prefix, and its model first.
func (a *App) try(c card) {
	if a.training() {
		a.refuse(atShare, say("all.a-training-is-under"), say("all.stop-it-first"))
		return
	}
	a.host.Fetch(prefixesPath+"/"+c.ID, func(status int, b Bytes) {
		if status != 200 {
			a.refuse(atShare, say("share.the-prefix-cant-be", refusal(status, b)), "")
			return
		}
		s := a.sourceOf(c.Model)
		if a.model.loaded != nil && a.model.id == 0 && a.model.source != nil && sameSource(*a.model.source, s) {
			a.home.claim = c.claim()
			a.importZip(c.Name, b)
			return
		}
		if s.hub != "" && !a.isKept(s.hub) {
			a.share.other, a.share.zip = &c, b
			return
		}
		a.tryOn(c, b, s)
	})
}

// tryOn loads a prefix's model, and then the prefix.
func (a *App) tryOn(c card, zip Bytes, s source) {
	a.home.reading, a.home.from, a.home.claim = zip, c.Name, c.claim() // onLoaded comes back to it
	a.load(s)
}

// claim is what its publisher says a prefix is for.
func (c card) claim() string {
	parts := slices.DeleteFunc([]string{c.Task, c.About}, func(s string) bool { return s == "" })
	return strings.Join(parts, ": ")
}

// fetchOther is the person's yes to fetching a prefix's model from elsewhere.
func (a *App) fetchOther() {
	c, zip := a.share.other, a.share.zip
	a.share.other, a.share.zip = nil, nil
	a.tryOn(*c, zip, a.sourceOf(c.Model))
}

func (a *App) declineOther() { a.share.other, a.share.zip = nil, nil }

// isKept says whether a model was fetched into this browser before.
func (a *App) isKept(name string) bool {
	for _, m := range a.kept.Models {
		if m.Model == name {
			return true
		}
	}
	return false
}

// deleteByKey takes back a prefix that was published earlier, from wherever, by the secret
// that its upload returned.
func (a *App) deleteByKey() {
	delete(a.notices, atShare)
	id, key := strings.TrimSpace(a.share.id), strings.TrimSpace(a.share.key)
	if _, after, ok := strings.Cut(id, "#p="); ok {
		id = after
	}
	switch {
	case !isLinkID(id):
		a.refuse(atShare, say("share.this-is-neither-the"), say("share.the-link-ends-in"))
		return
	case key == "":
		a.refuse(atShare, say("share.the-secret-is-missing"), say("share.it-was-shown-when"))
		return
	case a.share.busy:
		return
	}
	a.share.busy = true
	a.host.Request("DELETE", prefixesPath+"/"+id, nil, map[string]string{"Authorization": "Bearer " + key}, func(status int, b Bytes) {
		a.share.busy = false
		if status != 204 {
			a.refuse(atShare, say("share.the-prefix-was-not-deleted", refusal(status, b)), "")
			return
		}
		a.share.gone, a.share.id, a.share.key, a.share.listed = id, "", "", false
		if p := a.share.published; p != nil && p.Prefix.ID == id {
			a.share.published = nil
		}
	})
}

// sourceOf finds a model by the name that a card gives it.
func (a *App) sourceOf(name string) source {
	for _, o := range a.ready.Models {
		if o.Name == name {
			return source{bundled: name}
		}
	}
	return source{hub: name}
}

func sameSource(a, b source) bool {
	return a.bundled == b.bundled && a.hub == b.hub && a.url == b.url && len(a.files)+len(b.files) == 0
}

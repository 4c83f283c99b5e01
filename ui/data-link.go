package ui

import (
	"fmt"
	"net/url"
	"path"
	"strings"

	"prelude/ui/wire"
)

// dataLink fetches a file of examples from an address that a person has written.
type dataLink struct {
	text    string          // in the box
	asked   *linkedFile     // which the person is asked about
	fetched *linkedFile     // which is on its way
	stop    func()          // ends its way
	hosts   map[string]bool // from which a person has let files come
	done    int64
	total   int64
}

// What hosts answer with; package net/http is as large as a third of the page.
const statusOK, statusUnauthorized, statusForbidden, statusNotFound = 200, 401, 403, 404

// linkedFile is where a file lies.
type linkedFile struct {
	address, name, origin string
	hub                   bool
}

// readLink understands the address of a file.
func (a *App) readLink(text string) (*linkedFile, error) {
	text = strings.TrimSpace(text)
	wrong := func(key string) error { return fmt.Errorf("%s", say(key, fmt.Sprintf("%q", text))) }
	u, err := url.Parse(text)
	switch {
	case text == "":
		return nil, fmt.Errorf("%s", say("link.there-is-no-address"))
	case err == nil && u.Scheme == "hf":
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, wrong("link.is-not-a-web-address")
	case u.Scheme == "http":
		if _, hub := wire.HubPath(u, a.hubBase()); !hub { // which is asked by https
			return nil, wrong("link.is-not-encrypted")
		}
	}
	address, name, ok := wire.DataLink(text, a.hubBase())
	if !ok {
		return nil, wrong("link.names-no-file")
	}
	return &linkedFile{address, name, originOf(address), strings.HasPrefix(address, a.hubBase()+"/")}, nil
}

// askLink asks whether to fetch the file that stands in the box; of a host that was asked about
// before it is fetched at once.
func (a *App) askLink() {
	delete(a.notices, atData)
	a.stopLink()
	a.linked.asked = nil
	f, err := a.readLink(a.linked.text)
	switch {
	case a.training():
		a.refuse(atData, say("all.a-training-is-under"), say("link.stop-it-first"))
	case err != nil:
		a.refuse(atData, err.Error(), say("link.write-the-address"))
	case a.linked.hosts[f.origin]:
		a.fetchLink(f)
	default:
		a.linked.asked = f
	}
}

// fetchAsked fetches the file that the person was asked about.
func (a *App) fetchAsked() {
	f := a.linked.asked
	a.linked.asked = nil
	if a.linked.hosts == nil {
		a.linked.hosts = map[string]bool{}
	}
	a.linked.hosts[f.origin] = true
	a.fetchLink(f)
}

func (a *App) fetchLink(f *linkedFile) {
	headers := map[string]string{}
	if token := strings.TrimSpace(a.model.token); f.hub && token != "" {
		headers["Authorization"] = "Bearer " + token
	}
	a.host.Allow(f.origin, f.hub)
	a.linked.fetched, a.linked.done, a.linked.total = f, 0, 0
	a.linked.stop = a.host.Download(f.address, headers, maxData, func(done, total int64) { a.linked.done, a.linked.total = done, total }, func(d Downloaded) {
		if a.linked.fetched != f { // it was stopped
			return
		}
		a.linked.fetched, a.linked.stop = nil, nil
		a.onLinked(f, d)
	})
}

// stopLink ends the fetching that is under way.
func (a *App) stopLink() {
	if stop := a.linked.stop; stop != nil {
		a.linked.fetched, a.linked.stop = nil, nil
		stop()
	}
}

// onLinked takes the file as one that was dropped, or says why it did not come.
func (a *App) onLinked(f *linkedFile, d Downloaded) {
	host := strings.TrimPrefix(f.origin, "https://")
	by := say("link.download-it-yourself")
	kind, _, _ := strings.Cut(d.Type, ";")
	switch {
	case d.Failed:
		a.refuse(atData, say("link.did-not-come", f.name, host), by)
	case d.Large > 0:
		a.refuse(atData, say("all.is-a-file-of", f.name, size(d.Large), size(maxData)), say("data.a-prefix-learns-from"))
	case d.Status == statusNotFound:
		a.refuse(atData, say("link.is-not-there", host, f.name), say("link.look-at-the-address"))
	case d.Status == statusUnauthorized || d.Status == statusForbidden:
		hint := by
		if f.hub {
			hint = say("link.give-a-token")
		}
		a.refuse(atData, say("link.is-not-given", host, f.name), hint)
	case d.Status != statusOK:
		a.refuse(atData, say("link.answered", host, count(d.Status)), by)
	case kind == "text/html":
		a.refuse(atData, say("link.is-a-page", fmt.Sprintf("%q", f.address)), say("link.link-to-the-file"))
	default:
		d.File.Name = withKind(f.name, kind)
		a.linked.text = ""
		a.openFiles([]File{d.File})
	}
}

// withKind gives a name without an ending the one that the host's word for the file asks for.
func withKind(name, kind string) string {
	if path.Ext(name) != "" {
		return name
	}
	switch kind {
	case "text/csv":
		return name + ".csv"
	case "text/tab-separated-values":
		return name + ".tsv"
	}
	return name
}

// LinkPanel takes an address and asks before it fetches.
type LinkPanel struct{ App *App }

func (c *LinkPanel) placeholder() string { return "https://" }

func (c *LinkPanel) question() string {
	f := c.App.linked.asked
	return say("link.fetch-from", f.name, strings.TrimPrefix(f.origin, "https://"))
}

// learns says what the host learns.
func (c *LinkPanel) learns() string {
	if c.App.linked.asked.hub && strings.TrimSpace(c.App.model.token) != "" {
		return say("link.it-learns-the-token")
	}
	return say("link.it-learns")
}

func (c *LinkPanel) stage() string { return say("link.fetching", c.App.linked.fetched.name) }

func (c *LinkPanel) progress() *wire.Progress {
	if c.App.linked.total == 0 {
		return nil
	}
	return &wire.Progress{Done: c.App.linked.done, Total: c.App.linked.total}
}

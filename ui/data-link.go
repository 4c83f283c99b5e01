package ui

import (
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"prelude/ui/wire"
)

// dataLink fetches a file of examples from an address that a person has written.
type dataLink struct {
	text    string          // in the box
	asked   *linkedFile     // which the person is asked about
	choose  *repository     // one of whose files is to be chosen
	fetched *linkedFile     // which is on its way
	stop    func()          // ends its way
	hosts   map[string]bool // from which a person has let files come
	done    int64
	total   int64
}

// What hosts answer with; package net/http is as large as a third of the page.
const statusOK, statusUnauthorized, statusForbidden, statusNotFound = 200, 401, 403, 404

// linkedFile is where a file lies, or the list of a repository's files.
type linkedFile struct {
	address, name, origin string
	hub                   bool
	list                  *wire.HubPlace
}

// repository is one of the hub's, with its files that may have examples.
type repository struct {
	place wire.HubPlace
	files []wire.HubFile
}

// maxList bounds a list of files.
const maxList = 4 << 20

// readLink understands the address of a file, or a repository of the hub: an id is a data set's.
func (a *App) readLink(text string) (*linkedFile, error) {
	text = strings.TrimSpace(text)
	wrong := func(key string) error { return fmt.Errorf("%s", say(key, fmt.Sprintf("%q", text))) }
	base := a.hubBase()
	d, ok := wire.ReadDataLink(text, base)
	u, err := url.Parse(text)
	switch written := strings.Contains(text, "://"); {
	case text == "":
		return nil, fmt.Errorf("%s", say("link.there-is-no-address"))
	case !written && !ok:
		return nil, wrong("link.is-not-a-web-address")
	case d.Hub == nil && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http"):
		return nil, wrong("link.is-not-a-web-address")
	case d.Hub == nil && u.Scheme == "http":
		return nil, wrong("link.is-not-encrypted")
	case !ok:
		return nil, wrong("link.names-no-file")
	case d.Hub != nil && !written && d.Hub.Kind == wire.HubModel:
		d.Hub.Kind = wire.HubDataset
	}
	if d.Address != "" {
		return &linkedFile{d.Address, d.Name, originOf(d.Address), d.Hub != nil, nil}, nil
	}
	address := d.Hub.List(base)
	return &linkedFile{address, d.Hub.String(), originOf(address), true, d.Hub}, nil
}

// hubFile is a file of a repository.
func (a *App) hubFile(p wire.HubPlace, f wire.HubFile) *linkedFile {
	address := p.Address(a.hubBase(), f.Path)
	return &linkedFile{address, path.Base(f.Path), originOf(address), true, nil}
}

// askLink asks whether to fetch the file that stands in the box; of a host that was asked about
// before it is fetched at once.
func (a *App) askLink() {
	delete(a.notices, atData)
	a.stopLink()
	a.linked.asked, a.linked.choose = nil, nil
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
	most := int64(maxData)
	if f.list != nil {
		most = maxList
	}
	a.linked.stop = a.host.Download(f.address, headers, most, func(done, total int64) { a.linked.done, a.linked.total = done, total }, func(d Downloaded) {
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
	case f.list != nil:
		a.host.Read(d.File, func(b Bytes) { a.onListed(f, b) })
	case kind == "text/html":
		a.refuse(atData, say("link.is-a-page", fmt.Sprintf("%q", f.address)), say("link.link-to-the-file"))
	default:
		d.File.Name = withKind(f.name, kind)
		a.linked.text = ""
		a.openFiles([]File{d.File})
	}
}

// onListed offers a repository's files of examples; a single one is fetched.
func (a *App) onListed(f *linkedFile, list Bytes) {
	var all []wire.HubFile
	if list == nil || json.Unmarshal([]byte(list.String()), &all) != nil {
		a.refuse(atData, say("link.is-no-list", f.name, strings.TrimPrefix(f.origin, "https://")), say("link.write-the-address"))
		return
	}
	files := wire.DataFiles(all)
	if f.list.Kind == wire.HubModel {
		files = slices.DeleteFunc(files, func(x wire.HubFile) bool { return path.Ext(x.Path) == ".json" }) // its configuration
	}
	switch len(files) {
	case 0:
		a.refuse(atData, say("link.has-no-examples", f.name), say("link.a-data-set-that"))
	case 1:
		a.fetchLink(a.hubFile(*f.list, files[0]))
	default:
		a.linked.choose = &repository{*f.list, files}
	}
}

// fetchChosen fetches a file of the repository that was listed.
func (a *App) fetchChosen(f wire.HubFile) {
	p := a.linked.choose.place
	a.linked.choose = nil
	a.fetchLink(a.hubFile(p, f))
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
	if f.list != nil {
		return say("link.list-from", f.name, strings.TrimPrefix(f.origin, "https://"))
	}
	return say("link.fetch-from", f.name, strings.TrimPrefix(f.origin, "https://"))
}

// learns says what the host learns.
func (c *LinkPanel) learns() string {
	if c.App.linked.asked.hub && strings.TrimSpace(c.App.model.token) != "" {
		return say("link.it-learns-the-token")
	}
	return say("link.it-learns")
}

// which asks which of a repository's files is meant.
func (c *LinkPanel) which() string {
	r := c.App.linked.choose
	return say("link.has-files-which-one", r.place.String(), len(r.files))
}

func (c *LinkPanel) stage() string { return say("link.fetching", c.App.linked.fetched.name) }

func (c *LinkPanel) progress() *wire.Progress {
	if c.App.linked.total == 0 {
		return nil
	}
	return &wire.Progress{Done: c.App.linked.done, Total: c.App.linked.total}
}

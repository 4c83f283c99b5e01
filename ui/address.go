package ui

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"prelude/ui/wire"
)

// readAddress understands where a model or a prefix lies: an id of the Hugging Face hub, a
// link to a repository or one of its files in any of their shapes, there or at the mirror that
// is used in its place, or another address.
func readAddress(text, base string) (source, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return source{}, errors.New(say("address.there-is-no-model"))
	}
	if rest, ok := strings.CutPrefix(text, "hf://"); ok {
		return hubPlace(strings.TrimPrefix(rest, "models/"), text)
	}
	if u, err := url.Parse("https://" + text); err == nil && !strings.Contains(text, "://") {
		if _, hub := wire.HubPath(u, base); hub {
			text = u.String()
		}
	}
	if !strings.Contains(text, "://") {
		return hubPlace(text, text)
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return source{}, errors.New(say("address.is-not-a-web", fmt.Sprintf("%q", text)))
	}
	if path, hub := wire.HubPath(u, base); hub {
		return hubLink(path, text)
	}
	if u.Scheme == "http" {
		return source{}, errors.New(say("address.is-not-encrypted-and", fmt.Sprintf("%q", text)))
	}
	return source{url: text}, nil
}

// hubLink reads the path of a link, in which a revision's own slashes are escaped.
func hubLink(path, text string) (source, error) {
	s, err := hubPlace(path, text)
	if err != nil {
		return s, err
	}
	if s.hub, err = url.PathUnescape(s.hub); err != nil || strings.ContainsAny(s.hub, " \t?#\\") || strings.Contains("/"+s.hub+"/", "/../") {
		return source{}, errors.New(say("address.is-neither-a-model", fmt.Sprintf("%q", text)))
	}
	return s, nil
}

// hubPlace reads what follows the hub's name: owner/name, with a file, with :file, with
// @revision, or with /blob, /resolve, /raw or /tree, a revision and a file.
func hubPlace(rest, text string) (source, error) {
	wrong := errors.New(say("address.is-neither-a-model", fmt.Sprintf("%q", text)))
	parts := strings.Split(strings.TrimSuffix(rest, "/"), "/")
	switch {
	case len(parts) > 0 && (parts[0] == "datasets" || parts[0] == "spaces"):
		return source{}, errors.New(say("address.is-a-"+parts[0][:len(parts[0])-1], fmt.Sprintf("%q", text)))
	case len(parts) < 2 || strings.ContainsAny(rest, " \t?#\\"):
		return source{}, wrong
	}
	name, file, _ := strings.Cut(parts[1], ":")
	name, revision, _ := strings.Cut(name, "@")
	below := parts[2:]
	if len(below) > 0 && (below[0] == "blob" || below[0] == "resolve" || below[0] == "raw" || below[0] == "tree") {
		if len(below) < 2 {
			return source{}, wrong
		}
		revision, below = below[1], below[2:]
	}
	if n := len(below); n > 0 {
		if revision == "" && !strings.Contains(below[n-1], ".") {
			return source{}, wrong // three words are no id
		}
		file = strings.TrimPrefix(file+"/", "/") + strings.Join(below, "/")
	}
	if parts[0] == "" || name == "" {
		return source{}, wrong
	}
	for _, p := range append(strings.Split(file, "/"), revision) {
		if p == ".." {
			return source{}, wrong
		}
	}
	place := parts[0] + "/" + name
	if revision != "" && revision != "main" {
		place += "@" + revision
	}
	if file != "" {
		place += ":" + file
	}
	return source{hub: place}, nil
}

// hubToken is the person's token, for a request to the hub.
func (a *App) hubToken(hub string) string {
	if hub == "" {
		return ""
	}
	return strings.TrimSpace(a.model.token)
}

// allow lets the worker fetch from where a person has pointed.
func (a *App) allow(s source) {
	if s.hub != "" {
		a.host.Allow(originOf(a.hubBase()), true)
	}
	if s.url != "" {
		a.host.Allow(originOf(s.url), false)
	}
}

// originOf is scheme and host of an address.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// onChoose asks which of a repository's models is meant.
func (a *App) onChoose(m wire.Choose) {
	if m.ID != a.model.id {
		return
	}
	delete(a.asked, m.ID)
	a.model.refused()
	a.model.choose = &m
}

// ChooseFile asks which file of a repository to load.
type ChooseFile struct{ App *App }

func (c *ChooseFile) title() string {
	m := c.App.model.choose
	return say("address.has-models-which-one", m.Hub, len(m.Files))
}

func (c *ChooseFile) load(f wire.ChosenFile) {
	c.App.load(source{hub: c.App.model.choose.Hub + ":" + f.Path})
}

// importAddress fetches a prefix from the hub or from an address.
func (a *App) importAddress() {
	delete(a.notices, atHome)
	s, err := readAddress(a.home.address, a.hubBase())
	switch {
	case a.training():
		a.refuse(atHome, say("all.a-training-is-under"), say("all.stop-it-first-the"))
	case err != nil:
		a.refuse(atHome, err.Error(), say("address.write-a-hugging-face"))
	case a.model.loaded == nil || a.engine != "ready":
		a.refuse(atHome, say("address.no-model-is-loaded"), say("address.load-the-model-that"))
	default:
		a.allow(s)
		name := s.hub + s.url
		a.home.reading, a.home.from, a.home.claim = nil, name, ""
		a.home.id = a.ask(atHome, func(id int) wire.Message {
			return wire.Import{ID: id, Name: name, From: name, Token: a.hubToken(s.hub), HubBase: a.hub.base}
		}, nil)
	}
}

package ui

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"prelude/ui/wire"
)

// readAddress understands where a model or a prefix lies: a place of the Hugging Face hub in any
// of the shapes that [wire.ReadHub] knows, or another address.
func readAddress(text, base string) (source, error) {
	text = strings.TrimSpace(text)
	wrong := func(key string) (source, error) { return source{}, errors.New(say(key, fmt.Sprintf("%q", text))) }
	switch p, hub, ok := wire.ReadHub(text, base); {
	case text == "":
		return source{}, errors.New(say("address.there-is-no-model"))
	case hub && p.Kind == wire.HubDataset:
		return wrong("address.is-a-dataset")
	case hub && p.Kind == wire.HubSpace:
		return wrong("address.is-a-space")
	case hub && !ok:
		return wrong("address.is-neither-a-model")
	case hub:
		return source{hub: p.String()}, nil
	}
	switch u, err := url.Parse(text); {
	case err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http"):
		return wrong("address.is-not-a-web")
	case u.Scheme == "http":
		return wrong("address.is-not-encrypted-and")
	}
	return source{url: text}, nil
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

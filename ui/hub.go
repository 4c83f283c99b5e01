package ui

import (
	"fmt"

	"prelude/ui/wire"
)

// hubMirror is where the hub's files are fetched from.
type hubMirror struct {
	text string // in the box
	base string // of the mirror that is used; "": the hub itself
}

// restore goes back to the mirror that a sitting was with.
func (h *hubMirror) restore(base string) {
	if got, ok := wire.HubBase(base); ok && got != wire.Hub {
		h.text, h.base = got, got
	}
}

// hubBase is the address that stands for the hub.
func (a *App) hubBase() string {
	base, _ := wire.HubBase(a.hub.base)
	return base
}

// setHub uses a mirror, or with an empty text the hub itself. What is no address of one stays in
// the box, and the mirror before stays in use.
func (a *App) setHub(text string) {
	delete(a.notices, atModel)
	a.hub.text = text
	base, ok := wire.HubBase(text)
	switch {
	case !ok:
		a.refuse(atModel, say("hub.is-not-a-mirror", fmt.Sprintf("%q", text)), say("hub.write-an-address"))
	case base == wire.Hub:
		a.hub = hubMirror{}
	default:
		a.hub = hubMirror{base, base}
	}
}

// HubPanel sets the mirror.
type HubPanel struct{ App *App }

func (c *HubPanel) placeholder() string { return wire.Hub }

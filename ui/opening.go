package ui

import (
	"time"

	"prelude/ui/wire"
)

// While the page's own model and examples are on their way, their places are kept, and what stands
// below them is not shown yet: nothing moves as they come.

// longestOpening is how long that may take: a slow network leaves the page as it is without them.
const longestOpening = 8 * time.Second

// opening says whether something that the page opens with is still on its way.
func (a *App) opening() bool { return !a.settled }

// settle ends the opening once nothing is awaited any more. What a person loads later moves what
// it moves.
func (a *App) settle() {
	starting := a.engine == "starting" || a.sitting.state <= sittingOpening
	a.settled = a.settled || !starting && a.model.id == 0 && a.data.id == 0 && !a.data.coming
}

// rows are the live answers' prompts, or their places.
func (c *LivePanel) rows() []wire.Example {
	if l := &c.App.live; len(l.prompts) > 0 || !c.App.opening() {
		return l.prompts
	}
	blank := make([]wire.Example, wire.LivePrompts)
	for i := range blank {
		blank[i].Completion = "…"
	}
	return blank
}

func (c *LivePanel) listClass() string {
	if len(c.App.live.prompts) == 0 {
		return "live-list blank"
	}
	return "live-list"
}

// benchClass marks the workbench while the page opens.
func (c *Page) benchClass() string {
	if c.App.opening() {
		return "bench opening"
	}
	return "bench"
}

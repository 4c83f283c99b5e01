package ui

import "prelude/ui/wire"

// runStatus is how far a long action of the worker has come that can be paused and
// stopped: a training, or writing about a text.
type runStatus int

const (
	runNone runStatus = iota
	runStarting
	runGoing
	runPausing
	runPaused
	runStopping
	runDone
	runBroken
)

func (s runStatus) active() bool { return s >= runStarting && s <= runStopping }

// hear follows the worker's own word; going is the word for this action.
func (s *runStatus) hear(word, going string) {
	switch {
	case !s.active():
	case word == "paused" && *s != runStopping:
		*s = runPaused
	case word == going && (*s == runStarting || *s == runPaused):
		*s = runGoing
	}
}

func (a *App) pause(s *runStatus) {
	a.breakLive()
	a.host.Send(wire.Pause{}, nil)
	*s = runPausing
}

func (a *App) resume(s *runStatus) {
	a.host.Send(wire.Resume{}, nil)
	*s = runGoing
}

func (a *App) halt(s *runStatus) {
	a.breakLive()
	a.host.Send(wire.Stop{}, nil)
	*s = runStopping
}

// PauseButtons pause, resume and stop an action. Their IDs begin with Prefix.
type PauseButtons struct {
	App    *App
	Status *runStatus
	Prefix string
	Big    bool
}

func (c *PauseButtons) class(primary bool) string {
	class := "button"
	if primary {
		class += " primary"
	}
	if c.Big {
		class += " big"
	}
	return class
}

package ui

import (
	"time"

	"prelude/ui/wire"
)

// watchdog finds a worker that does not answer any more: one that was ended from outside, or
// waits for a device that never comes back. Its own errors are messages; silence is not.
type watchdog struct {
	heard  time.Time // the worker's last message
	pinged time.Time // when it was asked for a sign of life that has not come; zero where it was not
	told   bool      // the notice stands
}

const (
	beat = 5 * time.Second
	// quiet is how long a worker may owe a sign of life while nothing long is under way, and
	// quietBusy while it computes: a step of a large model takes many seconds, and the worker
	// answers between them.
	quiet     = 10 * time.Second
	quietBusy = 90 * time.Second
)

// watch looks after the worker, and goes on doing so.
func (a *App) watch() {
	a.look(time.Now())
	a.host.Later(beat, a.watch)
}

func (a *App) look(now time.Time) {
	d := &a.dog
	switch {
	case a.engine != "ready" || d.told:
	case !d.pinged.IsZero():
		limit := quiet
		if a.training() || a.model.id != 0 || a.compare.id != 0 || a.live.id != 0 || a.home.id != 0 || a.data.id != 0 {
			limit = quietBusy
		}
		if now.Sub(d.pinged) > limit {
			d.told = true
			a.notices[atTop] = notice{
				message: say("watchdog.the-engine-has-not", span(now.Sub(d.pinged))),
				hint:    say("watchdog.if-it-does-not"),
				fatal:   true,
			}
		}
	case now.Sub(d.heard) > beat:
		d.pinged = now
		a.host.Send(wire.Ping{}, nil)
	}
}

// hear notes a sign of life.
func (a *App) hear() {
	if a.dog.told {
		delete(a.notices, atTop)
	}
	a.dog = watchdog{heard: time.Now()}
}

package dispatch

import (
	"context"
	"sync"
	"time"

	"prelude/engine"
)

// action is a long piece of work on the device that can be paused and stopped: a training,
// writing about a text, an experiment. It is used from the goroutine that works and from
// the one that receives messages.
type action struct {
	mu        sync.Mutex
	doing     string // its word for the page; "": there is none
	paused    bool
	stopping  bool
	meanwhile int           // requests that are answered meanwhile: a pause does not hold them
	halt      func()        // ends the step that runs
	woken     chan struct{} // has an element after a pause has ended
}

// start makes the action the one under way.
func (a *action) start(doing string, halt func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.doing, a.halt, a.paused, a.stopping = doing, halt, false, false
}

// end says that none is under way.
func (a *action) end() { a.start("", func() {}) }

// running says whether one is under way.
func (a *action) running() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.doing != ""
}

// setPaused pauses or resumes, and returns the action's word if that changed anything.
func (a *action) setPaused(on bool) (doing string, changed bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.doing == "" || a.paused == on {
		return "", false
	}
	a.paused = on
	if !on {
		signal(a.woken)
	}
	return a.doing, true
}

// stop ends the action as soon as can be. A step of a large model takes seconds: it is
// broken off.
func (a *action) stop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.doing == "" {
		return
	}
	a.stopping, a.paused = true, false
	a.halt()
	signal(a.woken)
}

// resting says whether the action is paused and not being stopped.
func (a *action) resting() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.paused && !a.stopping
}

// held says whether a run on the device is to wait: it is the action's, and paused.
func (a *action) held() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.paused && !a.stopping && a.meanwhile == 0
}

// answer says that a request is being answered in the middle of the action, or no longer.
func (a *action) answer(on bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if on {
		a.meanwhile++
	} else {
		a.meanwhile--
	}
}

// stopped says whether the action is being stopped.
func (a *action) stopped() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.stopping
}

// begin takes the device for an action and returns the context of its steps, which Stop
// ends.
func (w *Worker) begin(ctx context.Context, doing string) (steps context.Context, end func()) {
	steps, halt := context.WithCancel(ctx)
	w.action.start(doing, halt)
	w.state(doing)
	follow := func() {}
	if p, ok := w.session.Device.(engine.Pauser); ok {
		follow = w.follow(p)
	}
	return steps, func() {
		halt()
		follow()
		w.action.end()
		w.state("idle")
	}
}

// yield is what a device without threads calls between operations: messages arrive, and a
// pause holds here, in the middle of a step, unless a request wants the device.
func (w *Worker) yield() {
	w.host.Breathe()
	for w.action.held() && w.queue.waiting() == 0 {
		select {
		case <-w.action.woken:
		case <-w.queue.arrived:
			signal(w.queue.arrived)
		}
	}
}

// between runs between two steps: requests that can be answered meanwhile are, and a pause
// holds here. It returns false where the action is to end.
func (w *Worker) between() bool {
	w.host.Breathe()
	for !w.action.stopped() {
		for w.queue.waiting() > 0 {
			w.action.answer(true)
			w.handle(w.queue.next())
			w.action.answer(false)
		}
		if !w.action.resting() {
			break
		}
		select {
		case <-w.action.woken:
		case <-w.queue.arrived:
		}
	}
	return !w.action.stopped()
}

// follow passes pauses on to a device that can rest in the middle of a step. A request that
// waits wants the step to end.
func (w *Worker) follow(p engine.Pauser) (stop func()) {
	done := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		resting := false
		for {
			select {
			case <-done:
				p.Pause(false)
				return
			case <-time.After(20 * time.Millisecond):
			}
			rest := w.action.held() && w.queue.waiting() == 0
			if rest != resting {
				p.Pause(rest)
			}
			resting = rest
		}
	}()
	return func() { close(done); <-ended }
}

package openai

import (
	"context"
	"errors"
	"slices"
	"sync"

	"prelude/wasm/session"
)

// Model is a prefix under a name, or with key 0 the bare model.
type Model struct {
	Name string
	Key  int // on the session's shelf
}

// Limits bound what a server takes on.
type Limits struct {
	Streams int // answers at a time with one prefix
	Context int // tokens of a prompt and its answer
	Waiting int // questions that may wait; more are told to come later
}

// job is a question on its way through the desk.
type job struct {
	ctx   context.Context // of the client, who may leave
	model string
	ask   session.Ask
}

// desk answers questions one token of each at a time. All that touches the session happens
// in run's goroutine.
type desk struct {
	session *session.Session
	models  []Model
	limits  Limits
	answers map[string]*session.Answers // made when first asked

	mu      sync.Mutex
	waiting []*job
	closed  bool
	news    chan struct{}
}

// errBusy is the error of a question that finds too many before it.
var errBusy = errors.New("too many questions are waiting")

// errClosed is the error of a question to a server that is ending.
var errClosed = errors.New("the server is ending")

// put lets a question wait for its turn.
func (d *desk) put(j *job) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.closed:
		return errClosed
	case len(d.waiting) >= d.limits.Waiting:
		return errBusy
	}
	d.waiting = append(d.waiting, j)
	select {
	case d.news <- struct{}{}:
	default:
	}
	return nil
}

// next takes the first question for which there is room.
func (d *desk) next(room func(*job) bool) *job {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := slices.IndexFunc(d.waiting, room)
	if i < 0 {
		return nil
	}
	j := d.waiting[i]
	d.waiting = slices.Delete(d.waiting, i, i+1)
	return j
}

// run answers until ctx ends: it reads one prompt that waits, takes a token of every answer
// under way, and so on.
func (d *desk) run(ctx context.Context) {
	defer d.close()
	for ctx.Err() == nil {
		j := d.next(d.room)
		if j != nil && j.ctx.Err() == nil { // else the client has left
			if err := d.begin(ctx, j); err != nil {
				j.ask.Fail(err)
			}
		}
		if busy := d.step(ctx); !busy && j == nil {
			select {
			case <-d.news:
			case <-ctx.Done():
			}
		}
	}
}

// room says whether a question can begin, or is no longer wanted.
func (d *desk) room(j *job) bool {
	a := d.answers[j.model]
	return j.ctx.Err() != nil || a == nil || a.Free()
}

// begin reads a question's prompt.
func (d *desk) begin(ctx context.Context, j *job) error {
	a := d.answers[j.model]
	if a == nil {
		i := slices.IndexFunc(d.models, func(m Model) bool { return m.Name == j.model })
		var err error
		if a, err = d.session.Answers(ctx, d.models[i].Key, d.limits.Streams, d.limits.Context); err != nil {
			return err
		}
		d.answers[j.model] = a
	}
	return a.Begin(ctx, j.ask)
}

// step takes a token of every answer under way, and says whether there were any.
func (d *desk) step(ctx context.Context) (busy bool) {
	for name, a := range d.answers {
		if a.Live() == 0 {
			continue
		}
		busy = true
		if err := a.Step(ctx); err != nil { // its questions have been told
			a.Close()
			delete(d.answers, name)
		}
	}
	return busy
}

// close fails what waits and what is under way.
func (d *desk) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	for _, j := range d.waiting {
		j.ask.Fail(errClosed)
	}
	d.waiting = nil
	for _, a := range d.answers {
		a.Fail(errClosed)
		a.Close()
	}
}

package dispatch

import (
	"context"
	"errors"
	"sync"
	"time"

	"prelude/ui/wire"
	"prelude/wasm/session"
)

// ahead is the training that is prepared while a person still looks at the examples: the
// one that starts where nothing is changed.
var ahead = wire.DefaultTrain()

// idleWork is what is done while nothing is asked: the training that comes next is prepared,
// the bare model answers what will be asked while it goes on, and what it has to beat is
// measured. Cancel ends it, from any goroutine.
type idleWork struct {
	due     bool     // a training is to be prepared, since model or examples have changed
	hash    string   // of the examples
	prompts []string // of the examples, to be answered by the bare model
	compare bool     // what it has to beat is to be measured
	mu      sync.Mutex
	stop    context.CancelFunc
	serves  bool // what is under way serves the training that is prepared
}

// examples says that model or examples have changed.
func (i *idleWork) examples(d wire.Dataset) {
	i.due, i.compare, i.hash, i.prompts = true, true, d.Hash, nil
	for _, x := range d.HeldOut[:min(wire.LivePrompts, len(d.HeldOut))] {
		i.prompts = append(i.prompts, x.Prompt)
	}
}

// quiet is how long nothing is asked before idle work begins.
const quiet = 200 * time.Millisecond

// time is when idle work is to begin, if nothing is asked before; nil: there is none.
func (i *idleWork) time() <-chan time.Time {
	if !i.due && len(i.prompts) == 0 && !i.compare {
		return nil
	}
	return time.After(quiet)
}

// begin returns the context of the work, which cancel ends; it may serve the training that
// comes next.
func (i *idleWork) begin(ctx context.Context, serves bool) (work context.Context, end func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.serves = serves
	work, i.stop = context.WithCancel(ctx)
	return work, i.cancel
}

// cancel ends the work that is under way, if any.
func (i *idleWork) cancel() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.stop != nil {
		i.stop()
		i.stop = nil
	}
}

// give ends the work that is under way for a request, unless it is done for that request: a
// training like the one that is prepared.
func (i *idleWork) give(m wire.Message) {
	i.mu.Lock()
	serves := i.serves
	i.mu.Unlock()
	if t, training := m.(wire.Train); !serves || !training || !session.SamePreparation(t, ahead) {
		i.cancel()
	}
}

// lookAhead does the next piece of idle work. What a request breaks off is taken up after it;
// what fails, the training itself will report.
func (w *Worker) lookAhead(ctx context.Context) {
	prepare := w.ahead.due
	work, end := w.ahead.begin(ctx, prepare)
	defer end()
	if w.queue.waiting() > 0 { // it came before it could cancel
		return
	}
	if prepare {
		if err := w.session.Ahead(work, ahead); !errors.Is(err, context.Canceled) {
			w.ahead.due = false
		}
		return
	}
	if len(w.ahead.prompts) > 0 {
		w.answerAhead(work)
		return
	}
	found, err := w.session.Standing(work)
	if errors.Is(err, context.Canceled) {
		return
	}
	if w.ahead.compare = false; err == nil {
		w.send(found)
	}
}

// answerAhead has the bare model answer the next prompt.
func (w *Worker) answerAhead(ctx context.Context) {
	x := wire.BaseAnswer{Hash: w.ahead.hash, Prompt: w.ahead.prompts[0]}
	err := w.session.Generate(ctx, wire.Generate{Prompt: x.Prompt, Base: true, MaxTokens: wire.LiveTokens, Seed: 1}, func(p wire.Sample) bool {
		p.Text = x.Answer.Text + p.Text
		x.Answer = p
		return ctx.Err() == nil
	})
	if ctx.Err() != nil {
		return
	}
	w.ahead.prompts = w.ahead.prompts[1:]
	if err == nil {
		w.send(x)
	}
}

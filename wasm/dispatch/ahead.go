package dispatch

import (
	"context"
	"errors"
	"sync"
	"time"

	"prelude/ui/wire"
)

// ahead is the training that is prepared while a person still looks at the examples: the
// one that starts where nothing is changed.
var ahead = wire.DefaultTrain()

// idleWork is what is done while nothing is asked. Cancel ends it, from any goroutine.
type idleWork struct {
	due  bool // there is some, since model or examples have changed
	mu   sync.Mutex
	stop context.CancelFunc
}

// quiet is how long nothing is asked before idle work begins.
const quiet = 200 * time.Millisecond

// time is when idle work is to begin, if nothing is asked before; nil: there is none.
func (i *idleWork) time() <-chan time.Time {
	if !i.due {
		return nil
	}
	return time.After(quiet)
}

// begin returns the context of the work, which cancel ends.
func (i *idleWork) begin(ctx context.Context) (work context.Context, end func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
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

// lookAhead prepares a training. What a request breaks off is taken up after it; what
// fails, the training itself will report.
func (w *Worker) lookAhead(ctx context.Context) {
	work, end := w.ahead.begin(ctx)
	defer end()
	if w.queue.waiting() > 0 { // it came before it could cancel
		return
	}
	if err := w.session.Ahead(work, ahead); !errors.Is(err, context.Canceled) {
		w.ahead.due = false
	}
}

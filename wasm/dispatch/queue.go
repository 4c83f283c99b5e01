package dispatch

import (
	"slices"
	"sync"

	"prelude/ui/wire"
)

// request is a message from the page with its blob, or why it could not be read.
type request struct {
	msg  wire.Message
	blob Blob
	err  error
}

// queue holds the requests that wait.
type queue struct {
	mu      sync.Mutex
	all     []request
	arrived chan struct{} // has an element while a request may have arrived unseen
}

func newQueue() *queue { return &queue{arrived: make(chan struct{}, 1)} }

// put adds a request.
func (q *queue) put(r request) {
	q.mu.Lock()
	q.all = append(q.all, r)
	q.mu.Unlock()
	signal(q.arrived)
}

// next waits for a request.
func (q *queue) next() request {
	for {
		q.mu.Lock()
		if len(q.all) > 0 {
			r := q.all[0]
			q.all = q.all[1:]
			q.mu.Unlock()
			return r
		}
		q.mu.Unlock()
		<-q.arrived
	}
}

// waiting is the number of requests.
func (q *queue) waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.all)
}

// drop removes the first request for which of is true, and says whether there was one.
func (q *queue) drop(of func(wire.Message) bool) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.IndexFunc(q.all, func(r request) bool { return r.err == nil && of(r.msg) })
	if i < 0 {
		return false
	}
	q.all = slices.Delete(q.all, i, i+1)
	return true
}

// signal wakes whoever waits on c, now or the next time.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

//go:build js && wasm

// Command worker is the engine in a Web Worker: it answers the page's messages
// (package wire) with a session on a device of this browser.
package main

import (
	"fmt"
	"syscall/js"
	"time"

	"prelude/ui/wire"
)

func main() {
	b := newBridge()
	w := &worker{bridge: b, copied: map[int]bool{}}
	b.post(w.ready(), js.Null())
	w.send(kept())
	for {
		w.handle(b.next())
	}
}

// post is the worker's answer to everything that goes wrong with a request.
func (w *worker) fail(id int, err error) {
	if err == nil {
		return
	}
	e := wire.Error{ID: id, Message: err.Error()}
	if h, ok := asHint(err); ok {
		e.Hint = h
	}
	w.send(e)
}

func (w *worker) send(m wire.Message) { w.bridge.post(m, js.Null()) }

// progress tells the page how far something is, as often as a person can see it move.
func (w *worker) progress(id int, stage string) func(done, total int64) {
	var last time.Time
	return func(done, total int64) {
		w.bridge.breathe()
		if time.Since(last) > 50*time.Millisecond {
			last = time.Now()
			w.send(wire.Progress{ID: id, Stage: stage, Done: done, Total: total})
		}
	}
}

func unknown(m wire.Message) error { return fmt.Errorf("the worker has no answer to %T", m) }

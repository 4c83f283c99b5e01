//go:build js && wasm

// Command worker is the engine in a Web Worker: it answers the page's messages
// (package wire) with a session on a device of this browser.
package main

import (
	"fmt"
	"syscall/js"

	"prelude/engine/wire"
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

func (w *worker) progress(id int, stage string) func(done, total int64) {
	last := int64(-1)
	return func(done, total int64) {
		if step := done * 100 / max(total, 1); step != last {
			last = step
			w.send(wire.Progress{ID: id, Stage: stage, Done: done, Total: total})
			w.bridge.breathe()
		}
	}
}

func unknown(m wire.Message) error { return fmt.Errorf("the worker has no answer to %T", m) }

//go:build js && wasm

package main

import (
	"context"
	"syscall/js"
	"time"

	"prelude/engine/jshost"
)

// loop lets the event loop run while a goroutine computes.
type loop struct {
	turns jshost.Turns
	last  time.Time
}

func newLoop() *loop { return &loop{jshost.NewTurns(), time.Now()} }

// breathe waits for the event loop if it has not run for a while.
func (l *loop) breathe() {
	if time.Since(l.last) < 15*time.Millisecond {
		return
	}
	l.turns.Take()
	l.last = time.Now()
}

// await blocks the goroutine until a promise settles; see [jshost.Await].
func await(promise js.Value) (js.Value, error) { return jshost.Await(context.Background(), promise) }

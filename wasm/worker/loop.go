//go:build js && wasm

package main

import (
	"syscall/js"
	"time"
)

// loop lets the event loop run while a goroutine computes.
type loop struct {
	port  js.Value // of a MessageChannel: its messages come in turn with all others
	woken chan struct{}
	last  time.Time
}

func newLoop() *loop {
	l := &loop{woken: make(chan struct{}, 1), last: time.Now()}
	channel := js.Global().Get("MessageChannel").New()
	l.port = channel.Get("port2")
	channel.Get("port1").Set("onmessage", js.FuncOf(func(js.Value, []js.Value) any {
		select {
		case l.woken <- struct{}{}:
		default:
		}
		return nil
	}))
	return l
}

// breathe waits for the event loop if it has not run for a while: a busy goroutine never
// lets it run, and runtime.Gosched doesn't either.
func (l *loop) breathe() {
	if time.Since(l.last) < 15*time.Millisecond {
		return
	}
	l.port.Call("postMessage", js.Null())
	<-l.woken
	l.last = time.Now()
}

// arrayOf copies bytes into a Uint8Array.
func arrayOf(raw []byte) js.Value {
	a := js.Global().Get("Uint8Array").New(len(raw))
	js.CopyBytesToJS(a, raw)
	return a
}

// await parks the goroutine until a promise settles.
func await(promise js.Value) (js.Value, error) {
	type result struct {
		v   js.Value
		err error
	}
	done := make(chan result, 1)
	var ok, bad js.Func
	ok = js.FuncOf(func(_ js.Value, args []js.Value) any {
		v := js.Undefined()
		if len(args) > 0 {
			v = args[0]
		}
		done <- result{v: v}
		return nil
	})
	bad = js.FuncOf(func(_ js.Value, args []js.Value) any {
		done <- result{err: js.Error{Value: args[0]}}
		return nil
	})
	defer ok.Release()
	defer bad.Release()
	promise.Call("then", ok, bad)
	r := <-done
	return r.v, r.err
}

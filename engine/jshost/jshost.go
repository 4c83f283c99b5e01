//go:build js

// Package jshost is what every program in a JavaScript host needs of it: waiting for a
// promise, a turn of the event loop, and bytes as typed arrays. The host is a browser's page
// or worker, Node, or the Cloudflare Worker's runtime.
package jshost

import (
	"context"
	"syscall/js"
)

// Await blocks the goroutine until the promise settles or ctx ends. A rejection is a
// [js.Error] of the reason. Await must not be called from inside a js.Func: no promise
// settles before that returns.
func Await(ctx context.Context, promise js.Value) (js.Value, error) {
	type result struct {
		v   js.Value
		err error
	}
	settled := make(chan result, 1)
	var good, bad js.Func
	settle := func(r result) {
		settled <- r
		good.Release()
		bad.Release()
	}
	good = js.FuncOf(func(_ js.Value, args []js.Value) any { settle(result{v: first(args)}); return nil })
	bad = js.FuncOf(func(_ js.Value, args []js.Value) any { settle(result{err: rejection(first(args))}); return nil })
	promise.Call("then", good, bad)
	select {
	case r := <-settled:
		return r.v, r.err
	case <-ctx.Done():
		return js.Undefined(), ctx.Err()
	}
}

func first(args []js.Value) js.Value {
	if len(args) == 0 {
		return js.Undefined()
	}
	return args[0]
}

// rejection is an error of any reason: js.Error's own text is that of an Error object.
func rejection(reason js.Value) js.Error {
	if reason.Type() != js.TypeObject {
		reason = js.Global().Get("Error").New(reason)
	}
	return js.Error{Value: reason}
}

// Reason is what a promise's rejection says, "" where err is none.
func Reason(err error) string {
	if e, ok := err.(js.Error); ok {
		return e.Value.Get("message").String()
	}
	return ""
}

// InNode tells Node from browsers, where Go's runtime brings a process object of its own.
func InNode() bool {
	p := js.Global().Get("process")
	return p.Truthy() && p.Get("versions").Truthy() && p.Get("versions").Get("node").Truthy() && !js.Global().Get("importScripts").Truthy()
}

// Turns gives the event loop its turns: while a goroutine computes, no message arrives, and
// [runtime.Gosched] does not change that.
type Turns struct {
	ask  func()
	came chan struct{}
}

// NewTurns asks for turns by a message to oneself in a browser, where a timer would be held
// back for 4 ms; in Node, where messages go before timers, by setImmediate.
func NewTurns() Turns {
	t := Turns{came: make(chan struct{}, 1)}
	here := js.FuncOf(func(js.Value, []js.Value) any {
		select {
		case t.came <- struct{}{}:
		default:
		}
		return nil
	})
	if InNode() {
		t.ask = func() { js.Global().Call("setImmediate", here) }
		return t
	}
	channel := js.Global().Get("MessageChannel").New()
	channel.Get("port1").Set("onmessage", here)
	t.ask = func() { channel.Get("port2").Call("postMessage", 0) }
	return t
}

// Take blocks until the event loop has worked on what waited.
func (t Turns) Take() {
	t.ask()
	<-t.came
}

// Bytes copies raw into a new Uint8Array.
func Bytes(raw []byte) js.Value {
	a := js.Global().Get("Uint8Array").New(len(raw))
	js.CopyBytesToJS(a, raw)
	return a
}

//go:build js && wasm

package main

import (
	"syscall/js"
	"time"

	"prelude/ui/wire"
)

// request is a message from the page with its blob: a Uint8Array, a File, or null.
type request struct {
	msg  wire.Message
	blob js.Value
	err  error
}

// bridge carries messages between the page and this program.
type bridge struct {
	queue   []request
	arrived chan struct{} // has an element while queue may be non-empty
	urgent  func(wire.Message) bool
	port    js.Value // of a MessageChannel, to let the event loop run
	woken   chan struct{}
	onWake  js.Func
	last    time.Time
}

func newBridge() *bridge {
	b := &bridge{arrived: make(chan struct{}, 1), woken: make(chan struct{}, 1), last: time.Now()}
	channel := js.Global().Get("MessageChannel").New()
	b.port = channel.Get("port2")
	b.onWake = js.FuncOf(func(js.Value, []js.Value) any {
		select {
		case b.woken <- struct{}{}:
		default:
		}
		return nil
	})
	channel.Get("port1").Set("onmessage", b.onWake)
	js.Global().Set("onmessage", js.FuncOf(func(_ js.Value, args []js.Value) any {
		b.receive(args[0].Get("data"))
		return nil
	}))
	return b
}

// receive runs in the event loop's callback: it only sorts messages.
func (b *bridge) receive(event js.Value) {
	m, err := wire.Decode(event.Get("text").String())
	if err == nil && b.urgent != nil && b.urgent(m) {
		return
	}
	b.queue = append(b.queue, request{m, event.Get("blob"), err})
	b.wake()
}

// wake says that something has arrived.
func (b *bridge) wake() {
	select {
	case b.arrived <- struct{}{}:
	default:
	}
}

// next waits for a request.
func (b *bridge) next() request {
	for len(b.queue) == 0 {
		<-b.arrived
	}
	r := b.queue[0]
	b.queue = b.queue[1:]
	return r
}

// post sends a message to the page.
func (b *bridge) post(m wire.Message, blob js.Value) {
	text, err := wire.Encode(m)
	if err != nil {
		text, _ = wire.Encode(wire.Error{Message: err.Error()})
	}
	js.Global().Call("postMessage", map[string]any{"text": text, "blob": blob})
}

// breathe lets the event loop run if it has not for a while: a busy goroutine never
// does, and runtime.Gosched doesn't either.
func (b *bridge) breathe() {
	if time.Since(b.last) < 15*time.Millisecond {
		return
	}
	b.port.Call("postMessage", js.Null())
	<-b.woken
	b.last = time.Now()
}

// bytesOf copies a Uint8Array into Go's memory.
func bytesOf(blob js.Value) []byte {
	if !blob.Truthy() {
		return nil
	}
	raw := make([]byte, blob.Get("byteLength").Int())
	js.CopyBytesToGo(raw, blob)
	return raw
}

// blobOf copies bytes into a Uint8Array.
func blobOf(raw []byte) js.Value {
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

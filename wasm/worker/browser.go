//go:build js && wasm

package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"syscall/js"

	"prelude/engine/jshost"
	"prelude/engine/webgpu"
	"prelude/simd"
	"prelude/ui/wire"
	"prelude/wasm/dispatch"
	"time"
)

// browser is the worker's [dispatch.Host].
type browser struct {
	loop *loop
	// hashed is where the browser finds what it digests: a new array for each mebibyte of
	// the weights would be as much garbage as the model is large.
	hashed js.Value
}

var _ dispatch.Host = (*browser)(nil)

// listen passes the page's messages on.
func (b *browser) listen(receive func(text string, blob dispatch.Blob)) {
	js.Global().Set("onmessage", js.FuncOf(func(_ js.Value, args []js.Value) any {
		event := args[0].Get("data")
		var with dispatch.Blob
		if v := event.Get("blob"); v.Truthy() {
			with = blob{v}
		}
		receive(event.Get("text").String(), with)
		return nil
	}))
}

func (b *browser) Send(m wire.Message, bytes []byte) {
	text, err := wire.Encode(m)
	if err != nil {
		text, _ = wire.Encode(wire.Error{Message: err.Error()})
	}
	with := js.Null()
	if bytes != nil {
		with = jshost.Bytes(bytes)
	}
	message := map[string]any{"text": text, "blob": with}
	if bytes != nil { // the array is a copy: it is handed over
		js.Global().Call("postMessage", message, []any{with.Get("buffer")})
		return
	}
	js.Global().Call("postMessage", message)
}

func (b *browser) Breathe() { b.loop.breathe() }

func (b *browser) Address(path string) string {
	if js.Global().Get("location").Get("protocol").String() == "blob:" { // a saved page
		return ""
	}
	return js.Global().Get("URL").New("./"+path, js.Global().Get("location").Get("href")).Get("href").String()
}

// Version is the address of the engine's program, whose name changes with its content.
func (b *browser) Version() string { return b.Asset("engine") }

// Sum is by the browser, which outruns Go's own SHA-256 in WebAssembly: it takes a copy of the data
// and works on a thread of its own.
func (b *browser) Sum(data []byte) (wait func() [32]byte) {
	subtle := js.Global().Get("crypto").Get("subtle")
	if !subtle.Truthy() {
		sum := sha256.Sum256(data)
		return func() [32]byte { return sum }
	}
	if b.hashed.IsUndefined() || b.hashed.Length() < len(data) {
		b.hashed = js.Global().Get("Uint8Array").New(max(len(data), 1<<20))
	}
	js.CopyBytesToJS(b.hashed, data)
	begun := subtle.Call("digest", "SHA-256", b.hashed.Call("subarray", 0, len(data)))
	return func() (sum [32]byte) {
		v, err := await(begun)
		if err != nil {
			panic(err) // it refuses no bytes
		}
		js.CopyBytesToGo(sum[:], js.Global().Get("Uint8Array").New(v))
		return sum
	}
}

func (b *browser) Devices() []wire.DeviceInfo {
	gpu := wire.DeviceInfo{Name: "webgpu", OK: js.Global().Get("navigator").Get("gpu").Truthy(), Why: "compute shaders on this machine's GPU"}
	if !gpu.OK {
		gpu.Why = "this browser has no WebGPU"
	}
	kernels := wire.DeviceInfo{Name: "simd", OK: simd.Available(), Why: "WebAssembly SIMD kernels"}
	if !kernels.OK {
		kernels.Why = simd.ErrNoSIMD.Error()
	}
	return []wire.DeviceInfo{gpu, kernels, {Name: "cpu", OK: true, Why: "plain Go, the reference: always there, slow"}}
}

func (b *browser) Open(ctx context.Context, name string) (dispatch.Device, error) {
	switch name {
	case "simd":
		dev, err := simd.New(ctx, simd.Options{Script: b.Asset("simd"), Cache: host{b}})
		if err != nil {
			return dispatch.Device{}, err
		}
		return dispatch.Device{Device: dev, Label: dev.String()}, nil
	case "webgpu":
		dev, err := webgpu.Open(ctx, webgpu.Options{})
		if err != nil {
			return dispatch.Device{}, err
		}
		tune := func(ctx context.Context, key string, clock dispatch.Clock) error {
			return dev.Tune(ctx, key, clock, tuneTime, b)
		}
		return dispatch.Device{Device: dev, Label: dev.Adapter().Name(), Tune: tune}, nil
	}
	return dispatch.Device{}, fmt.Errorf("there is no device %q", name)
}

// host keeps what is measured of this build in this browser.
type host struct{ *browser }

func (h host) key(key string) string {
	return fmt.Sprintf("%s, build %s, %s", key, h.Version(), js.Global().Get("navigator").Get("userAgent").String())
}

func (h host) Load(key string) (string, bool) { return h.browser.Load(h.key(key)) }
func (h host) Store(key, text string)         { h.browser.Store(h.key(key), text) }

// tuneTime is how long the tiles of WebGPU's shaders may be tried.
const tuneTime = 2 * time.Second

func (b *browser) Lost(err error) dispatch.Loss {
	switch {
	case errors.Is(err, simd.ErrThread):
		return dispatch.LostRun
	case errors.Is(err, webgpu.ErrLost):
		return dispatch.LostAway
	}
	return dispatch.NotLost
}

// choice is the address under which a text is kept: a worker has no localStorage, but the
// origin's cache of responses.
func (b *browser) choice(key string) string {
	return b.Address("choice/" + js.Global().Call("encodeURIComponent", key).String())
}

func (b *browser) Load(key string) (string, bool) {
	store := js.Global().Get("caches")
	if !store.Truthy() {
		return "", false
	}
	found, err := await(store.Call("match", b.choice(key)))
	if err != nil || !found.Truthy() {
		return "", false
	}
	text, err := await(found.Call("text"))
	return text.String(), err == nil
}

func (b *browser) Store(key, text string) {
	store := js.Global().Get("caches")
	if !store.Truthy() {
		return
	}
	if all, err := await(store.Call("open", "prelude")); err == nil {
		await(all.Call("put", b.choice(key), js.Global().Get("Response").New(text)))
	}
}

func (b *browser) Asset(name string) string {
	if a := js.Global().Get("preludeAssets"); a.Truthy() && a.Get(name).Truthy() {
		return js.Global().Get("URL").New(a.Get(name), js.Global().Get("location").Get("href")).Get("href").String()
	}
	return ""
}

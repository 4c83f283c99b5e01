//go:build js

package simd

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"syscall/js"
	"time"

	"prelude/engine/jshost"
	"prelude/simd/command"
)

//go:embed module/*.wasm
var modules embed.FS

//go:embed driver.js
var driver string

// ErrNoSIMD is what New says where WebAssembly has no SIMD instructions.
var ErrNoSIMD = errors.New("simd: this browser's WebAssembly has no SIMD")

var (
	global      = js.Global()
	performance = global.Get("performance")
	bytesOf     = global.Get("Uint8Array")
	wasm        = global.Get("WebAssembly")
	node        = jshost.InNode()
)

// New starts a device with the best module that the host can run: relaxed SIMD where it
// is known, threads where memory can be shared.
func New(ctx context.Context, o Options) (*Device, error) {
	name, about, can := "relaxed", "SIMD with fused multiply-add", numbers{8, 8, 8, true}
	if o.Plain || !valid("relaxed-own") {
		name, about, can = "plain", "SIMD", numbers{16, 16, 16, false}
	}
	if !valid(name + "-own") {
		return nil, ErrNoSIMD
	}
	threads, why := threadsFor(&o, name)
	if threads == 1 {
		h, err := newAlone(name, o)
		if err != nil {
			return nil, err
		}
		return newDevice(h, about+", one thread: "+why, can, o), nil
	}
	h, err := newTogether(ctx, name, threads, o)
	if err != nil {
		return nil, err
	}
	return newDevice(h, fmt.Sprintf("%s, %d threads", about, threads), can, o), nil
}

// threadsFor says how many threads there will be and, if it is one, why.
func threadsFor(o *Options, name string) (int, string) {
	n := o.Threads
	if n == 0 {
		n = processors()
	}
	switch {
	case o.Threads == 1:
		return 1, "as asked"
	case n == 1:
		return 1, "there is one processor"
	case !node && !global.Get("crossOriginIsolated").Truthy():
		return 1, "the page is not cross-origin isolated (COOP and COEP headers), so memory can't be shared"
	case global.Get("SharedArrayBuffer").IsUndefined() || !valid(name+"-shared"):
		return 1, "this browser's WebAssembly has no threads"
	case !node && o.Script == "":
		return 1, "the address of the threads' script is not known"
	}
	return n, ""
}

func processors() int {
	if node {
		return max(1, global.Call("require", "os").Call("cpus").Length())
	}
	if n := global.Get("navigator").Get("hardwareConcurrency"); n.Type() == js.TypeNumber {
		return max(1, n.Int())
	}
	return 1
}

// module is a committed module as bytes of JavaScript.
func module(name string) js.Value {
	raw, err := modules.ReadFile("module/" + name + ".wasm")
	if err != nil {
		panic(err)
	}
	return jshost.Bytes(raw)
}

func valid(name string) bool {
	return wasm.Truthy() && wasm.Call("validate", module(name)).Bool()
}

// linear is a WebAssembly.Memory.
type linear struct {
	memory js.Value
	max    int64
}

func (m *linear) size() int64  { return int64(m.memory.Get("buffer").Get("byteLength").Float()) }
func (m *linear) limit() int64 { return m.max }

func (m *linear) grow(bytes int64) (err error) {
	defer caught(&err)
	m.memory.Call("grow", float64(max(0, (bytes-m.size()+65535)>>16)))
	return nil
}

func (m *linear) view(at uint32, n int) js.Value {
	return bytesOf.New(m.memory.Get("buffer"), float64(at), n)
}

func (m *linear) write(at uint32, src []byte) { js.CopyBytesToJS(m.view(at, len(src)), src) }
func (m *linear) read(at uint32, dst []byte)  { js.CopyBytesToGo(dst, m.view(at, len(dst))) }

// caught turns a JavaScript exception into an error.
func caught(err *error) {
	if r := recover(); r != nil {
		e, ok := r.(js.Error)
		if !ok {
			panic(r)
		}
		*err = fmt.Errorf("simd: %w", e)
	}
}

// alone is a home on the caller's own thread.
type alone struct {
	linear
	instance js.Value
	walk     js.Value
	turns    jshost.Turns
}

func newAlone(name string, o Options) (h *alone, err error) {
	defer caught(&err)
	h = &alone{turns: jshost.NewTurns()}
	// A bound function of the host is called without going through Go.
	env := map[string]any{"env": map[string]any{"now": performance.Get("now").Call("bind", performance)}}
	h.instance = wasm.Get("Instance").New(wasm.Get("Module").New(module(name+"-own")), env)
	h.memory, h.max = h.instance.Get("exports").Get("memory"), 4<<30-65536
	h.walk = h.instance.Get("exports").Get("run")
	if o.MaxBytes > 0 {
		h.max = min(h.max, o.MaxBytes)
	}
	return h, nil
}

func (h *alone) threads() int { return 1 }

func (h *alone) run(_ context.Context, ws, _ uint32, stop func() bool) (done bool, err error) {
	defer caught(&err)
	for {
		got := h.walk.Invoke(float64(ws), performance.Call("now").Float()+slice)
		if got.Int() == command.Done {
			return true, nil
		}
		h.turns.Take()
		if stop() {
			return false, nil
		}
	}
}

func (h *alone) close() error {
	h.instance, h.walk, h.memory = js.Value{}, js.Value{}, js.Value{}
	return nil
}

// rest lets others work while the device is paused.
func rest() { time.Sleep(5 * time.Millisecond) }

//go:build js

package simd

import (
	"context"
	"errors"
	"fmt"
	"syscall/js"
	"time"
	"unsafe"

	"prelude/simd/command"
)

// together is a home of several threads over a shared memory. The caller's own
// thread only gives the sign and waits.
type together struct {
	linear
	module   js.Value
	script   string
	n        int
	workers  []js.Value
	handlers []js.Func
	answers  chan answer
}

// answer is a thread's word: what run returned, ready, or why it died.
type answer struct {
	thread, status int
	err            error
}

const ready = -1

// patience is how long threads wait for each other; the kernels' own is as long.
const patience = 4 * time.Second

// ErrThread is the error of a run whose thread has died. What tensors held before it is
// there, but what the run changed may be half done: go on from a checkpoint. The next
// run starts new threads.
var ErrThread = errors.New("simd: a thread failed in the middle of a run")

func newTogether(ctx context.Context, name string, n int, o Options) (h *together, err error) {
	defer caught(&err)
	h = &together{script: o.Script, n: n}
	h.module = wasm.Get("Module").New(module(name + "-shared"))
	// Address space is reserved for the maximum, which small devices refuse.
	sizes := []int64{4<<30 - 65536, 2 << 30, 1 << 30, 512 << 20}
	if o.MaxBytes > 0 {
		sizes = []int64{min(o.MaxBytes, sizes[0])}
	}
	for _, h.max = range sizes {
		if h.memory, err = sharedMemory(h.max); err == nil {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	return h, h.start(ctx)
}

func sharedMemory(max int64) (m js.Value, err error) {
	defer caught(&err)
	return wasm.Get("Memory").New(map[string]any{"initial": 1, "maximum": max >> 16, "shared": true}), nil
}

// start makes the threads and waits until all are ready.
func (h *together) start(ctx context.Context) (err error) {
	defer caught(&err)
	h.answers = make(chan answer, 4*h.n)
	for i := range h.n {
		h.workers = append(h.workers, h.worker(i, h.answers))
		h.workers[i].Call("postMessage", map[string]any{"module": h.module, "memory": h.memory})
	}
	for range h.n {
		select {
		case a := <-h.answers:
			if a.err != nil || a.status != ready {
				h.stop()
				return fmt.Errorf("simd: thread %d does not start: %w", a.thread, a.err)
			}
		case <-ctx.Done():
			h.stop()
			return ctx.Err()
		case <-time.After(20 * time.Second):
			h.stop()
			return errors.New("simd: threads do not start within 20 s")
		}
	}
	return nil
}

func (h *together) worker(i int, to chan<- answer) js.Value {
	handler := func(f func(v js.Value) answer) js.Func {
		fn := js.FuncOf(func(_ js.Value, args []js.Value) any {
			select {
			case to <- f(args[0]):
			default: // nobody waits for what a dying thread still says
			}
			return nil
		})
		h.handlers = append(h.handlers, fn)
		return fn
	}
	died := handler(func(v js.Value) answer {
		why := "it ended"
		if v.Type() == js.TypeObject && v.Get("message").Type() == js.TypeString {
			why = v.Get("message").String()
		}
		return answer{i, command.Failed, errors.New(why)}
	})
	if node {
		w := global.Call("require", "worker_threads").Get("Worker").New(driver, map[string]any{"eval": true})
		w.Call("on", "message", handler(func(v js.Value) answer { return answer{thread: i, status: v.Int()} }))
		w.Call("on", "error", died)
		w.Call("on", "exit", died)
		w.Call("unref")
		return w
	}
	w := global.Get("Worker").New(h.script)
	w.Set("onmessage", handler(func(e js.Value) answer { return answer{thread: i, status: e.Get("data").Int()} }))
	w.Set("onerror", died)
	return w
}

// stop ends the threads.
func (h *together) stop() {
	for _, w := range h.workers {
		if node {
			w.Call("removeAllListeners")
		} else {
			w.Set("onmessage", js.Null())
			w.Set("onerror", js.Null())
		}
		w.Call("terminate")
	}
	for _, f := range h.handlers {
		f.Release()
	}
	h.workers, h.handlers = nil, nil
}

func (h *together) threads() int { return h.n }

func (h *together) run(ctx context.Context, ws, wsSize uint32, stop func() bool) (done bool, err error) {
	defer caught(&err)
	if h.workers == nil {
		if err := h.start(context.WithoutCancel(ctx)); err != nil {
			return false, err
		}
	}
	h.hold(true)
	defer h.hold(false)
	for i, w := range h.workers {
		w.Call("postMessage", map[string]any{"workspace": float64(ws + u(i)*wsSize)})
	}
	look := time.NewTicker(slice * time.Millisecond)
	defer look.Stop()
	at := map[int]bool{} // threads at work
	for i := range h.n {
		at[i] = true
	}
	// Threads that live take a tile or open a record now and then: where none has for long,
	// those still at work are dead, one or all of them. Looks are counted and not time, which
	// passes while the machine sleeps.
	silent, before := 0, h.progress()
	for len(at) > 0 {
		select {
		case a := <-h.answers:
			delete(at, a.thread)
			if a.status == command.Failed {
				h.part(at)
				if a.err == nil {
					a.err = fmt.Errorf("thread %d waited %v for another", a.thread, patience)
				}
				return false, fmt.Errorf("%w: %w", ErrThread, a.err)
			}
		case <-look.C:
			if stop() {
				h.control(unsafe.Offsetof(command.Control{}.Stop), 1)
			}
			silent++
			if now := h.progress(); now != before {
				silent, before = 0, now
			}
			if silent > int(patience/(slice*time.Millisecond)) {
				h.stop()
				return false, fmt.Errorf("%w: %d of %d were silent for %v", ErrThread, len(at), h.n, patience)
			}
		}
	}
	var pc [4]byte
	h.read(command.ControlAt, pc[:])
	if pc == [4]byte{} {
		return true, nil
	}
	h.control(unsafe.Offsetof(command.Control{}.Stop), 0)
	h.control(unsafe.Offsetof(command.Control{}.Arrived), 0) // all have left the meeting
	return false, nil
}

// part has the threads that still live leave the run, so that none meddles with the
// next one, and ends them all: the next run starts new ones.
func (h *together) part(at map[int]bool) {
	h.control(unsafe.Offsetof(command.Control{}.Failed), 1)
	late := time.After(500 * time.Millisecond)
	for len(at) > 0 {
		select {
		case a := <-h.answers:
			delete(at, a.thread)
		case <-late:
			clear(at)
		}
	}
	h.stop()
}

// control sets a field of the control block.
func (h *together) control(field uintptr, v int) {
	global.Get("Atomics").Call("store", h.cells(), command.ControlAt/4+int(field)/4, v)
}

// progress is what changes while threads work: the next tile and the count of records.
func (h *together) progress() (at [2]int) {
	cells, atomics := h.cells(), global.Get("Atomics")
	for i, field := range [2]uintptr{unsafe.Offsetof(command.Control{}.Tile), unsafe.Offsetof(command.Control{}.Round)} {
		at[i] = atomics.Call("load", cells, command.ControlAt/4+int(field)/4).Int()
	}
	return at
}

func (h *together) cells() js.Value { return global.Get("Int32Array").New(h.memory.Get("buffer")) }

// hold keeps Node's event loop alive as long as threads work.
func (h *together) hold(on bool) {
	if !node {
		return
	}
	for _, w := range h.workers {
		if on {
			w.Call("ref")
		} else {
			w.Call("unref")
		}
	}
}

func (h *together) close() error {
	h.stop()
	h.memory, h.module = js.Value{}, js.Value{}
	return nil
}

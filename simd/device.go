package simd

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"prelude/engine"
)

// Options choose how a device runs; the zero value is the best the host offers.
type Options struct {
	Threads  int   // 0: as many as the host has processors; 1 needs no shared memory
	MaxBytes int64 // limit on linear memory, 0: 4 GiB, or what the host allows
	Plain    bool  // no relaxed SIMD, even where it exists
	Products Products
	Script   string // browser: address of the threads' script, driver.js
	// Cache, if set, keeps what was measured from one device to the next: a host that decided
	// otherwise from one visit to the next would continue a training in other numbers.
	Cache Cache
}

// Cache keeps texts by key, of one build on one host.
type Cache interface {
	Load(key string) (text string, ok bool)
	Store(key, text string)
}

// Products says in which numbers products with frozen weights are computed where a program
// allows it (engine.Fast).
type Products int

const (
	Measured Products = iota // in those that are faster here
	Floats                   // in float32
	Integers                 // in integers
)

// Device is an engine.Device whose tensors and kernels live in a WebAssembly
// memory. Its methods may be called by several goroutines; they wait for each other.
type Device struct {
	home   home
	about  string
	paused atomic.Bool

	mu      sync.Mutex
	heap    *heap
	tensors int64 // bytes of all tensors
	plans   int64 // bytes of all plans' own memory
	scratch piece
	ws      piece
	wsSize  uint32
	epoch   int       // counts moves of scratch
	apart   [2][]byte // elements and scales of what is being written
	closed  bool

	can     numbers // the integers that the module multiplies
	use     numbers // those in use
	decided sync.Once
	cache   Cache // nil: there is none
}

var errClosed = errors.New("simd: the device is closed")

// numbers are the bits of the integers in which a Fast program's products with frozen weights
// are computed: of many rows, 0 being float32, and of a few with weights of 4 bits and of 8. Products
// of 8 bits may be summed in pairs: see kernels/integer.go.
type numbers struct {
	many, few, bytes int
	pairs            bool
}

// floats are what every module can do.
var floats = numbers{many: 0, few: 16, bytes: 16}

func newDevice(h home, about string, can numbers, o Options) *Device {
	d := &Device{home: h, about: about, heap: newHeap(), can: can, use: floats, cache: o.Cache}
	switch o.Products {
	case Floats:
		d.decided.Do(func() {})
	case Integers:
		d.decided.Do(func() { d.use = can })
	}
	return d
}

// Name is "simd".
func (d *Device) Name() string { return "simd" }

// String says how the device runs, and why on one thread if it does.
func (d *Device) String() string { return d.about }

// Arithmetic says how products with frozen weights are computed; see [engine.Arithmetic].
func (d *Device) Arithmetic(p engine.Precision) string {
	if p == engine.Fast {
		d.decide(context.Background())
		if d.use.many > 0 {
			return fmt.Sprintf("%d-bit integers", d.use.many)
		}
	}
	return "float32"
}

// Threads is the number of threads that compute.
func (d *Device) Threads() int { return d.home.threads() }

// Memory counts the bytes taken from linear memory: for tensors, and for activations,
// plans and the threads' workspaces.
func (d *Device) Memory() engine.Memory {
	d.mu.Lock()
	defer d.mu.Unlock()
	return engine.Memory{Tensors: d.tensors, Scratch: d.scratch.size + d.ws.size + d.plans}
}

// Pause holds the device at the end of the slice of work it is in, also in the
// middle of a run, until it is called with false.
func (d *Device) Pause(on bool) { d.paused.Store(on) }

// Close frees all memory and ends the threads.
func (d *Device) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	return d.home.close()
}

// room makes the scratch area and workspaces at least this large. Plans compiled
// before are encoded again when the scratch area has moved.
func (d *Device) room(scratch int64, ws uint32) error {
	if scratch > d.scratch.size {
		d.epoch++
		if err := d.exchange(&d.scratch, scratch, "activations"); err != nil {
			return err
		}
	}
	if ws > d.wsSize {
		if err := d.exchange(&d.ws, int64(ws)*int64(d.home.threads()), "workspaces"); err != nil {
			return err
		}
		d.wsSize = ws
	}
	return nil
}

// exchange gives a piece back for a larger one. Where there is none, it takes back one
// as large as before, on which the plans of before can run.
func (d *Device) exchange(p *piece, n int64, what string) error {
	before := p.size
	if before > 0 {
		d.heap.give(*p)
	}
	larger, err := d.alloc(n, what, false)
	if err != nil && before > 0 {
		again, _, _ := d.heap.take(before - slack)
		*p = again
		return err
	}
	*p = larger
	return err
}

// Limit is the most bytes that tensors, plans and scratch can take together.
func (d *Device) Limit() int64 { return d.home.limit() }

// lock takes the device for one caller.
func (d *Device) lock(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return errClosed
	}
	return nil
}

package webgpu

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall/js"

	"prelude/engine"
)

// Options choose a device.
type Options struct {
	// DefaultLimits asks for the limits that every WebGPU device grants, and uses no features.
	DefaultLimits bool
	// Tile cuts matrix products; the zero Tile is DefaultTile.
	Tile Tile
	// Eight cuts products that a program allows to be rounded ([engine.Fast]) and has them
	// computed in 8 bits, where the adapter has the instructions. With the zero Tile they
	// are computed in f32 until [Device.Tune] finds 8 bits to be faster.
	Eight Tile
	// Half lets the tuner choose tiles that multiply in f16.
	Half bool
}

// Device is a WebGPU device. Its methods may wait for the browser and must not be
// called from inside a js.Func.
type Device struct {
	js      js.Value
	adapter Adapter
	limits  Limits
	tile    Tile
	eight   Tile // of products in 8 bits; the zero Tile is none
	half    bool // the tuner may choose tiles that multiply in f16
	next    int
	tensors int64
	flight  chan struct{} // a token for each queued run
	done    js.Func
	staging js.Value // Uint8Array through which bytes are written
	closed  bool
}

// Adapter describes the hardware of a device.
type Adapter struct {
	Limits                                    Limits
	Features                                  []string
	Fallback                                  bool // it replaces a missing GPU
	Vendor, Architecture, Device, Description string
}

// Name is a name of the adapter for people.
func (a Adapter) Name() string {
	var words []string
	for _, w := range []string{a.Vendor, a.Architecture, a.Device, a.Description} {
		if w != "" {
			words = append(words, w)
		}
	}
	if len(words) == 0 {
		return "an unnamed adapter"
	}
	return strings.Join(words, " ")
}

// pieceBytes is the most bytes that are written at a time.
const pieceBytes = 4 << 20

// Open opens a device, or returns an error that says why there is none.
func Open(ctx context.Context, o Options) (*Device, error) {
	driver := js.Global().Get("preludeWebGPU")
	if driver.IsUndefined() {
		return nil, errors.New("webgpu: the driver script is not loaded")
	}
	v, err := await(ctx, driver.Call("open", o.DefaultLimits))
	if err != nil {
		return nil, err
	}
	d := &Device{js: v, tile: o.Tile, half: o.Half, flight: make(chan struct{}, 2)}
	if d.tile == (Tile{}) {
		d.tile = DefaultTile
	}
	if err := json.Unmarshal([]byte(v.Get("about").String()), &d.adapter); err != nil {
		return nil, fmt.Errorf("webgpu: adapter: %w", err)
	}
	d.limits = d.adapter.Limits
	d.limits.Subgroups = !o.DefaultLimits && slices.Contains(d.adapter.Features, "subgroups")
	d.limits.Half = !o.DefaultLimits && slices.Contains(d.adapter.Features, "shader-f16")
	d.limits.Dot8 = !o.DefaultLimits && slices.Contains(d.adapter.Features, "packed_4x8_integer_dot_product")
	d.tile = d.tile.fit(d.limits)
	if d.limits.Dot8 {
		d.eight = o.Eight.fitThreads(d.limits)
	}
	d.staging = js.Global().Get("Uint8Array").New(pieceBytes)
	d.done = js.FuncOf(func(js.Value, []js.Value) any {
		select {
		case <-d.flight:
		default:
		}
		return nil
	})
	v.Set("done", d.done)
	return d, nil
}

func (d *Device) Name() string { return "webgpu" }

// Adapter is what the device runs on.
func (d *Device) Adapter() Adapter { return d.adapter }

// Arithmetic says in what products with frozen weights are computed.
func (d *Device) Arithmetic(p engine.Precision) string {
	switch {
	case p == engine.Fast && d.eight != (Tile{}):
		return "8-bit integers"
	case d.tile.Half:
		return "16-bit floats"
	}
	return "float32"
}

// Memory counts the bytes of tensors, as they lie on the device, and of scratch.
func (d *Device) Memory() engine.Memory {
	return engine.Memory{Tensors: d.tensors, Scratch: int64(d.js.Call("scratch").Float())}
}

// Close destroys the device and all that it holds.
func (d *Device) Close() error {
	if !d.closed {
		d.closed = true
		d.js.Call("close")
		d.done.Release()
	}
	return nil
}

// begin waits until fewer than two runs are in flight.
func (d *Device) begin(ctx context.Context) error {
	select {
	case d.flight <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Pause stops queued work (see [engine.Pauser]); the GPU finishes what it has begun.
func (d *Device) Pause(on bool) { d.js.Call("pause", on) }

// Destroy destroys the browser's device, as a reset of the GPU would, for tests of the loss
// of a device.
func (d *Device) Destroy() { d.js.Get("device").Call("destroy") }

package engine

import (
	"context"
	"fmt"
	"slices"
)

// Device owns all memory and compiles programs.
type Device interface {
	// Name is "cpu", "simd" or "webgpu".
	Name() string
	Alloc(s Spec) (Tensor, error)
	// Compile prepares a program over these tensors (by name). Nothing is compiled
	// or allocated after it. Plans of one device share its scratch area.
	Compile(ctx context.Context, p *Program, bind map[string]Tensor) (Plan, error)
	// Memory says what the device holds now.
	Memory() Memory
	Close() error
}

// Memory counts bytes: of tensors, and of all that runs need besides, which is the one
// scratch area, and on some devices workspaces of threads and compiled plans.
type Memory struct{ Tensors, Scratch int64 }

// Tensor outlives any plan: weights, prefix, optimiser state, KV cache.
// Offsets are in bytes of the spec's file layout (Spec.Bytes in all) and, like the
// lengths of src and dst, whole blocks.
type Tensor interface {
	Spec() Spec
	Write(ctx context.Context, off int, src []byte) error // in pieces: a file streams in
	Read(ctx context.Context, off int, dst []byte) error  // waits for the runs queued before it
	Close() error
}

// Plan is a compiled program.
type Plan interface {
	// Run queues one replay and may return before it is done; at most two are in
	// flight. It copies what it needs of in. An error of an earlier queued run may
	// be reported by a later call.
	Run(ctx context.Context, in Args) error
	Close() error
}

// Pauser is a device that can rest in the middle of a run: queued work stands still
// within 200 ms of Pause(true) and goes on after Pause(false).
type Pauser interface {
	Pause(on bool)
}

// Args are a run's inputs. Values shorter than their buffer fill its beginning; the rest
// keeps the values of the run before, zeros at first. A domain that is absent from Live
// has all its rows live. See [Program.CheckArgs] for what is refused.
type Args struct {
	Ints   map[Buffer][]int32
	Floats map[Buffer][]float64
	Live   map[Domain]int
}

// CheckBind ends the building of p; every device's Compile begins with it. It drops
// operations whose results are never read, and reports tensors that p needs and that bind
// lacks or has in another type or shape.
func (p *Program) CheckBind(bind map[string]Tensor) error {
	if p.err != nil {
		return p.err
	}
	p.end()
	for name, want := range p.Tensors() {
		t, ok := bind[name]
		if !ok {
			return fmt.Errorf("engine: tensor %q %v is not bound", name, want)
		}
		if have := t.Spec(); have.DType != want.DType || !slices.Equal(have.Shape, want.Shape) {
			return fmt.Errorf("engine: tensor %q is %v, the program wants %v", name, have, want)
		}
	}
	return nil
}

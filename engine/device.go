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
	// Compile prepares a program that uses these tensors, by name. Runs of the plan
	// compile and allocate nothing. Plans of one device share its scratch area.
	Compile(ctx context.Context, p *Program, bind map[string]Tensor) (Plan, error)
	// Memory is what the device has allocated.
	Memory() Memory
	Close() error
}

// Memory counts bytes: those of tensors, and those of everything else that runs need (the
// scratch area and, on some devices, threads' workspaces and compiled plans).
type Memory struct{ Tensors, Scratch int64 }

// Tensor is memory of a device that outlives plans: weights, prefix, optimiser state, KV
// cache. Offsets count bytes of the file layout of its spec ([Spec.Bytes] in all). Offsets
// and the lengths of src and dst are whole blocks.
type Tensor interface {
	Spec() Spec
	Write(ctx context.Context, off int, src []byte) error // a file may be written in pieces
	Read(ctx context.Context, off int, dst []byte) error  // waits for the runs queued before it
	Close() error
}

// Plan is a compiled program.
type Plan interface {
	// Run queues one run and may return before it is finished; at most two runs are in
	// flight. It copies the arguments. A later call may report the error of an earlier run.
	Run(ctx context.Context, in Args) error
	Close() error
}

// Pauser is a device that can pause in the middle of a run: queued work stops within
// 200 ms of Pause(true) and continues after Pause(false).
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

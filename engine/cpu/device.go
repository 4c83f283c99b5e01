package cpu

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"unsafe"

	"prelude/engine"
)

// Float is the element type of a reference device.
type Float interface{ float32 | float64 }

// Device is the reference device.
type Device[T Float] struct {
	// Yield, if set, is called between operations. In a browser's worker, which has one
	// thread, it lets the event loop run. It may block.
	Yield func()

	scratch []T
	panel   []T       // for unpacked weights
	z       []T       // for a chunk of logits
	own     []float64 // for the gradients of a row's targets
	scores  []T       // for a row of attention scores
	tensors int64
}

// New returns a device that computes in T.
func New[T Float]() *Device[T] { return &Device[T]{} }

func (d *Device[T]) Name() string { return "cpu" }

func (d *Device[T]) Close() error { return nil }

// Memory counts the bytes of tensors and of the scratch area.
func (d *Device[T]) Memory() engine.Memory {
	return engine.Memory{Tensors: d.tensors, Scratch: int64(len(d.scratch)) * int64(unsafe.Sizeof(T(0)))}
}

// Tensor is memory of a reference device: floats for F32, the file's bytes otherwise.
type Tensor[T Float] struct {
	dev  *Device[T]
	spec engine.Spec
	f    []T
	raw  []byte
}

// Alloc makes a tensor of zeros.
func (d *Device[T]) Alloc(s engine.Spec) (engine.Tensor, error) {
	if s.Len()%s.DType.Block() != 0 || s.Cols()%s.DType.Block() != 0 {
		return nil, fmt.Errorf("cpu: rows of %v are no whole blocks of %d", s, s.DType.Block())
	}
	t := &Tensor[T]{dev: d, spec: s}
	if s.DType == engine.F32 {
		t.f = make([]T, s.Len())
	} else {
		t.raw = make([]byte, s.Bytes())
	}
	d.tensors += t.bytes()
	return t, nil
}

func (t *Tensor[T]) bytes() int64 {
	return int64(len(t.raw)) + int64(len(t.f))*int64(unsafe.Sizeof(T(0)))
}

func (t *Tensor[T]) Spec() engine.Spec { return t.spec }

func (t *Tensor[T]) Close() error {
	t.dev.tensors -= t.bytes()
	t.f, t.raw = nil, nil
	return nil
}

func (t *Tensor[T]) check(off, n int) error {
	unit := t.spec.DType.Bytes(t.spec.DType.Block())
	if off < 0 || off+n > t.spec.Bytes() || off%unit != 0 || n%unit != 0 {
		return fmt.Errorf("cpu: bytes [%d, %d) of a tensor %v of %d bytes in units of %d", off, off+n, t.spec, t.spec.Bytes(), unit)
	}
	return nil
}

func (t *Tensor[T]) Write(_ context.Context, off int, src []byte) error {
	if err := t.check(off, len(src)); err != nil {
		return err
	}
	if t.f == nil {
		copy(t.raw[off:], src)
		return nil
	}
	for i := 0; i < len(src); i += 4 {
		t.f[(off+i)/4] = T(math.Float32frombits(binary.LittleEndian.Uint32(src[i:])))
	}
	return nil
}

func (t *Tensor[T]) Read(_ context.Context, off int, dst []byte) error {
	if err := t.check(off, len(dst)); err != nil {
		return err
	}
	if t.f == nil {
		copy(dst, t.raw[off:])
		return nil
	}
	for i := 0; i < len(dst); i += 4 {
		binary.LittleEndian.PutUint32(dst[i:], math.Float32bits(float32(t.f[(off+i)/4])))
	}
	return nil
}

// Data is the tensor's own floats (F32 only), for exact reference values in tests.
func (t *Tensor[T]) Data() []T { return t.f }

// reserve allocates the memory that op needs while it runs.
func (d *Device[T]) reserve(p *engine.Program, op engine.Op) {
	switch o := op.(type) {
	case *engine.CrossEntropy:
		d.z = grow(d.z, min(chunk, max(1, p.Dim(o.H, 0)))*p.Dim(o.W, 0))
		d.own = grow(d.own, p.Dim(o.Targets, 1))
	case *engine.Attention:
		d.scores = grow(d.scores, p.Dim(o.PK, 0)+p.Dim(o.K, 0))
	}
}

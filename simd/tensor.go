package simd

import (
	"context"
	"fmt"

	"prelude/engine"
	"prelude/simd/command"
)

// tensor is a piece of linear memory. Blocks of quantised types are kept apart:
// the quants of all blocks, then their scales, so that both are aligned and
// scales are read many at a time. Bits are the file's.
type tensor struct {
	dev  *Device
	spec engine.Spec
	mem  piece
	form form

	along, across *panels // see packing; nil: nobody keeps them
}

// form is how a type's blocks are split: a block of the file is scale bytes
// and then quant bytes.
type form struct{ kernel, scale, quant int }

var forms = map[engine.DType]form{
	engine.F32:  {command.F32, 0, 4},
	engine.I32:  {command.F32, 0, 4},
	engine.F16:  {command.F16, 0, 2},
	engine.BF16: {command.BF16, 0, 2},
	engine.Q8_0: {command.Q8_0, 2, 32},
	engine.Q4_0: {command.Q4_0, 2, 16},
	engine.Q4_1: {command.Q4_1, 4, 16},
}

// Alloc makes a tensor of zeros.
func (d *Device) Alloc(s engine.Spec) (engine.Tensor, error) {
	f, ok := forms[s.DType]
	if !ok {
		return nil, fmt.Errorf("simd: no kernels for %v", s.DType)
	}
	if s.Cols()%s.DType.Block() != 0 {
		return nil, fmt.Errorf("simd: rows of %v are no whole blocks of %d", s, s.DType.Block())
	}
	if err := d.lock(context.Background()); err != nil {
		return nil, err
	}
	defer d.mu.Unlock()
	p, err := d.alloc(tensorBytes(s), "a tensor "+s.String(), true)
	if err != nil {
		return nil, err
	}
	d.tensors += p.size
	return &tensor{dev: d, spec: s, mem: p, form: f}, nil
}

// tensorBytes has room to begin the scales at a multiple of align.
func tensorBytes(s engine.Spec) int64 { return int64(s.Bytes()) + align }

func (t *tensor) Spec() engine.Spec { return t.spec }

// Close frees the memory.
func (t *tensor) Close() error {
	t.dev.mu.Lock()
	defer t.dev.mu.Unlock()
	if t.mem.size > 0 {
		t.dev.heap.give(t.mem)
		t.dev.tensors -= t.mem.size
		t.mem = piece{}
	}
	return nil
}

// quants and scales are the addresses of the two parts.
func (t *tensor) quants() uint32 { return uint32(t.mem.at) }

func (t *tensor) scales() uint32 {
	if t.form.scale == 0 {
		return 0
	}
	blocks := int64(t.spec.Len() / t.spec.DType.Block())
	return uint32((t.mem.at + blocks*int64(t.form.quant) + align - 1) / align * align)
}

// each calls do for the parts of bytes [off, off+n) of the file, in pieces of
// at most a megabyte: blocks blocks whose quants and scales lie at these addresses.
func (t *tensor) each(ctx context.Context, off, n int, do func(from, to int, quants, scales uint32)) error {
	unit := t.form.scale + t.form.quant
	if off < 0 || n < 0 || off+n > t.spec.Bytes() || off%unit != 0 || n%unit != 0 {
		return fmt.Errorf("simd: bytes [%d, %d) of a tensor %v of %d bytes in units of %d", off, off+n, t.spec, t.spec.Bytes(), unit)
	}
	if err := t.dev.lock(ctx); err != nil {
		return err
	}
	defer t.dev.mu.Unlock()
	if t.mem.size == 0 {
		return fmt.Errorf("simd: tensor %v is closed", t.spec)
	}
	// Small steps: elements and scales go apart in Go's memory, which in a browser never
	// shrinks, whatever was garbage in it.
	step := (64 << 10) / unit * unit
	for from := 0; from < n; from += step {
		block := uint32((off + from) / unit)
		do(from, min(n, from+step), t.quants()+block*uint32(t.form.quant), t.scales()+block*uint32(t.form.scale))
	}
	return nil
}

// Write copies src in.
func (t *tensor) Write(ctx context.Context, off int, src []byte) error {
	apart := &t.dev.apart
	t.dev.mu.Lock()
	for _, p := range []*panels{t.along, t.across} {
		if p != nil {
			p.packed = false
		}
	}
	t.dev.mu.Unlock()
	return t.each(ctx, off, len(src), func(from, to int, quants, scales uint32) {
		part := src[from:to]
		if t.form.scale > 0 {
			apart[0], apart[1] = apart[0][:0], apart[1][:0]
			for ; len(part) > 0; part = part[t.form.scale+t.form.quant:] {
				apart[1] = append(apart[1], part[:t.form.scale]...)
				apart[0] = append(apart[0], part[t.form.scale:][:t.form.quant]...)
			}
			t.dev.home.write(scales, apart[1])
			part = apart[0]
		}
		t.dev.home.write(quants, part)
	})
}

// Read copies out, in the file's layout.
func (t *tensor) Read(ctx context.Context, off int, dst []byte) error {
	return t.each(ctx, off, len(dst), func(from, to int, quants, scales uint32) {
		part := dst[from:to]
		if t.form.scale == 0 {
			t.dev.home.read(quants, part)
			return
		}
		blocks := len(part) / (t.form.scale + t.form.quant)
		q, s := make([]byte, blocks*t.form.quant), make([]byte, blocks*t.form.scale)
		t.dev.home.read(quants, q)
		t.dev.home.read(scales, s)
		for i := range blocks {
			b := part[i*(t.form.scale+t.form.quant):]
			copy(b, s[i*t.form.scale:][:t.form.scale])
			copy(b[t.form.scale:], q[i*t.form.quant:][:t.form.quant])
		}
	})
}

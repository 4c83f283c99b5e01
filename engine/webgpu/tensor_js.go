package webgpu

import (
	"context"
	"fmt"
	"syscall/js"

	"prelude/engine"
)

// Tensor is device memory, in one buffer or, beyond the adapter's limit, in several.
type Tensor struct {
	dev   *Device
	spec  engine.Spec
	parts []part
	ids   []int        // of the parts' buffers
	half  map[int]byte // bytes of words that were written in part only
	bytes int64
}

// Alloc makes a tensor of zeros.
func (d *Device) Alloc(s engine.Spec) (engine.Tensor, error) {
	parts, err := partsOf(s, d.limits)
	if err != nil {
		return nil, err
	}
	t := &Tensor{dev: d, spec: s, parts: parts, half: map[int]byte{}}
	for _, p := range parts {
		d.next++
		if _, err := await(context.Background(), d.js.Call("alloc", d.next, p.size)); err != nil {
			t.Close()
			return nil, fmt.Errorf("tensor %v: %w", s, err)
		}
		t.ids = append(t.ids, d.next)
		t.bytes += int64(p.size)
		d.tensors += int64(p.size)
	}
	return t, nil
}

func (t *Tensor) Spec() engine.Spec { return t.spec }

func (t *Tensor) Close() error {
	for _, id := range t.ids {
		t.dev.js.Call("free", id)
	}
	t.dev.tensors -= t.bytes
	t.ids, t.bytes = nil, 0
	return nil
}

func (t *Tensor) check(off, n int) error {
	unit := t.spec.DType.Bytes(t.spec.DType.Block())
	if off < 0 || n < 0 || off+n > t.spec.Bytes() || off%unit != 0 || n%unit != 0 {
		return fmt.Errorf("webgpu: bytes [%d, %d) of a tensor %v of %d bytes in units of %d", off, off+n, t.spec, t.spec.Bytes(), unit)
	}
	return nil
}

// pieces cuts bytes of the file layout into pieces that lie in one part and are small enough,
// and calls f for each with its offset in the part.
func (t *Tensor) pieces(off, n int, f func(i, at, from, to int) error) error {
	unit := t.spec.DType.Bytes(t.spec.DType.Block())
	for i, p := range t.parts {
		low, high := t.spec.DType.Bytes(p.from*t.spec.Cols()), t.spec.DType.Bytes(p.to*t.spec.Cols())
		for from := max(off, low); from < min(off+n, high); {
			to := min(off+n, high, from+pieceBytes/2/unit*unit)
			if err := f(i, from-low, from-off, to-off); err != nil {
				return err
			}
			from = to
		}
	}
	return nil
}

func (t *Tensor) Write(ctx context.Context, off int, src []byte) error {
	if err := t.check(off, len(src)); err != nil {
		return err
	}
	return t.pieces(off, len(src), func(i, at, from, to int) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if q := quantBytes(t.spec.DType); q > 0 {
			block := at / t.spec.DType.Bytes(32)
			quants, scales := splitBlocks(t.spec.DType, src[from:to])
			if err := t.put(i, block*q, quants); err != nil {
				return err
			}
			return t.put(i, t.parts[i].scales+block*4, scales)
		}
		return t.putHalves(i, at, src[from:to])
	})
}

// putHalves writes bytes that may begin or end inside a word. It keeps the bytes of such a
// word until the rest of the word is written.
func (t *Tensor) putHalves(i, at int, src []byte) error {
	head, tail := at%4, (4-(at+len(src))%4)%4
	if head == 0 && tail == 0 {
		return t.put(i, at, src)
	}
	base := t.spec.DType.Bytes(t.parts[i].from * t.spec.Cols())
	whole := make([]byte, head+len(src)+tail)
	copy(whole[head:], src)
	for j := range head {
		whole[j] = t.half[base+at-head+j]
	}
	for j := range tail {
		whole[head+len(src)+j] = t.half[base+at+len(src)+j]
	}
	for j, v := range whole {
		if j < 4 || j >= len(whole)-4 {
			t.half[base+at-head+j] = v
		}
	}
	return t.put(i, at-head, whole)
}

// put writes whole words into a part.
func (t *Tensor) put(i, at int, src []byte) error {
	js.CopyBytesToJS(t.dev.staging, src)
	return failure(t.dev.js.Call("write", t.ids[i], at, t.dev.staging, len(src)).String())
}

func (t *Tensor) get(ctx context.Context, i, at int, dst []byte) error {
	v, err := await(ctx, t.dev.js.Call("read", t.ids[i], at, len(dst)))
	if err != nil {
		return err
	}
	js.CopyBytesToGo(dst, v)
	return nil
}

// Read waits for the runs queued before it.
func (t *Tensor) Read(ctx context.Context, off int, dst []byte) error {
	if err := t.check(off, len(dst)); err != nil {
		return err
	}
	return t.pieces(off, len(dst), func(i, at, from, to int) error {
		if q := quantBytes(t.spec.DType); q > 0 {
			unit := t.spec.DType.Bytes(32)
			block, n := at/unit, (to-from)/unit
			quants, scales := make([]byte, n*q), make([]byte, n*4)
			if err := t.get(ctx, i, block*q, quants); err != nil {
				return err
			}
			if err := t.get(ctx, i, t.parts[i].scales+block*4, scales); err != nil {
				return err
			}
			joinBlocks(t.spec.DType, dst[from:to], quants, scales)
			return nil
		}
		head := at % 4
		whole := make([]byte, (head+to-from+3)/4*4)
		if err := t.get(ctx, i, at-head, whole); err != nil {
			return err
		}
		copy(dst[from:to], whole[head:])
		return nil
	})
}

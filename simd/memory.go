package simd

import (
	"fmt"
	"slices"

	"prelude/simd/command"
)

// heap hands out pieces of linear memory. Pieces begin at multiples of align
// and have slack bytes behind them: kernels read whole vectors past an end.
type heap struct {
	free []piece // by address, never touching each other
	top  int64   // all above is untouched
}

type piece struct{ at, size int64 }

const (
	align = 64
	slack = 64
)

func newHeap() *heap { return &heap{top: command.HeapAt} }

// taken is how many bytes a piece for n bytes has.
func taken(n int64) int64 { return (n + slack + align - 1) / align * align }

// take finds n bytes and says whether they were used before; the memory must
// reach to end.
func (h *heap) take(n int64) (p piece, used bool, end int64) {
	n = taken(n)
	for i, f := range h.free {
		if f.size < n {
			continue
		}
		if f.size == n {
			h.free = slices.Delete(h.free, i, i+1)
		} else {
			h.free[i] = piece{f.at + n, f.size - n}
		}
		return piece{f.at, n}, true, h.top
	}
	p = piece{h.top, n}
	h.top += n
	return p, false, h.top
}

// give returns a piece.
func (h *heap) give(p piece) {
	i, _ := slices.BinarySearchFunc(h.free, p.at, func(f piece, at int64) int { return int(max(-1, min(1, f.at-at))) })
	h.free = slices.Insert(h.free, i, p)
	if i+1 < len(h.free) && p.at+p.size == h.free[i+1].at {
		h.free[i].size += h.free[i+1].size
		h.free = slices.Delete(h.free, i+1, i+2)
	}
	if i > 0 && h.free[i-1].at+h.free[i-1].size == p.at {
		h.free[i-1].size += h.free[i].size
		h.free = slices.Delete(h.free, i, i+1)
	}
}

// alloc takes n bytes of the device's memory, zeroed if clear.
func (d *Device) alloc(n int64, what string, clear bool) (piece, error) {
	before := *d.heap
	before.free = slices.Clone(before.free)
	p, used, end := d.heap.take(n)
	if end > d.home.size() {
		// Growing may copy the memory, so grow in larger steps as long as they fit.
		for _, to := range []int64{min(end+end/4, d.home.limit()), end} {
			if to >= end && to <= d.home.limit() && d.home.grow(to) == nil {
				break
			}
		}
		if end > d.home.size() {
			*d.heap = before
			limit := "the machine gives no more"
			if end > d.home.limit() {
				limit = mega(d.home.limit()) + " is the limit"
			}
			return piece{}, fmt.Errorf("simd: no memory for %s: %s wanted besides %s in use, and %s: "+
				"choose a smaller or more quantised model, fewer tokens a batch or a shorter prefix",
				what, mega(n), mega(before.top), limit)
		}
	}
	if used && clear {
		d.zero(p)
	}
	return p, nil
}

func (d *Device) zero(p piece) {
	zeros := make([]byte, min(p.size, 1<<20))
	for at := p.at; at < p.at+p.size; at += int64(len(zeros)) {
		d.home.write(uint32(at), zeros[:min(int64(len(zeros)), p.at+p.size-at)])
	}
}

func mega(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

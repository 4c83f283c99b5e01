package webgpu

import (
	"slices"

	"prelude/engine"
)

// A value that is too large for one binding lies in several buffers. A port may cover all of
// them: its accessors find the buffer of each element (see accessors). This works for every
// kernel but costs bindings and a comparison for each element. Products therefore go by
// blocks of rows, and elementwise operations by stretches, that touch few buffers, and a
// product multiplies by a frozen weight part by part.

// span is the part of a value that lies in one memory: its elements from `from` to the
// beginning of the next span. Element `from` is element `at` of the binding.
type span struct {
	mem      mem
	from, at int
}

// stretch is a range [from, from+n) of elements or rows. If n is 0 it is all of them.
type stretch struct{ from, n int }

// spans are the parts of a root buffer in memory.
func (b *recipe) spans(root engine.Buffer) (all []span) {
	switch b.p.Info(root).Life {
	case engine.Scratch:
		return b.tempSpans(b.slot(root))
	case engine.Argument:
		return []span{{mem: mem{kind: memArgs}}}
	case engine.Persist:
		cols := b.p.Spec(root).Cols()
		for i, p := range b.parts(root) {
			all = append(all, span{mem: mem{memTensor, int(root), i}, from: p.from * cols})
		}
	}
	return all
}

// tempSpans are the parts of the value that begins at this slot.
func (b *recipe) tempSpans(slot int) (all []span) {
	for i := range b.slots[slot].more + 1 {
		all = append(all, span{mem: mem{kind: memSlot, id: slot + i}, from: b.slots[slot+i].from})
	}
	return all
}

// within are the spans that contain elements of [from, to).
func within(all []span, from, to int) []span {
	for len(all) > 1 && all[1].from <= from {
		all = all[1:]
	}
	for len(all) > 1 && all[len(all)-1].from >= to {
		all = all[:len(all)-1]
	}
	return all
}

// borders are the elements, counted from start, at which another part of x begins, below n.
func (b *recipe) borders(x engine.Buffer, start, n int) (at []int) {
	if x == engine.None {
		return nil
	}
	root, off := b.p.Root(x)
	for _, s := range b.spans(root) {
		if e := s.from - off - start; e > 0 && e < n {
			at = append(at, e)
		}
	}
	return at
}

// stretches cuts n elements into stretches, each of which lies in one memory of each buffer.
func (b *recipe) stretches(n int, all ...engine.Buffer) []stretch {
	var at []int
	for _, x := range all {
		at = append(at, b.borders(x, 0, n)...)
	}
	return cut(n, at)
}

// blocks cuts rows into blocks where matrices begin another memory between two rows.
func (b *recipe) blocks(rows int, all ...matrix) []stretch {
	var at []int
	for _, m := range all {
		for _, e := range b.borders(m.buf, m.from, rows*m.ld) {
			if e%m.ld == 0 {
				at = append(at, e/m.ld)
			}
		}
	}
	return cut(rows, at)
}

// cut cuts n elements at these borders.
func cut(n int, at []int) (all []stretch) {
	slices.Sort(at)
	from := 0
	for _, to := range append(slices.Compact(at), n) {
		all = append(all, stretch{from, to - from})
		from = to
	}
	return all
}

// run is the part of a weight's rows, [from, to), in one part of its tensor, which begins
// at element off of that part.
type run struct{ part, from, to, off int }

// runs are the parts of a weight [rows, cols].
func (b *recipe) runs(w engine.Buffer) (all []run) {
	root, off := b.p.Root(w)
	rows, cols := b.p.Spec(w).Rows(), b.p.Spec(w).Cols()
	if b.p.Info(root).Life != engine.Persist || len(b.parts(root)) == 1 {
		return []run{{to: rows, off: off}}
	}
	if off%cols != 0 || cols != b.p.Spec(root).Cols() {
		b.fail("a view of tensor %q %v as %v: on this adapter the tensor lies in several buffers, cut between its rows", b.p.Info(root).Name, b.p.Spec(root), b.p.Spec(w))
		return []run{{to: rows, off: off}}
	}
	first := off / cols
	for i, p := range b.parts(root) {
		from, to := max(p.from, first), min(p.to, first+rows)
		if from < to {
			all = append(all, run{i, from - first, to - first, (from - p.from) * cols})
		}
	}
	return all
}

package webgpu

import (
	"slices"

	"prelude/engine"
)

// A value that the adapter can't bind at once lies in several buffers, and a port shows
// them all: its accessors look where an element lies (see accessors). That is sound for
// every kernel, and costs bindings and a comparison an element; so products go by blocks
// of rows and element-wise operations by stretches that touch few buffers, and a product
// takes a frozen weight part by part.

// span is a run of a value's elements in one memory: those from `from` up to where the
// next span begins. The first is element `at` of what is bound.
type span struct {
	mem      mem
	from, at int
}

// stretch is elements, or rows, [from, from+n) of something: all where n is 0.
type stretch struct{ from, n int }

// spans are the memory of a root buffer.
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

// tempSpans are the memory of what begins at this slot.
func (b *recipe) tempSpans(slot int) (all []span) {
	for i := range b.slots[slot].more + 1 {
		all = append(all, span{mem: mem{kind: memSlot, id: slot + i}, from: b.slots[slot+i].from})
	}
	return all
}

// within are the spans that hold elements of [from, to).
func within(all []span, from, to int) []span {
	for len(all) > 1 && all[1].from <= from {
		all = all[1:]
	}
	for len(all) > 1 && all[len(all)-1].from >= to {
		all = all[:len(all)-1]
	}
	return all
}

// borders are the elements of a buffer of n, after start, at which another memory begins.
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

// stretches cuts n elements of all these buffers so that each buffer's lie in one memory.
func (b *recipe) stretches(n int, all ...engine.Buffer) []stretch {
	var at []int
	for _, x := range all {
		at = append(at, b.borders(x, 0, n)...)
	}
	return cut(n, at)
}

// blocks cuts the rows of matrices so that few blocks have a row in two memories.
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

// cut makes stretches of n at these borders.
func cut(n int, at []int) (all []stretch) {
	slices.Sort(at)
	from := 0
	for _, to := range append(slices.Compact(at), n) {
		all = append(all, stretch{from, to - from})
		from = to
	}
	return all
}

// run is rows [from, to) of a weight in one part of its tensor, off elements into it.
type run struct{ part, from, to, off int }

// runs are the parts that hold rows of a weight [rows, cols].
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

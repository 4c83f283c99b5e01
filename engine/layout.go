package engine

import (
	"cmp"
	"slices"
)

// Layout is where a program's scratch buffers lie in the one scratch area of a
// device: buffers whose lifetimes do not meet share memory.
type Layout struct {
	Off  []int64 // by buffer, in bytes, for roots of Life Scratch; -1 for others
	Size int64   // bytes of the whole area
}

// Layout places scratch buffers by lifetime, largest first, each at the lowest
// offset where it overlaps no buffer alive at the same time (greedy by size,
// Pisarchyk and Lee 2020, arXiv 2001.03288). Elements take elem bytes (4, or 8 on
// the float64 reference); offsets are multiples of align.
func (p *Program) Layout(elem, align int64) Layout {
	first, last := p.lifetimes()
	l := Layout{Off: make([]int64, len(p.buffers))}
	var order []Buffer
	for b := range p.buffers {
		l.Off[b] = -1
		if first[b] >= 0 {
			order = append(order, Buffer(b))
		}
	}
	size := func(b Buffer) int64 {
		return (int64(p.Spec(b).Len())*elem + align - 1) / align * align
	}
	slices.SortStableFunc(order, func(a, b Buffer) int { return cmp.Compare(size(b), size(a)) })
	var placed []Buffer // by offset
	for _, b := range order {
		off, need := int64(0), size(b)
		for _, q := range placed {
			if last[q] < first[b] || last[b] < first[q] {
				continue
			}
			if off+need <= l.Off[q] {
				break
			}
			off = max(off, l.Off[q]+size(q))
		}
		l.Off[b] = off
		l.Size = max(l.Size, off+need)
		i, _ := slices.BinarySearchFunc(placed, off, func(q Buffer, off int64) int { return cmp.Compare(l.Off[q], off) })
		placed = slices.Insert(placed, i, b)
	}
	return l
}

// Planner is a device that says what programs will take before anything is allocated.
type Planner interface {
	// Need is what [Device.Memory] will be once the tensors that the programs name and
	// bind lacks are there, one for each name, and all programs are compiled.
	Need(bind map[string]Tensor, programs ...*Program) (Memory, error)
}

// Need ends the building of programs, as [Program.CheckBind] does, and asks d what it
// will hold when they are compiled. A device that is no [Planner] is taken to need no
// more than tensors as files have them and scratch as float32.
func Need(d Device, bind map[string]Tensor, programs ...*Program) (Memory, error) {
	for _, p := range programs {
		if p.err != nil {
			return Memory{}, p.err
		}
		p.prune()
	}
	if d, ok := d.(Planner); ok {
		return d.Need(bind, programs...)
	}
	m := d.Memory()
	for _, p := range programs {
		m.Scratch = max(m.Scratch, p.Layout(4, 64).Size)
	}
	for _, s := range Lacking(bind, programs...) {
		m.Tensors += int64(s.Bytes())
	}
	return m, nil
}

// Lacking are the tensors that programs name and bind lacks, one for each name.
func Lacking(bind map[string]Tensor, programs ...*Program) map[string]Spec {
	all := map[string]Spec{}
	for _, p := range programs {
		for name, s := range p.Tensors() {
			if bind[name] == nil {
				all[name] = s
			}
		}
	}
	return all
}

// lifetimes gives for each scratch root the first and last op that touches it, -1 if none.
func (p *Program) lifetimes() (first, last []int) {
	first, last = make([]int, len(p.buffers)), make([]int, len(p.buffers))
	for b := range first {
		first[b], last[b] = -1, -1
	}
	for i, op := range p.ops {
		in, out := op.ports()
		for _, port := range append(in, out...) {
			if *port == None {
				continue
			}
			b, _ := p.Root(*port)
			if p.buffers[b].Life != Scratch {
				continue
			}
			if first[b] < 0 {
				first[b] = i
			}
			last[b] = i
		}
	}
	return first, last
}

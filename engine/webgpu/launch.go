package webgpu

import (
	"fmt"
	"slices"

	"prelude/engine"
)

// memKind is the kind of memory behind a port.
type memKind uint8

const (
	memSlot   memKind = iota // scratch
	memTensor                // a part of a tensor
	memArgs                  // the arguments of the run, in one buffer
)

// mem is memory that one binding covers.
type mem struct {
	kind memKind
	id   int // slot, or engine.Buffer of the tensor
	part int
}

// launch is a dispatch whose scratch memory is not placed yet.
type launch struct {
	b       *recipe
	op      int
	file    string
	consts  []constant
	fields  []field
	counts  []string
	ports   []port
	over    stretch // the elements that ports added from now on cover
	x, y, z int
}

// count is a number of rows or elements, which may depend on the live count of a domain:
// those with from ≤ i < from+max among the live ones.
type count struct{ dom, per, all, from, max int }

// part is the piece [from, from+max) of c.
func (c count) part(from, max int) count { c.from, c.max = from, max; return c }

// most is the largest value of the count.
func (c count) most() int {
	left := c.all - min(c.all, c.from)
	if c.max == 0 {
		return left
	}
	return min(c.max, left)
}

func (k *launch) count(name string, c count) *launch {
	c.max = c.most()
	k.counts = append(k.counts, name)
	return k.u32(name+"_dom", c.dom).u32(name+"_per", c.per).u32(name+"_all", c.all).u32(name+"_from", c.from).u32(name+"_max", c.max)
}

func (k *launch) u32(name string, v int) *launch {
	k.fields = append(k.fields, field{name, uint32(v)})
	return k
}

func (k *launch) f32(name string, v float64) *launch {
	k.fields = append(k.fields, field{name, float32(v)})
	return k
}

// set gives the shader a constant.
func (k *launch) set(name string, v int) *launch {
	k.consts = append(k.consts, constant{name, uint32(v)})
	return k
}

func (k *launch) flag(name string, v bool) *launch {
	k.consts = append(k.consts, constant{name, v})
	return k
}

// lanes makes a workgroup of n threads that reduce together (reduce.wgsl). A tile without
// workgroup memory means that the adapter runs threads one after another on a CPU. There a
// workgroup has as many threads as a vector has elements, so that none waits.
func (k *launch) lanes(n int) *launch {
	if k.b.tile.BK == 0 {
		n = 4
	}
	return k.set("LANES", n).flag("SUBGROUPS", k.b.lim.Subgroups)
}

func (k *launch) port(name string, b engine.Buffer, as kind, write bool) *launch {
	if b == engine.None {
		k.ports = append(k.ports, port{name: name, kind: as, write: write})
		return k
	}
	root, off := k.b.p.Root(b)
	from, n := off+k.over.from, k.over.n
	if n == 0 {
		n = k.b.p.Spec(b).Len() - k.over.from
	}
	p := port{name: name, off: from, kind: as, write: write, spans: within(k.b.spans(root), from, from+n)}
	if k.b.p.Info(root).Life == engine.Argument {
		p.off += k.b.argOff[root]
	}
	k.ports = append(k.ports, p)
	return k
}

// on makes ports added from now on cover only s of their buffers.
func (k *launch) on(s stretch) *launch {
	k.over = s
	return k
}

func (k *launch) in(name string, b engine.Buffer) *launch   { return k.port(name, b, floats, false) }
func (k *launch) vec(name string, b engine.Buffer) *launch  { return k.port(name, b, vectors, false) }
func (k *launch) ints(name string, b engine.Buffer) *launch { return k.port(name, b, ints, false) }
func (k *launch) bits(name string, b engine.Buffer) *launch { return k.port(name, b, bits, false) }
func (k *launch) out(name string, b engine.Buffer) *launch  { return k.port(name, b, floats, true) }

// temp is memory that only this operation uses.
func (k *launch) temp(name string, slot int, write bool) *launch {
	k.ports = append(k.ports, port{name: name, spans: k.b.tempSpans(slot), write: write})
	return k
}

// weight is a run of a weight of any type.
func (k *launch) weight(name string, w engine.Buffer, r run) *launch {
	root, _ := k.b.p.Root(w)
	i := k.b.p.Info(root)
	if i.Life != engine.Persist {
		return k.port(name, w, weight, false)
	}
	k.ports = append(k.ports, port{name: name, off: r.off, kind: weight, dtype: i.Spec.DType,
		spans: []span{{mem: mem{memTensor, int(root), r.part}}}, scale: k.b.parts(root)[r.part].scales / 4})
	return k
}

// place gives the shader the offsets of a port's elements.
func (k *launch) place(p *port) {
	switch len(p.spans) {
	case 0:
	case 1:
		k.u32(p.name+"_o", p.off-p.spans[0].from+p.spans[0].at)
		if p.kind == weight && quantBytes(p.dtype) > 0 {
			k.u32(p.name+"_s", p.scale)
		}
	default:
		k.u32(p.name+"_o", p.off)
		for i, s := range p.spans {
			if i > 0 {
				k.u32(fmt.Sprintf("%s_c%d", p.name, i), s.from)
			}
			k.u32(fmt.Sprintf("%s_d%d", p.name, i), s.at-s.from)
		}
	}
}

// threads dispatches at least n threads in workgroups of size.
func (k *launch) threads(n, size int) { k.groups((n + size - 1) / size) }

// groups dispatches n workgroups, in two dimensions if one is too short.
func (k *launch) groups(n int) {
	n = max(n, 1)
	x := min(n, k.b.lim.Workgroups)
	k.grid(x, (n+x-1)/x, 1)
}

func (k *launch) grid(x, y, z int) {
	k.x, k.y, k.z = max(x, 1), max(y, 1), max(z, 1)
	if m := k.b.lim.Workgroups; k.x > m || k.y > m || k.z > m {
		k.b.fail("%s: %d×%d×%d workgroups, this adapter takes %d a dimension", k.file, k.x, k.y, k.z, m)
	}
	k.b.launches = append(k.b.launches, k)
}

// groupsOf groups the spans that share a binding: those in the same memory and, where the
// adapter has too few bindings, those in the same scratch buffer.
func (k *launch) groupsOf(arenaOf func(slot int) int) (binding [][]int, keys []mem, err error) {
	merged := map[int]bool{}
	for {
		binding, keys = make([][]int, len(k.ports)), nil
		inArena := map[int]int{}
		for i := range k.ports {
			for _, s := range k.ports[i].spans {
				m := s.mem
				if m.kind == memSlot && merged[arenaOf(m.id)] {
					m = mem{kind: memSlot, id: -1 - arenaOf(m.id)} // the whole buffer
				}
				at := slices.Index(keys, m)
				if at < 0 {
					at = len(keys)
					keys = append(keys, m)
					if m.kind == memSlot && m.id >= 0 {
						inArena[arenaOf(m.id)]++
					}
				}
				binding[i] = append(binding[i], at)
			}
		}
		if len(keys) <= k.b.lim.StorageBuffers {
			return binding, keys, nil
		}
		best, most := -1, 1
		for a, n := range inArena {
			if n > most || n == most && a < best {
				best, most = a, n
			}
		}
		if best < 0 {
			return nil, nil, fmt.Errorf("webgpu: %s needs %d storage buffers, this adapter has %d a shader", k.file, len(keys), k.b.lim.StorageBuffers)
		}
		merged[best] = true
	}
}

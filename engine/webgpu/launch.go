package webgpu

import (
	"fmt"
	"slices"

	"prelude/engine"
)

// memKind says whose memory a port names.
type memKind uint8

const (
	memNone   memKind = iota
	memSlot           // scratch
	memTensor         // a part of a tensor
	memArgs           // the arguments of the run, in one buffer
)

// mem is memory that one binding can show.
type mem struct {
	kind memKind
	id   int // slot, or engine.Buffer of the tensor
	part int
}

// launch is one dispatch before its memory has a place.
type launch struct {
	b       *recipe
	op      int
	file    string
	consts  []constant
	fields  []field
	counts  []string
	ports   []port
	x, y, z int
}

// count is a number of rows or elements that may follow a domain: from ≤ i < from+max
// of the live ones.
type count struct{ dom, per, all, from, max int }

// part is the piece [from, from+max) of c.
func (c count) part(from, max int) count { c.from, c.max = from, max; return c }

func (k *launch) count(name string, c count) *launch {
	if c.max == 0 && c.from == 0 {
		c.max = c.all
	}
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

// lanes makes the workgroup n threads that add up together (reduce.wgsl). A tile without
// workgroup memory says that the adapter runs threads in turn: there a workgroup is as
// small as the CPU's vectors, and no thread waits for another.
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
	p := port{name: name, off: off, kind: as, write: write}
	switch i := k.b.p.Info(root); i.Life {
	case engine.Scratch:
		p.mem = mem{kind: memSlot, id: k.b.slot(root)}
	case engine.Argument:
		p.mem = mem{kind: memArgs}
		p.off += k.b.argOff[root]
	case engine.Persist:
		p.mem = mem{kind: memTensor, id: int(root)}
		if n := len(k.b.parts(root)); n != 1 {
			k.b.fail("%s: tensor %q %v takes %d pieces on this adapter; only weights of products and look-ups may", k.file, i.Name, i.Spec, n)
		}
	}
	k.ports = append(k.ports, p)
	return k
}

func (k *launch) in(name string, b engine.Buffer) *launch   { return k.port(name, b, floats, false) }
func (k *launch) vec(name string, b engine.Buffer) *launch  { return k.port(name, b, vectors, false) }
func (k *launch) ints(name string, b engine.Buffer) *launch { return k.port(name, b, ints, false) }
func (k *launch) bits(name string, b engine.Buffer) *launch { return k.port(name, b, bits, false) }
func (k *launch) out(name string, b engine.Buffer) *launch  { return k.port(name, b, floats, true) }

// temp is memory of this operation alone.
func (k *launch) temp(name string, slot int, write bool) *launch {
	k.ports = append(k.ports, port{name: name, mem: mem{kind: memSlot, id: slot}, write: write})
	return k
}

// weight is one part of a weight of any type.
func (k *launch) weight(name string, w engine.Buffer, part int) *launch {
	root, off := k.b.p.Root(w)
	i := k.b.p.Info(root)
	if i.Life != engine.Persist {
		return k.port(name, w, weight, false)
	}
	p := port{name: name, off: off, kind: weight, dtype: i.Spec.DType, mem: mem{memTensor, int(root), part}}
	p.scale = k.b.parts(root)[part].scales / 4
	k.ports = append(k.ports, p)
	return k
}

// threads covers n threads in workgroups of size.
func (k *launch) threads(n, size int) { k.groups((n + size - 1) / size) }

// groups covers n workgroups, in two dimensions where one is too short.
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

// groupsOf puts the ports that share a binding together: those of one memory, and,
// where the adapter has too few bindings, those of one scratch buffer.
func (k *launch) groupsOf(arenaOf func(slot int) int) (binding []int, keys []mem, err error) {
	merged := map[int]bool{}
	for {
		binding, keys = make([]int, len(k.ports)), nil
		inArena := map[int]int{}
		for i := range k.ports {
			m := k.ports[i].mem
			if m.kind == memNone {
				binding[i] = -1
				continue
			}
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
			binding[i] = at
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

package webgpu

import (
	"encoding/binary"
	"fmt"
	"math"

	"prelude/engine"
)

// recipe turns a program into dispatches. First every operation appends its launches, then
// scratch memory is placed, then launches become dispatches.
type recipe struct {
	p        *engine.Program
	lim      Limits
	tile     Tile
	eight    Tile      // of products in 8 bits; the zero Tile is none
	rounded  eightBits // the rows that the operation before multiplied in 8 bits
	op       int       // being planned
	slots    []slot
	slotOf   []int // by root buffer, its first slot, or -1
	argOff   []int // by argument, in words
	argWords int
	launches []*launch
	arenas   []int64 // bytes
	err      error
}

// slot is a piece of scratch memory. It holds a value or, where a value takes several
// slots in a row, the value's elements from `from` up to the next slot's.
type slot struct {
	engine.Piece     // Area is the arena
	from         int // the value's first element in this slot
	more         int // the number of the value's slots that follow this one
}

// dispatch is one dispatch for the driver to record.
type dispatch struct {
	kernel  int
	bind    []bind
	params  []byte
	x, y, z int
	op      int
}

// bind is a range of a buffer, or the whole buffer if size is 0.
type bind struct {
	mem       mem // memSlot: id is the arena
	off, size int64
}

// pipeline is a kernel's source and the access modes of its bindings.
type pipeline struct {
	code    string
	name    string
	written []bool // by storage binding
}

// headBytes is the part of the argument buffer that holds the live counts.
const headBytes = 256

func newRecipe(p *engine.Program, lim Limits, tile, eight Tile) *recipe {
	b := &recipe{p: p, lim: lim, tile: tile, eight: eight, slotOf: make([]int, p.Len()), argOff: make([]int, p.Len()), argWords: headBytes / 4}
	for i := range b.slotOf {
		b.slotOf[i] = -1
	}
	for i := engine.Buffer(1); int(i) < p.Len(); i++ {
		if info := p.Info(i); info.Life == engine.Argument && info.Root == engine.None {
			b.argOff[i] = b.argWords
			b.argWords += (info.Spec.Len() + 3) / 4 * 4
		}
	}
	if p.Domains() > 64 {
		b.fail("%d domains, at most 64 are supported", p.Domains())
	}
	return b
}

func (b *recipe) fail(format string, args ...any) {
	if b.err == nil {
		b.err = fmt.Errorf("webgpu: "+format, args...)
	}
}

func (b *recipe) kernel(file string) *launch { return &launch{b: b, op: b.op, file: file} }

// parts of a tensor.
func (b *recipe) parts(root engine.Buffer) []part {
	all, err := partsOf(b.p.Spec(root), b.lim)
	if err != nil {
		b.fail("%v", err)
		return []part{{}}
	}
	return all
}

// slot is the scratch memory of a root buffer, which this operation uses. If the buffer
// takes several slots, they hold whole rows, and the result is the first.
func (b *recipe) slot(root engine.Buffer) int {
	if b.slotOf[root] < 0 {
		s := b.p.Spec(root)
		step := s.Len()
		if all := b.parts(root); len(all) > 1 {
			step = all[0].to * s.Cols()
		}
		b.slotOf[root] = b.cutTemp(s.Len(), step)
	}
	b.use(b.slotOf[root])
	return b.slotOf[root]
}

// temp is memory of n floats for this operation.
func (b *recipe) temp(n int) int { return b.cutTemp(n, int(b.lim.arena()/4)) }

// cutTemp is temp, cut into slots of step floats.
func (b *recipe) cutTemp(n, step int) int {
	first, count := len(b.slots), max(1, (n+step-1)/max(1, step))
	for i := range count {
		size := (int64(min(step, n-i*step))*4 + align - 1) / align * align
		b.slots = append(b.slots, slot{Piece: engine.Piece{Size: max(size, align), First: b.op, Last: b.op}, from: i * step, more: count - 1 - i})
	}
	return first
}

// rows is the number of live rows of x, elems that of its live elements.
func (b *recipe) rows(x engine.Buffer) count {
	s := b.p.Spec(x)
	return b.count(x, s.Rows())
}

func (b *recipe) elems(x engine.Buffer) count { return b.count(x, b.p.Spec(x).Len()) }

func (b *recipe) count(x engine.Buffer, all int) count {
	d := b.p.Info(x).Rows
	if d == engine.AllRows {
		return count{all: all}
	}
	return count{dom: int(d), per: all / max(1, b.p.Dim(x, 0)), all: all}
}

// place puts slots into arenas.
func (b *recipe) place() {
	pieces := make([]engine.Piece, len(b.slots))
	for i, s := range b.slots {
		pieces[i] = s.Piece
	}
	b.arenas = engine.Place(pieces, b.lim.arena())
	for i := range b.slots {
		b.slots[i].Piece = pieces[i]
	}
}

// finish turns launches into pipelines and dispatches.
func (b *recipe) finish() (pipes []pipeline, all []dispatch, err error) {
	if b.err != nil {
		return nil, nil, b.err
	}
	b.place()
	seen := map[string]int{}
	for _, k := range b.launches {
		d := dispatch{x: k.x, y: k.y, z: k.z, op: k.op}
		binding, keys, err := k.groupsOf(func(slot int) int { return b.slots[slot].Area })
		if err != nil {
			return nil, nil, err
		}
		elems, written := make([]element, len(keys)), make([]bool, len(keys))
		for g, m := range keys {
			var ports []*port
			for i := range k.ports {
				p, shown := &k.ports[i], false
				for j := range p.spans {
					if binding[i][j] != g {
						continue
					}
					shown = true
					if m.kind == memSlot && m.id < 0 {
						p.spans[j].at = int(b.slots[p.spans[j].mem.id].Off / 4)
					}
				}
				if !shown {
					continue
				}
				ports = append(ports, p)
				// Scratch is always bound as writable: within a dispatch a buffer may not
				// be both read-only and writable.
				written[g] = written[g] || p.write || m.kind == memSlot
			}
			elems[g] = elementOf(ports)
			d.bind = append(d.bind, b.bindOf(m))
		}
		for i := range k.ports {
			k.place(&k.ports[i])
		}
		d.params = paramBytes(k.fields)
		code := k.source(binding, elems, written)
		at, ok := seen[code]
		if !ok {
			at = len(pipes)
			seen[code] = at
			pipes = append(pipes, pipeline{code: code, name: k.file, written: written})
		}
		d.kernel = at
		all = append(all, d)
	}
	return pipes, all, nil
}

func (b *recipe) bindOf(m mem) bind {
	switch {
	case m.kind == memSlot && m.id < 0:
		return bind{mem: mem{kind: memSlot, id: -1 - m.id}}
	case m.kind == memSlot:
		s := b.slots[m.id]
		return bind{mem{kind: memSlot, id: s.Area}, s.Off, s.Size}
	}
	return bind{mem: m}
}

func paramBytes(fields []field) []byte {
	raw := make([]byte, max(16, (len(fields)*4+15)/16*16))
	for i, f := range fields {
		switch v := f.value.(type) {
		case uint32:
			binary.LittleEndian.PutUint32(raw[4*i:], v)
		case float32:
			binary.LittleEndian.PutUint32(raw[4*i:], math.Float32bits(v))
		}
	}
	return raw
}

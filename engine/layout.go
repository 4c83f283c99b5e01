package engine

import (
	"cmp"
	"math"
	"slices"
)

// Layout is where a program's scratch buffers lie in a device's scratch area. Buffers
// that are never in use at the same time share memory.
type Layout struct {
	Off  []int64 // by buffer, in bytes, for roots of Life Scratch; -1 for others
	Size int64   // bytes of the whole area
}

// Piece is a piece of memory in use from operation First to operation Last. [Place] sets
// the other fields.
type Piece struct {
	Size        int64
	First, Last int
	Area        int
	Off         int64 // in the area
}

// Place puts pieces into as few areas as it can, none larger than limit, and returns the
// areas' sizes. Pieces that are in use at the same time do not overlap. Pieces go by size,
// the largest first, each at the lowest offset that is free while it is in use (greedy by
// size, Pisarchyk and Lee 2020, arXiv 2001.03288). A piece larger than limit makes a larger
// area; callers split such pieces before.
func Place(pieces []Piece, limit int64) (areas []int64) {
	order := make([]*Piece, len(pieces))
	for i := range pieces {
		order[i] = &pieces[i]
	}
	slices.SortStableFunc(order, func(a, b *Piece) int { return cmp.Compare(b.Size, a.Size) })
	var placed [][]*Piece // by area, in order of offsets
	for _, s := range order {
		for area := 0; ; area++ {
			if area == len(placed) {
				placed, areas = append(placed, nil), append(areas, 0)
			}
			off := int64(0)
			for _, q := range placed[area] {
				if q.Last < s.First || s.Last < q.First {
					continue
				}
				if off+s.Size <= q.Off {
					break
				}
				off = max(off, q.Off+q.Size)
			}
			if off+s.Size > limit && s.Size <= limit {
				continue
			}
			s.Area, s.Off = area, off
			areas[area] = max(areas[area], off+s.Size)
			at, _ := slices.BinarySearchFunc(placed[area], off, func(q *Piece, off int64) int { return cmp.Compare(q.Off, off) })
			placed[area] = slices.Insert(placed[area], at, s)
			break
		}
	}
	return areas
}

// Layout places scratch buffers in one area. Elements take elem bytes (4, or 8 on the
// float64 reference); offsets are multiples of align.
func (p *Program) Layout(elem, align int64) Layout {
	first, last := p.lifetimes()
	l := Layout{Off: make([]int64, len(p.buffers))}
	var pieces []Piece
	var of []int // buffer of each piece
	for b := range p.buffers {
		l.Off[b] = -1
		if first[b] >= 0 {
			size := (int64(p.Spec(Buffer(b)).Len())*elem + align - 1) / align * align
			pieces, of = append(pieces, Piece{Size: size, First: first[b], Last: last[b]}), append(of, b)
		}
	}
	for _, size := range Place(pieces, math.MaxInt64) {
		l.Size = size
	}
	for i, b := range of {
		l.Off[b] = pieces[i].Off
	}
	return l
}

// Planner is a device that can compute the memory that programs need before anything is
// allocated.
type Planner interface {
	// Need is the value of [Device.Memory] once the programs' tensors that bind lacks are
	// allocated, one for each name, and all programs are compiled.
	Need(bind map[string]Tensor, programs ...*Program) (Memory, error)
}

// Need ends the building of programs, as [Program.CheckBind] does, and returns the memory
// that d will hold when they are compiled. For a device that is not a [Planner] it counts
// tensors as files store them and scratch as float32.
func Need(d Device, bind map[string]Tensor, programs ...*Program) (Memory, error) {
	for _, p := range programs {
		if p.err != nil {
			return Memory{}, p.err
		}
		p.end()
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

// Lacking lists the programs' tensors that bind lacks, one for each name.
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

// lifetimes are the first and the last operation that use each scratch buffer, -1 where
// no operation does.
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

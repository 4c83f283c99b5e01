package engine

import (
	"fmt"
	"slices"
)

// Buffer names a value of a program; None is the absence of an optional one.
type Buffer int32

const None Buffer = 0

// Domain is an upper bound on leading rows; each run says how many of them are live.
type Domain int32

// AllRows is the domain of buffers whose rows are all live in every run.
const AllRows Domain = 0

// Life says who owns a buffer's memory, and for how long.
type Life uint8

const (
	Scratch  Life = iota // valid within a run, from its first write to its last read
	Argument             // an input of the run
	Persist              // a Tensor of the device, bound by name when the plan is compiled
)

// Info describes a buffer.
type Info struct {
	Name  string
	Spec  Spec
	Life  Life
	Rows  Domain // of the first dimension
	Root  Buffer // a view's parent (never itself a view), or None
	Off   int    // a view's offset in its root, in elements
	train bool
}

// Program is a flat list of operations over buffers. Methods named after the operations
// build it. The program keeps the first error of building, which Err and Compile return,
// so calls can be chained without checks.
type Program struct {
	ops     []Op
	buffers []Info
	domains []domain
	named   map[string]Buffer
	err     error
	blocks  []span // marked blocks, for recomputation
	open    int
	again   bool
	learns  bool // Grad was called
	steady  bool // SetSteady was called

	precision Precision
	ended     bool // no operation follows; limits is complete
	limits    []bound
}

type domain struct {
	name string
	max  int
}

// NewProgram returns an empty program.
func NewProgram() *Program {
	return &Program{buffers: make([]Info, 1), domains: []domain{{"all", 0}}, named: map[string]Buffer{}, open: -1}
}

// Err is the first error of building.
func (p *Program) Err() error { return p.err }

// Failf records an error of building, unless there is one already.
func (p *Program) Failf(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf("engine: "+format, args...)
	}
}

// Ops is the list of operations, which devices read. It must not be changed.
func (p *Program) Ops() []Op { return p.ops }

// Len is the number of buffer names, None included: valid buffers are 1 ≤ b < Len.
func (p *Program) Len() int { return len(p.buffers) }

// Info describes b.
func (p *Program) Info(b Buffer) Info { return p.buffers[b] }

// Spec is b's type and shape.
func (p *Program) Spec(b Buffer) Spec { return p.buffers[b].Spec }

// Dim is b's i-th dimension, counted from the end if negative; 0 where there is none.
func (p *Program) Dim(b Buffer, i int) int {
	s := p.buffers[b].Spec.Shape
	if i < 0 {
		i += len(s)
	}
	if i < 0 || i >= len(s) {
		return 0
	}
	return s[i]
}

// Root resolves a view: the buffer that owns the memory and the offset in elements.
func (p *Program) Root(b Buffer) (Buffer, int) {
	if r := p.buffers[b].Root; r != None {
		return r, p.buffers[b].Off
	}
	return b, 0
}

// Domain adds a bound on rows.
func (p *Program) Domain(name string, max int) Domain {
	p.domains = append(p.domains, domain{name, max})
	return Domain(len(p.domains) - 1)
}

// Domains is the number of domains, AllRows included.
func (p *Program) Domains() int { return len(p.domains) }

// Max is a domain's bound.
func (p *Program) Max(d Domain) int { return p.domains[d].max }

func (p *Program) add(i Info) Buffer {
	p.buffers = append(p.buffers, i)
	return Buffer(len(p.buffers) - 1)
}

// Persist names a tensor of the device. The same name gives the same buffer.
func (p *Program) Persist(name string, s Spec) Buffer {
	if b, ok := p.named[name]; ok {
		if have := p.Spec(b); have.DType != s.DType || !slices.Equal(have.Shape, s.Shape) {
			p.Failf("tensor %q is used as %v and as %v", name, have, s)
		}
		return b
	}
	b := p.add(Info{Name: name, Spec: s, Life: Persist})
	p.named[name] = b
	return b
}

// Train marks tensors as trainable; Grad computes their gradients.
func (p *Program) Train(tensors ...Buffer) {
	for _, b := range tensors {
		if i := &p.buffers[b]; i.Life != Persist || i.Spec.DType != F32 || i.Root != None {
			p.Failf("buffer %q (%v) can't train: only a whole F32 tensor of the device can", i.Name, i.Spec)
		} else {
			i.train = true
		}
	}
}

// Arg is an input of F32 or I32 with the given shape; the first dimension belongs to rows.
func (p *Program) Arg(name string, rows Domain, t DType, shape ...int) Buffer {
	return p.add(Info{Name: name, Spec: Spec{t, shape}, Life: Argument, Rows: rows})
}

// Temp is a new scratch buffer.
func (p *Program) Temp(name string, rows Domain, shape ...int) Buffer {
	return p.add(Info{Name: name, Spec: Spec{F32, shape}, Life: Scratch, Rows: rows})
}

// Keep turns a scratch buffer that an operation writes into a tensor of the device with
// this name, which can be read after the run.
func (p *Program) Keep(name string, b Buffer) Buffer {
	i := &p.buffers[b]
	if i.Life != Scratch || i.Root != None || b == None {
		p.Failf("buffer %q can't be kept as %q: it is not a whole scratch buffer", i.Name, name)
		return b
	}
	if _, ok := p.named[name]; ok {
		p.Failf("tensor %q exists already", name)
	}
	i.Name, i.Life = name, Persist
	p.named[name] = b
	return b
}

// Tensors lists by name the tensors that a plan of this program needs.
func (p *Program) Tensors() map[string]Spec {
	all := make(map[string]Spec, len(p.named))
	for name, b := range p.named {
		all[name] = p.Spec(b)
	}
	return all
}

// Named is the buffer of a tensor, or None if the program has no tensor of that name.
func (p *Program) Named(name string) Buffer { return p.named[name] }

func (p *Program) emit(op Op) {
	for _, k := range boundsOf(op) {
		if p.Info(k.arg).Life == Scratch || p.Spec(k.arg).DType != I32 {
			p.Failf("%s: %q is %v, want integers of an argument or a tensor", k.use, p.Info(k.arg).Name, p.Spec(k.arg))
		}
	}
	p.ops = append(p.ops, op)
}

// end ends the building: it drops operations whose results are never read and collects
// the bounds of the others' arguments.
func (p *Program) end() {
	p.prune()
	p.limits, p.ended = p.collectBounds(), true
}

// want records an error unless b has these dimensions; 0 stands for any.
func (p *Program) want(op, what string, b Buffer, shape ...int) {
	have := p.Spec(b).Shape
	ok := len(have) == len(shape)
	for i := 0; ok && i < len(shape); i++ {
		ok = shape[i] == 0 || shape[i] == have[i]
	}
	if !ok {
		p.Failf("%s: %s %q has shape %v, want %v", op, what, p.Info(b).Name, have, shape)
	}
}

// like is a new scratch buffer with b's rows and domain and another width.
func (p *Program) like(name string, b Buffer, cols int) Buffer {
	s := slices.Clone(p.Spec(b).Shape)
	if len(s) == 0 {
		s = []int{1}
	}
	s[len(s)-1] = cols
	return p.Temp(name, p.Info(b).Rows, s...)
}

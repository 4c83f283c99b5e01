package prefix

import (
	"fmt"

	"prelude/engine"
)

// Mode says what a program is for.
type Mode uint8

const (
	Evaluate Mode = iota // the prefix is produced in the program, from the trained tensors
	Train                // and its tensors train
	Replay               // its keys and values stand ready, see Settle
)

// Part is a method's part of one program.
type Part struct {
	// Hooks are how the method enters the model.
	Hooks     engine.Hooks
	penalties []penalty
	constants map[engine.Buffer][]int32
	noise     []func(args engine.Args, rng Rand)
	soft      softFill
	source    softFill
}

// penalty is factor·Σ x.
type penalty struct {
	x      engine.Buffer
	factor float64
}

// Penalties appends the scalars to add to the training loss. Call it after the model's
// forward pass, in which some of them come about.
func (p *Part) Penalties(to *engine.Program) (all []engine.Buffer) {
	for _, q := range p.penalties {
		all = append(all, to.Unary(engine.Scale, to.SumAll(q.x), q.factor))
	}
	return all
}

// Fill sets the part's arguments: constants, and in training a step's noise. A nil rng
// leaves the noise out.
func (p *Part) Fill(args engine.Args, rng Rand) {
	for b, x := range p.constants {
		args.Ints[b] = x
	}
	if rng != nil {
		for _, f := range p.noise {
			f(args, rng)
		}
	}
}

// Build is a program to which a method appends its part.
type Build struct {
	*engine.Program
	Arch  engine.Architecture
	Info  engine.ModelInfo
	In    engine.Input // of the content; the zero Input where there is none
	Mode  Mode
	Slots int
	Hooks engine.Hooks
	// Layers are the attentions that have a prefix: the model's layers, or on an
	// encoder-decoder those of its sites, one after another.
	Layers int
	// KV gives a layer's keys and values [slots, kvHeads·headDim], None for a layer
	// without a prefix. Nil: no layer has one.
	KV func(layer int) (k, v engine.Buffer)
	// Rows gives what a layer's short convolution sees of the slots, on a model that has some:
	// set by sources that are Convolved.
	Rows func(layer int) engine.Buffer

	place  func(at engine.At) int // see Method.place
	params []Param
	own    *Part
	memo   map[string]engine.Buffer
}

// Tensor is a tensor of the method by name, trainable in a training program.
func (b *Build) Tensor(name string) engine.Buffer {
	for _, q := range b.params {
		if q.Name == name {
			t := b.Persist(name, q.spec())
			if b.Mode == Train && !q.Fixed {
				b.Train(t)
			}
			return t
		}
	}
	b.Failf("method has no tensor %q", name)
	return engine.None
}

// has says whether the method has a tensor of that name.
func (b *Build) has(name string) bool {
	for _, q := range b.params {
		if q.Name == name {
			return true
		}
	}
	return false
}

// Part is the elements of x from off on in another shape. Asked twice, it is the same
// buffer: views that train must not overlap.
func (b *Build) Part(x engine.Buffer, off int, shape ...int) engine.Buffer {
	return b.Once(fmt.Sprint("part ", x, off, shape), func() engine.Buffer { return b.View(x, off, shape...) })
}

// Slice is part i of a tensor [n, …], in another shape.
func (b *Build) Slice(name string, i int, shape ...int) engine.Buffer {
	return b.Part(b.Tensor(name), i*engine.Spec{Shape: shape}.Len(), shape...)
}

// Once computes a buffer the first time it is asked for.
func (b *Build) Once(name string, f func() engine.Buffer) engine.Buffer {
	if x, ok := b.memo[name]; ok {
		return x
	}
	x := f()
	b.memo[name] = x
	return x
}

// Ints is a constant vector: an argument that Part.Fill sets.
func (b *Build) Ints(name string, x []int32) engine.Buffer {
	return b.Once("ints "+name, func() engine.Buffer {
		a := b.Arg(name, engine.AllRows, engine.I32, len(x))
		b.own.constants[a] = x
		return a
	})
}

// Noise is an argument that f fills anew in every training step.
func (b *Build) Noise(name string, f func(x []float64, rng Rand), n int) engine.Buffer {
	a := b.Arg(name, engine.AllRows, engine.F32, n)
	b.own.noise = append(b.own.noise, func(args engine.Args, rng Rand) {
		x := args.Floats[a]
		if len(x) != n {
			x = make([]float64, n)
		}
		f(x, rng)
		args.Floats[a] = x
	})
	return a
}

// Penalise adds factor·Σ x to the training loss.
func (b *Build) Penalise(x engine.Buffer, factor float64) {
	if b.Mode == Train && factor != 0 {
		b.own.penalties = append(b.own.penalties, penalty{x, factor})
	}
}

// rows is the input of a forward pass over n rows in a sequence of their own, at
// positions 0, 1, 2 …
func (b *Build) rows(n int) engine.Input {
	at, end := make([]int32, n), make([]int32, n)
	for t := range n {
		at[t], end[t] = int32(t), int32(t+1)
	}
	in := engine.Input{Pos: b.Ints("prefix pos", at), Lo: b.Ints("prefix lo", make([]int32, n)), Hi: b.Ints("prefix hi", end)}
	if w := b.Info.Window; w > 0 {
		lo := make([]int32, n)
		for t := range lo {
			lo[t] = int32(max(0, t+1-w))
		}
		in.LoLocal = b.Ints("prefix lo local", lo)
	}
	return in
}

// run runs the frozen model over the prefix's rows x [slots, hidden], once for the
// whole batch: in a causal model these rows never see the text.
func (b *Build) run(x engine.Buffer, first, last int, block func(p *engine.Program, site engine.Site, layer int, x engine.Buffer) engine.Buffer) engine.Output {
	in := b.rows(b.Slots)
	in.Hidden, in.First, in.Last = x, first, last
	return b.Arch.Forward(b.Program, in, engine.Hooks{Linear: b.Hooks.Linear, Weight: b.Hooks.Weight, Block: block})
}

// Build appends the method to a program. In is the input of the model's forward pass,
// which the caller appends afterwards with the part's hooks.
func (m *Method) Build(p *engine.Program, arch engine.Architecture, in engine.Input, mode Mode) *Part {
	return m.build(p, arch, in, mode).own
}

func (m *Method) build(p *engine.Program, arch engine.Architecture, in engine.Input, mode Mode) *Build {
	b := &Build{Program: p, Arch: arch, Info: m.Info, In: in, Mode: mode, Slots: m.slots, Layers: len(m.places), place: m.place, params: m.params,
		own: &Part{constants: map[engine.Buffer][]int32{}}, memo: map[string]engine.Buffer{}}
	m.weights.Build(b)
	if m.inRows() {
		m.putRows(b)
	} else {
		m.source.Build(b)
	}
	if b.KV != nil {
		m.attach(b)
	}
	m.buildTemplate(b)
	b.own.Hooks = b.Hooks
	return b
}

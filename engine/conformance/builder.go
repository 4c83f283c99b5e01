package conformance

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"

	"prelude/engine"
)

// Case is a small program around one operation.
type Case struct {
	Name  string
	Build func(b *Builder)
	// Loose is a factor on the bound, for cases whose true result is ill-conditioned.
	Loose float64
	// NoDiff leaves the case out of the central differences (kinks, updates in place).
	NoDiff bool
}

// Builder builds a case's program and remembers its inputs.
type Builder struct {
	*engine.Program
	rng   *rand.Rand
	init  map[string][]byte // contents of tensors
	Args  engine.Args
	outs  []string
	loss  []engine.Buffer
	train []string
}

func newBuilder(c Case) *Builder {
	b := &Builder{Program: engine.NewProgram(), rng: rand.New(rand.NewPCG(1, 2)), init: map[string][]byte{},
		Args: engine.Args{Ints: map[engine.Buffer][]int32{}, Floats: map[engine.Buffer][]float64{}, Live: map[engine.Domain]int{}}}
	c.Build(b)
	return b
}

// Rows is a domain of max rows of which live are live.
func (b *Builder) Rows(max, live int) engine.Domain {
	d := b.Domain("rows", max)
	b.Args.Live[d] = live
	return d
}

// Normal are n normal deviates, exact in float32.
func (b *Builder) Normal(n int, sigma float64) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = float64(float32(b.rng.NormFloat64() * sigma))
	}
	return x
}

// Int is a random integer below n.
func (b *Builder) Int(n int) int32 { return int32(b.rng.IntN(n)) }

// Set is a tensor with these values.
func (b *Builder) Set(name string, x []float64, shape ...int) engine.Buffer {
	raw := make([]byte, 4*len(x))
	for i, v := range x {
		binary.LittleEndian.PutUint32(raw[4*i:], math.Float32bits(float32(v)))
	}
	b.init[name] = raw
	return b.Persist(name, engine.Spec{DType: engine.F32, Shape: shape})
}

// Tensor is a tensor of normal deviates.
func (b *Builder) Tensor(name string, sigma float64, shape ...int) engine.Buffer {
	return b.Set(name, b.Normal(engine.Spec{Shape: shape}.Len(), sigma), shape...)
}

// Param is a trainable tensor of normal deviates; its gradient is compared.
func (b *Builder) Param(name string, sigma float64, shape ...int) engine.Buffer {
	t := b.Tensor(name, sigma, shape...)
	b.Train(t)
	b.train = append(b.train, name)
	return t
}

// Weight is a frozen tensor of any type with random bits of sensible size.
func (b *Builder) Weight(name string, t engine.DType, shape ...int) engine.Buffer {
	s := engine.Spec{DType: t, Shape: shape}
	if t == engine.F32 {
		return b.Tensor(name, 0.5, shape...)
	}
	raw := make([]byte, s.Bytes())
	for i := range raw {
		raw[i] = byte(b.rng.Uint32())
	}
	f16 := func(at int, sign uint16) { // 2^-7 … 2^-4
		binary.LittleEndian.PutUint16(raw[at:], uint16(b.rng.IntN(3)+8)<<10|uint16(b.rng.IntN(1024))|sign<<15)
	}
	switch unit := t.Bytes(t.Block()); t {
	case engine.F16:
		for i := 0; i < len(raw); i += 2 {
			f16(i, uint16(b.rng.IntN(2)))
		}
	case engine.BF16:
		for i := 0; i < len(raw); i += 2 {
			binary.LittleEndian.PutUint16(raw[i:], uint16(math.Float32bits(float32(b.rng.NormFloat64()*0.5))>>16))
		}
	default:
		for i := 0; i < len(raw); i += unit {
			f16(i, uint16(b.rng.IntN(2)))
			if t == engine.Q4_1 {
				f16(i+2, uint16(b.rng.IntN(2)))
			}
		}
	}
	b.init[name] = raw
	return b.Persist(name, s)
}

// Ints is an I32 argument; a nil x gives the numbers 0, 1, 2 …
func (b *Builder) Ints(name string, rows engine.Domain, x []int32, shape ...int) engine.Buffer {
	a := b.Arg(name, rows, engine.I32, shape...)
	if x == nil {
		x = make([]int32, engine.Spec{Shape: shape}.Len())
		for i := range x {
			x[i] = int32(i)
		}
	}
	b.Args.Ints[a] = x
	return a
}

// Floats is an F32 argument.
func (b *Builder) Floats(name string, rows engine.Domain, x []float64, shape ...int) engine.Buffer {
	a := b.Arg(name, rows, engine.F32, shape...)
	b.Args.Floats[a] = x
	return a
}

// Live is param with the live rows of the domain.
func (b *Builder) Live(param engine.Buffer, rows engine.Domain) engine.Buffer {
	s := b.Spec(param)
	idx := b.Ints("live", rows, nil, s.Shape[0])
	if len(s.Shape) == 2 {
		return b.GatherRows(param, idx)
	}
	y := b.GatherRows(b.View(param, 0, s.Shape[0], s.Len()/s.Shape[0]), idx)
	return b.View(y, 0, s.Shape...)
}

// Out compares y and adds a random linear function of it to the loss.
func (b *Builder) Out(name string, y engine.Buffer) {
	s := b.Spec(y)
	w := b.Tensor("weigh "+name, 1, s.Shape...)
	b.loss = append(b.loss, b.SumAll(b.Mul(y, w)))
	b.Watch(name, y)
}

// Watch compares y and leaves the loss as it is.
func (b *Builder) Watch(name string, y engine.Buffer) {
	i := b.Info(y)
	if i.Root == engine.None && i.Life == engine.Scratch && i.Rows == engine.AllRows {
		b.Keep(name, y)
	} else {
		t := b.Persist(name, engine.Spec{DType: engine.F32, Shape: i.Spec.Shape})
		b.init[name] = make([]byte, b.Spec(t).Bytes())
		b.CopyTo(y, t)
	}
	b.outs = append(b.outs, name)
}

// Loss adds a scalar to the loss.
func (b *Builder) Loss(name string, l engine.Buffer) {
	b.loss = append(b.loss, l)
	b.Watch(name, l)
}

// Changes compares a tensor that the program updates.
func (b *Builder) Changes(names ...string) { b.outs = append(b.outs, names...) }

// finish appends reverse mode and keeps the gradients.
func (b *Builder) finish() {
	if len(b.loss) == 0 || len(b.train) == 0 {
		return
	}
	grads := b.Grad(b.loss...)
	for _, name := range b.train {
		if d := grads[b.Named(name)]; d != engine.None {
			b.Watch("d "+name, d)
		}
	}
}

// Run executes a case on a device; the results are float64, by name.
func Run(ctx context.Context, dev engine.Device, c Case) (map[string][]float64, error) {
	b := newBuilder(c)
	b.finish()
	s, err := b.start(ctx, dev)
	if err != nil {
		return nil, err
	}
	defer s.close()
	return s.run(ctx, b.Args)
}

// started is a case's program on a device.
type started struct {
	plan engine.Plan
	bind map[string]engine.Tensor
	outs []string
}

// start gives tensors their values and compiles the program.
func (b *Builder) start(ctx context.Context, dev engine.Device) (s *started, err error) {
	if err := b.Err(); err != nil {
		return nil, err
	}
	s = &started{bind: map[string]engine.Tensor{}, outs: b.outs}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	for name, spec := range b.Tensors() {
		t, err := dev.Alloc(spec)
		if err != nil {
			return nil, err
		}
		s.bind[name] = t
		if raw := b.init[name]; raw != nil {
			if err := t.Write(ctx, 0, raw); err != nil {
				return nil, fmt.Errorf("tensor %q: %w", name, err)
			}
		}
	}
	s.plan, err = dev.Compile(ctx, b.Program, s.bind)
	return s, err
}

func (s *started) close() {
	if s.plan != nil {
		s.plan.Close()
	}
	for _, t := range s.bind {
		t.Close()
	}
}

// run runs the program once and returns its results.
func (s *started) run(ctx context.Context, in engine.Args) (map[string][]float64, error) {
	if err := s.plan.Run(ctx, in); err != nil {
		return nil, err
	}
	return s.results(ctx)
}

// results reads what is compared.
func (s *started) results(ctx context.Context) (map[string][]float64, error) {
	out := map[string][]float64{}
	for _, name := range s.outs {
		v, err := values(ctx, s.bind[name])
		if err != nil {
			return nil, err
		}
		out[name] = v
	}
	return out, nil
}

// values reads a tensor, in full precision from the reference devices.
func values(ctx context.Context, t engine.Tensor) ([]float64, error) {
	if exact, ok := t.(interface{ Data() []float64 }); ok {
		return append([]float64(nil), exact.Data()...), nil
	}
	raw := make([]byte, t.Spec().Bytes())
	if err := t.Read(ctx, 0, raw); err != nil {
		return nil, err
	}
	x := make([]float64, len(raw)/4)
	for i := range x {
		x[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:])))
	}
	return x, nil
}

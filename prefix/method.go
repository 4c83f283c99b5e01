package prefix

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"prelude/engine"
)

// Param is a tensor of a method with its initial values.
type Param struct {
	Name  string
	Shape []int
	Value []float32 // initial, len = product of Shape
	Fixed bool      // does not train
	Rate  float64   // factor on the learning rate; 0 means 1
	Decay float64   // weight decay
	Hold  []bool    // rows (last dimension apart) that keep their value; nil: none
}

// Method is one choice on every axis, for one model.
type Method struct {
	Choice          Choice
	Info            engine.ModelInfo
	slots           int
	source          Source
	sourceO, startO *Option
	starter         Starter
	params          []Param
}

// Build is a program to which a method appends its part.
type Build struct {
	*engine.Program
	Arch     engine.Architecture
	Training bool
	// Tensor is a tensor of the method by name, trainable where Training says so.
	Tensor func(name string) engine.Buffer
}

// Source is an option of the axis "source": what produces the prefix.
type Source interface {
	// Params lists the tensors with their initial values, for a start that is keys and
	// values [2·layers, slots, kvHeads·headDim].
	Params(info engine.ModelInfo, slots int, kv []float32, rng Rand) ([]Param, error)
	// Hooks appends what produces the prefix and returns how it enters the model.
	Hooks(b *Build, slots int) engine.Hooks
}

// Starter is an option of the axis "start": initial keys and values.
type Starter interface {
	// Start returns the number of slots and keys and values for them. Slots is the
	// wanted number, or 0 for what suits the start.
	Start(ctx context.Context, f engine.Frozen, given Given, slots int, rng Rand) (n int, kv []float32, err error)
}

// Given is what a start may draw on.
type Given struct {
	Examples [][]int32 // whole training examples as token ids, in the training format
	Text     []int32   // a text of the person's own
}

// Rand is a seeded stream of random numbers.
type Rand interface {
	NormFloat64() float64
	Float64() float64
	IntN(n int) int
}

// New makes the method that was chosen.
func New(c Choice, info engine.ModelInfo) (*Method, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	m := &Method{Choice: c, Info: info}
	var err error
	if m.sourceO, err = c.pick("source"); err != nil {
		return nil, err
	}
	if m.startO, err = c.pick("start"); err != nil {
		return nil, err
	}
	if m.source, err = m.sourceO.make.(func(Choice, *Option) (Source, error))(c, m.sourceO); err != nil {
		return nil, err
	}
	if m.starter, err = m.startO.make.(func(Choice, *Option) (Starter, error))(c, m.startO); err != nil {
		return nil, err
	}
	n, err := c.number(m.sourceO, "slots")
	m.slots = int(n)
	return m, err
}

// Start computes the initial values. It fixes the number of slots.
func (m *Method) Start(ctx context.Context, f engine.Frozen, given Given, rng Rand) error {
	n, kv, err := m.starter.Start(ctx, f, given, m.slots, rng)
	if err != nil {
		return err
	}
	if n >= m.Info.Context {
		return fmt.Errorf("prefix: %d slots leave no room in the model's context of %d tokens; use fewer", n, m.Info.Context)
	}
	m.slots = n
	m.params, err = m.source.Params(m.Info, n, kv, rng)
	return err
}

// Slots is the number of virtual tokens: content starts at this position.
func (m *Method) Slots() int { return m.slots }

// Params lists the tensors, after Start.
func (m *Method) Params() []Param { return m.params }

// LR is the default learning rate of the chosen source.
func (m *Method) LR() float64 { return m.sourceO.LR }

// Trainable counts the trainable parameters.
func (m *Method) Trainable() (n int64) {
	for _, p := range m.params {
		if !p.Fixed {
			n += int64(len(p.Value))
		}
	}
	return n
}

// Alloc puts the method's tensors on a device, with their initial values.
func (m *Method) Alloc(ctx context.Context, dev engine.Device) (map[string]engine.Tensor, error) {
	all := map[string]engine.Tensor{}
	for _, p := range m.params {
		t, err := dev.Alloc(p.spec())
		if err != nil {
			return nil, err
		}
		all[p.Name] = t
		if err := t.Write(ctx, 0, floatBytes(p.Value)); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (p Param) spec() engine.Spec { return engine.Spec{DType: engine.F32, Shape: p.Shape} }

// Hooks appends the method to a program. A training program gets trainable tensors.
func (m *Method) Hooks(p *engine.Program, arch engine.Architecture, training bool) engine.Hooks {
	b := &Build{Program: p, Arch: arch, Training: training}
	b.Tensor = func(name string) engine.Buffer {
		for _, q := range m.params {
			if q.Name == name {
				t := p.Persist(name, q.spec())
				if training && !q.Fixed {
					p.Train(t)
				}
				return t
			}
		}
		p.Failf("method has no tensor %q", name)
		return engine.None
	}
	return m.source.Hooks(b, m.slots)
}

// floatBytes is little-endian float32.
func floatBytes(x []float32) []byte {
	raw := make([]byte, 4*len(x))
	for i, v := range x {
		binary.LittleEndian.PutUint32(raw[4*i:], math.Float32bits(v))
	}
	return raw
}

// readFloats reads a whole F32 tensor.
func readFloats(ctx context.Context, t engine.Tensor) ([]float32, error) {
	raw := make([]byte, t.Spec().Bytes())
	if err := t.Read(ctx, 0, raw); err != nil {
		return nil, err
	}
	x := make([]float32, len(raw)/4)
	for i := range x {
		x[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return x, nil
}

package prefix

import (
	"context"
	"fmt"
	"strings"

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
	Choice Choice
	Info   engine.ModelInfo

	source  Source
	gate    Gate
	length  Length
	starter Starter
	weights Weights
	sites   sites
	options map[string]*Option // by axis

	places []place // the attentions with a prefix
	slots  int
	soft   int // slots in the template
	front  int // tokens of the template that are read once
	offset int
	// positions of the slots on a model that goes by distance, where slots between them
	// were cut out; else nil: 0, 1, 2 …
	positions []int32
	params    []Param
	notes     []string
	mixed     int       // slots of the first of two mixed prefixes, 0: none
	bias      []float32 // what the mixed prefixes' own lengths leave on their scores
}

// Source is an option of the axis "source": what produces the prefix.
type Source interface {
	// Params lists the tensors with their initial values.
	Params(s *Starting) ([]Param, error)
	// Build appends what produces the prefix: it sets b.KV, or hooks of its own.
	Build(b *Build)
}

// Weights is an option of the axis "weights": which few weights of the model train.
type Weights interface {
	Params(s *Starting) ([]Param, error)
	// Build sets the hooks on linear maps and on the model's tensors.
	Build(b *Build)
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
	m := &Method{Choice: c, Info: info, options: map[string]*Option{}}
	made := map[string]any{}
	for _, a := range axes {
		o, err := c.pick(a.ID)
		if err != nil {
			return nil, err
		}
		s := &Settings{choice: c, option: o}
		m.options[a.ID], made[a.ID] = o, o.make(s)
		if s.err != nil {
			return nil, s.err
		}
	}
	m.source, m.gate, m.length = made["source"].(Source), made["gate"].(Gate), made["length"].(Length)
	m.starter, m.weights, m.sites = made["start"].(Starter), made["weights"].(Weights), made["sites"].(sites)
	m.places = m.sites.places(info)
	if s := (&Settings{choice: c, option: m.options["source"]}); s.has("slots") {
		if m.slots = s.int("slots"); s.err != nil {
			return nil, s.err
		}
	}
	if err := m.readTemplate(); err != nil {
		return nil, err
	}
	if err := m.agree(); err != nil {
		return nil, err
	}
	return m, m.suits()
}

// agree refuses choices that say nothing together.
func (m *Method) agree() error {
	_, noGate := m.gate.(open)
	_, fixed := m.length.(fixed)
	_, none := m.source.(none)
	_, frozen := m.weights.(noWeights)
	switch slots := m.hasSlots(); {
	case none && frozen && m.soft == 0:
		return fmt.Errorf("prefix: neither a prefix nor any weights would train; choose a source or weights")
	case !slots && !noGate:
		return fmt.Errorf("prefix: gate %q needs slots, which source %q does not have; choose gate open", m.options["gate"].ID, m.options["source"].ID)
	case !slots && !fixed:
		return fmt.Errorf("prefix: length %q needs slots, which source %q does not have; choose length fixed", m.options["length"].ID, m.options["source"].ID)
	}
	return nil
}

// hasSlots says whether the source makes virtual tokens.
func (m *Method) hasSlots() bool { return (&Settings{option: m.options["source"]}).has("slots") }

// Start computes the initial values. It fixes the number of slots.
func (m *Method) Start(ctx context.Context, f engine.Frozen, given Given, rng Rand) error {
	s := &Starting{Ctx: ctx, Frozen: f, Info: m.Info, Rand: rng, given: given}
	if m.hasSlots() {
		seed, err := m.starter.Start(ctx, f, given, m.slots, rng)
		if err != nil {
			return err
		}
		s.Slots, s.seed = seed.Slots, seed
	}
	return m.fill(s)
}

// fill sets the slots and the parameters.
func (m *Method) fill(s *Starting) error {
	if s.Slots >= m.Info.Context {
		return fmt.Errorf("prefix: %d slots leave no room in the model's context of %d tokens; use fewer", s.Slots, m.Info.Context)
	}
	m.slots, m.offset, m.params, m.notes = s.Slots, s.Slots, nil, nil
	s.places, s.inputs, m.positions = m.places, max(1, len(m.inputs())), nil
	if _, ok := m.gate.(aside); ok || m.inRows() || !m.has(engine.DecSelf) {
		m.offset = 0 // beside the model's own softmax and in rows, slots have no position
	}
	base := m.LR()
	for _, part := range []struct {
		axis   string
		params func(*Starting) ([]Param, error)
	}{{"source", m.source.Params}, {"gate", m.gate.Params}, {"length", m.length.Params}, {"weights", m.weights.Params}, {"", m.templateParams}} {
		params, err := part.params(s)
		if err != nil {
			return err
		}
		for _, p := range params {
			if p.Rate == 0 {
				p.Rate = 1
			}
			if o := m.options[part.axis]; o != nil && o.LR > 0 {
				p.Rate *= o.LR / base
			}
			m.params = append(m.params, p)
		}
	}
	m.offset += m.front
	_, direct := m.source.(direct)
	if _, zero := m.starter.(zeros); zero && direct && s.Slots > 1 {
		m.notes = append(m.notes, "All slots start equal, get equal gradients and stay equal: this trains one slot, however many there are. Choose another start, or a gate that is shut at first.")
	}
	return nil
}

// Label names the method in a word or two: its source, its weights.
func (m *Method) Label() string {
	label, weights := m.options["source"].Label, m.options["weights"].Label
	_, frozen := m.weights.(noWeights)
	switch _, alone := m.source.(none); {
	case frozen && alone:
		return "Template slots"
	case frozen:
		return label
	case alone:
		return weights
	}
	return label + " and " + strings.ToLower(weights[:1]) + weights[1:]
}

// Slots is the number of virtual tokens before the text, with a template's front, which
// stands there like one.
func (m *Method) Slots() int { return m.slots + m.front }

// Offset is the position where the content starts: after the slots, unless these have
// no positions or were fewer when training began.
func (m *Method) Offset() int { return m.offset }

// Params lists the tensors, after Start.
func (m *Method) Params() []Param { return m.params }

// Notes says what a person should know of this choice, in plain sentences.
func (m *Method) Notes() []string { return m.notes }

// LR is the default learning rate: the source's, or that of the weights or the template's
// slots alone.
func (m *Method) LR() float64 {
	if _, ok := m.source.(none); !ok {
		return m.options["source"].LR
	}
	if lr := m.options["weights"].LR; lr > 0 {
		return lr
	}
	return softLR
}

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
		if err == nil {
			all[p.Name] = t
			err = t.Write(ctx, 0, engine.FloatBytes(p.Value))
		}
		if err != nil {
			for _, t := range all {
				t.Close()
			}
			return nil, err
		}
	}
	return all, nil
}

func (p Param) spec() engine.Spec { return engine.Spec{DType: engine.F32, Shape: p.Shape} }

package prefix

import (
	"context"
	"fmt"
	"math"
	"slices"
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
	// Slots says which dimension counts slots, from the end: 1 is the last one. 0: none does.
	// Pruned slots are cut out of it.
	Slots int
	// Matrices says that it is [n, slots, width], matrices whose update may be orthogonalised.
	Matrices bool

	axis string // of the option that it belongs to, "" for a template's
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
	words     []int32 // the tokens that the slots started as, nil where they were none
	params    []Param
	notes     []string
	mixed     int       // slots of the first of two mixed prefixes, 0: none
	bias      []float32 // what the mixed prefixes' own lengths leave on their scores
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
		m.options[a.ID], made[a.ID] = o, o.Make(s)
		if s.err != nil {
			return nil, s.err
		}
	}
	m.source, m.gate, m.length = made["source"].(Source), made["gate"].(Gate), made["length"].(Length)
	m.starter, m.weights, m.sites = made["start"].(Starter), made["weights"].(Weights), made["sites"].(sites)
	m.places = m.sites.places(info)
	if m.hasSlots() {
		s := &Settings{choice: c, option: m.options["source"]}
		if m.slots = s.Int(SlotsSetting.ID); s.err != nil {
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

// agree refuses combinations of choices that make no method.
func (m *Method) agree() error {
	switch slots := m.hasSlots(); {
	case !m.hasPrefix() && m.isDefault("weights") && m.soft == 0:
		return fmt.Errorf("prefix: neither a prefix nor any weights would train; choose a source or weights")
	case !slots && !m.isDefault("gate"):
		return fmt.Errorf("prefix: gate %q needs slots, which source %q does not have; choose gate open", m.options["gate"].ID, m.options["source"].ID)
	case !slots && !m.isDefault("length"):
		return fmt.Errorf("prefix: length %q needs slots, which source %q does not have; choose length fixed", m.options["length"].ID, m.options["source"].ID)
	}
	return nil
}

// hasSlots says whether the source makes virtual tokens.
func (m *Method) hasSlots() bool { return m.options["source"].HasSlots() }

// hasPrefix says whether the source trains anything.
func (m *Method) hasPrefix() bool { return m.options["source"].LR > 0 }

// isDefault says whether an axis has its default option: no gate, a fixed length, frozen weights.
func (m *Method) isDefault(axis string) bool { return m.options[axis].order == 0 }

// Start computes the initial values. It fixes the number of slots.
func (m *Method) Start(ctx context.Context, f engine.Frozen, from StartFrom, rng Rand) error {
	s := &Initial{Ctx: ctx, Frozen: f, Info: m.Info, Rand: rng, from: from}
	if m.hasSlots() {
		seed, err := m.starter.Start(ctx, f, from, m.slots, rng)
		if err != nil {
			return err
		}
		s.Slots, s.seed = seed.Slots, seed
	}
	return m.fill(s)
}

// fill sets the slots and the parameters.
func (m *Method) fill(s *Initial) error {
	if s.Slots >= m.Info.Context {
		return fmt.Errorf("prefix: %d slots leave no room in the model's context of %d tokens; use fewer", s.Slots, m.Info.Context)
	}
	m.slots, m.offset, m.params, m.notes = s.Slots, s.Slots, nil, nil
	s.places, s.inputs, m.positions = m.places, max(1, len(m.inputs())), nil
	if s.rows = nil; m.hasRows() {
		s.rows = m.rowsShape(s.Slots)
	}
	if _, own := m.gate.(OwnSoftmax); own || m.inRows() || !m.has(engine.DecSelf) {
		m.offset = 0 // in a softmax of their own and as rows, slots have no position
	}
	if m.words = nil; len(s.seed.IDs) == s.Slots {
		m.words = slices.Clone(s.seed.IDs)
	}
	base := m.LR()
	for _, part := range []struct {
		axis   string
		params func(*Initial) ([]Param, error)
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
			p.axis = part.axis
			m.params = append(m.params, p)
		}
	}
	if s.Rand != nil {
		m.noteConvolutions()
	}
	m.offset += m.front
	if _, stored := m.source.(Stored); stored && s.Rand != nil && s.seed.zero() && s.Slots > 1 {
		m.notes = append(m.notes, "All slots start equal, get equal gradients and stay equal: this trains one slot, however many there are. Choose another start, or a gate that is shut at first.")
	}
	return nil
}

// Label names the method in a word or two: its source, its weights.
func (m *Method) Label() string {
	label, weights := m.options["source"].Label, m.options["weights"].Label
	switch frozen, alone := m.isDefault("weights"), !m.hasPrefix(); {
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

// LR is the default learning rate at hidden size 576: the source's, or that of the weights or
// the template's slots where there is no source.
func (m *Method) LR() float64 {
	if o := m.paced(); o != nil {
		return o.LR
	}
	return softLR
}

// RateFor is the default learning rate for a model of a hidden size. Narrower models want
// larger rates: 576/hidden to a power, 2 unless measured otherwise (METHODS appendix B), from
// 0.2 to 20 times.
func (m *Method) RateFor(hidden int) float64 {
	power := 2.0
	if o := m.paced(); o != nil && o.Narrow > 0 {
		power = o.Narrow
	}
	return m.LR() * min(max(math.Pow(576/float64(hidden), power), 0.2), 20)
}

// paced is the option whose learning rate is the method's, nil where it is that of soft slots.
func (m *Method) paced() *Option {
	if m.hasPrefix() {
		return m.options["source"]
	}
	if o := m.options["weights"]; o != nil && o.LR > 0 {
		return o
	}
	return nil
}

// Matrices says whether it trains keys and values as they are: see [Param].
func (m *Method) Matrices() bool {
	_, ok := m.source.(direct)
	return ok
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

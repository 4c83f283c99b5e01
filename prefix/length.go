package prefix

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"prelude/engine"
)

func init() {
	Register("length", 0, &Option{ID: "fixed", Label: "Fixed", PEFT: true,
		Sentence: "As many slots as you say.",
		Make:     func(*Settings) any { return fixed{} }})
	Register("length", 1, &Option{ID: "l0", Label: "Pruned while training", PEFT: true, LR: 5e-2,
		Sentence: "Slots that don't earn their place switch themselves off (hard-concrete gates) and are cut out at the end.",
		Settings: []Setting{{ID: "penalty", Label: "Price of a slot", Kind: "float", Default: "0.01", Min: 0, Max: 10, Help: "In nats. Higher prices leave fewer slots."},
			{ID: "start", Label: "Log-odds at first", Kind: "float", Default: "2", Min: -5, Max: 5, Help: "How open the gates are when training begins."}},
		Make: func(s *Settings) any { return hardConcrete{s.Float("penalty"), s.Float("start")} }})
	Register("length", 2, &Option{ID: "nested", Label: "All lengths at once", PEFT: true,
		Sentence: "Each step trains a random number of first slots, so that one training gives a good prefix of every length; choose on the curve.",
		Make:     func(*Settings) any { return nested{} }})
	Register("length", 9, &Option{ID: "mask", internal: true, Make: func(*Settings) any { return mask{} }})
	Register("length", 4, &Option{ID: "sweep", Label: "Tried out", PEFT: true,
		Sentence: "Trains a shorter run for each of several lengths, then takes the shortest that validation can't tell from the best.",
		Settings: []Setting{{ID: "lengths", Label: "Lengths", Kind: "text", Default: "1,2,5,10,20,40", Help: "Numbers of slots, with commas. Half of the training goes into trying them, the other half into the one that is taken."}},
		Make: func(s *Settings) any {
			text, _ := s.Text("lengths")
			l, err := readLengths(text)
			if err != nil {
				s.Fail(err)
			}
			return sweep{lengths: l}
		}})
	Register("length", 3, &Option{ID: "span", Label: "By each token", LR: 1e-2,
		Sentence: "Every token decides how many slots it sees (adaptive attention span).",
		Settings: []Setting{{ID: "ramp", Label: "Ramp", Kind: "int", Default: "4", Min: 1, Max: 64, Help: "Over how many slots the view fades out."},
			{ID: "penalty", Label: "Price of a view", Kind: "float", Default: "0.01", Min: 0, Max: 10, Help: "In nats for seeing all slots. Higher prices shorten the views."}},
		Make: func(s *Settings) any { return span{s.Float("ramp"), s.Float("penalty")} }})
}

// fixed keeps all slots.
type fixed struct{}

func (fixed) Params(*Initial) ([]Param, error)        { return nil, nil }
func (fixed) Bias(*Build, engine.At) engine.Buffer    { return engine.None }
func (fixed) Keep(int, func(string) []float32) []bool { return nil }

// sweep is fixed; its lengths are tried out by whoever trains, see Method.Sweep.
type sweep struct {
	fixed
	lengths []int
}

func (s sweep) Lengths() []int { return s.lengths }

// fixedLength says whether a training has the same slots from its first to its last step.
func (m *Method) fixedLength() bool {
	_, trials := m.length.(Trials)
	return trials || m.isDefault("length")
}

// maxLengths bounds a sweep: each length is a training.
const maxLengths = 12

func readLengths(text string) ([]int, error) {
	var all []int
	for _, s := range strings.Split(text, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(s))
		if err != nil || n < 1 || n > int(SlotsSetting.Max) {
			return nil, fmt.Errorf("prefix: sweep.lengths is %q, want numbers from 1 to %g with commas between them", text, SlotsSetting.Max)
		}
		all = append(all, n)
	}
	slices.Sort(all)
	if all = slices.Compact(all); len(all) < 2 || len(all) > maxLengths {
		return nil, fmt.Errorf("prefix: sweep.lengths has %d lengths, want 2 to %d", len(all), maxLengths)
	}
	return all, nil
}

// Sweep lists the lengths to try out, shortest first; nil where none was asked for.
func (m *Method) Sweep() []int {
	if s, ok := m.length.(Trials); ok {
		return s.Lengths()
	}
	return nil
}

// Nested says whether SetLength can set the length.
func (m *Method) Nested() bool { _, ok := m.length.(Settable); return ok }

// OfLength is the choice with a fixed number of slots.
func (c Choice) OfLength(n int) Choice {
	fixed := maps.Clone(c)
	fixed["length"] = "fixed"
	if o, err := c.pick("source"); err == nil {
		fixed[o.ID+".slots"] = strconv.Itoa(n)
	}
	return fixed
}

// hardConcrete prunes by L0 regularisation (Louizos et al. 2018, arXiv 1712.01312), the
// gate z of a slot being a bias log z on its scores in all layers:
//
//	z = clip(σ((logit u + log α)/β)·(ζ−γ) + γ, 0, 1)      u ~ U(0, 1) in training
//	penalty λ·Σ σ(log α − β·log(−γ/ζ))
//
// Without noise the gate is clip(σ(log α)·(ζ−γ) + γ, 0, 1), and a slot at 0 is gone.
type hardConcrete struct{ penalty, start float64 }

const (
	hcBeta  = 2.0 / 3
	hcGamma = -0.1
	hcZeta  = 1.1
)

func (h hardConcrete) Params(s *Initial) ([]Param, error) {
	return []Param{{Name: "length.alpha", Shape: []int{s.Slots}, Value: constant(s.Slots, h.start), Slots: 1}}, nil
}

// Leave is log z, the bias of a slot that was kept.
func (h hardConcrete) Leave(slot int, value func(string) []float32) float64 {
	return math.Log(h.open(value("length.alpha")[slot]))
}

func (h hardConcrete) Bias(b *Build, _ engine.At) engine.Buffer {
	return b.Once("length", func() engine.Buffer {
		alpha := b.Tensor("length.alpha")
		x := alpha
		if b.Mode == Train {
			logit := func(u []float64, rng Rand) {
				for i := range u {
					v := min(max(rng.Float64(), 1e-6), 1-1e-6)
					u[i] = math.Log(v / (1 - v))
				}
			}
			x = b.Unary(engine.Scale, b.Add(alpha, b.Noise("length noise", logit, b.Slots)), 1/hcBeta)
			open := b.Unary(engine.Sigmoid, b.Unary(engine.AddConst, alpha, -hcBeta*math.Log(-hcGamma/hcZeta)), 0)
			b.Penalise(open, h.penalty)
		}
		s := b.Unary(engine.Scale, b.Unary(engine.Sigmoid, x, 0), hcZeta-hcGamma)
		z := b.Unary(engine.Clamp01, b.Unary(engine.AddConst, s, hcGamma), 0)
		return b.View(b.logOf(z), 0, 1, 1, b.Slots)
	})
}

func (h hardConcrete) Keep(slots int, value func(string) []float32) []bool {
	keep := make([]bool, slots)
	for i, a := range value("length.alpha") {
		keep[i] = h.open(a) > 0
	}
	return keep
}

// open is a gate without noise.
func (hardConcrete) open(alpha float32) float64 {
	return min(max((hcZeta-hcGamma)/(1+math.Exp(-float64(alpha)))+hcGamma, 0), 1)
}

// nested trains a random length each step, as nested dropout does (Rippel et al. 2014,
// arXiv 1402.0915): slots from k on are hidden. In use, the tensor "length.mask" says
// which are seen; SetLength rewrites it.
type nested struct{}

// hidden is the score bias of a slot that is not there.
const hiddenSlot = -1e30

func (nested) Params(s *Initial) ([]Param, error) {
	return []Param{{Name: "length.mask", Shape: []int{1, 1, s.Slots}, Value: make([]float32, s.Slots), Fixed: true, Slots: 1}}, nil
}

func (nested) Bias(b *Build, _ engine.At) engine.Buffer {
	return b.Once("length", func() engine.Buffer {
		if b.Mode != Train {
			return b.Tensor("length.mask")
		}
		mask := b.Noise("length", func(x []float64, rng Rand) {
			k := 1 + rng.IntN(len(x))
			for i := range x {
				x[i] = 0
				if i >= k {
					x[i] = hiddenSlot
				}
			}
		}, b.Slots)
		return b.View(mask, 0, 1, 1, b.Slots)
	})
}

func (nested) Keep(slots int, value func(string) []float32) []bool {
	keep := make([]bool, slots)
	for i, m := range value("length.mask") {
		keep[i] = m > hiddenSlot/2
	}
	return keep
}

// Mask hides the slots from n on.
func (nested) Mask(slots, n int) []float32 {
	mask := make([]float32, slots)
	for i := n; i < slots; i++ {
		mask[i] = hiddenSlot
	}
	return mask
}

// mask is a fixed bias on the scores of each slot: what pruning leaves behind, and how
// prefixes are mixed.
type mask struct{}

func (mask) Params(s *Initial) ([]Param, error) { return nested{}.Params(s) }

func (mask) Keep(slots int, value func(string) []float32) []bool { return nested{}.Keep(slots, value) }

func (mask) Leave(slot int, value func(string) []float32) float64 {
	return float64(value("length.mask")[slot])
}

func (mask) WhyNotPEFT() string { return asBias }

func (mask) Bias(b *Build, _ engine.At) engine.Buffer { return b.Tensor("length.mask") }

// SetLength shows only the first n slots from now on, in programs that exist already.
// The method's length must be "nested".
func (m *Method) SetLength(ctx context.Context, tensors map[string]engine.Tensor, n int) error {
	settable, ok := m.length.(Settable)
	if !ok {
		return fmt.Errorf("prefix: length %q can't be set after training; train with length nested", m.options["length"].ID)
	}
	if n < 1 || n > m.slots {
		return fmt.Errorf("prefix: length %d, want 1 to %d", n, m.slots)
	}
	return tensors["length.mask"].Write(ctx, 0, engine.FloatBytes(settable.Mask(m.slots, n)))
}

// Renest is a finished prefix, whole, of nested training as one whose length can be set
// again.
func (m *Method) Renest(arch engine.Architecture) (*Method, error) {
	c := maps.Clone(m.Choice)
	c["length"] = "nested"
	n, err := blank(c, m.Info, arch, m.slots)
	if err != nil {
		return nil, err
	}
	for _, p := range m.params {
		if err := n.set(p.Name, p.Value); err != nil {
			return nil, err
		}
	}
	n.offset, n.positions = m.offset, m.positions
	return n, nil
}

// span gives each token its own length (METHODS §1.6 l4, after the adaptive attention
// span of Sukhbaatar et al. 2019, arXiv 1905.07799):
//
//	z_t = L·σ(⟨v_ℓ, x_t⟩ + c_ℓ)    m_{t,l} = clip((R + z_t − l)/R, 0, 1)    bias log m
//
// with a penalty on the mean of z/L.
type span struct{ ramp, penalty float64 }

func (s span) Params(st *Initial) ([]Param, error) {
	i, n, layers := st.Info, st.Slots, len(st.places)
	offset := make([]float32, n)
	for l := range offset {
		offset[l] = float32((s.ramp - float64(l)) / s.ramp)
	}
	return []Param{
		{Name: "length.v", Shape: []int{layers, 1, i.Hidden}, Value: make([]float32, layers*i.Hidden)},
		{Name: "length.c", Shape: []int{layers, 1}, Value: constant(layers, 4)},
		{Name: "length.slope", Shape: []int{n, 1}, Value: constant(n, float64(n)/s.ramp), Fixed: true, Slots: 2},
		{Name: "length.ramp", Shape: []int{n}, Value: offset, Fixed: true, Slots: 1},
	}, nil
}

func (s span) Bias(b *Build, at engine.At) engine.Buffer {
	share := b.Unary(engine.Sigmoid, b.Linear(at.X, b.Slice("length.v", at.Layer, 1, b.Info.Hidden), b.Slice("length.c", at.Layer, 1), engine.None), 0)
	rows := b.Dim(share, 0)
	b.Penalise(share, s.penalty/float64(rows*b.Layers))
	m := b.Unary(engine.Clamp01, b.Linear(share, b.Tensor("length.slope"), b.Tensor("length.ramp"), engine.None), 0)
	return b.View(b.logOf(m), 0, rows, 1, b.Slots)
}

func (span) Keep(int, func(string) []float32) []bool { return nil }
func (span) Lasts()                                  {}
func (span) WhyUnmixable() string                    { return "its length is each token's own choice" }
func (span) WhyNotPEFT() string                      { return "PEFT has no length by each token" }

package prefix

import (
	"fmt"
	"strconv"
	"strings"

	"prelude/engine"
)

func init() {
	kernelSettings := []Setting{
		{ID: "taps", Label: "Taps", Kind: "int", Default: "4", Min: 1, Max: 64, Help: "How many tokens each kernel reads, the current one included."},
		{ID: "dilations", Label: "Dilations", Kind: "choice", Default: "1", Options: []string{"1", "1,2,4,8"}, Help: "Several kernels that skip tokens reach further; learned weights mix them."},
	}
	kernelOf := func(s *Settings) kernel {
		k := kernel{taps: s.Int("taps")}
		for _, d := range strings.Split(s.Pick("dilations"), ",") {
			n, err := strconv.Atoi(d)
			if err != nil {
				s.Fail(err)
			}
			k.dilations = append(k.dilations, n)
		}
		return k
	}
	Register("source", 7, &Option{ID: "conv", Label: "Kernel on the embeddings (§4.3)", LR: 1e-2,
		Sentence: "Learns a causal convolution over the text's embeddings; Prelude's own definition, weak alone, and nothing PEFT knows.",
		Settings: kernelSettings,
		Make:     func(s *Settings) any { return conv{kernelOf(s)} }})
	Register("source", 8, &Option{ID: "convprefix", Label: "Kernel over prefix and text", LR: 1e-2,
		Sentence: "Learned embeddings before the text, and a causal convolution over both, so that the first words feel the prefix directly; Prelude's own definition.",
		Settings: append([]Setting{SlotsSetting}, kernelSettings...),
		Make:     func(s *Settings) any { return convPrefix{kernelOf(s)} }})
	Register("source", 9, &Option{ID: "transposed", Label: "Transposed convolution", PEFT: true, LR: 5e-3,
		Sentence: "Learns a few seeds and a transposed convolution that spreads them into smooth keys and values; the generator is dropped at the end.",
		Settings: []Setting{SlotsSetting,
			{ID: "width", Label: "Seed width", Kind: "int", Default: "32", Min: 1, Max: 1024, Help: "Width of each seed."},
			{ID: "taps", Label: "Taps", Kind: "int", Default: "4", Min: 1, Max: 64, Help: "Slots that one seed reaches."},
			{ID: "stride", Label: "Stride", Kind: "int", Default: "2", Min: 1, Max: 64, Help: "Slots between two seeds."}},
		Make: func(s *Settings) any {
			t := transposed{s.Int("width"), s.Int("taps"), s.Int("stride")}
			if t.stride > t.taps {
				s.Fail(fmt.Errorf("prefix: transposed.stride %d leaves slots between kernels of %d taps; use at most the taps", t.stride, t.taps))
			}
			return t
		}})
}

// kernel is a causal depthwise convolution of embeddings, residual so that its zero
// start is the frozen model:
//
//	E′_t = E_t + Σ_i softmax(a)_i Σ_τ W_{i,τ} ⊙ E_{t−τ·dil_i}
//
// No paper has it: it is our reading of "E ⊛ P", made causal (or it would see the
// answer) and residual (or it would destroy the model).
type kernel struct {
	taps      int
	dilations []int
}

func (k kernel) params(s *Initial) []Param {
	n := len(k.dilations)
	all := []Param{{Name: "prefix.kernel", Shape: []int{n, k.taps, s.Info.Hidden}, Value: make([]float32, n*k.taps*s.Info.Hidden)}}
	if n > 1 {
		all = append(all, Param{Name: "prefix.mix", Shape: []int{n}, Value: make([]float32, n)})
	}
	return all
}

// apply convolves the rows e, whose own and earlier rows stand in x.
func (k kernel) apply(b *Build, e, x, left, lo, hi engine.Buffer) engine.Buffer {
	var weights engine.Buffer
	if len(k.dilations) > 1 {
		weights = b.Once("mix", func() engine.Buffer {
			exp := b.Unary(engine.Exp, b.Tensor("prefix.mix"), 0)
			inverse := b.Unary(engine.Exp, b.Unary(engine.Scale, b.Unary(engine.Log, b.SumAll(exp), 0), -1), 0)
			return b.Mul(exp, inverse)
		})
	}
	y := e
	for i, d := range k.dilations {
		c := b.CausalConv(x, b.Slice("prefix.kernel", i, k.taps, b.Info.Hidden), left, lo, hi, d)
		if len(k.dilations) > 1 {
			c = b.Mul(c, b.Part(weights, i, 1))
		}
		y = b.Add(y, c)
	}
	return y
}

// onText maps the content's embeddings. With a KV cache there is a cache of embeddings
// beside it, for the rows that a later kernel reaches back to.
func (k kernel) onText(b *Build, left engine.Buffer) {
	b.Hooks.Embed = func(_ *engine.Program, site engine.Site, e engine.Buffer) engine.Buffer {
		if site != engine.DecSelf {
			return e
		}
		x := e
		if c := b.In.Cache; c != nil {
			x = b.Persist("cache.embeddings", engine.Spec{DType: engine.F32, Shape: []int{b.Dim(c.K[0], 0), b.Info.Hidden}})
			b.StoreRows(e, c.Idx, x)
		}
		return k.apply(b, e, x, left, b.In.Lo, b.In.Hi)
	}
}

// conv is the kernel alone: no slots.
type conv struct{ kernel }

func (c conv) Params(s *Initial) ([]Param, error) { return c.params(s), nil }
func (c conv) Build(b *Build)                     { c.onText(b, engine.None) }

// convPrefix is the kernel over [P; E]: the left context of the first tokens is the
// learned prefix, whose rows run through kernel and model like the text's.
type convPrefix struct{ kernel }

func (c convPrefix) Params(s *Initial) ([]Param, error) {
	p, err := embedding{}.Params(s)
	return append(p, c.params(s)...), err
}

// Form is the source itself: the kernel reads the learned embeddings too.
func (convPrefix) Form(cut, _ bool) (string, error) {
	if cut {
		return "", fmt.Errorf("prefix: slots can't be cut out of a prefix that a kernel runs over; use length fixed")
	}
	return "convprefix", nil
}

func (convPrefix) WhyUnmixable() string { return "its kernel runs over the text too" }

func (convPrefix) Convolved() {}

func (c convPrefix) Build(b *Build) {
	p := b.Tensor("prefix.embeddings")
	in := b.rows(b.Slots)
	b.through(c.apply(b, p, p, engine.None, in.Lo, in.Hi), nil)
	c.onText(b, p)
}

// transposed generates keys and values from m seeds by a transposed convolution of
// stride σ, on top of the start:
//
//	kv_j = start_j + Σ_{i: 0≤j−iσ<taps} W_{j−iσ}·z_i      z [m, width]
//
// W starts at zero, so that training begins exactly at the start.
type transposed struct{ width, taps, stride int }

// seeds is how many seeds reach all slots.
func (t transposed) seeds(slots int) int {
	return 1 + (max(0, slots-t.taps)+t.stride-1)/t.stride
}

func (t transposed) Params(s *Initial) ([]Param, error) {
	kv, err := s.KV()
	m, out := t.seeds(s.Slots), 2*len(s.places)*s.Info.KVHeads*s.Info.HeadDim
	return []Param{
		{Name: "prefix.start", Shape: s.kvShape(), Value: kv, Fixed: true},
		{Name: "prefix.seed", Shape: []int{m, t.width}, Value: s.normal(m*t.width, 1)},
		{Name: "prefix.taps", Shape: []int{t.taps * out, t.width}, Value: make([]float32, t.taps*out*t.width)},
	}, err
}

func (transposed) AtEveryAttention() {}

func (t transposed) Build(b *Build) {
	start := b.Tensor("prefix.start")
	m, groups := t.seeds(b.Slots), b.Dim(start, 0)
	out := groups * b.Dim(start, 2)
	y := b.SplitCols(b.Linear(b.Tensor("prefix.seed"), b.Tensor("prefix.taps"), engine.None, engine.None), t.taps)
	like := b.Temp("slots", engine.AllRows, (m-1)*t.stride+t.taps, out)
	var sum engine.Buffer
	for r := range t.taps {
		at := make([]int32, m)
		for i := range at {
			at[i] = int32(i*t.stride + r)
		}
		s := b.ScatterRows(b.View(y, r*m*out, m, out), b.Ints("tap "+strconv.Itoa(r), at), like)
		if sum == engine.None {
			sum = s
		} else {
			sum = b.Add(sum, s)
		}
	}
	b.KV = segments(b, b.Add(b.SplitCols(b.View(sum, 0, b.Slots, out), groups), start))
}

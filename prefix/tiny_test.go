package prefix_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"prelude/engine"
	"prelude/engine/cpu"
	"prelude/models/tiny"
	"prelude/prefix"
)

var ctx = context.Background()

// given is what starts draw on in tests.
func given() prefix.StartFrom {
	return prefix.StartFrom{
		Examples: [][]int32{{3, 9, 27, 14, 5}, {8, 2, 30, 1}},
		Text:     []int32{6, 13, 21, 2, 17},
		Labels:   [][]int32{{11}, {12, 19, 4}, {11}},
	}
}

// gpt2 is a GPT-2 of two blocks: learned positions, biases, LayerNorm.
func gpt2(t testing.TB, dev engine.Device) engine.Frozen {
	return tiny.New(t, dev, `{"model_type":"gpt2","n_layer":2,"n_embd":16,"n_head":4,"n_inner":24,"vocab_size":40,"n_positions":64}`)
}

// start makes a method and its initial values.
func start(t testing.TB, f engine.Frozen, c prefix.Choice) *prefix.Method {
	t.Helper()
	m, err := prefix.New(c, f.Arch.Info())
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Start(ctx, f, given(), rand.New(rand.NewPCG(5, 6))); err != nil {
		t.Fatal(err)
	}
	return m
}

// stir moves every trainable value a little, so that nothing is at a special point.
func stir(m *prefix.Method, sigma float64) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, p := range m.Params() {
		for i := range p.Value {
			if !p.Fixed {
				p.Value[i] += float32(rng.NormFloat64() * sigma)
			}
		}
	}
}

func alloc(t testing.TB, f engine.Frozen, m *prefix.Method) map[string]engine.Tensor {
	t.Helper()
	all, err := m.Alloc(ctx, f.Dev)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// sequences are the packed examples that tests run; losses are on rows from the second.
var sequences = [][]int32{{4, 7, 22, 38, 1, 15, 9}, {31, 2, 2, 18}}

// batch is the input of a forward pass over packed sequences.
type batch struct {
	in   engine.Input
	args engine.Args
	soft []int32 // which rows are soft slots, or −1
	own  []int   // rows of the sequences' own: no others but those that a method fills

	source     engine.Input // what an encoder reads: one source a sequence
	sourceSoft []int32
}

func pack(p *engine.Program, f engine.Frozen, m *prefix.Method, sequences [][]int32) *batch {
	b := &batch{args: engine.Args{Ints: map[engine.Buffer][]int32{}, Floats: map[engine.Buffer][]float64{}, Live: map[engine.Domain]int{}}}
	front, before, offset := 0, 0, 0
	if m != nil {
		front, before, offset = m.RowsBefore(engine.DecSelf), m.RowsBefore(engine.EncSelf), m.Offset()
	}
	args := func(name string, columns ...[]int32) (all []engine.Buffer) {
		n := len(columns[0])
		d := p.Domain(name, n+2)
		b.args.Live[d] = n
		for i, x := range columns {
			a := p.Arg(fmt.Sprint(name, i), d, engine.I32, n+2)
			b.args.Ints[a] = x
			all = append(all, a)
		}
		return all
	}
	var ids, pos, lo, hi, src, spos, slo, shi, clo, chi []int32
	for _, s := range sequences {
		from := sourceOf(s)
		start, n := int32(len(src)), int32(before+len(from))
		for t := range n {
			slot := t
			if t >= int32(before) {
				slot = -1
			}
			src, spos = append(src, from[max(0, int(t)-before)]), append(spos, t)
			slo, shi, b.sourceSoft = append(slo, start), append(shi, start+n), append(b.sourceSoft, slot)
		}
		first := len(ids)
		for t := range front + len(s) {
			slot := int32(t)
			if t >= front {
				if slot = -1; m != nil && m.Soft() > 0 {
					slot = softOf(s)[t-front]
				}
				b.own = append(b.own, len(ids))
			}
			ids, pos, b.soft = append(ids, s[max(0, t-front)]), append(pos, int32(offset+t)), append(b.soft, slot)
			lo, hi = append(lo, int32(first)), append(hi, int32(len(ids)))
			clo, chi = append(clo, start), append(chi, start+n)
		}
	}
	x := args("tokens", ids, pos, lo, hi, clo, chi)
	b.in = engine.Input{IDs: x[0], Pos: x[1], Lo: x[2], Hi: x[3]}
	if f.Arch.Info().EncLayers > 0 {
		b.in.Encoder = &engine.Encoded{Lo: x[4], Hi: x[5]}
		y := args("source", src, spos, slo, shi)
		b.source = engine.Input{IDs: y[0], Pos: y[1], Lo: y[2], Hi: y[3]}
	}
	return b
}

// sourceOf is what an encoder reads where a decoder has a sequence: the first token says it.
func sourceOf(s []int32) (ids []int32) {
	for t := range 4 + s[0]%3 {
		ids = append(ids, (s[0]*7+t*t*5)%38+1)
	}
	return ids
}

// forward appends the forward pass, of both stacks where there are two.
func (b *batch) forward(p *engine.Program, f engine.Frozen, h engine.Hooks) engine.Output {
	if b.in.Encoder != nil {
		b.in.Encoder.Hidden = f.Arch.Encode(p, b.source, h).Hidden
	}
	return f.Arch.Forward(p, b.in, h)
}

// fill sets the method's arguments.
func (b *batch) fill(part *prefix.Part, rng prefix.Rand) {
	part.Fill(b.args, rng)
	part.FillSoft(b.args, b.soft, len(b.soft))
	part.FillSource(b.args, b.sourceSoft, len(b.sourceSoft))
}

// logitsOf are the logits of all rows of sequences, [rows, vocab], with m or without.
func logitsOf[T cpu.Float](t testing.TB, f engine.Frozen, m *prefix.Method, tensors map[string]engine.Tensor, mode prefix.Mode, sequences ...[]int32) []float64 {
	t.Helper()
	p := engine.NewProgram()
	b := pack(p, f, m, sequences)
	var h engine.Hooks
	var part *prefix.Part
	if m != nil {
		part = m.Build(p, f.Arch, b.in, mode)
		h = part.Hooks
	}
	out := b.forward(p, f, h)
	if part != nil {
		b.fill(part, nil)
	}
	z := f.Arch.Logits(p, out.Hidden, h)
	p.CopyTo(z, p.Persist("logits", engine.Spec{DType: engine.F32, Shape: p.Spec(z).Shape}))
	x := run[T](t, f, p, b.args, tensors, "logits")["logits"]
	vocab := f.Arch.Info().Vocab
	var own []float64
	for _, row := range b.own {
		own = append(own, x[row*vocab:(row+1)*vocab]...)
	}
	return own
}

// run runs p and returns named tensors, which it allocates.
func run[T cpu.Float](t testing.TB, f engine.Frozen, p *engine.Program, args engine.Args, tensors map[string]engine.Tensor, names ...string) map[string][]float64 {
	t.Helper()
	bind := map[string]engine.Tensor{}
	for _, all := range []map[string]engine.Tensor{f.Weights, tensors} {
		for n, x := range all {
			bind[n] = x
		}
	}
	if err := p.Err(); err != nil {
		t.Fatal(err)
	}
	for name, s := range p.Tensors() {
		if bind[name] == nil {
			x, err := f.Dev.Alloc(s)
			if err != nil {
				t.Fatal(err)
			}
			bind[name] = x
		}
	}
	plan, err := f.Dev.Compile(ctx, p, bind)
	if err != nil {
		t.Fatal(err)
	}
	if err := plan.Run(ctx, args); err != nil {
		t.Fatal(err)
	}
	got := map[string][]float64{}
	for _, name := range names {
		got[name] = values[T](bind[name])
	}
	return got
}

func values[T cpu.Float](x engine.Tensor) []float64 {
	var all []float64
	for _, v := range x.(*cpu.Tensor[T]).Data() {
		all = append(all, float64(v))
	}
	return all
}

// apart is max|x−y| / max|y|.
func apart(x, y []float64) float64 {
	var d, m float64
	for i := range y {
		d, m = max(d, math.Abs(x[i]-y[i])), max(m, math.Abs(y[i]))
	}
	if len(x) != len(y) || math.IsNaN(d) {
		return math.Inf(1)
	}
	return d / m
}

// options are all options of an axis.
func options(axis string) (ids []string) {
	for _, a := range prefix.Axes() {
		if a.ID == axis {
			for _, o := range a.Options {
				ids = append(ids, o.ID)
			}
		}
	}
	return ids
}

func slotless(source string) bool {
	for _, a := range prefix.Axes() {
		for _, o := range a.Options {
			if a.ID == "source" && o.ID == source {
				return !o.HasSlots()
			}
		}
	}
	return true
}

// pairOf is a T5 of so many blocks in its encoder and its decoder.
func pairOf(enc, dec int) func(t testing.TB, dev engine.Device) engine.Frozen {
	return func(t testing.TB, dev engine.Device) engine.Frozen { return tiny.T5(t, dev, enc, dec) }
}

// everyModel has one with an encoder too, which not every method suits.
var everyModel = map[string]func(t testing.TB, dev engine.Device) engine.Frozen{"llama": tiny.Llama, "gpt2": gpt2, "lfm2": tiny.LFM2, "t5": pairOf(2, 3)}

// suits says whether a choice is one for this model.
func suits(f engine.Frozen, c prefix.Choice) bool {
	_, err := prefix.New(c, f.Arch.Info())
	return err == nil
}

// models are the tiny models that tests run on.
var models = map[string]func(t testing.TB, dev engine.Device) engine.Frozen{"llama": tiny.Llama, "gpt2": gpt2}

package models_test

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"testing"

	"prelude/engine"
	"prelude/engine/conformance"
	"prelude/engine/cpu"
)

// t5Fixture is what e2e/fixtures/t5.py wrote of one model.
type t5Fixture struct {
	family
	Encoded []float64
	Grads   map[string][]float64
	Steps   *struct { // of AdamW on the three prefixes
		Losses   []float64
		Prefixes map[string][]float64 // after the last
	}
}

func t5Fixtures(t testing.TB) map[string]json.RawMessage {
	t.Helper()
	text, err := os.ReadFile("testdata/t5.json")
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// examples are sequences of ids, packed.
type examples [][]int32

func (e examples) rows() (n int) {
	for _, ids := range e {
		n += len(ids)
	}
	return n
}

// ints are an argument's values: f of each row's place in its example, its example's
// first row, and its example's number.
func (e examples) ints(f func(at, first, k int) int) (x []int32) {
	first := 0
	for k, ids := range e {
		for at := range ids {
			x = append(x, int32(f(at, first, k)))
		}
		first += len(ids)
	}
	return x
}

func (e examples) ids() (x []int32) {
	for _, ids := range e {
		x = append(x, ids...)
	}
	return x
}

var (
	t5Source = examples{{5, 2, 9, 30, 17, 17, 4, 11, 1}, {8, 3, 1}}
	t5Target = examples{{0, 7, 1, 30, 12, 5}, {0, 4, 20}}
)

var t5Sites = map[engine.Site]string{engine.DecSelf: "decoder", engine.EncSelf: "encoder", engine.Cross: "cross"}

// t5Pack is a program over packed sources and targets. Slots of a decoder prefix come
// before the content.
type t5Pack struct {
	*engine.Program
	enc, dec engine.Input
	args     engine.Args
	rows     engine.Domain // of the decoder
	slots    engine.Buffer // positions of the decoder's prefix
}

func packT5(src, dst examples, slots int) *t5Pack {
	p := &t5Pack{Program: engine.NewProgram(), args: engine.Args{Ints: map[engine.Buffer][]int32{}, Floats: map[engine.Buffer][]float64{}, Live: map[engine.Domain]int{}}}
	s, d := src.rows(), dst.rows()
	enc := p.Domain("source", s+2)
	p.rows = p.Domain("target", d+1)
	p.args.Live[enc], p.args.Live[p.rows] = s, d
	arg := func(name string, rows engine.Domain, n int, x []int32) engine.Buffer {
		b := p.Arg(name, rows, engine.I32, n)
		p.args.Ints[b] = x
		return b
	}
	p.enc = engine.Input{IDs: arg("source", enc, s+2, src.ids()),
		Pos: arg("source pos", enc, s+2, src.ints(func(at, _, _ int) int { return at })),
		Lo:  arg("source lo", enc, s+2, src.ints(func(_, first, _ int) int { return first })),
		Hi:  arg("source hi", enc, s+2, src.ints(func(_, first, k int) int { return first + len(src[k]) }))}
	from := func(k int) int { return examples(src[:k]).rows() }
	p.dec = engine.Input{IDs: arg("target", p.rows, d+1, dst.ids()),
		Pos: arg("pos", p.rows, d+1, dst.ints(func(at, _, _ int) int { return at + slots })),
		Lo:  arg("lo", p.rows, d+1, dst.ints(func(_, first, _ int) int { return first })),
		Hi:  arg("hi", p.rows, d+1, dst.ints(func(at, first, _ int) int { return first + at + 1 })),
		Encoder: &engine.Encoded{
			Lo: arg("cross lo", p.rows, d+1, dst.ints(func(_, _, k int) int { return from(k) })),
			Hi: arg("cross hi", p.rows, d+1, dst.ints(func(_, _, k int) int { return from(k + 1) }))}}
	if slots > 0 {
		p.slots = arg("slots", engine.AllRows, slots, upTo(slots))
	}
	return p
}

// upTo is 0, 1 … n−1.
func upTo(n int) []int32 {
	x := make([]int32, n)
	for i := range x {
		x[i] = int32(i)
	}
	return x
}

// t5Hooks is a prefix of tinySlots slots at each of the given sites; slots are the
// positions of the decoder's.
func (m *tiny[T]) t5Hooks(train bool, sites map[engine.Site]string, slots engine.Buffer) engine.Hooks {
	i := m.arch.Info()
	w := i.KVHeads * i.HeadDim
	return engine.Hooks{KV: func(p *engine.Program, at engine.At) engine.Segment {
		name, ok := sites[at.Site]
		if !ok {
			return engine.Segment{}
		}
		layers := i.Layers
		if at.Site == engine.EncSelf {
			layers = i.EncLayers
		}
		b := p.Persist(name, engine.Spec{DType: engine.F32, Shape: []int{2 * layers, tinySlots, w}})
		if train {
			p.Train(b)
		}
		n := tinySlots * w
		pos := engine.None
		if at.Site == engine.DecSelf {
			pos = slots
		}
		return engine.Segment{Pos: pos, K: p.View(b, 2*at.Layer*n, tinySlots, w), V: p.View(b, (2*at.Layer+1)*n, tinySlots, w)}
	}}
}

func (m *tiny[T]) t5Prefixes(t *testing.T) map[string]engine.Tensor {
	i := m.arch.Info()
	w := i.KVHeads * i.HeadDim
	all := map[string]engine.Tensor{}
	for k, s := range []struct {
		name   string
		layers int
	}{{"decoder", i.Layers}, {"encoder", i.EncLayers}, {"cross", i.Layers}} {
		all[s.name] = m.tensor(t, wave(2*s.layers*tinySlots*w, 97+k, 0.8), 2*s.layers, tinySlots, w)
	}
	return all
}

// Both versions of T5 as transformers computes them: the encoder's output, logits, loss
// and the gradients of a prefix at its three kinds of attention.
func TestT5AgainstTransformers(t *testing.T) {
	for name, raw := range t5Fixtures(t) {
		if name == "buckets" {
			continue
		}
		var c t5Fixture
		if err := json.Unmarshal(raw, &c); err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) {
			t.Run("float64", func(t *testing.T) { t5AgainstTransformers[float64](t, c, 1e-9) })
			t.Run("float32", func(t *testing.T) { t5AgainstTransformers[float32](t, c, 1e-4) })
		})
	}
}

// t5LossRows are the packed targets' rows with a loss, t5Next what each should say.
var t5LossRows, t5Next = []int32{0, 1, 2, 3, 4, 5, 7, 8}, []int32{7, 1, 30, 12, 5, 9, 20, 8}

// t5Loss is the mean loss of hidden's rows, which are t5LossRows of domain l.
func (m *tiny[T]) t5Loss(p *t5Pack, hidden engine.Buffer, l engine.Domain) engine.Buffer {
	n := len(t5LossRows)
	want := p.Arg("targets", l, engine.I32, n, 1)
	weights := p.Arg("weights", l, engine.F32, n, 1)
	p.args.Ints[want] = t5Next
	for range n {
		p.args.Floats[weights] = append(p.args.Floats[weights], 1/float64(n))
	}
	return m.arch.Loss(p.Program, hidden, want, weights, false, engine.Hooks{})
}

// Ten steps of AdamW on prefixes at the three kinds of attention go where PyTorch's go.
func TestT5TrainsAsPyTorchDoes(t *testing.T) {
	var c t5Fixture
	if err := json.Unmarshal(t5Fixtures(t)["t5 1.1"], &c); err != nil {
		t.Fatal(err)
	}
	t.Run("float64", func(t *testing.T) { t5Steps[float64](t, c, 1e-9) })
	t.Run("float32", func(t *testing.T) { t5Steps[float32](t, c, 1e-4) })
}

func t5Steps[T cpu.Float](t *testing.T, c t5Fixture, bound float64) {
	ctx := context.Background()
	m := newFamily[T](t, c.family)
	p := packT5(t5Source, t5Target, tinySlots)
	hooks := m.t5Hooks(true, t5Sites, p.slots)
	p.dec.Encoder.Hidden = m.arch.Encode(p.Program, p.enc, hooks).Hidden
	l := p.Domain("loss rows", len(t5LossRows))
	idx := p.Arg("loss rows", l, engine.I32, len(t5LossRows))
	p.args.Ints[idx] = t5LossRows
	loss := m.t5Loss(p, p.GatherRows(m.arch.Forward(p.Program, p.dec, hooks).Hidden, idx), l)
	gradOf := p.Grad(loss)
	var grads []engine.Buffer
	for _, site := range t5Sites {
		grads = append(grads, gradOf[p.Named(site)])
	}
	hyper := p.Arg("hyper", engine.AllRows, engine.F32, 3)
	stats := p.GradStats(grads, []engine.Buffer{loss}, 0)
	for _, site := range t5Sites {
		p.AdamW(p.Named(site), gradOf[p.Named(site)], stats, hyper, engine.AdamW{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Rate: 1})
	}
	p.Keep("loss", loss)
	bind := m.t5Prefixes(t)
	plan := m.compile(t, p.Program, bind)
	for s, want := range c.Steps.Losses {
		p.args.Floats[hyper] = []float64{0.01, 1 / (1 - math.Pow(0.9, float64(s+1))), 1 / (1 - math.Pow(0.999, float64(s+1)))}
		if err := plan.Run(ctx, p.args); err != nil {
			t.Fatal(err)
		}
		if e := conformance.Error(data[T](bind["loss"]), []float64{want}); !(e <= bound) {
			t.Errorf("loss of step %d: error %.3g, want ≤ %g", s, e, bound)
		}
	}
	for _, site := range t5Sites {
		if e := conformance.Error(data[T](bind[site]), c.Steps.Prefixes[site]); !(e <= bound) {
			t.Errorf("prefix of %s after %d steps: error %.3g, want ≤ %g", site, len(c.Steps.Losses), e, bound)
		}
	}
}

func t5AgainstTransformers[T cpu.Float](t *testing.T, c t5Fixture, bound float64) {
	near := func(what string, got, want []float64) {
		t.Helper()
		if e := conformance.Error(got, want); !(e <= bound) {
			t.Errorf("%s: error %.3g, want ≤ %g", what, e, bound)
		}
	}
	for _, chosen := range []bool{false, true} {
		m := newFamily[T](t, c.family)
		p := packT5(t5Source, t5Target, tinySlots)
		hooks := m.t5Hooks(true, t5Sites, p.slots)
		enc := m.arch.Encode(p.Program, p.enc, hooks)
		p.dec.Encoder.Hidden = enc.Hidden
		at, l := t5LossRows, p.Domain("loss rows", len(t5LossRows))
		pick := func(name string, from engine.Buffer) engine.Buffer {
			b := p.Arg(name, l, engine.I32, len(at))
			for _, r := range at {
				p.args.Ints[b] = append(p.args.Ints[b], p.args.Ints[from][r])
			}
			return b
		}
		idx := p.Arg("loss rows", l, engine.I32, len(at))
		p.args.Ints[idx] = at
		in := p.dec
		if chosen {
			e := *in.Encoder
			e.K, e.V = enc.CrossK, enc.CrossV
			in.Encoder = &e
			in.Chosen = &engine.Chosen{Idx: idx, Pos: pick("cpos", in.Pos), Lo: pick("clo", in.Lo), Hi: pick("chi", in.Hi),
				CrossLo: pick("ccross lo", e.Lo), CrossHi: pick("ccross hi", e.Hi)}
		}
		hidden := m.arch.Forward(p.Program, in, hooks).Hidden
		rows := p.Dim(p.dec.IDs, 0)
		if !chosen {
			p.CopyTo(m.arch.Logits(p.Program, hidden, engine.Hooks{}), p.Persist("logits", engine.Spec{DType: engine.F32, Shape: []int{rows, 31}}))
			hidden = p.GatherRows(hidden, idx)
		}
		loss := m.t5Loss(p, hidden, l)
		grads := p.Grad(loss)
		p.Keep("loss", loss)
		for _, site := range t5Sites {
			p.Keep("d "+site, grads[p.Named(site)])
		}
		p.CopyTo(enc.Hidden, p.Persist("encoded", p.Spec(enc.Hidden)))
		bind := m.run(t, p.Program, p.args, m.t5Prefixes(t))
		near("encoder", data[T](bind["encoded"])[:t5Source.rows()*16], c.Encoded)
		near("loss", data[T](bind["loss"]), []float64{c.Loss})
		for _, site := range t5Sites {
			near("gradient of the prefix of "+site, data[T](bind["d "+site]), c.Grads[site])
		}
		if !chosen {
			near("logits", data[T](bind["logits"])[:t5Target.rows()*31], c.Logits)
		}
	}
}

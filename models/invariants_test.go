package models_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"prelude/engine"
	"prelude/engine/conformance"
)

// everyFamily is one model of each kind, T5 included.
func everyFamily(t *testing.T, f func(t *testing.T, m *tiny[float64])) {
	all := families(t)
	for name, raw := range t5Fixtures(t) {
		var c t5Fixture
		if name != "buckets" {
			if err := json.Unmarshal(raw, &c); err != nil {
				t.Fatal(err)
			}
			all[name] = c.family
		}
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		t.Run(name, func(t *testing.T) { f(t, newFamily[float64](t, all[name])) })
	}
}

// decode is a program that holds one forward pass of packed examples after slots of a
// prefix. An encoder reads each of them the same source.
type decode struct {
	*engine.Program
	args engine.Args
	m    *tiny[float64]
	enc  *engine.Encoded
	// positions of prefix slots
	slots engine.Buffer
}

func (m *tiny[T]) decode() *decode {
	return &decode{engine.NewProgram(), engine.Args{Ints: map[engine.Buffer][]int32{}}, any(m).(*tiny[float64]), nil, engine.None}
}

func (p *decode) arg(name string, x []int32) engine.Buffer {
	b := p.Arg(name, engine.AllRows, engine.I32, len(x))
	p.args.Ints[b] = x
	return b
}

// forward runs the examples; their content begins at position slots.
func (p *decode) forward(e examples, slots int, h engine.Hooks) engine.Output {
	i, rows := p.m.arch.Info(), e.rows()
	in := engine.Input{IDs: p.arg("ids", e.ids()),
		Pos: p.arg("pos", e.ints(func(at, _, _ int) int { return at + slots })),
		Lo:  p.arg("lo", e.ints(func(_, first, _ int) int { return first })),
		Hi:  p.arg("hi", e.ints(func(at, first, _ int) int { return first + at + 1 }))}
	if w := i.Window; w > 0 {
		in.LoLocal = p.arg("lo local", e.ints(func(at, first, _ int) int { return first + max(0, at+1-w) }))
		if slots > 0 {
			in.PLoLocal = p.arg("plo local", e.ints(func(at, _, _ int) int { return min(max(0, slots+at+1-w), slots) }))
			in.PHiLocal = p.arg("phi local", slices.Repeat([]int32{int32(slots)}, rows))
		}
	}
	if i.Positions == engine.Relative {
		if p.slots = engine.None; slots > 0 {
			p.slots = p.arg("slots", upTo(slots))
		}
		if p.enc == nil {
			src := examples{{5, 9, 3, 22, 1}}
			n := int32(src.rows())
			p.enc = &engine.Encoded{Hidden: p.m.arch.Encode(p.Program, engine.Input{IDs: p.arg("source", src.ids()), Pos: p.arg("spos", []int32{0, 1, 2, 3, 4}),
				Lo: p.arg("slo", make([]int32, n)), Hi: p.arg("shi", slices.Repeat([]int32{n}, int(n)))}, engine.Hooks{}).Hidden}
		}
		in.Encoder = &engine.Encoded{Hidden: p.enc.Hidden, Lo: p.arg("clo", make([]int32, rows)), Hi: p.arg("chi", slices.Repeat([]int32{5}, rows))}
	}
	return p.m.arch.Forward(p.Program, in, h)
}

// logits runs the program and gives the logits of an output's rows.
func (p *decode) logits(t *testing.T, out engine.Output) []float64 {
	t.Helper()
	p.Keep("logits", p.m.arch.Logits(p.Program, out.Hidden, engine.Hooks{}))
	return data[float64](p.m.run(t, p.Program, p.args, map[string]engine.Tensor{})["logits"])
}

const vocab = 31

var text, content = []int32{3, 7, 1, 30, 12}, []int32{5, 9, 4, 4, 20, 8}

// The keys and values of a text as a prefix are that text in context: also where
// windows slide past it, positions are learned, or a bias goes by distance.
func TestTextAsPrefixIsTextInContext(t *testing.T) {
	everyFamily(t, func(t *testing.T, m *tiny[float64]) {
		p := m.decode()
		whole := p.logits(t, p.forward(examples{append(slices.Clone(text), content...)}, 0, engine.Hooks{}))
		p = m.decode()
		kv := p.forward(examples{text}, 0, engine.Hooks{})
		after := p.forward(examples{content}, len(text), engine.Hooks{KV: func(_ *engine.Program, at engine.At) engine.Segment {
			if at.Site != engine.DecSelf {
				return engine.Segment{}
			}
			return engine.Segment{K: kv.K[at.Layer], V: kv.V[at.Layer], Pos: p.slots}
		}})
		if e := conformance.Error(p.logits(t, after), whole[len(text)*vocab:]); !(e <= 1e-12) {
			t.Errorf("error %.3g, want ≤ 1e-12", e)
		}
	})
}

// A prefix whose slots are biased away, and a prefix that is no longer there, leave the
// frozen model's logits bit for bit; a prefix that is there changes them.
func TestRemovedPrefix(t *testing.T) {
	everyFamily(t, func(t *testing.T, m *tiny[float64]) {
		i := m.arch.Info()
		frozen := func() []float64 {
			p := m.decode()
			return p.logits(t, p.forward(examples{content}, len(text), engine.Hooks{}))
		}
		with := func(bias float64) []float64 {
			p := m.decode()
			kv := p.forward(examples{text}, 0, engine.Hooks{})
			b := p.Arg("bias", engine.AllRows, engine.F32, 1, 1, len(text))
			p.args.Floats = map[engine.Buffer][]float64{b: slices.Repeat([]float64{bias}, len(text))}
			return p.logits(t, p.forward(examples{content}, len(text), engine.Hooks{KV: func(_ *engine.Program, at engine.At) engine.Segment {
				if at.Site != engine.DecSelf {
					return engine.Segment{}
				}
				if bias < 0 && !i.Attends(at.Layer) {
					return engine.Segment{} // what a convolution sees has no weight to take away
				}
				return engine.Segment{K: kv.K[at.Layer], V: kv.V[at.Layer], Bias: b, Pos: p.slots}
			}}))
		}
		want := frozen()
		if slices.Equal(with(0), want) {
			t.Errorf("%s: a prefix changes nothing", i.Family)
		}
		if !slices.Equal(with(-1e30), want) {
			t.Errorf("%s: a prefix of removed slots changes logits", i.Family)
		}
		if !slices.Equal(frozen(), want) {
			t.Errorf("%s: without its prefix the model is another", i.Family)
		}
	})
}

// Examples packed one after the other see what they see alone, and no row sees a later
// one or another example's.
func TestPackingAndCausality(t *testing.T) {
	everyFamily(t, func(t *testing.T, m *tiny[float64]) {
		run := func(e examples) []float64 {
			p := m.decode()
			return p.logits(t, p.forward(e, 0, engine.Hooks{}))
		}
		packed := run(examples{text, content})
		alone := append(run(examples{text}), run(examples{content})...)
		if e := conformance.Error(packed, alone); !(e <= 1e-12) {
			t.Errorf("packed and alone differ by %.3g", e)
		}
		at := func(x []float64, rows ...int) []float64 { return x[rows[0]*vocab : rows[1]*vocab] }
		other := slices.Clone(text)
		other[4] = 25
		changed := run(examples{other, content})
		if !slices.Equal(at(changed, 0, 4), at(packed, 0, 4)) {
			t.Error("a later token changes earlier logits")
		}
		if slices.Equal(at(changed, 4, 5), at(packed, 4, 5)) {
			t.Error("a token does not change its own row")
		}
		if !slices.Equal(at(changed, 5, 11), at(packed, 5, 11)) {
			t.Error("a token changes another example's logits")
		}
	})
}

// A model of learned positions refuses a position beyond its table by name.
func TestBeyondTheTable(t *testing.T) {
	m := newFamily[float64](t, families(t)["gpt2"])
	if n := m.arch.Info().Context; n != 16 {
		t.Fatalf("context %d, want 16", n)
	}
	p := m.decode()
	out := p.forward(examples{content}, 12, engine.Hooks{})
	p.Keep("logits", m.arch.Logits(p.Program, out.Hidden, engine.Hooks{}))
	bind := map[string]engine.Tensor{"logits": m.tensor(t, nil, len(content), vocab)}
	maps.Copy(bind, m.weights)
	plan, err := m.dev.Compile(t.Context(), p.Program, bind)
	if err != nil {
		t.Fatal(err)
	}
	if err := plan.Run(t.Context(), p.args); err == nil {
		t.Error("positions 16 and 17 of a table of 16 are no error")
	}
}

// T5's decoder says what it lacks instead of running without it.
func TestT5Needs(t *testing.T) {
	m := newFamily[float64](t, fixtureFamily(t, "t5 1.0"))
	p := engine.NewProgram()
	m.arch.Forward(p, engine.Input{}, engine.Hooks{})
	if p.Err() == nil {
		t.Error("no encoder is no error")
	}
	q := packT5(t5Source, t5Target, 0)
	q.dec.Encoder.Hidden = m.arch.Encode(q.Program, q.enc, engine.Hooks{}).Hidden
	q.dec.Cache = &engine.Cache{Idx: q.dec.Pos}
	for _, name := range []string{"k0", "v0", "k1", "v1", "k2", "v2"} {
		b := q.Persist(name, engine.Spec{DType: engine.F32, Shape: []int{16, 12}})
		if name[0] == 'k' {
			q.dec.Cache.K = append(q.dec.Cache.K, b)
		} else {
			q.dec.Cache.V = append(q.dec.Cache.V, b)
		}
	}
	m.arch.Forward(q.Program, q.dec, engine.Hooks{})
	if q.Err() == nil || !strings.Contains(q.Err().Error(), "KPos") {
		t.Errorf("a cache without positions gives error %v", q.Err())
	}
}

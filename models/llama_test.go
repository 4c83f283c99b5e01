package models_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"prelude/engine"
	"prelude/engine/conformance"
	"prelude/engine/cpu"
	"prelude/models"
)

// fixture is what e2e/fixtures/llama.py wrote.
type fixture struct {
	Names  []string
	Shapes map[string][]int
	First  struct {
		Loss         float64
		Logits, Grad []float64
	}
	Steps []struct {
		Loss   float64
		Prefix []float64
	}
	Last        float64
	Weights     map[string][]float64
	WeightsLoss float64 `json:"weights_loss"`
}

// wave is the fixture's function of the index: four decimals of a sine.
func wave(n, seed int, scale float64) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = float64(float32(math.RoundToEven(math.Sin(float64(i+1)*(1+float64(seed)*0.37))*1e4) / 1e4 * scale))
	}
	return x
}

// tiny is the fixture's model on a reference device.
type tiny[T cpu.Float] struct {
	dev     *cpu.Device[T]
	arch    models.Family
	weights map[string]engine.Tensor
	fix     fixture
}

const tinySlots = 3

func newTiny[T cpu.Float](t *testing.T) *tiny[T] {
	t.Helper()
	m := &tiny[T]{dev: cpu.New[T](), weights: map[string]engine.Tensor{}}
	text, err := os.ReadFile("testdata/llama.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &m.fix); err != nil {
		t.Fatal(err)
	}
	specs := models.Specs{}
	for name, shape := range m.fix.Shapes {
		specs[name] = engine.Spec{DType: engine.F32, Shape: shape}
	}
	c, err := models.ParseConfig([]byte(`{"model_type":"llama","hidden_size":16,"intermediate_size":24,"num_hidden_layers":2,
		"num_attention_heads":4,"num_key_value_heads":2,"vocab_size":31,"max_position_embeddings":64,"rms_norm_eps":1e-5,
		"rope_theta":10000.0,"tie_word_embeddings":true}`))
	if err != nil {
		t.Fatal(err)
	}
	if m.arch, err = models.New(c, specs); err != nil {
		t.Fatal(err)
	}
	for k, name := range m.fix.Names {
		x := wave(specs[name].Len(), k, 0.5)
		if len(m.fix.Shapes[name]) == 1 {
			for i := range x {
				x[i]++
			}
		}
		m.weights[name] = m.tensor(t, x, m.fix.Shapes[name]...)
	}
	for name, table := range m.arch.Constants() {
		x := make([]float64, len(table))
		for i, v := range table {
			x[i] = float64(v)
		}
		m.weights[name] = m.tensor(t, x, m.arch.Tensors()[name].Shape...)
	}
	return m
}

func (m *tiny[T]) tensor(t *testing.T, x []float64, shape ...int) engine.Tensor {
	t.Helper()
	s, err := m.dev.Alloc(engine.Spec{DType: engine.F32, Shape: shape})
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range x {
		s.(*cpu.Tensor[T]).Data()[i] = T(v)
	}
	return s
}

func data[T cpu.Float](s engine.Tensor) []float64 {
	var x []float64
	for _, v := range s.(*cpu.Tensor[T]).Data() {
		x = append(x, float64(v))
	}
	return x
}

// packed is a program over the fixture's two examples.
type packed struct {
	*engine.Program
	in               engine.Input
	targets, weights engine.Buffer
	args             engine.Args
	out              engine.Output
}

// pack builds the forward pass of the fixture's examples, for the loss rows alone
// where chosen.
func (m *tiny[T]) pack(hooks engine.Hooks, chosen bool) *packed {
	p := &packed{Program: engine.NewProgram()}
	const rows, loss = 10, 7
	d, l := p.Domain("tokens", rows+2), p.Domain("loss rows", loss+1)
	arg := func(name string, d engine.Domain, n int) engine.Buffer { return p.Arg(name, d, engine.I32, n) }
	p.in = engine.Input{IDs: arg("ids", d, rows+2), Pos: arg("pos", d, rows+2), Lo: arg("lo", d, rows+2), Hi: arg("hi", d, rows+2)}
	ids := []int32{3, 7, 1, 30, 12, 5, 4, 4, 20, 8}
	pos := []int32{3, 4, 5, 6, 7, 8, 3, 4, 5, 6}
	lo := []int32{0, 0, 0, 0, 0, 0, 6, 6, 6, 6}
	hi := []int32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	at := []int32{2, 3, 4, 5, 7, 8, 9}
	p.args = engine.Args{Ints: map[engine.Buffer][]int32{p.in.IDs: ids, p.in.Pos: pos, p.in.Lo: lo, p.in.Hi: hi},
		Floats: map[engine.Buffer][]float64{}, Live: map[engine.Domain]int{d: rows, l: loss}}
	idx := arg("loss rows", l, loss+1)
	p.args.Ints[idx] = at
	pick := func(name string, x []int32) engine.Buffer {
		b := arg(name, l, loss+1)
		for _, r := range at {
			p.args.Ints[b] = append(p.args.Ints[b], x[r])
		}
		return b
	}
	if chosen {
		p.in.Chosen = &engine.Chosen{Idx: idx, Pos: pick("cpos", pos), Lo: pick("clo", lo), Hi: pick("chi", hi)}
	}
	if w := m.arch.Info().Window; w > 0 {
		var low, plo, phi []int32
		for t := range pos {
			low, plo, phi = append(low, max(lo[t], int32(t+1-w))), append(plo, min(max(0, pos[t]+1-int32(w)), tinySlots)), append(phi, tinySlots)
		}
		p.in.LoLocal, p.in.PLoLocal, p.in.PHiLocal = arg("lo local", d, rows+2), arg("plo local", d, rows+2), arg("phi local", d, rows+2)
		p.args.Ints[p.in.LoLocal], p.args.Ints[p.in.PLoLocal], p.args.Ints[p.in.PHiLocal] = low, plo, phi
		if c := p.in.Chosen; c != nil {
			c.LoLocal, c.PLoLocal, c.PHiLocal = pick("clo local", low), pick("cplo local", plo), pick("cphi local", phi)
		}
	}
	p.targets, p.weights = p.Arg("targets", l, engine.I32, loss+1, 1), p.Arg("weights", l, engine.F32, loss+1, 1)
	p.args.Ints[p.targets] = []int32{30, 12, 5, 9, 20, 8, 2}
	w := make([]float64, loss)
	for i := range w {
		w[i] = float64(float32(1.0 / loss))
	}
	p.args.Floats[p.weights] = w
	p.out = m.arch.Forward(p.Program, p.in, hooks)
	if !chosen {
		p.out.Hidden = p.GatherRows(p.out.Hidden, idx)
	}
	return p
}

// kvHooks is the plain key/value prefix of tensor "prefix".
func (m *tiny[T]) kvHooks(train bool) engine.Hooks {
	i := m.arch.Info()
	w := i.KVHeads * i.HeadDim
	return engine.Hooks{KV: func(p *engine.Program, at engine.At) engine.Segment {
		if !i.Attends(at.Layer) {
			return engine.Segment{}
		}
		b := p.Persist("prefix", engine.Spec{DType: engine.F32, Shape: []int{2 * i.Layers, tinySlots, w}})
		if train {
			p.Train(b)
		}
		n := tinySlots * w
		return engine.Segment{K: p.View(b, 2*at.Layer*n, tinySlots, w), V: p.View(b, (2*at.Layer+1)*n, tinySlots, w)}
	}}
}

func (m *tiny[T]) prefix(t *testing.T) engine.Tensor {
	i := m.arch.Info()
	w := i.KVHeads * i.HeadDim
	return m.tensor(t, wave(2*i.Layers*tinySlots*w, 99, 0.8), 2*i.Layers, tinySlots, w)
}

func TestLlamaAgainstPyTorch(t *testing.T) {
	t.Run("float64", func(t *testing.T) { llamaAgainstPyTorch[float64](t, 1e-9) })
	t.Run("float32", func(t *testing.T) { llamaAgainstPyTorch[float32](t, 2e-5) })
}

func llamaAgainstPyTorch[T cpu.Float](t *testing.T, bound float64) {
	ctx := context.Background()
	near := func(what string, got, want []float64, bound float64) {
		t.Helper()
		if e := conformance.Error(got, want); !(e <= bound) {
			t.Errorf("%s: error %.3g, want ≤ %g", what, e, bound)
		}
	}
	for _, c := range []struct {
		name              string
		chosen, recompute bool
	}{{"all rows", false, false}, {"loss rows alone", true, false}, {"recomputing", true, true}} {
		t.Run(c.name, func(t *testing.T) {
			m := newTiny[T](t)
			p := m.pack(m.kvHooks(true), c.chosen)
			if c.recompute {
				p.Recompute()
			}
			all := m.arch.Forward(p.Program, engine.Input{IDs: p.in.IDs, Pos: p.in.Pos, Lo: p.in.Lo, Hi: p.in.Hi}, m.kvHooks(false))
			logits := p.Persist("logits", engine.Spec{DType: engine.F32, Shape: []int{12, 31}})
			p.CopyTo(m.arch.Logits(p.Program, all.Hidden, engine.Hooks{}), logits)
			loss := m.arch.Loss(p.Program, p.out.Hidden, p.targets, p.weights, false, engine.Hooks{})
			param := p.Named("prefix")
			grad := p.Grad(loss)[param]
			hyper := p.Arg("hyper", engine.AllRows, engine.F32, 3)
			stats := p.GradStats([]engine.Buffer{grad}, []engine.Buffer{loss}, 0)
			p.AdamW(param, grad, stats, hyper, engine.AdamW{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Rate: 1})
			p.Keep("loss", loss)
			p.Keep("grad", grad)
			bind := map[string]engine.Tensor{"prefix": m.prefix(t)}
			for name, s := range p.Tensors() {
				if w := m.weights[name]; w != nil {
					bind[name] = w
				} else if bind[name] == nil {
					bind[name] = m.tensor(t, nil, s.Shape...)
				}
			}
			plan, err := m.dev.Compile(ctx, p.Program, bind)
			if err != nil {
				t.Fatal(err)
			}
			for s := range 10 {
				p.args.Floats[hyper] = []float64{0.05, 1 / (1 - math.Pow(0.9, float64(s+1))), 1 / (1 - math.Pow(0.999, float64(s+1)))}
				if err := plan.Run(ctx, p.args); err != nil {
					t.Fatal(err)
				}
				near(fmt.Sprintf("loss of step %d", s), data[T](bind["loss"]), []float64{m.fix.Steps[s].Loss}, bound)
				if s == 0 {
					near("logits", data[T](bind["logits"])[:10*31], m.fix.First.Logits, bound)
					near("gradient", data[T](bind["grad"]), m.fix.First.Grad, bound)
				}
				if want := m.fix.Steps[s].Prefix; want != nil {
					near(fmt.Sprintf("prefix after step %d", s), data[T](bind["prefix"]), want, bound)
				}
			}
		})
	}
	t.Run("weight gradients", func(t *testing.T) {
		m := newTiny[T](t)
		hooks := m.kvHooks(false)
		hooks.Weight = func(p *engine.Program, name string, w engine.Buffer) engine.Buffer {
			if m.fix.Weights[name] != nil {
				p.Train(w)
			}
			return w
		}
		p := m.pack(hooks, true)
		loss := m.arch.Loss(p.Program, p.out.Hidden, p.targets, p.weights, false, hooks)
		grads := p.Grad(loss)
		bind := map[string]engine.Tensor{"prefix": m.tensor(t, m.fix.Steps[9].Prefix, 4, tinySlots, 8)}
		for name := range m.fix.Weights {
			s := p.Spec(p.Named(name))
			p.CopyTo(grads[p.Named(name)], p.Persist("d "+name, s))
			bind["d "+name] = m.tensor(t, nil, s.Shape...)
		}
		for name, w := range m.weights {
			bind[name] = w
		}
		plan, err := m.dev.Compile(ctx, p.Program, bind)
		if err != nil {
			t.Fatal(err)
		}
		if err := plan.Run(ctx, p.args); err != nil {
			t.Fatal(err)
		}
		for name, want := range m.fix.Weights {
			near(name, data[T](bind["d "+name]), want, bound)
		}
	})
}

// Frozen weights get no gradient: the training program has no weight-gradient op.
func TestNoGradientsForFrozenWeights(t *testing.T) {
	m := newTiny[float32](t)
	p := m.pack(m.kvHooks(true), true)
	p.Grad(m.arch.Loss(p.Program, p.out.Hidden, p.targets, p.weights, false, engine.Hooks{}))
	backward := 0
	for _, op := range p.Ops() {
		switch name := engine.Name(op); {
		case name == "Outer" || name == "EmbedBackward":
			t.Errorf("%s in a program whose weights are frozen", name)
		case strings.HasSuffix(name, "Backward"):
			backward++
		}
	}
	if backward == 0 {
		t.Error("no backward operations at all")
	}
}

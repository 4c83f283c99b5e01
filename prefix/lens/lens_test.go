package lens

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
	"prelude/prefix/data"
	"prelude/prefix/generate"
	"prelude/prefix/train"
)

var ctx = context.Background()

// close32 is how far numbers may be apart that went through a tensor of float32.
const close32 = 2e-6

func near(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if math.Abs(got-want) > within*max(1, math.Abs(want)) || math.IsNaN(got) {
		t.Errorf("%s is %.9g, want %.9g", what, got, want)
	}
}

// method is a method on its device, away from every special point.
func method(t *testing.T, f engine.Frozen, c prefix.Choice) (*prefix.Method, map[string]engine.Tensor) {
	t.Helper()
	m, err := prefix.New(c, f.Arch.Info())
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(5, 6))
	if err := m.Start(ctx, f, prefix.StartFrom{Examples: [][]int32{{3, 9, 27, 14, 5}, {8, 2, 30, 1}}}, rng); err != nil {
		t.Fatal(err)
	}
	for _, p := range m.Params() {
		for i := range p.Value {
			if !p.Fixed {
				p.Value[i] += float32(rng.NormFloat64() * 0.3)
			}
		}
	}
	tensors, err := m.Alloc(ctx, f.Dev)
	if err != nil {
		t.Fatal(err)
	}
	return m, tensors
}

// text is an example of a prompt of three tokens and an answer of nine.
func text(f engine.Frozen) data.Tokens {
	t := data.Tokens{IDs: []int32{4, 7, 22, 38, 1, 15, 9, 31, 2, 2, 18, 0}, Start: 3}
	if f.Arch.Info().EncLayers > 0 {
		t.Source, t.IDs, t.Start = t.IDs[:3], append([]int32{f.Arch.Info().Start}, t.IDs[3:]...), 1
	}
	return t
}

// families are models with rotary, learned and relative positions, sliding windows, and two stacks.
func families(t *testing.T, dev engine.Device) map[string]engine.Frozen {
	return map[string]engine.Frozen{
		"llama": tiny.Llama(t, dev),
		"gpt2":  tiny.New(t, dev, `{"model_type":"gpt2","n_layer":2,"n_embd":16,"n_head":4,"n_inner":24,"vocab_size":40,"n_positions":64}`),
		"window": tiny.New(t, dev, `{"model_type":"mistral","hidden_size":16,"intermediate_size":24,"num_hidden_layers":2,"num_attention_heads":4,
			"num_key_value_heads":2,"vocab_size":40,"max_position_embeddings":128,"rms_norm_eps":1e-5,"sliding_window":6}`),
		"lfm2": tiny.LFM2(t, dev),
		"t5":   tiny.T5(t, dev, 1, 2),
	}
}

// choices are methods that let a prefix into the attention in different ways.
var choices = map[string]prefix.Choice{
	"kv":               {"source": "kv", "start": "gaussian", "kv.slots": "7"},
	"many slots":       {"source": "kv", "start": "gaussian", "kv.slots": "11"},
	"embedding":        {"source": "embedding", "start": "gaussian", "embedding.slots": "5"},
	"log gate":         {"source": "kv", "start": "gaussian", "kv.slots": "5", "gate": "log"},
	"nested":           {"source": "kv", "start": "gaussian", "kv.slots": "5", "length": "nested"},
	"length by token":  {"source": "kv", "start": "gaussian", "kv.slots": "5", "length": "span"},
	"zero-init gate":   {"source": "kv", "start": "gaussian", "kv.slots": "5", "gate": "zeroinit"},
	"gate by token":    {"source": "kv", "start": "gaussian", "kv.slots": "5", "gate": "dynamic"},
	"prompts above":    {"source": "prompts", "start": "gaussian", "prompts.slots": "5", "prompts.layers": "1"},
	"kernel and slots": {"source": "convprefix", "start": "gaussian", "convprefix.slots": "4"},
}

// each runs f for every family with every method that suits it.
func each(t *testing.T, dev engine.Device, run func(t *testing.T, f engine.Frozen, m *prefix.Method, tensors map[string]engine.Tensor)) {
	for name, f := range families(t, dev) {
		for what, c := range choices {
			if _, err := prefix.New(c, f.Arch.Info()); err != nil {
				continue
			}
			t.Run(name+", "+what, func(t *testing.T) {
				m, tensors := method(t, f, c)
				run(t, f, m, tensors)
			})
		}
	}
}

// plainRow is one row's logits as plain numbers: log-probabilities in float64.
func plainRow(z []float32) []float64 {
	sum := 0.0
	for _, v := range z {
		sum += math.Exp(float64(v))
	}
	p := make([]float64, len(z))
	for i, v := range z {
		p[i] = float64(v) - math.Log(sum)
	}
	return p
}

// What an answer's tokens got is the loss that training measures, and a plain computation over
// the logits that generation reads, however many tokens are read at a time.
func TestCompare(t *testing.T) {
	each(t, cpu.New[float64](), func(t *testing.T, f engine.Frozen, m *prefix.Method, tensors map[string]engine.Tensor) {
		x := text(f)
		all, err := Compare(ctx, f, m, tensors, x, x)
		if err != nil {
			t.Fatal(err)
		}
		if len(all) != len(x.IDs)-x.Start {
			t.Fatalf("%d tokens of an answer of %d", len(all), len(x.IDs)-x.Start)
		}
		base, tuned := 0.0, 0.0
		for i, k := range all {
			if k.ID != x.IDs[x.Start+i] || len(k.BaseTop) != Top || len(k.TunedTop) != Top {
				t.Fatalf("token %d: %+v", i, k)
			}
			base, tuned = base-k.Base/float64(len(all)), tuned-k.Tuned/float64(len(all))
		}
		loss := func(m *prefix.Method) float64 {
			e, err := train.NewEvaluator(ctx, f, m, tensors, []data.Tokens{x}, 1)
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			l, err := e.Loss(ctx)
			if err != nil {
				t.Fatal(err)
			}
			return l
		}
		near(t, "the bare model's loss", base, loss(nil), close32)
		near(t, "the tuned model's loss", tuned, loss(m), close32)
		if f.Arch.Info().EncLayers > 0 {
			return
		}
		read := func(m *prefix.Method) [][]float64 {
			r, err := generate.NewReader(ctx, f, m, tensors, len(x.IDs))
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			rows, err := r.Read(ctx, x.IDs, x.Start-1)
			if err != nil {
				t.Fatal(err)
			}
			var all [][]float64
			for _, z := range rows {
				all = append(all, plainRow(z))
			}
			return all
		}
		b, u := read(nil), read(m)
		for i, k := range all {
			hb, hu, kl := 0.0, 0.0, 0.0
			for v := range b[i] {
				hb -= math.Exp(b[i][v]) * b[i][v]
				hu -= math.Exp(u[i][v]) * u[i][v]
				kl += math.Exp(u[i][v]) * (u[i][v] - b[i][v])
			}
			near(t, "base", k.Base, b[i][k.ID], close32)
			near(t, "tuned", k.Tuned, u[i][k.ID], close32)
			near(t, "base entropy", k.BaseEntropy, hb, 2*close32)
			near(t, "tuned entropy", k.TunedEntropy, hu, 2*close32)
			near(t, "KL", k.KL, kl, 5*close32)
			for of, list := range map[string][]Guess{"base": k.BaseTop, "tuned": k.TunedTop} {
				row := b[i]
				if of == "tuned" {
					row = u[i]
				}
				for n, g := range list {
					near(t, of+" guess, base", g.Base, b[i][g.ID], close32)
					near(t, of+" guess, tuned", g.Tuned, u[i][g.ID], close32)
					better := 0
					for _, p := range row {
						if p > row[g.ID]+close32 {
							better++
						}
					}
					if better > n {
						t.Errorf("%s guess %d: %d tokens are likelier", of, n, better)
					}
				}
			}
		}
	})
}

func TestCompareInWindows(t *testing.T) {
	f := tiny.Llama(t, cpu.New[float64]())
	m, tensors := method(t, f, choices["kv"])
	x := data.Tokens{Start: 2}
	for i := range 50 {
		x.IDs = append(x.IDs, int32(1+i*7%39))
	}
	whole, err := Compare(ctx, f, m, tensors, x, x)
	if err != nil {
		t.Fatal(err)
	}
	weights, err := Attend(ctx, f, m, tensors, x)
	if err != nil {
		t.Fatal(err)
	}
	before, beforeMap := windowBytes, mapFloats
	defer func() { windowBytes, mapFloats = before, beforeMap }()
	windowBytes, mapFloats = 1, 2*2*4*9*5 // 16 and 5 tokens
	parts, err := Compare(ctx, f, m, tensors, x, x)
	if err != nil {
		t.Fatal(err)
	}
	if len(parts) != len(whole) {
		t.Fatalf("%d tokens in windows, %d as a whole", len(parts), len(whole))
	}
	for i, k := range parts {
		near(t, "tuned", k.Tuned, whole[i].Tuned, close32)
		near(t, "base", k.Base, whole[i].Base, close32)
		near(t, "KL", k.KL, whole[i].KL, close32)
	}
	some, err := Attend(ctx, f, m, tensors, x)
	if err != nil {
		t.Fatal(err)
	}
	if len(some.Share) != len(weights.Share) || len(some.Weight) != len(weights.Weight) {
		t.Fatalf("%d shares and %d weights in windows, %d and %d as a whole", len(some.Share), len(some.Weight), len(weights.Share), len(weights.Weight))
	}
	for i, v := range some.Share {
		near(t, "share", v, weights.Share[i], close32)
	}
	for i, v := range some.Weight {
		near(t, "weight", v, weights.Weight[i], close32)
	}
}

// captured is what one attention of a pass reads, as the device has it.
type captured struct {
	op   *engine.Attention
	at   Place
	read map[engine.Buffer][]float32
	x    engine.Buffer // what the attention reads, [rows, hidden]
}

// capture runs a pass and reads what its attentions read.
func capture(t *testing.T, f engine.Frozen, m *prefix.Method, tensors map[string]engine.Tensor, x data.Tokens) (all []captured, args engine.Args, p *train.Pass) {
	t.Helper()
	p, err := train.NewPass(f, m, x, func(_ *train.Pass, h *engine.Hooks) {
		inner := h.AttnOut
		h.AttnOut = func(p *engine.Program, at engine.At, o engine.Buffer) engine.Buffer {
			from := len(p.Ops()) - 1
			if inner != nil {
				o = inner(p, at, o)
			}
			for _, op := range p.Ops()[from:] {
				if a, ok := op.(*engine.Attention); ok && a.PK != engine.None && at.Site != engine.EncSelf {
					all = append(all, captured{op: a, at: Place{at.Site, at.Layer}, read: map[engine.Buffer][]float32{}, x: at.X})
				}
			}
			return o
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	bind := map[string]engine.Tensor{}
	for _, from := range []map[string]engine.Tensor{f.Weights, tensors} {
		for n, w := range from {
			bind[n] = w
		}
	}
	names := map[engine.Buffer]string{}
	for _, c := range all {
		for _, b := range []engine.Buffer{c.op.Q, c.op.K, c.op.PK, c.op.PBias, c.op.Rel, c.x} {
			if b == engine.None || names[b] != "" {
				continue
			}
			names[b] = fmt.Sprint("test.", b)
			spec := engine.Spec{DType: engine.F32, Shape: p.Spec(b).Shape}
			p.CopyTo(b, p.Persist(names[b], spec))
			if bind[names[b]], err = f.Dev.Alloc(spec); err != nil {
				t.Fatal(err)
			}
		}
	}
	plan, err := f.Dev.Compile(ctx, p.Program, bind)
	if err != nil {
		t.Fatal(err)
	}
	defer plan.Close()
	args = p.Args()
	if err := plan.Run(ctx, args); err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		for b, name := range names {
			if c.read[b], err = engine.ReadFloats(ctx, bind[name]); err != nil {
				t.Fatal(err)
			}
		}
	}
	return all, args, p
}

// plain is the weight of each slot, [heads, slots], of one row of an attention, in float64 by
// the definition.
func (c captured) plain(p *train.Pass, args engine.Args, row int) [][]float64 {
	o := c.op
	slots, width := p.Dim(o.PK, 0), o.KVHeads*o.HeadDim
	ints := func(b engine.Buffer, at, fallback int) int {
		if b == engine.None {
			return fallback
		}
		return int(args.Ints[b][at])
	}
	n := 0
	if o.Rel != engine.None {
		n = p.Dim(o.Rel, 1)
	}
	distance := func(head, key int) float64 {
		d := min(max(key-int(args.Ints[o.QPos][row])+n/2, 0), n-1)
		return float64(c.read[o.Rel][head*n+d])
	}
	all := make([][]float64, o.Heads)
	for h := range o.Heads {
		q := c.read[o.Q][row*o.Heads*o.HeadDim+h*o.HeadDim:][:o.HeadDim]
		dot := func(keys []float32, at int) (s float64) {
			k := keys[at*width+h*o.KVHeads/o.Heads*o.HeadDim:]
			for i, v := range q {
				s += float64(v) * float64(k[i])
			}
			return s * o.Scale
		}
		sum := 0.0
		if o.K != engine.None {
			for key := ints(o.Lo, row, 0); key < ints(o.Hi, row, 0); key++ {
				s := dot(c.read[o.K], key)
				if o.Rel != engine.None {
					s += distance(h, int(args.Ints[o.KPos][key]))
				}
				sum += math.Exp(s)
			}
		}
		all[h] = make([]float64, slots)
		for l := ints(o.PLo, row, 0); l < ints(o.PHi, row, slots); l++ {
			s := dot(c.read[o.PK], l)
			if o.Rel != engine.None && o.PPos != engine.None {
				s += distance(h, int(args.Ints[o.PPos][l]))
			}
			if o.PBias != engine.None {
				shape := p.Spec(o.PBias).Shape
				at := func(i, dim int) int { return i % shape[dim] }
				s += float64(c.read[o.PBias][(at(row, 0)*shape[1]+at(h, 1))*shape[2]+at(l, 2)])
			}
			all[h][l] = math.Exp(s)
			sum += all[h][l]
		}
		for l := range all[h] {
			if sum > 0 {
				all[h][l] /= sum
			}
		}
	}
	return all
}

// gate is the weight of a softmax of the prefix's own at a place, by the definition in float64.
func (c captured) gate(t *testing.T, tensors map[string]engine.Tensor, info engine.ModelInfo, place, head, row int) float64 {
	t.Helper()
	values := func(name string) []float32 {
		x, err := engine.ReadFloats(context.Background(), tensors[name])
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	if tensors["gate.zero"] != nil {
		return float64(values("gate.zero")[place])
	}
	at := place*info.Heads + head
	sum := float64(values("gate.c")[at])
	for i, w := range values("gate.w")[at*info.Hidden:][:info.Hidden] {
		sum += float64(w) * float64(c.read[c.x][row*info.Hidden+i])
	}
	return 1 / (1 + math.Exp(-sum))
}

// Shares and weights are those of a plain softmax over all keys, for every family and every
// way in which a prefix enters the attention.
func TestAttend(t *testing.T) {
	each(t, cpu.New[float64](), func(t *testing.T, f engine.Frozen, m *prefix.Method, tensors map[string]engine.Tensor) {
		x := text(f)
		a, err := Attend(ctx, f, m, tensors, x)
		if m.RowsBefore(engine.DecSelf) > 0 {
			if err == nil {
				t.Fatal("slots that are rows of the input have attention of their own")
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		all, args, p := capture(t, f, m, tensors, x)
		if len(all) != len(a.Places) {
			t.Fatalf("%d places, want %d", len(a.Places), len(all))
		}
		heads, seen := f.Arch.Info().Heads, 0.0
		weight := make([]float64, len(a.Weight))
		for i, c := range all {
			if c.at != a.Places[i] {
				t.Errorf("place %d is %v, want %v", i, a.Places[i], c.at)
			}
			for k := range a.Tokens {
				row := k
				if !p.OfAnswer(c.op.Q) {
					row = int(args.Ints[p.Answer()][k])
				}
				for h, slots := range c.plain(p, args, row) {
					sum := 0.0
					if m.Apart() {
						g := math.Abs(c.gate(t, tensors, f.Arch.Info(), m.Place(c.at.Site, c.at.Layer), h, row))
						for l := range slots {
							slots[l] *= g / (1 + g)
						}
					}
					for l, w := range slots {
						sum += w
						weight[k*a.Slot+l] += w / float64(len(all)*heads)
					}
					seen += sum
					near(t, fmt.Sprintf("share of token %d, place %d, head %d", k, i, h), a.Share[(k*len(all)+i)*heads+h], sum, 2*close32)
				}
			}
		}
		for i, w := range weight {
			near(t, fmt.Sprintf("weight of token %d, slot %d", i/a.Slot, i%a.Slot), a.Weight[i], w, 2*close32)
		}
		if seen == 0 {
			t.Error("no attention goes to the prefix")
		}
	})
}

// A bare model and a method without slots have nothing to look at; texts that can't be read
// are refused.
func TestRefusals(t *testing.T) {
	f := tiny.Llama(t, cpu.New[float32]())
	m, tensors := method(t, f, prefix.Choice{"source": "outside"})
	x := text(f)
	if _, err := Attend(ctx, f, m, tensors, x); err != ErrNoSlots {
		t.Errorf("a method without slots: %v", err)
	}
	if _, err := Attend(ctx, f, nil, nil, x); err != ErrNoSlots {
		t.Errorf("the bare model: %v", err)
	}
	if _, err := Compare(ctx, f, m, tensors, data.Tokens{IDs: []int32{3}}, data.Tokens{IDs: []int32{3}}); err == nil {
		t.Error("an answer without tokens is read")
	}
	other := text(f)
	other.IDs = append([]int32{1}, other.IDs[:len(other.IDs)-1]...)
	if _, err := Compare(ctx, f, m, tensors, x, other); err == nil {
		t.Error("two different answers are compared")
	}
	long := data.Tokens{IDs: make([]int32, 400), Start: 3}
	if _, err := Compare(ctx, f, m, tensors, long, long); err == nil {
		t.Error("a text beyond the context is read")
	}
	broken, tensors := method(t, f, choices["kv"])
	for _, w := range tensors {
		bad := make([]float32, w.Spec().Len())
		for i := range bad {
			bad[i] = float32(math.NaN())
		}
		if err := w.Write(ctx, 0, engine.FloatBytes(bad)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Compare(ctx, f, broken, tensors, x, x); err != errNotFinite {
		t.Errorf("a prefix that is not finite: %v", err)
	}
}

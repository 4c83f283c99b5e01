package prefix_test

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"prelude/engine"
	"prelude/engine/cpu"
	"prelude/prefix"
	"prelude/prefix/adapter"
)

// Embeddings before an encoder-decoder's inputs are those rows put before them by hand.
func TestRowsAreTheConcatenation(t *testing.T) {
	for _, source := range []string{"embedding", "ptuning"} {
		for _, sites := range [][]string{{"encoder"}, {"decoder"}, {"encoder", "decoder"}} {
			f := pairOf(2, 3)(t, cpu.New[float64]())
			m := start(t, f, at(prefix.Choice{"source": source, source + ".slots": "3", "start": "gaussian"}, sites...))
			stir(m, 0.3)
			tensors := alloc(t, f, m)
			frozen, err := m.Freeze(ctx, f, tensors)
			if err != nil {
				t.Fatal(err)
			}
			rows := map[string][]float32{}
			e, n := param(t, frozen, "prefix.embeddings").Value, 3*f.Arch.Info().Hidden
			if slices.Contains(sites, "decoder") { // comes first
				rows["decoder"], e = e[:n], e[n:]
			}
			if slices.Contains(sites, "encoder") {
				rows["encoder"] = e
			}
			for _, s := range sequences {
				got := logitsOf[float64](t, f, m, tensors, prefix.Evaluate, s)
				want := byHand(t, f, rows, s)
				bound := exact
				if source == "ptuning" {
					bound = 1e-5 // Freeze rounds the network's output to float32
				}
				if e := apart(got, want); e > bound {
					t.Errorf("%s before %v: %.3g from the concatenation", source, sites, e)
				}
			}
		}
	}
}

// byHand is the logits of a sequence with rows before the encoder's and the decoder's input.
func byHand(t *testing.T, f engine.Frozen, rows map[string][]float32, s []int32) []float64 {
	p := engine.NewProgram()
	args := engine.Args{Ints: map[engine.Buffer][]int32{}, Floats: map[engine.Buffer][]float64{}}
	d := f.Arch.Info().Hidden
	table := values[float64](f.Weights["shared.weight"])
	input := func(name string, ids []int32, causal bool) (engine.Input, int) {
		var x []float64
		for _, v := range rows[name] {
			x = append(x, float64(v))
		}
		for _, id := range ids {
			x = append(x, table[int(id)*d:(int(id)+1)*d]...)
		}
		n := len(x) / d
		arg := func(what string, of func(t int) int) engine.Buffer {
			a := p.Arg(name+what, engine.AllRows, engine.I32, n)
			for t := range n {
				args.Ints[a] = append(args.Ints[a], int32(of(t)))
			}
			return a
		}
		in := engine.Input{Hidden: p.Arg(name, engine.AllRows, engine.F32, n, d), Pos: arg("pos", func(t int) int { return t }), Lo: arg("lo", func(int) int { return 0 }),
			Hi: arg("hi", func(t int) int {
				if causal {
					return t + 1
				}
				return n
			})}
		args.Floats[in.Hidden] = x
		return in, n
	}
	enc, read := input("encoder", sourceOf(s), false)
	dec, n := input("decoder", s, true)
	dec.Encoder = &engine.Encoded{Hidden: f.Arch.Encode(p, enc, engine.Hooks{}).Hidden, Lo: dec.Lo, Hi: p.Arg("seen", engine.AllRows, engine.I32, n)}
	args.Ints[dec.Encoder.Hi] = slices.Repeat([]int32{int32(read)}, n)
	p.Keep("z", f.Arch.Logits(p, f.Arch.Forward(p, dec, engine.Hooks{}).Hidden, engine.Hooks{}))
	return run[float64](t, f, p, args, nil, "z")["z"][(n-len(s))*f.Arch.Info().Vocab:]
}

// Switches change the attentions that have a prefix and nothing else: with all values
// alike, what is off is as if it were not there.
func TestEachSwitchIsItsOwn(t *testing.T) {
	f := pairOf(2, 3)(t, cpu.New[float64]())
	z := map[string][]float64{"": logitsOf[float64](t, f, nil, nil, prefix.Evaluate, sequences...)}
	layers := map[string]int{"decoder": 3, "encoder": 2, "cross": 3}
	all := [][]string{{"decoder"}, {"encoder"}, {"cross"}, {"decoder", "encoder"}, {"decoder", "cross"}, {"encoder", "cross"}, {"decoder", "encoder", "cross"}}
	for _, sites := range all {
		m := start(t, f, at(prefix.Choice{"kv.slots": "3", "start": "gaussian"}, sites...))
		kv := param(t, m, "prefix.kv")
		n := 0
		for _, s := range sites {
			n += layers[s]
		}
		if kv.Shape[0] != 2*n {
			t.Errorf("%v: keys and values of %d layers, want %d", sites, kv.Shape[0]/2, n)
		}
		if want := map[bool]int{true: 3}[sites[0] == "decoder"]; m.Offset() != want {
			t.Errorf("%v: the answer begins at %d, want %d", sites, m.Offset(), want)
		}
		z[strings.Join(sites, " ")] = logitsOf[float64](t, f, m, alloc(t, f, m), prefix.Evaluate, sequences...)
	}
	for a, x := range z {
		for b, y := range z {
			if a < b && apart(x, y) < 1e-4 {
				t.Errorf("a prefix at %q gives the logits of one at %q", a, b)
			}
		}
	}
	plain := models["llama"](t, cpu.New[float64]())
	one := start(t, plain, at(prefix.Choice{"kv.slots": "3", "start": "gaussian"}))
	two := start(t, plain, prefix.Choice{"kv.slots": "3", "start": "gaussian"})
	if e := apart(logitsOf[float64](t, plain, one, alloc(t, plain, one), prefix.Evaluate, sequences...), logitsOf[float64](t, plain, two, alloc(t, plain, two), prefix.Evaluate, sequences...)); e != 0 {
		t.Errorf("the switches change a decoder-only model by %.3g", e)
	}
}

// What an encoder-decoder can't have says what it can.
func TestUnsuitedMethods(t *testing.T) {
	i := pairOf(2, 3)(t, cpu.New[float64]()).Arch.Info()
	for _, x := range []struct {
		c    prefix.Choice
		want string
	}{
		{at(prefix.Choice{}), "switch one on"},
		{at(prefix.Choice{"source": "embedding"}, "cross"), "switch one of them on"},
		{prefix.Choice{"source": "embedding", "gate": "log"}, "choose gate open"},
		{prefix.Choice{"source": "ptuning", "length": "l0"}, "choose length fixed"},
		{prefix.Choice{"source": "hidden"}, "is made for decoder-only models"},
		{prefix.Choice{"source": "conv"}, "is made for decoder-only models"},
		{prefix.Choice{"template.slots": "2"}, "made for decoder-only models; choose a template without"},
		{prefix.Choice{"sites.cross": "maybe"}, `sites.cross is "maybe"`},
	} {
		if _, err := prefix.New(x.c, i); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%v: error %v, want …%s…", x.c, err, x.want)
		}
	}
	m, err := prefix.New(prefix.Choice{"source": "embedding"}, i)
	if err != nil {
		t.Fatal(err)
	}
	if m.Mixable() == nil || m.Settles() {
		t.Error("rows of an input are laid beside another prefix, or settled")
	}
}

// Two prefixes of an encoder-decoder blend exactly, since a slot keeps its distance to the
// text: also where slots between were cut out; and one starts another training.
func TestPairsMix(t *testing.T) {
	f := pairOf(2, 3)(t, cpu.New[float64]())
	finished := func(c prefix.Choice) (*prefix.Finished, []float64) {
		c = maps.Clone(c)
		c["start"] = "gaussian"
		m := start(t, f, c)
		stir(m, 0.2)
		for _, p := range m.Params() {
			if p.Name == "length.alpha" {
				copy(p.Value, []float32{9, -6, 0.3, 9, 9})
			}
		}
		tensors := alloc(t, f, m)
		done, err := m.Finished(ctx, f, tensors)
		if err != nil {
			t.Fatal(err)
		}
		return done, logitsOf[float64](t, f, m, tensors, prefix.Evaluate, sequences...)
	}
	a, za := finished(prefix.Choice{"kv.slots": "3", "gate": "log"})
	b, zb := finished(prefix.Choice{"source": "mlp", "mlp.slots": "5", "length": "l0"})
	m, err := prefix.Mix(ctx, f, *a, *b)
	if err != nil {
		t.Fatal(err)
	}
	tensors := alloc(t, f, m)
	for share, want := range [][]float64{za, zb} {
		if err := m.Blend(ctx, tensors, float64(share)); err != nil {
			t.Fatal(err)
		}
		if e := apart(logitsOf[float64](t, f, m, tensors, prefix.Evaluate, sequences...), want); e > 1e-5 {
			t.Errorf("blend %d: %.3g from that prefix alone", share, e)
		}
		r, err := m.Freeze(ctx, f, tensors)
		if err != nil {
			t.Fatal(err)
		}
		if e := apart(logitsOf[float64](t, f, r, alloc(t, f, r), prefix.Evaluate, sequences...), want); e > 1e-5 {
			t.Errorf("blend %d, frozen: %.3g from that prefix alone", share, e)
		}
	}
	if len(m.Notes()) > 0 {
		t.Errorf("an exact blend has notes %q", m.Notes())
	}
	c, _ := finished(at(prefix.Choice{"kv.slots": "3"}, "decoder"))
	if _, err := prefix.Mix(ctx, f, *a, *c); err == nil || !strings.Contains(err.Error(), "switched alike") {
		t.Errorf("prefixes at different attentions: error %v", err)
	}
	for _, x := range []struct {
		c    prefix.Choice
		want string
	}{{prefix.Choice{"start": "prefix"}, ""}, {at(prefix.Choice{"start": "prefix"}, "encoder"), "at these attentions"}} {
		next, err := prefix.New(x.c, f.Arch.Info())
		if err != nil {
			t.Fatal(err)
		}
		err = next.Start(context.Background(), f, prefix.StartFrom{Prefix: b}, rand.New(rand.NewPCG(1, 1)))
		if (err == nil) != (x.want == "") || err != nil && !strings.Contains(err.Error(), x.want) {
			t.Errorf("%v from a prefix everywhere: error %v, want %q", x.c, err, x.want)
		}
	}
}

// Where only the first slots were cut out, the others stand as PEFT has them.
func TestCutFromTheFront(t *testing.T) {
	f := pairOf(3, 3)(t, cpu.New[float64]())
	m := start(t, f, at(prefix.Choice{"kv.slots": "5", "length": "l0", "start": "gaussian"}, "decoder"))
	stir(m, 0.2)
	copy(param(t, m, "length.alpha").Value, []float32{-6, -6, 9, 9, 9})
	tensors := alloc(t, f, m)
	a, err := m.Adapter(ctx, f, tensors, card(f), "")
	if err != nil {
		t.Fatal(err)
	}
	if a.Config.PeftType != adapter.PrefixTuning || a.Config.NumVirtualTokens != 3 {
		t.Fatalf("written as %s of %d slots (%s)", a.Config.PeftType, a.Config.NumVirtualTokens, a.Prelude.NoPEFT)
	}
	r, err := prefix.FromAdapter(f.Arch, a)
	if err != nil {
		t.Fatal(err)
	}
	want := logitsOf[float64](t, f, m, tensors, prefix.Evaluate, sequences...)
	if e := apart(logitsOf[float64](t, f, r, alloc(t, f, r), prefix.Evaluate, sequences...), want); e > 1e-5 {
		t.Errorf("%.3g from the prefix that was trained", e)
	}
}

// Words that the decoder reads as a prefix are those words before its answer, where the
// encoder has read the same.
func TestWordsBeforeAnAnswer(t *testing.T) {
	f := pairOf(2, 3)(t, cpu.New[float64]())
	s := sequences[0]
	words := sourceOf(s) // what the encoder reads beside s
	m, err := prefix.New(at(prefix.Choice{"start": "text"}, "decoder"), f.Arch.Info())
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Start(ctx, f, prefix.StartFrom{Text: words}, rand.New(rand.NewPCG(5, 6))); err != nil {
		t.Fatal(err)
	}
	got := logitsOf[float64](t, f, m, alloc(t, f, m), prefix.Evaluate, s)
	var rows []float32
	for _, id := range words {
		for j := range f.Arch.Info().Hidden {
			rows = append(rows, float32(values[float64](f.Weights["shared.weight"])[int(id)*f.Arch.Info().Hidden+j]))
		}
	}
	if e := apart(got, byHand(t, f, map[string][]float32{"decoder": rows}, s)); e > 1e-5 {
		t.Errorf("%.3g from the words in context", e)
	}
}

// What a model can't have is told before anything is chosen: each of it is refused when it
// is chosen, and whatever else stands alone is not.
func TestRefused(t *testing.T) {
	dec := engine.ModelInfo{Family: "llama", Layers: 2, Hidden: 8, Heads: 2, KVHeads: 2, HeadDim: 4, Context: 64, Vocab: 32}
	if got := prefix.Refused(dec); len(got) > 0 {
		t.Errorf("a decoder-only model is refused %v", got)
	}
	enc := dec
	enc.EncLayers = 2
	got := prefix.Refused(enc)
	for _, key := range []string{"source.hidden", "source.prompts", "source.conv", "preset.4.2", "preset.4.3", "preset.llama-adapter", "template.soft"} {
		if got[key] != "made for decoder-only models" {
			t.Errorf("%s: %q", key, got[key])
		}
	}
	for _, a := range prefix.Axes() {
		for _, o := range a.Options {
			_, err := prefix.New(prefix.Choice{a.ID: o.ID}, enc)
			if why, ok := got[a.ID+"."+o.ID]; ok && (err == nil || !strings.Contains(err.Error(), why)) {
				t.Errorf("%s=%s: said to be refused (%q), chosen: %v", a.ID, o.ID, why, err)
			} else if _, plain := prefix.New(prefix.Choice{a.ID: o.ID}, dec); !ok && err != nil && plain == nil {
				t.Errorf("%s=%s: not said to be refused, chosen: %v", a.ID, o.ID, err)
			}
		}
	}
}

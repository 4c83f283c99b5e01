package prefix_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"

	"prelude/engine"
	"prelude/engine/cpu"
	"prelude/models/tiny"
	"prelude/prefix"
	"prelude/prefix/generate"
)

// exact is how far identities may be apart in float64.
const exact = 1e-12

// combinations are choices from all axes that go together: each option with the plain
// others, and some of everything.
func combinations() map[string]prefix.Choice {
	all := map[string]prefix.Choice{}
	for _, s := range options("source") {
		c := prefix.Choice{"source": s, "start": "gaussian"}
		if !slotless(s) {
			c[s+".slots"] = "4"
		}
		if s == "none" {
			c["weights"] = "lora"
		}
		all["source "+s] = c
		if !slotless(s) {
			for _, l := range []string{"l0", "nested", "span"} {
				all[s+", "+l] = prefix.Choice{"source": s, "start": "gaussian", s + ".slots": "4", "length": l}
			}
			for _, g := range options("gate") {
				all[s+", "+g] = prefix.Choice{"source": s, "start": "gaussian", s + ".slots": "4", "gate": g}
			}
		}
	}
	for _, w := range options("weights") {
		all["kv, "+w] = prefix.Choice{"start": "gaussian", "kv.slots": "4", "weights": w}
		all["embedding, "+w] = prefix.Choice{"source": "embedding", "start": "gaussian", "embedding.slots": "4", "weights": w}
	}
	for site, off := range map[string][2]string{"decoder": {"encoder", "cross"}, "encoder": {"decoder", "cross"}, "cross": {"encoder", "decoder"}} {
		for _, s := range []string{"kv", "mlp", "embedding", "outside"} {
			c := prefix.Choice{"source": s, "start": "gaussian", "sites." + off[0]: "off", "sites." + off[1]: "off"}
			if !slotless(s) {
				c[s+".slots"] = "4"
			}
			all[s+" at "+site] = c
		}
	}
	all["everything"] = prefix.Choice{"source": "convprefix", "convprefix.slots": "4", "convprefix.dilations": "1,2,4,8", "start": "gaussian", "gate": "dynamic", "length": "span", "weights": "bias"}
	return all
}

func TestIdentityAtTheStart(t *testing.T) {
	for name, model := range everyModel {
		for what, c := range map[string]prefix.Choice{
			"zero-init gate":          {"gate": "zeroinit", "kv.slots": "4", "start": "gaussian"},
			"zero-init gate, prompts": {"source": "prompts", "gate": "zeroinit", "prompts.slots": "4", "start": "text"},
			"kernel":                  {"source": "conv"},
			"dilated kernel":          {"source": "conv", "conv.dilations": "1,2,4,8"},
			"outside the softmax":     {"source": "outside"},
			"LoRA":                    {"source": "none", "weights": "lora", "lora.maps": "all"},
			"biases":                  {"source": "none", "weights": "bias"},
			"norms":                   {"source": "none", "weights": "norms"},
			"head bias":               {"source": "none", "weights": "headbias"},
			"last layers":             {"source": "none", "weights": "last"},
			"all weights":             {"source": "none", "weights": "full"},
		} {
			f := model(t, cpu.New[float64]())
			if !suits(f, c) {
				continue
			}
			m := start(t, f, c)
			got := logitsOf[float64](t, f, m, alloc(t, f, m), prefix.Train, sequences...)
			if e := apart(got, logitsOf[float64](t, f, nil, nil, prefix.Evaluate, sequences...)); e > exact {
				t.Errorf("%s, %s: logits differ by %.3g from the frozen model's", name, what, e)
			}
			stir(m, 0.3)
			if moved := logitsOf[float64](t, f, m, alloc(t, f, m), prefix.Evaluate, sequences...); apart(moved, got) < 1e-4 {
				t.Errorf("%s, %s: other values change nothing", name, what)
			}
		}
	}
}

// A log-gate of 0 and a slot beyond the length are as if the slot were not there.
func TestAShutGateRemovesTheSlot(t *testing.T) {
	f := models["llama"](t, cpu.New[float64]())
	plain := logitsOf[float64](t, f, nil, nil, prefix.Evaluate, sequences...)
	m := start(t, f, prefix.Choice{"gate": "log", "kv.slots": "3", "start": "gaussian"})
	for _, p := range m.Params() {
		if p.Name == "gate.log" {
			for i := range p.Value {
				p.Value[i] = -1e4
			}
		}
	}
	// The text stays at the position after the slots, which rotary models don't see.
	if e := apart(logitsOf[float64](t, f, m, alloc(t, f, m), prefix.Evaluate, sequences...), plain); e > 1e-6 {
		t.Errorf("all gates at 0: %.3g from the model without a prefix", e)
	}
}

// Embeddings run once as a prefix are the embeddings put before every text.
func TestEmbeddingsAreTheConcatenation(t *testing.T) {
	for name, model := range models {
		for _, source := range []string{"embedding", "ptuning", "convprefix"} {
			f := model(t, cpu.New[float64]())
			m := start(t, f, prefix.Choice{"source": source, source + ".slots": "5", "start": "gaussian"})
			stir(m, 0.3)
			tensors := alloc(t, f, m)
			frozen, err := m.Freeze(ctx, f, tensors)
			if err != nil {
				t.Fatal(err)
			}
			d := f.Arch.Info().Hidden
			for _, s := range sequences {
				got := logitsOf[float64](t, f, m, tensors, prefix.Evaluate, s)
				var rows []float64 // [P; E] and, for the kernel, its convolution, by hand
				for _, v := range param(t, frozen, "prefix.embeddings").Value {
					rows = append(rows, float64(v))
				}
				table := values[float64](f.Weights[embeddings(f)])
				for _, id := range s {
					rows = append(rows, table[int(id)*d:(int(id)+1)*d]...)
				}
				if source == "convprefix" {
					w := param(t, frozen, "prefix.kernel")
					plain := append([]float64(nil), rows...)
					for i := range rows {
						for tap := range w.Shape[1] {
							if from := i - tap*d; from >= 0 {
								rows[i] += float64(w.Value[tap*d+i%d]) * plain[from]
							}
						}
					}
				}
				p := engine.NewProgram()
				n := len(rows) / d
				arg := func(name string) engine.Buffer { return p.Arg(name, engine.AllRows, engine.I32, n) }
				in := engine.Input{Hidden: p.Arg("rows", engine.AllRows, engine.F32, n, d), Pos: arg("pos"), Lo: arg("lo"), Hi: arg("hi")}
				args := engine.Args{Ints: map[engine.Buffer][]int32{in.Lo: make([]int32, n)}, Floats: map[engine.Buffer][]float64{in.Hidden: rows}}
				for i := range n {
					args.Ints[in.Pos], args.Ints[in.Hi] = append(args.Ints[in.Pos], int32(i)), append(args.Ints[in.Hi], int32(i+1))
				}
				p.Keep("z", f.Arch.Logits(p, f.Arch.Forward(p, in, engine.Hooks{}).Hidden, engine.Hooks{}))
				want := run[float64](t, f, p, args, nil, "z")["z"][5*f.Arch.Info().Vocab:]
				bound := exact
				if source == "ptuning" {
					bound = 1e-6 // Freeze rounds the network's output to float32
				}
				if e := apart(got, want); e > bound {
					t.Errorf("%s, %s: %.3g from the concatenation", name, source, e)
				}
			}
		}
	}
}

func embeddings(f engine.Frozen) string {
	for name := range f.Weights {
		if strings.HasSuffix(name, "embed_tokens.weight") || strings.HasSuffix(name, "wte.weight") {
			return name
		}
	}
	return ""
}

func param(t *testing.T, m *prefix.Method, name string) prefix.Param {
	t.Helper()
	for _, p := range m.Params() {
		if p.Name == name {
			return p
		}
	}
	t.Fatalf("no tensor %q", name)
	return prefix.Param{}
}

// The first tokens of a text, read as a prefix of any kind, are those tokens in context.
func TestTextAsAPrefixIsTextInContext(t *testing.T) {
	for name, model := range models {
		for _, source := range []string{"kv", "mlp", "transposed", "embedding", "ptuning", "hidden", "propagation"} {
			f := model(t, cpu.New[float64]())
			m := start(t, f, prefix.Choice{"source": source, "start": "text"})
			text := given().Text
			if m.Slots() != len(text) || m.Offset() != len(text) {
				t.Fatalf("%s: %d slots, offset %d, want %d", source, m.Slots(), m.Offset(), len(text))
			}
			vocab := f.Arch.Info().Vocab
			for _, s := range sequences {
				got := logitsOf[float64](t, f, m, alloc(t, f, m), prefix.Evaluate, s)
				want := logitsOf[float64](t, f, nil, nil, prefix.Evaluate, append(append([]int32(nil), text...), s...))[len(text)*vocab:]
				if e := apart(got, want); e > 1e-6 { // the start is kept in float32
					t.Errorf("%s, %s: %.3g from the text in context", name, source, e)
				}
			}
		}
	}
}

// A batch is its examples: packing and order change nothing, and no token sees the next.
func TestBatchesAndCausality(t *testing.T) {
	for name, model := range everyModel {
		for what, c := range combinations() {
			f := model(t, cpu.New[float64]())
			if !suits(f, c) {
				continue
			}
			m := start(t, f, c)
			stir(m, 0.2)
			tensors := alloc(t, f, m)
			vocab := f.Arch.Info().Vocab
			z := func(s ...[]int32) []float64 { return logitsOf[float64](t, f, m, tensors, prefix.Evaluate, s...) }
			a, b := z(sequences[0]), z(sequences[1])
			if e := apart(z(sequences[0], sequences[1]), append(append([]float64(nil), a...), b...)); e > exact {
				t.Errorf("%s, %s: packed differs by %.3g", name, what, e)
			}
			if e := apart(z(sequences[1], sequences[0]), append(append([]float64(nil), b...), a...)); e > exact {
				t.Errorf("%s, %s: another order differs by %.3g", name, what, e)
			}
			other := append([]int32(nil), sequences[0]...)
			other[len(other)-1] = 33
			leak := z(other)
			n := (len(other) - 1) * vocab
			if e := apart(leak[:n], a[:n]); e > 0 {
				t.Errorf("%s, %s: earlier logits move by %.3g with the last token", name, what, e)
			}
			if e := apart(leak[n:], a[n:]); e < 1e-6 {
				t.Errorf("%s, %s: the last token changes nothing", name, what)
			}
		}
	}
}

// Generation with its cache and its settled prefix gives the logits of one forward pass.
func TestGenerationAgrees(t *testing.T) {
	for name, model := range everyModel {
		for what, c := range combinations() {
			f := model(t, cpu.New[float32]())
			if !suits(f, c) {
				continue
			}
			m := start(t, f, c)
			stir(m, 0.2)
			tensors := alloc(t, f, m)
			g, err := generate.New(ctx, f, m, tensors, 40)
			if err != nil {
				t.Errorf("%s, %s: %v", name, what, err)
				continue
			}
			text := append([]int32(nil), sequences[0]...)
			n := len(text)
			prompt := text
			if f.Arch.Info().EncLayers > 0 { // the encoder reads it, and the decoder begins anew
				text, n = []int32{f.Arch.Info().Start}, 1
				prompt = sourceOf(text)
			}
			for range 2 { // the second time over a used cache
				text = text[:n]
				if _, err := g.Run(ctx, prompt[:len(prompt):len(prompt)], generate.Options{MaxTokens: 4}, func(id int32) bool { text = append(text, id); return true }); err != nil {
					t.Fatalf("%s, %s: %v", name, what, err)
				}
			}
			z, err := g.Logits(ctx)
			if err != nil {
				t.Fatal(err)
			}
			got := make([]float64, len(z))
			for i, v := range z {
				got[i] = float64(v)
			}
			text = text[:len(text)-1]
			all := logitsOf[float32](t, f, m, tensors, prefix.Evaluate, text)
			if e := apart(got, all[len(all)-len(z):]); e > 1e-5 {
				t.Errorf("%s, %s: %.3g from one forward pass", name, what, e)
			}
			g.Close()
		}
	}
}

// Freezing drops what only training needed and leaves the logits.
func TestFreezeKeepsTheLogits(t *testing.T) {
	for name, model := range everyModel {
		for what, c := range combinations() {
			f := model(t, cpu.New[float64]())
			if !suits(f, c) {
				continue
			}
			m := start(t, f, c)
			stir(m, 0.2)
			pruned := 0
			for _, p := range m.Params() {
				if p.Name == "length.alpha" && c["source"] != "convprefix" { // slots 1 and 2 of 4 are shut
					p.Value[1], p.Value[2], p.Value[3] = -6, -6, 8
					pruned = 2
				}
			}
			tensors := alloc(t, f, m)
			if c["length"] == "nested" && c["source"] != "convprefix" {
				if err := m.SetLength(ctx, tensors, 3); err != nil {
					t.Fatal(err)
				}
				pruned = 1
			}
			want := logitsOf[float64](t, f, m, tensors, prefix.Evaluate, sequences...)
			r, err := m.Freeze(ctx, f, tensors)
			if err != nil {
				t.Errorf("%s, %s: %v", name, what, err)
				continue
			}
			if n, err := m.Counting(ctx, tensors); err != nil || n != r.Slots() {
				t.Errorf("%s, %s: %d slots are said to count, %d are left (%v)", name, what, n, r.Slots(), err)
			}
			if r.Slots() != m.Slots()-pruned {
				t.Errorf("%s, %s: %d slots are left of %d", name, what, r.Slots(), m.Slots())
			}
			if rotary := f.Arch.Info().Positions == engine.Rotary; rotary && m.Offset() > 0 && r.Offset() != r.Slots() && c["source"] != "prompts" {
				t.Errorf("%s, %s: the text starts at %d, not after the %d slots", name, what, r.Offset(), r.Slots())
			}
			if e := apart(logitsOf[float64](t, f, r, alloc(t, f, r), prefix.Evaluate, sequences...), want); e > 3e-6 { // values are float32
				t.Errorf("%s, %s: freezing moves the logits by %.3g", name, what, e)
			}
		}
	}
}

// Two prefixes side by side are, at either end of the blend, each of them alone: gates,
// lengths and all.
func TestMixedPrefixes(t *testing.T) {
	for what, choices := range map[string][2]prefix.Choice{
		"keys and values":  {{"kv.slots": "3"}, {"kv.slots": "5"}},
		"gates":            {{"kv.slots": "3", "gate": "log"}, {"kv.slots": "5", "length": "l0"}},
		"gates and embeds": {{"source": "embedding", "embedding.slots": "2"}, {"source": "mlp", "mlp.slots": "4", "gate": "log", "length": "nested"}},
	} {
		f := models["llama"](t, cpu.New[float64]())
		var parts [2]prefix.Finished
		var alone [2][]float64
		for n, c := range choices {
			c = maps.Clone(c)
			c["start"] = "gaussian"
			m := start(t, f, c)
			stir(m, 0.2)
			for _, p := range m.Params() {
				if p.Name == "length.alpha" {
					copy(p.Value, []float32{9, -6, 0.3, 9, -1})
				}
			}
			tensors := alloc(t, f, m)
			if m.Nested() {
				if err := m.SetLength(ctx, tensors, 3); err != nil {
					t.Fatal(err)
				}
			}
			if err := m.Mixable(); err != nil {
				t.Fatal(err)
			}
			alone[n] = logitsOf[float64](t, f, m, tensors, prefix.Evaluate, sequences...)
			done, err := m.Finished(ctx, f, tensors)
			if err != nil {
				t.Fatal(err)
			}
			parts[n] = *done
		}
		m, err := prefix.Mix(ctx, f, parts[0], parts[1])
		if err != nil {
			t.Fatal(err)
		}
		tensors := alloc(t, f, m)
		for end, want := range alone {
			share := float64(end)
			if err := m.Blend(ctx, tensors, share); err != nil {
				t.Fatal(err)
			}
			if e := apart(logitsOf[float64](t, f, m, tensors, prefix.Evaluate, sequences...), want); e > 1e-6 {
				t.Errorf("%s, blend %g: %.3g from that prefix alone", what, share, e)
			}
			r, err := m.Freeze(ctx, f, tensors)
			if err != nil {
				t.Fatal(err)
			}
			if e := apart(logitsOf[float64](t, f, r, alloc(t, f, r), prefix.Evaluate, sequences...), want); e > 3e-6 || r.Slots() == m.Slots() {
				t.Errorf("%s, blend %g, frozen: %d slots, %.3g from that prefix alone", what, share, r.Slots(), e)
			}
		}
		if err := m.Blend(ctx, tensors, 0.5); err != nil {
			t.Fatal(err)
		}
		if z := logitsOf[float64](t, f, m, tensors, prefix.Evaluate, sequences...); apart(z, alone[0]) < 1e-3 || apart(z, alone[1]) < 1e-3 {
			t.Errorf("%s: half of both is one of them", what)
		}
		if err := m.Blend(ctx, tensors, 1.5); err == nil {
			t.Error("a blend of 1.5 is taken")
		}
	}
}

// Learned positions can't be moved: a blend says that it is only close.
func TestMixedPrefixesOfLearnedPositions(t *testing.T) {
	f := models["gpt2"](t, cpu.New[float64]())
	var parts []prefix.Finished
	for range 2 {
		m := start(t, f, prefix.Choice{"kv.slots": "2", "start": "gaussian"})
		done, err := m.Finished(ctx, f, alloc(t, f, m))
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, *done)
	}
	m, err := prefix.Mix(ctx, f, parts[0], parts[1])
	if err != nil || len(m.Notes()) != 1 || !strings.Contains(m.Notes()[0], "only close") {
		t.Errorf("%v, notes %q", err, m.Notes())
	}
}

// What can't stand beside another prefix says why.
func TestWhatCannotBeMixed(t *testing.T) {
	i := models["llama"](t, cpu.New[float64]()).Arch.Info()
	for want, c := range map[string]prefix.Choice{
		"":                   {},
		"has no slots":       {"source": "conv"},
		"changes weights":    {"weights": "bias"},
		"softmax of its own": {"gate": "zeroinit"},
		"each token's own":   {"length": "span"},
		"kernel runs over":   {"source": "convprefix"},
	} {
		m, err := prefix.New(c, i)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Mixable(); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%v: error %v, want %q", c, err, want)
		}
	}
}

// The lengths that a sweep tries are read from one line.
func TestSweepLengths(t *testing.T) {
	i := models["llama"](t, cpu.New[float64]()).Arch.Info()
	for text, want := range map[string]string{"": "[1 2 5 10 20 40]", "8, 2,2": "[2 8]", "5": "want 2 to", "1,x": "want numbers from 1 to 512",
		"0,3": "want numbers from 1", "1,2,3,4,5,6,7,8,9,10,11,12,13": "13 lengths"} {
		m, err := prefix.New(prefix.Choice{"length": "sweep", "sweep.lengths": text}, i)
		got := fmt.Sprint(err)
		if err == nil {
			got = fmt.Sprint(m.Sweep())
		}
		if !strings.Contains(got, want) {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	c := prefix.Choice{"source": "mlp", "length": "sweep"}.OfLength(7)
	if m, err := prefix.New(c, i); err != nil || m.Slots() != 7 || m.Sweep() != nil {
		t.Errorf("%v: %v", c, err)
	}
}

// A pruned and gated prefix starts another training, with its gates open.
func TestFinishedPrefixStartsAnother(t *testing.T) {
	f := models["llama"](t, cpu.New[float64]())
	m := start(t, f, prefix.Choice{"gate": "log", "length": "l0", "kv.slots": "4", "start": "gaussian"})
	copy(param(t, m, "length.alpha").Value, []float32{9, -6, 9, 9})
	done, err := m.Finished(ctx, f, alloc(t, f, m))
	if err != nil {
		t.Fatal(err)
	}
	next, err := prefix.New(prefix.Choice{"start": "prefix"}, f.Arch.Info())
	if err != nil {
		t.Fatal(err)
	}
	if err := next.Start(ctx, f, prefix.StartFrom{Prefix: done}, rand.New(rand.NewPCG(1, 1))); err != nil || next.Slots() != 3 {
		t.Fatalf("%d slots, error %v", next.Slots(), err)
	}
	values := func(kv []float32, layer, slots, slot int) []float32 { // which don't rotate
		return kv[((2*layer+1)*slots+slot)*8:][:8]
	}
	for l := range 2 {
		for to, from := range []int{0, 2, 3} {
			got, want := values(next.Params()[0].Value, l, 3, to), values(param(t, m, "prefix.kv").Value, l, 4, from)
			for i := range want {
				if got[i] != want[i] {
					t.Fatalf("layer %d: slot %d does not hold the values of slot %d", l, to, from)
				}
			}
		}
	}
}

// Moving keys and moving them back restores them, also where the model's rotation scales
// a part of them (LongRoPE's attention factor on half of each head).
func TestRotate(t *testing.T) {
	var kv []float32
	for name, f := range map[string]engine.Frozen{"llama": models["llama"](t, cpu.New[float64]()),
		"phi3": tiny.New(t, cpu.New[float64](), `{"model_type":"phi3","hidden_size":16,"intermediate_size":24,"num_hidden_layers":2,"num_attention_heads":2,"vocab_size":40,
			"max_position_embeddings":128,"original_max_position_embeddings":32,"partial_rotary_factor":0.5,"rope_scaling":{"type":"longrope","short_factor":[1,1.5]}}`)} {
		m := start(t, f, prefix.Choice{"kv.slots": "3", "start": "gaussian"})
		kv = m.Params()[0].Value
		there, err := prefix.Rotate(ctx, f, kv, 3, 7)
		if err != nil {
			t.Fatal(err)
		}
		back, err := prefix.Rotate(ctx, f, there, 3, -7)
		if err != nil {
			t.Fatal(err)
		}
		var far, near float64
		for i := range kv {
			far, near = max(far, float64(there[i]-kv[i])), max(near, float64(back[i]-kv[i]), float64(kv[i]-back[i]))
		}
		if far < 0.1 || near > 1e-6 {
			t.Errorf("%s: moved by %g, back within %g", name, far, near)
		}
	}
	if _, err := prefix.Rotate(ctx, models["gpt2"](t, cpu.New[float64]()), kv, 3, 1); err == nil || !strings.Contains(err.Error(), "gpt2") {
		t.Errorf("learned positions: error %v", err)
	}
}

func TestBadChoices(t *testing.T) {
	f := models["llama"](t, cpu.New[float64]())
	for _, c := range []struct {
		choice prefix.Choice
		want   string
	}{
		{prefix.Choice{"source": "none"}, "neither a prefix nor any weights"},
		{prefix.Choice{"source": "conv", "gate": "log"}, "choose gate open"},
		{prefix.Choice{"source": "outside", "length": "l0"}, "choose length fixed"},
		{prefix.Choice{"source": "music"}, "unknown"},
		{prefix.Choice{"kv.size": "3"}, `"kv.size" is unknown`},
		{prefix.Choice{"kv.slots": "-1"}, "want a number from 0 to 512"},
		{prefix.Choice{"kv.slots": "2.5"}, "want a number"},
		{prefix.Choice{"gate": "log", "log.start": "0"}, "want a number from 1e-06"},
		{prefix.Choice{"gate": "log", "log.start": "NaN"}, "want a number"},
		{prefix.Choice{"source": "conv", "conv.dilations": "3"}, "want one of"},
		{prefix.Choice{"source": "transposed", "transposed.taps": "2", "transposed.stride": "3"}, "leaves slots between"},
	} {
		if _, err := prefix.New(c.choice, f.Arch.Info()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: error %v, want %q", c.choice, err, c.want)
		}
	}
	for _, c := range []struct {
		choice prefix.Choice
		from   prefix.StartFrom
		want   string
	}{
		{prefix.Choice{"start": "gaussian", "kv.slots": "128"}, prefix.StartFrom{}, "context of 128 tokens"},
		{prefix.Choice{"start": "text"}, prefix.StartFrom{}, "needs a text"},
		{prefix.Choice{"start": "examples"}, prefix.StartFrom{}, "at least one example"},
		{prefix.Choice{"start": "labels"}, prefix.StartFrom{}, "needs labels"},
		{prefix.Choice{"start": "labels", "kv.slots": "1"}, given(), "2 labels do not fit 1 slots"},
		{prefix.Choice{"start": "vocabulary", "kv.slots": "50"}, prefix.StartFrom{}, "vocabulary has 40 words"},
		{prefix.Choice{"start": "prefix"}, prefix.StartFrom{}, "train or import it first"},
		{prefix.Choice{"start": "prefix"}, prefix.StartFrom{Prefix: &prefix.Finished{Slots: 2, KV: make([]float32, 3)}}, "want 64"},
		{prefix.Choice{"start": "prefix", "source": "embedding"}, prefix.StartFrom{Prefix: &prefix.Finished{Slots: 2, KV: make([]float32, 64)}}, "choose the source keys and values"},
	} {
		m, err := prefix.New(c.choice, f.Arch.Info())
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Start(ctx, f, c.from, rand.New(rand.NewPCG(1, 1))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: error %v, want %q", c.choice, err, c.want)
		}
	}
}

// Every start serves every source it can; equal zero slots come with a warning.
func TestStarts(t *testing.T) {
	f := models["llama"](t, cpu.New[float64]())
	for _, s := range options("start") {
		for _, source := range options("source") {
			if slotless(source) || s == "prefix" && source != "kv" && source != "mlp" && source != "transposed" {
				continue
			}
			m, err := prefix.New(prefix.Choice{"source": source, "start": s}, f.Arch.Info())
			if err != nil {
				t.Fatal(err)
			}
			g := given()
			g.Prefix = &prefix.Finished{Slots: 2, KV: make([]float32, 64)}
			if err := m.Start(ctx, f, g, rand.New(rand.NewPCG(1, 1))); err != nil {
				t.Errorf("%s from %s: %v", source, s, err)
				continue
			}
			if m.Slots() < 2 {
				t.Errorf("%s from %s: %d slots", source, s, m.Slots())
			}
			if warned := len(m.Notes()) > 0; warned != (s == "zeros" && source == "kv") {
				t.Errorf("%s from %s: notes %q", source, s, m.Notes())
			}
		}
	}
}

// A label of several tokens is one slot: the mean of its embeddings.
func TestLabelWordsOfSeveralTokens(t *testing.T) {
	f := models["llama"](t, cpu.New[float64]())
	m := start(t, f, prefix.Choice{"source": "embedding", "start": "labels", "embedding.slots": "3"})
	table := values[float64](f.Weights[embeddings(f)])
	got := m.Params()[0].Value
	for j := range 16 {
		for slot, want := range []float64{table[11*16+j], (table[12*16+j] + table[19*16+j] + table[4*16+j]) / 3} {
			if d := float64(got[slot*16+j]) - want; d > 1e-6 || d < -1e-6 {
				t.Fatalf("slot %d, element %d: %g, want %g", slot, j, got[slot*16+j], want)
			}
		}
	}
}

// What the page shows of every option is there, and every option that trains something
// of its own has a learning rate.
func TestOptionsExplainThemselves(t *testing.T) {
	seen := map[string]string{}
	for _, a := range prefix.Axes() {
		if a.Label == "" || len(a.Options) < 2 && !a.EncDec {
			t.Errorf("axis %q has label %q and %d options", a.ID, a.Label, len(a.Options))
		}
		for _, o := range a.Options {
			if o.Label == "" || !strings.HasSuffix(o.Sentence, ".") || strings.Count(o.Sentence, ". ") > 0 {
				t.Errorf("%s %q: label %q, sentence %q: want one plain sentence", a.ID, o.ID, o.Label, o.Sentence)
			}
			for _, s := range o.Settings {
				key := o.ID + "." + s.ID
				if other, ok := seen[key]; ok {
					t.Errorf("setting %s is in %s and in %s", key, other, a.ID)
				}
				seen[key] = a.ID
				if s.Label == "" || s.Help == "" {
					t.Errorf("setting %s explains nothing", key)
				}
			}
		}
	}
}

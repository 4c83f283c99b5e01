package prefix_test

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"prelude/engine"
	"prelude/engine/cpu"
	"prelude/prefix"
	"prelude/prefix/adapter"
	"prelude/prefix/generate"
)

// softMark is the token that stands for a soft slot in the sequences of these tests: the
// first one of a sequence is slot 0.
const softMark = 39

// softOf says which tokens of a sequence are soft slots.
func softOf(s []int32) (soft []int32) {
	n := int32(0)
	for _, id := range s {
		slot := int32(-1)
		if id == softMark {
			slot = n
			n++
		}
		soft = append(soft, slot)
	}
	return soft
}

// templated are two texts of one template: two words in front, two soft slots, a text, a
// soft slot, a label.
var templated = [][]int32{{5, 11, softMark, softMark, 7, 22, softMark, 9}, {5, 11, softMark, softMark, 31, 4, 4, softMark, 13}}

var templates = map[string]prefix.Choice{
	"alone":          {"source": "none"},
	"front":          {"source": "none"},
	"keys, values":   {"kv.slots": "3", "start": "gaussian"},
	"kernel":         {"source": "conv"},
	"weights":        {"source": "none", "weights": "lora"},
	"gate and head":  {"kv.slots": "3", "start": "gaussian", "gate": "log", "weights": "headbias"},
	"front and head": {"source": "none", "weights": "headbias"},
}

// templateMethod makes a method for the template, its front read once where that can be.
func templateMethod(t *testing.T, f engine.Frozen, c prefix.Choice, front int) *prefix.Method {
	t.Helper()
	m, err := prefix.New(c.WithTemplate(3, front), f.Arch.Info())
	if err != nil {
		t.Fatal(err)
	}
	g := given()
	g.Front = templated[0][:front]
	if err := m.Start(ctx, f, g, rand.New(rand.NewPCG(1, 2))); err != nil {
		t.Fatal(err)
	}
	return m
}

// Soft slots that hold the embeddings of words are those words.
func TestSoftSlotsAreWords(t *testing.T) {
	for name, model := range models {
		f := model(t, cpu.New[float64]())
		d := f.Arch.Info().Hidden
		table := values[float64](f.Weights[embeddings(f)])
		words := []int32{3, 17, 29}
		for what, c := range templates {
			m := templateMethod(t, f, c, 0)
			stirred := m.Params()
			for _, p := range stirred {
				if p.Name != "template.rows" {
					continue
				}
				for slot, id := range words {
					for j := range d {
						p.Value[j*3+slot] = float32(table[int(id)*d+j])
					}
				}
			}
			plain := slices.Clone(templated[0])
			n := 0
			for i, id := range plain {
				if id == softMark {
					plain[i] = words[n]
					n++
				}
			}
			tensors := alloc(t, f, m)
			got := logitsOf[float64](t, f, m, tensors, prefix.Evaluate, templated[0])
			if e := apart(got, logitsOf[float64](t, f, m, tensors, prefix.Evaluate, plain)); e > 1e-6 {
				t.Errorf("%s, %s: %.3g from the words themselves", name, what, e)
			}
		}
	}
}

// The gradient of soft slots, of the slots that several rows share, and of what trains
// beside them.
func TestTemplateGradients(t *testing.T) {
	whole := sequences
	sequences = templated
	defer func() { sequences = whole }()
	for name, model := range models {
		for what, c := range templates {
			t.Run(name+" "+what, func(t *testing.T) {
				f := model(t, cpu.New[float64]())
				checkGradients(t, f, templateMethod(t, f, c, 0))
			})
		}
	}
}

// A template's beginning, read once, gives the logits that it gives when it runs with
// every text; so do a frozen copy, an exported one, and generation.
func TestTemplateInFront(t *testing.T) {
	const front = 2
	for name, model := range models {
		for what, c := range templates {
			f := model(t, cpu.New[float32]())
			plain, cached := templateMethod(t, f, c, 0), templateMethod(t, f, c, front)
			skip := cached.Front()
			if want := strings.HasPrefix(what, "front") || what == "alone"; (skip == front) != want {
				t.Errorf("%s: %d tokens in front are read once", what, skip)
			}
			vocab := f.Arch.Info().Vocab
			for _, s := range templated {
				want := logitsOf[float32](t, f, plain, alloc(t, f, plain), prefix.Evaluate, s)[skip*vocab:]
				tensors := alloc(t, f, cached)
				check := func(how string, got []float64) {
					if e := apart(got, want); e > 1e-5 {
						t.Errorf("%s, %s, %s: %.3g from the whole template", name, what, how, e)
					}
				}
				check("in front", logitsOf[float32](t, f, cached, tensors, prefix.Evaluate, s[skip:]))
				frozen, err := cached.Freeze(ctx, f, tensors)
				if err != nil {
					t.Fatal(err)
				}
				check("frozen", logitsOf[float32](t, f, frozen, alloc(t, f, frozen), prefix.Evaluate, s[skip:]))
				a, err := cached.Adapter(ctx, f, tensors, card(f), "")
				if err != nil {
					t.Fatal(err)
				}
				if a.Config.PeftType != adapter.Own || !strings.Contains(a.Prelude.NoPEFT, "template") {
					t.Errorf("written as %s: %q", a.Config.PeftType, a.Prelude.NoPEFT)
				}
				back := readAgain(t, f, zipped(t, a))
				if back.Soft() != 3 || back.Front() != skip {
					t.Errorf("came back with %d soft slots and %d tokens in front", back.Soft(), back.Front())
				}
				check("read again", logitsOf[float32](t, f, back, alloc(t, f, back), prefix.Evaluate, s[skip:]))
				g, err := generate.New(ctx, f, cached, tensors, 40)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := g.Run(ctx, s[skip:], generate.Options{MaxTokens: 1, Soft: softOf(s[skip:])}, func(int32) bool { return true }); err != nil {
					t.Fatal(err)
				}
				z, err := g.Logits(ctx)
				if err != nil {
					t.Fatal(err)
				}
				var last []float64
				for _, v := range z {
					last = append(last, float64(v))
				}
				if e := apart(last, want[len(want)-vocab:]); e > 1e-5 {
					t.Errorf("%s, %s: generation is %.3g from the whole template", name, what, e)
				}
				g.Close()
			}
		}
	}
}

func TestTemplatesThatCannotBe(t *testing.T) {
	i := models["llama"](t, cpu.New[float64]()).Arch.Info()
	for want, c := range map[string]prefix.Choice{
		`template.slots is "0"`:           {"template.slots": "0"},
		`template.slots is "9999999"`:     {"template.slots": "9999999"},
		`template.slots is "x"`:           {"template.slots": "x"},
		"read once only before soft":      {"source": "none", "template.front": "2", "weights": "lora"},
		"read once only before soft slot": {"template.slots": "2", "template.front": "2"},
		"neither a prefix nor any":        {"source": "none"},
	} {
		if _, err := prefix.New(c, i); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: error %v, want %q", c, err, want)
		}
	}
	c := prefix.Choice{"source": "none", "template.slots": "2", "template.front": "1"}
	if again := c.WithTemplate(0, 0); len(again) != 1 || len(maps.Clone(c)) != 3 {
		t.Errorf("without a template: %v", again)
	}
}

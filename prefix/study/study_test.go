package study_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"prelude/engine"
	"prelude/engine/cpu"
	"prelude/models/tiny"
	"prelude/prefix"
	"prelude/prefix/data"
	"prelude/prefix/study"
	"prelude/prefix/train"
)

var ctx = context.Background()

// letters is the voice of a model whose tokens are two characters each: "aa", "ba", …
// with spaces among them; token 0 ends an answer.
func letters() study.Voice {
	text := func(id int32) string { return string([]byte{byte('a' + id%26), " e?"[id%3]}) }
	encode := func(s string) (ids []int32) {
		for i := 0; i < len(s); i += 2 {
			ids = append(ids, 1+int32(s[i])%(tiny.Vocab-1))
		}
		return ids
	}
	return study.Voice{Encode: encode, More: encode,
		Decode: func(ids []int32) string {
			var b strings.Builder
			for _, id := range ids {
				b.WriteString(text(id))
			}
			return b.String()
		},
		Context: func(text string) (string, error) { return "<" + text + ">", nil },
		Ask:     func(q string) (string, error) { return q[:min(len(q), 30)] + "?", nil },
	}
}

const text = "The mill at Orrin has nine wheels. Its keeper is called Tamsin Vole."

func write(t *testing.T, f engine.Frozen, o study.Options, rounds int) (*study.Writer, []study.Conversation) {
	t.Helper()
	w := study.NewWriter(f, letters(), study.Document, []string{text}, o)
	var all []study.Conversation
	for range rounds {
		round, err := w.Write(ctx, func() bool { return true })
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, round...)
	}
	return w, all
}

// A conversation has its teacher's row for every token of the answer, the same ones for
// the same seed, and the question is the model's own.
func TestConversations(t *testing.T) {
	f := tiny.Llama(t, cpu.New[float32]())
	o := study.Options{Streams: 6, Question: 10, Answer: 8, Top: 5, Temperature: 1, Seed: 3}
	_, all := write(t, f, o, 2)
	if len(all) < 6 {
		t.Fatalf("%d conversations in two rounds of 6", len(all))
	}
	for _, c := range all {
		x := c.Tokens
		if n := len(x.IDs) - x.Start; x.Teacher.Rows() != n || n < 1 || n > 8 {
			t.Errorf("%q: %d rows for %d tokens", c.Question, x.Teacher.Rows(), n)
		}
		if c.Question == "" || c.Answer == "" {
			t.Errorf("empty: %+v", c)
		}
	}
	if err := data.CheckTeachers(study.Tokens(all)); err != nil {
		t.Error(err)
	}
	_, again := write(t, f, o, 2)
	for i := range all {
		if i >= len(again) || all[i].Question != again[i].Question || !slices.Equal(all[i].Tokens.IDs, again[i].Tokens.IDs) {
			t.Fatal("the same seed wrote something else")
		}
	}
	o.Seed = 4
	if _, other := write(t, f, o, 1); len(other) > 0 && other[0].Question == all[0].Question {
		t.Error("another seed wrote the same")
	}
}

// A round that is stopped keeps the answers that had ended.
func TestStopKeepsWhatIsWritten(t *testing.T) {
	f := tiny.Llama(t, cpu.New[float32]())
	count := func(stopAfter int) int {
		w := study.NewWriter(f, letters(), study.Document, []string{text}, study.Options{Streams: 6, Question: 10, Answer: 30, Top: 5, Temperature: 2, Seed: 3})
		n := 0
		all, err := w.Write(ctx, func() bool { n++; return n < stopAfter })
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range all {
			if c.Tokens.Teacher.Rows() != len(c.Tokens.IDs)-c.Tokens.Start {
				t.Error("half an answer was kept")
			}
		}
		return len(all)
	}
	whole := count(1 << 20)
	some := map[bool]int{}
	for after := 60; after < 400; after += 20 {
		n := count(after)
		some[0 < n && n < whole]++
	}
	if whole < 3 || some[true] == 0 {
		t.Errorf("%d conversations, and never some of them where it was stopped", whole)
	}
	if n := count(1); n != 0 {
		t.Errorf("%d conversations of a round that was stopped at its first token", n)
	}
}

// The text's keys and values are the text in context: as student they have no divergence
// from the teacher (METHODS §1.11), in float64 to 1e-12.
func TestTheWholeTextDiffersInNothing(t *testing.T) {
	for _, c := range []struct {
		dev   engine.Device
		bound float64
	}{{cpu.New[float64](), 1e-12}, {cpu.New[float32](), 1e-5}} {
		f := tiny.Llama(t, c.dev)
		w, all := write(t, f, study.Options{Streams: 6, Question: 10, Answer: 8, Top: 5, Temperature: 1, Seed: 3}, 1)
		ids, err := w.Start()
		if err != nil {
			t.Fatal(err)
		}
		teacher, teachers, err := study.InContext(ctx, f, letters(), study.Document, text)
		if err != nil {
			t.Fatal(err)
		}
		m, err := prefix.New(prefix.Choice{"start": "text"}, f.Arch.Info())
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Start(ctx, f, prefix.StartFrom{Text: ids}, rand.New(rand.NewPCG(1, 1))); err != nil {
			t.Fatal(err)
		}
		tensors, err := m.Alloc(ctx, f.Dev)
		if err != nil {
			t.Fatal(err)
		}
		same, err := study.Divergence(ctx, f, teacher, m, teachers, tensors, study.Tokens(all))
		if err != nil || math.Abs(same) > c.bound {
			t.Errorf("%s: the whole text as prefix has divergence %g, error %v", c.dev.Name(), same, err)
		}
		without, err := study.Divergence(ctx, f, teacher, nil, teachers, nil, study.Tokens(all))
		if err != nil || without < 0.05 {
			t.Errorf("%s: without the text the divergence is %g, error %v", c.dev.Name(), without, err)
		}
	}
}

// Learning brings the prefix nearer to the model with the text, by the divergence over
// the whole vocabulary, on conversations that it did not learn from.
func TestLearningTheText(t *testing.T) {
	f := tiny.Llama(t, cpu.New[float32]())
	w, all := write(t, f, study.Options{Streams: 30, Question: 10, Answer: 8, Top: 20, Temperature: 1, Seed: 3}, 8)
	ids, err := w.Start()
	if err != nil {
		t.Fatal(err)
	}
	tokens := study.Tokens(all)
	cut := len(tokens) * 4 / 5
	teacher, teachers, err := study.InContext(ctx, f, letters(), study.Document, text)
	if err != nil {
		t.Fatal(err)
	}
	m, _ := prefix.New(prefix.Choice{"start": "text", "kv.slots": "16"}, f.Arch.Info())
	r, err := train.New(ctx, f, m, train.Data{Train: tokens[:cut], Val: tokens[cut:]}, prefix.StartFrom{Text: ids}, train.Options{Steps: 200, LR: 0.01})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	measure := func() float64 {
		kl, err := study.Divergence(ctx, f, teacher, m, teachers, r.Tensors, tokens[cut:])
		if err != nil {
			t.Fatal(err)
		}
		return kl
	}
	start := measure()
	first, err := engine.ReadFloats(ctx, r.Tensors["prefix.kv"])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Train(ctx, train.Events{}); err != nil {
		t.Fatal(err)
	}
	if end := measure(); end > 0.85*start {
		t.Errorf("divergence %.4f at the start, %.4f after learning", start, end)
	}
	last, err := engine.ReadFloats(ctx, r.Tensors["prefix.kv"])
	if err != nil {
		t.Fatal(err)
	}
	width := f.Arch.Info().KVHeads * f.Arch.Info().HeadDim
	for i := range first {
		if slot := i / width % 16; slot == 0 && first[i] != last[i] {
			t.Fatal("the first slot moved: it is frozen")
		}
	}
}

// The loss over the teacher's tokens and the rest: its gradient is that of central
// differences, and nothing at all where the student is the teacher.
func TestObjective(t *testing.T) {
	const rows, hidden, vocab, top = 5, 8, 60, 20
	rng := rand.New(rand.NewPCG(2, 3))
	normal := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(rng.NormFloat64())
		}
		return x
	}
	h, w := normal(rows*hidden), normal(vocab*hidden)
	teacher := &data.Teacher{Top: top}
	logits := func(h []float32) [][]float32 {
		var all [][]float32
		for r := range rows {
			z := make([]float32, vocab)
			for v := range z {
				var s float64
				for j := range hidden {
					s += float64(h[r*hidden+j]) * float64(w[v*hidden+j])
				}
				z[v] = float32(s)
			}
			all = append(all, z)
		}
		return all
	}
	for _, z := range logits(h) {
		teacher.Add(z)
	}
	tokens := []data.Tokens{{IDs: make([]int32, rows+1), Start: 1, Teacher: teacher}}
	batch := data.NewBatcher(tokens, data.BatchOptions{Size: 1}).At(0)
	dev := cpu.New[float64]()
	run := func(x []float32) (kl float64, grad []float32) {
		p := engine.NewProgram()
		hb := p.Persist("h", engine.Spec{DType: engine.F32, Shape: []int{rows, hidden}})
		wb := p.Persist("w", engine.Spec{DType: engine.F32, Shape: []int{vocab, hidden}})
		p.Train(hb)
		targets, weights := p.Arg("targets", 0, engine.I32, rows, top), p.Arg("weights", 0, engine.F32, rows, top+1)
		loss := p.CrossEntropy(hb, wb, engine.None, targets, weights, true)
		g := p.Grad(loss)[hb]
		p.CopyTo(g, p.Persist("g", engine.Spec{DType: engine.F32, Shape: []int{rows, hidden}}))
		p.Keep("loss", loss)
		bind := map[string]engine.Tensor{}
		for name, s := range p.Tensors() {
			b, err := dev.Alloc(s)
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			bind[name] = b
		}
		for name, v := range map[string][]float32{"h": x, "w": w} {
			if err := bind[name].Write(ctx, 0, engine.FloatBytes(v)); err != nil {
				t.Fatal(err)
			}
		}
		plan, err := dev.Compile(ctx, p, bind)
		if err != nil {
			t.Fatal(err)
		}
		defer plan.Close()
		wide := make([]float64, len(batch.Weights))
		for i, v := range batch.Weights {
			wide[i] = float64(v)
		}
		if err := plan.Run(ctx, engine.Args{Ints: map[engine.Buffer][]int32{targets: batch.Targets}, Floats: map[engine.Buffer][]float64{weights: wide}}); err != nil {
			t.Fatal(err)
		}
		l, err := engine.ReadFloats(ctx, bind["loss"])
		if err != nil {
			t.Fatal(err)
		}
		grad, err = engine.ReadFloats(ctx, bind["g"])
		if err != nil {
			t.Fatal(err)
		}
		return float64(l[0]) - batch.Entropy, grad
	}
	kl, grad := run(h)
	if math.Abs(kl) > 1e-6 {
		t.Errorf("the divergence from oneself is %g", kl)
	}
	for i, g := range grad {
		if math.Abs(float64(g)) > 1e-7 { // logits and weights are rounded to float32
			t.Errorf("at p = q, gradient %d is %g", i, g)
		}
	}
	other := normal(rows * hidden)
	kl, grad = run(other)
	if kl < 0.1 {
		t.Fatalf("another student's divergence is %g", kl)
	}
	var byHand float64 // Σ q log(q/p) over the 20 and the rest
	for r, z := range logits(other) {
		lse := data.LogSumExp(z)
		qr, pr := 1.0, 1.0
		for i, id := range teacher.IDs[r*top:][:top] {
			lq, lp := teacher.LogQ[r*top+i], float64(z[id])-lse
			byHand += math.Exp(lq) * (lq - lp) / rows
			qr, pr = qr-math.Exp(lq), pr-math.Exp(lp)
		}
		byHand += qr * math.Log(qr/pr) / rows
	}
	if math.Abs(kl-byHand) > 1e-5 {
		t.Errorf("divergence %g, by hand %g", kl, byHand)
	}
	for i := range other {
		const eps = 1.0 / 256
		at := slices.Clone(other)
		at[i] += eps
		up, _ := run(at)
		at[i] = other[i] - eps
		down, _ := run(at)
		if d := (up - down) / (2 * eps); math.Abs(d-float64(grad[i])) > 2e-3*max(1, math.Abs(d)) {
			t.Errorf("gradient %d is %g, by differences %g", i, grad[i], d)
		}
	}
}

func TestChunks(t *testing.T) {
	encode := func(s string) (ids []int32) { // a token is three bytes: characters may be cut
		for i := 0; i < len(s); i += 3 {
			ids = append(ids, int32(i))
		}
		return ids
	}
	for _, c := range []struct {
		name, text string
		size, want int
	}{
		{"short", "One line.", 10, 1},
		{"paragraphs", "First paragraph here.\n\nSecond one here, as long.\n\nThird.", 12, 2},
		{"no spaces", strings.Repeat("x", 100), 10, 4},
		{"no ends", strings.Repeat("ämößü", 20), 10, -1},
		{"white space", " \n ", 5, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			trimmed := strings.TrimSpace(c.text)
			decode := func(ids []int32) string {
				if len(ids) == 0 {
					return ""
				}
				return current[:min(3*len(ids), len(current))]
			}
			all := study.Chunks(c.text, func(s string) []int32 { current = s; return encode(s) }, decode, c.size)
			if strings.Join(all, "") != trimmed {
				t.Errorf("together %q", all)
			}
			if c.want >= 0 && len(all) != c.want {
				t.Errorf("%d chunks %q, want %d", len(all), all, c.want)
			}
			for _, x := range all {
				if len(encode(x)) > c.size || strings.ContainsRune(x, '�') {
					t.Errorf("chunk %q", x)
				}
			}
		})
	}
}

// current is the text that the test's decode belongs to.
var current string

func ExampleChunks() {
	words := func(s string) []int32 { return make([]int32, len(strings.SplitAfter(s, " "))) }
	text := "The mill is old. Its wheel turns slowly now."
	all := study.Chunks(text, words, func(ids []int32) string { return strings.Join(strings.SplitAfter(text, " ")[:len(ids)], "") }, 5)
	fmt.Printf("%q\n", all)
	// Output: ["The mill is old. " "Its wheel turns slowly now."]
}

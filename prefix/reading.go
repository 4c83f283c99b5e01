package prefix

import (
	"context"

	"prelude/engine"
)

// words is a program's input of n words, ids or embeddings [n, hidden], at positions 0, 1, 2 …
// What they see of each other is the reader's to say.
type words struct {
	*engine.Program
	in       engine.Input
	args     engine.Args
	n        int
	hidden   int
	domain   engine.Domain
	embedded engine.Buffer // their embeddings, once a forward pass with hooks is there
}

func newWords(i engine.ModelInfo, ids []int32, rows []float32) *words {
	w := &words{Program: engine.NewProgram(), n: len(ids), hidden: i.Hidden,
		args: engine.Args{Ints: map[engine.Buffer][]int32{}, Floats: map[engine.Buffer][]float64{}}}
	if rows != nil {
		w.n = len(rows) / i.Hidden
	}
	w.domain = w.Domain("text", w.n)
	w.in.Pos, w.in.Lo = w.arg("pos", func(t int) int { return t }), w.arg("lo", func(int) int { return 0 })
	if rows == nil {
		w.in.IDs = w.Arg("ids", w.domain, engine.I32, w.n)
		w.args.Ints[w.in.IDs] = ids
		return w
	}
	w.in.Hidden = w.Arg("rows", w.domain, engine.F32, w.n, i.Hidden)
	wide := make([]float64, len(rows))
	for j, v := range rows {
		wide[j] = float64(v)
	}
	w.args.Floats[w.in.Hidden], w.embedded = wide, w.in.Hidden
	return w
}

// arg is an integer input with a value for each word.
func (w *words) arg(name string, value func(t int) int) engine.Buffer {
	a, x := w.Arg(name, w.domain, engine.I32, w.n), make([]int32, w.n)
	for t := range x {
		x[t] = int32(value(t))
	}
	w.args.Ints[a] = x
	return a
}

func (w *words) hooks() engine.Hooks {
	return engine.Hooks{Embed: func(_ *engine.Program, _ engine.Site, e engine.Buffer) engine.Buffer {
		w.embedded = e
		return e
	}}
}

// keepEmbeddings copies the embeddings into the tensor "text.embeddings" [n, hidden].
func (w *words) keepEmbeddings() {
	w.CopyTo(w.embedded, w.Persist("text.embeddings", engine.Spec{DType: engine.F32, Shape: []int{w.n, w.hidden}}))
}

// readInto reads words, or embeddings [n, hidden], as readWords does. On an encoder-decoder
// both stacks read them, the decoder beside the encoder's output: the keys and values at
// these places are what each attention makes of them, [2·places, n, kvHeads·headDim]. There
// are no hidden states then, which no source of an encoder-decoder starts from.
func readInto(ctx context.Context, f engine.Frozen, places []place, ids []int32, rows []float32) (*reading, error) {
	i := f.Arch.Info()
	if i.EncLayers == 0 {
		return readWords(ctx, f, ids, rows, true)
	}
	w := newWords(i, ids, rows)
	p, n := w.Program, w.n
	all := func(int) int { return n }
	in := w.in
	in.Hi = w.arg("hi", all)
	enc := f.Arch.Encode(p, in, w.hooks())
	w.keepEmbeddings()
	want := []string{"text.embeddings"}
	if len(places) > 0 {
		in.Hi = w.arg("seen", func(t int) int { return t + 1 })
		in.Encoder = &engine.Encoded{Hidden: enc.Hidden, Lo: in.Lo, Hi: w.arg("cross hi", all)}
		dec := f.Arch.Forward(p, in, engine.Hooks{})
		width := i.KVHeads * i.HeadDim
		kv := p.Persist("text.kv", engine.Spec{DType: engine.F32, Shape: kvShape(i, len(places), n)})
		for at, x := range places {
			k, v := dec.K, dec.V
			switch x.site {
			case engine.EncSelf:
				k, v = enc.K, enc.V
			case engine.Cross:
				k, v = enc.CrossK, enc.CrossV
			}
			p.CopyTo(k[x.layer], p.View(kv, 2*at*n*width, n, width))
			p.CopyTo(v[x.layer], p.View(kv, (2*at+1)*n*width, n, width))
		}
		want = append(want, "text.kv")
	}
	got, err := runForTensors(ctx, f, p, w.args, nil, want...)
	if err != nil {
		return nil, err
	}
	return &reading{kv: got["text.kv"], embeddings: got["text.embeddings"]}, nil
}

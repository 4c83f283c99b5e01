package prefix

import (
	"context"

	"prelude/engine"
)

// readInto reads words, or embeddings [n, hidden], as readWords does. On an encoder-decoder
// both stacks read them, the decoder beside the encoder's output: the keys and values at
// these places are what each attention makes of them, [2·places, n, kvHeads·headDim]. There
// are no hidden states then, which no source of an encoder-decoder starts from.
func readInto(ctx context.Context, f engine.Frozen, places []place, ids []int32, rows []float32) (*reading, error) {
	i := f.Arch.Info()
	if i.EncLayers == 0 {
		return readWords(ctx, f, ids, rows, true)
	}
	p := engine.NewProgram()
	args := engine.Args{Ints: map[engine.Buffer][]int32{}, Floats: map[engine.Buffer][]float64{}}
	n := len(ids)
	if rows != nil {
		n = len(rows) / i.Hidden
	}
	d := p.Domain("words", n)
	arg := func(name string, value func(t int) int) engine.Buffer {
		a, x := p.Arg(name, d, engine.I32, n), make([]int32, n)
		for t := range x {
			x[t] = int32(value(t))
		}
		args.Ints[a] = x
		return a
	}
	all := func(int) int { return n }
	in := engine.Input{Pos: arg("pos", func(t int) int { return t }), Lo: arg("lo", func(int) int { return 0 }), Hi: arg("hi", all)}
	var embedded engine.Buffer
	if rows != nil {
		in.Hidden = p.Arg("rows", d, engine.F32, n, i.Hidden)
		wide := make([]float64, len(rows))
		for j, v := range rows {
			wide[j] = float64(v)
		}
		args.Floats[in.Hidden], embedded = wide, in.Hidden
	} else {
		in.IDs = p.Arg("ids", d, engine.I32, n)
		args.Ints[in.IDs] = ids
	}
	enc := f.Arch.Encode(p, in, engine.Hooks{Embed: func(_ *engine.Program, _ engine.Site, e engine.Buffer) engine.Buffer {
		embedded = e
		return e
	}})
	p.CopyTo(embedded, p.Persist("words.embeddings", engine.Spec{DType: engine.F32, Shape: []int{n, i.Hidden}}))
	want := []string{"words.embeddings"}
	if len(places) > 0 {
		in.Hi = arg("seen", func(t int) int { return t + 1 })
		in.Encoder = &engine.Encoded{Hidden: enc.Hidden, Lo: in.Lo, Hi: arg("cross hi", all)}
		dec := f.Arch.Forward(p, in, engine.Hooks{})
		width := i.KVHeads * i.HeadDim
		kv := p.Persist("words.kv", engine.Spec{DType: engine.F32, Shape: kvShape(i, len(places), n)})
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
		want = append(want, "words.kv")
	}
	got, err := runForTensors(ctx, f, p, args, nil, want...)
	if err != nil {
		return nil, err
	}
	return &reading{kv: got["words.kv"], embeddings: got["words.embeddings"]}, nil
}

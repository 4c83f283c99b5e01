package generate

import (
	"context"
	"errors"
	"fmt"

	"prelude/engine"
	"prelude/prefix"
)

// encoder is a plan that reads a stream's prompt once and keeps, by layer of the decoder,
// the keys and values that cross-attention sees of it. Each stream has a stretch of these.
type encoder struct {
	plan    engine.Plan
	in      engine.Input
	idx     engine.Buffer // where a row's keys and values go
	live    engine.Domain
	args    engine.Args
	stretch int          // rows a stream
	before  int          // rows that a method fills before a prompt
	rows    []int        // by stream, of its last prompt
	part    *prefix.Part // nil: the bare model
}

func newEncoder(f engine.Frozen, m *prefix.Method, size shape) (*encoder, *engine.Program) {
	p, i := f.NewProgram(), f.Arch.Info()
	n := i.Context
	e := &encoder{stretch: n, before: m.RowsBefore(engine.EncSelf), rows: make([]int, size.streams), live: p.Domain("source tokens", n),
		args: engine.Args{Ints: map[engine.Buffer][]int32{}, Floats: map[engine.Buffer][]float64{}, Live: map[engine.Domain]int{}}}
	arg := func(name string) engine.Buffer { return p.Arg("source "+name, e.live, engine.I32, n) }
	e.in = engine.Input{IDs: arg("ids"), Pos: arg("pos"), Lo: arg("lo"), Hi: arg("hi")}
	e.idx = arg("slot")
	var h engine.Hooks
	if m != nil {
		e.part = m.Build(p, f.Arch, e.in, prefix.Replay)
		e.part.Fill(e.args, nil)
		h = e.part.Hooks
	}
	out := f.Arch.Encode(p, e.in, h)
	k, v := crossCache(p, i, size)
	for l := range i.Layers {
		p.StoreRows(out.CrossK[l], e.idx, k[l])
		p.StoreRows(out.CrossV[l], e.idx, v[l])
	}
	return e, p
}

// crossCache is the tensors of all streams' keys and values of what their encoder read.
func crossCache(p *engine.Program, i engine.ModelInfo, size shape) (k, v []engine.Buffer) {
	spec := engine.Spec{DType: engine.F32, Shape: []int{size.streams * i.Context, i.KVHeads * i.HeadDim}}
	for l := range i.Layers {
		k = append(k, p.Persist(cacheName("cross k", l), spec))
		v = append(v, p.Persist(cacheName("cross v", l), spec))
	}
	return k, v
}

// run reads a stream's prompt.
func (e *encoder) run(ctx context.Context, stream int, ids []int32) error {
	n := e.before + len(ids)
	if len(ids) == 0 {
		return errors.New("generate: the prompt has no tokens")
	}
	if n > e.stretch {
		return fmt.Errorf("%w: the prompt has %d tokens, %d fit", ErrTooLong, len(ids), e.stretch-e.before)
	}
	ints := e.args.Ints
	for _, b := range []engine.Buffer{e.in.IDs, e.in.Pos, e.in.Lo, e.in.Hi, e.idx} {
		ints[b] = ints[b][:0]
	}
	soft := make([]int32, n)
	for at := range n {
		soft[at] = -1
		if at < e.before {
			soft[at] = int32(at)
		}
		ints[e.in.IDs] = append(ints[e.in.IDs], ids[max(0, at-e.before)])
		ints[e.in.Pos] = append(ints[e.in.Pos], int32(at))
		ints[e.in.Lo] = append(ints[e.in.Lo], 0)
		ints[e.in.Hi] = append(ints[e.in.Hi], int32(n))
		ints[e.idx] = append(ints[e.idx], int32(stream*e.stretch+at))
	}
	if e.part != nil {
		e.part.FillSource(e.args, soft, n)
	}
	e.args.Live[e.live] = n
	e.rows[stream] = n
	return e.plan.Run(ctx, e.args)
}

// sees is the range of keys that a stream's decoder sees of its prompt.
func (e *encoder) sees(stream int) (lo, hi int) {
	return stream * e.stretch, stream*e.stretch + e.rows[stream]
}

// encode lets the encoder read each stream's prompt, and gives what the decoders read
// before they answer: as tokens of each stream, and as rows.
func (g *Generator) encode(ctx context.Context, prompts [][]int32, _ []int32) (begun [][]int32, rows []row, err error) {
	if len(g.begin) >= g.max {
		return nil, nil, fmt.Errorf("%w: a decoder begins with %d rows, %d fit", ErrTooLong, len(g.begin), g.max-1)
	}
	for stream, ids := range prompts {
		if err := g.encoder.run(ctx, stream, ids); err != nil {
			return nil, nil, err
		}
		var own []int32
		for _, r := range g.begin {
			r.stream = stream
			own, rows = append(own, r.id), append(rows, r)
		}
		begun = append(begun, own)
	}
	return begun, rows, nil
}

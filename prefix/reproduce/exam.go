package reproduce

import (
	"context"

	"prelude/engine"
	"prelude/prefix"
	"prelude/prefix/data"
)

// exam measures exact match: the share of examples whose whole completion is the
// likeliest one, token by token. Under greedy decoding that is the same as reading the
// right tokens and predicting each next one: the first wrong token ends both.
type exam struct {
	batches *data.Batcher
	tokens  []data.Tokens
	part    *prefix.Part
	in      engine.Input
	args    engine.Args
	rows    engine.Domain
	some    engine.Domain
	plan    engine.Plan
	logits  engine.Tensor
	vocab   int
}

// examBatch is how many examples are read at once.
const examBatch = 64

// newExam compiles an exam; a nil method is the bare model.
func newExam(ctx context.Context, f engine.Frozen, m *prefix.Method, tensors map[string]engine.Tensor, tokens []data.Tokens) (*exam, error) {
	offset := 0
	if m != nil {
		offset = m.Offset()
	}
	e := &exam{tokens: tokens, vocab: f.Arch.Info().Vocab,
		batches: data.NewBatcher(tokens, data.BatchOptions{Size: examBatch, PosOffset: int32(offset)}),
		args:    engine.Args{Ints: map[engine.Buffer][]int32{}, Floats: map[engine.Buffer][]float64{}, Live: map[engine.Domain]int{}}}
	p := engine.NewProgram()
	b := e.batches.Bounds()
	e.rows, e.some = p.Domain("tokens", b.Rows), p.Domain("completion rows", b.Loss)
	arg := func(name string) engine.Buffer { return p.Arg(name, e.rows, engine.I32, b.Rows) }
	chosen := func(name string) engine.Buffer { return p.Arg("chosen "+name, e.some, engine.I32, b.Loss) }
	e.in = engine.Input{IDs: arg("ids"), Pos: arg("pos"), Lo: arg("lo"), Hi: arg("hi"),
		Chosen: &engine.Chosen{Idx: chosen("rows"), Pos: chosen("pos"), Lo: chosen("lo"), Hi: chosen("hi")}}
	var h engine.Hooks
	if m != nil {
		e.part = m.Build(p, f.Arch, e.in, prefix.Evaluate)
		h = e.part.Hooks
	}
	z := f.Arch.Logits(p, f.Arch.Forward(p, e.in, h).Hidden, h)
	s := engine.Spec{DType: engine.F32, Shape: []int{b.Loss, e.vocab}}
	p.CopyTo(z, p.Persist("exam.logits", s))
	var err error
	if e.logits, err = f.Dev.Alloc(s); err != nil {
		return nil, err
	}
	bind := map[string]engine.Tensor{"exam.logits": e.logits}
	for _, all := range []map[string]engine.Tensor{f.Weights, tensors} {
		for name, t := range all {
			bind[name] = t
		}
	}
	if e.plan, err = f.Dev.Compile(ctx, p, bind); err != nil {
		e.logits.Close()
		return nil, err
	}
	return e, nil
}

func (e *exam) close() {
	e.plan.Close()
	e.logits.Close()
}

// read runs one batch and returns it with its logits, a row for each completion token.
func (e *exam) read(ctx context.Context, i int) (*data.Batch, []float32, error) {
	b := e.batches.At(i)
	some := func(all []int32) []int32 {
		var x []int32
		for _, r := range b.LossRows {
			x = append(x, all[r])
		}
		return x
	}
	c := e.in.Chosen
	ints := e.args.Ints
	ints[e.in.IDs], ints[e.in.Pos], ints[e.in.Lo], ints[e.in.Hi] = b.IDs, b.Pos, b.Lo, b.Hi
	ints[c.Idx], ints[c.Pos], ints[c.Lo], ints[c.Hi] = b.LossRows, some(b.Pos), some(b.Lo), some(b.Hi)
	e.args.Live[e.rows], e.args.Live[e.some] = b.Rows, b.Loss
	if e.part != nil {
		e.part.Fill(e.args, nil)
		e.part.FillSoft(e.args, b.Soft, b.Rows)
	}
	if err := e.plan.Run(ctx, e.args); err != nil {
		return nil, nil, err
	}
	z, err := engine.ReadFloats(ctx, e.logits)
	return b, z, err
}

// match is the share of examples with every token right, with the first batch's logits.
// Between may end it.
func (e *exam) match(ctx context.Context, between func() error) (logits []float32, share float64, err error) {
	right := 0
	for i := range e.batches.Len() {
		if err := between(); err != nil {
			return nil, 0, err
		}
		b, z, err := e.read(ctx, i)
		if err != nil {
			return nil, 0, err
		}
		if i == 0 {
			logits = z
		}
		row := 0
		for _, x := range b.Examples {
			all := true
			for range len(e.tokens[x].IDs) - e.tokens[x].Start {
				all = all && largest(z[row*e.vocab:(row+1)*e.vocab]) == b.Targets[row]
				row++
			}
			if all {
				right++
			}
		}
	}
	return logits, float64(right) / float64(len(e.tokens)), nil
}

func largest(x []float32) (at int32) {
	for i, v := range x {
		if v > x[at] {
			at = int32(i)
		}
	}
	return at
}

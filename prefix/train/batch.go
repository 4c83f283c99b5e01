package train

import (
	"prelude/engine"
	"prelude/prefix"
	"prelude/prefix/data"
)

// inputs are the arguments of a program over packed examples.
type inputs struct {
	in               engine.Input
	tokens, loss     engine.Domain
	targets, weights engine.Buffer
	rest             bool // weights have a column for the class of all other tokens
	window           int
	args             engine.Args
	chosen           map[engine.Buffer]engine.Buffer // argument of all rows → of the loss rows
	slots            int

	source     *engine.Input // what the encoder reads; nil for decoder-only models
	sourceRows engine.Domain
}

// newInputs declares the arguments for batches within bounds. Slots is the prefix's
// length, which shifts what sliding windows see of it.
func newInputs(p *engine.Program, info engine.ModelInfo, b data.Bounds, slots int) *inputs {
	x := &inputs{tokens: p.Domain("tokens", b.Rows), loss: p.Domain("loss rows", b.Loss), window: info.Window, slots: slots,
		chosen: map[engine.Buffer]engine.Buffer{},
		args:   engine.Args{Ints: map[engine.Buffer][]int32{}, Floats: map[engine.Buffer][]float64{}, Live: map[engine.Domain]int{}}}
	pair := func(name string) (all, some engine.Buffer) {
		all = p.Arg(name, x.tokens, engine.I32, b.Rows)
		some = p.Arg(name+" of loss rows", x.loss, engine.I32, b.Loss)
		x.chosen[all] = some
		return all, some
	}
	c := &engine.Chosen{Idx: p.Arg("loss rows", x.loss, engine.I32, b.Loss)}
	x.in.Chosen = c
	x.in.IDs = p.Arg("ids", x.tokens, engine.I32, b.Rows)
	x.in.Pos, c.Pos = pair("pos")
	x.in.Lo, c.Lo = pair("lo")
	x.in.Hi, c.Hi = pair("hi")
	if info.Window > 0 {
		x.in.LoLocal, c.LoLocal = pair("lo local")
		if slots > 0 {
			x.in.PLoLocal, c.PLoLocal = pair("plo local")
			x.in.PHiLocal, c.PHiLocal = pair("phi local")
		}
	}
	if info.EncLayers > 0 {
		x.encoder(p, b, pair)
	}
	k, wk := 1, 1
	if b.Top > 0 {
		k, wk, x.rest = b.Top, b.Top+1, true
	}
	x.targets = p.Arg("targets", x.loss, engine.I32, b.Loss, k)
	x.weights = p.Arg("weights", x.loss, engine.F32, b.Loss, wk)
	return x
}

// encoder declares the arguments of an encoder, and what each row of the decoder sees of it.
func (x *inputs) encoder(p *engine.Program, b data.Bounds, pair func(name string) (all, some engine.Buffer)) {
	x.sourceRows = p.Domain("source tokens", b.Source)
	arg := func(name string) engine.Buffer { return p.Arg("source "+name, x.sourceRows, engine.I32, b.Source) }
	x.source = &engine.Input{IDs: arg("ids"), Pos: arg("pos"), Lo: arg("lo"), Hi: arg("hi")}
	x.in.Encoder = &engine.Encoded{}
	x.in.Encoder.Lo, x.in.Chosen.CrossLo = pair("cross lo")
	x.in.Encoder.Hi, x.in.Chosen.CrossHi = pair("cross hi")
}

// forward appends the model's forward pass, of both stacks where there are two.
func (x *inputs) forward(p *engine.Program, arch engine.Architecture, h engine.Hooks) engine.Output {
	if x.source != nil {
		x.in.Encoder.Hidden = arch.Encode(p, *x.source, h).Hidden
	}
	return arch.Forward(p, x.in, h)
}

// fill turns a batch into arguments; the result is valid until the next call.
func (x *inputs) fill(b *data.Batch) engine.Args {
	ints := x.args.Ints
	ints[x.in.IDs], ints[x.in.Pos], ints[x.in.Lo], ints[x.in.Hi] = b.IDs, b.Pos, b.Lo, b.Hi
	ints[x.in.Chosen.Idx], ints[x.targets] = b.LossRows, b.Targets
	if s := x.source; s != nil {
		ints[s.IDs], ints[s.Pos], ints[s.Lo], ints[s.Hi] = b.Source, b.SourcePos, b.SourceLo, b.SourceHi
		ints[x.in.Encoder.Lo], ints[x.in.Encoder.Hi] = b.CrossLo, b.CrossHi
		x.args.Live[x.sourceRows] = b.SourceRows
	}
	if x.window > 0 {
		lo := ints[x.in.LoLocal][:0]
		for t := range b.Lo {
			lo = append(lo, max(b.Lo[t], int32(t+1-x.window)))
		}
		ints[x.in.LoLocal] = lo
		if x.slots > 0 {
			plo, phi := ints[x.in.PLoLocal][:0], ints[x.in.PHiLocal][:0]
			for _, pos := range b.Pos {
				plo = append(plo, min(max(0, pos+1-int32(x.window)), int32(x.slots)))
				phi = append(phi, int32(x.slots))
			}
			ints[x.in.PLoLocal], ints[x.in.PHiLocal] = plo, phi
		}
	}
	for all, some := range x.chosen {
		v := ints[some][:0]
		for _, r := range b.LossRows {
			v = append(v, ints[all][r])
		}
		ints[some] = v
	}
	w := x.args.Floats[x.weights][:0]
	for _, v := range b.Weights {
		w = append(w, float64(v))
	}
	x.args.Floats[x.weights] = w
	x.args.Live[x.tokens], x.args.Live[x.loss] = b.Rows, b.Loss
	return x.args
}

// fillSoft marks which rows of a batch a method fills.
func fillSoft(p *prefix.Part, args engine.Args, b *data.Batch) {
	p.FillSoft(args, b.Soft, b.Rows)
	p.FillSource(args, b.SourceSoft, b.SourceRows)
}

// options packs examples for a method: where their text begins, and the rows that it
// fills before it.
func options(m *prefix.Method, o data.BatchOptions) data.BatchOptions {
	if m != nil {
		o.PosOffset, o.Front, o.Before = int32(m.Offset()), m.RowsBefore(engine.DecSelf), m.RowsBefore(engine.EncSelf)
	}
	return o
}

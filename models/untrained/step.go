package untrained

import (
	"math"

	"prelude/engine"
)

// Step is a training step of a key/value prefix: loss on every row or on some, clipping,
// AdamW. Its loss is kept in the tensor "loss", its prefix [layers, 2, slots, kv] is "prefix".
type Step struct {
	Program *engine.Program

	size                            Decoder
	slots, loss                     int
	tokens                          engine.Domain
	in                              engine.Input
	targets, weights, hyper, prefix engine.Buffer
}

// beta1 and beta2 are AdamW's, as in prefix/train.
const beta1, beta2 = 0.9, 0.999

// NewStep builds the step for at most so many rows, with matrices of type t and loss on
// every row. Again keeps only the blocks' inputs and computes the rest twice.
func (d Decoder) NewStep(t engine.DType, rows, slots int, again bool) (*Step, error) {
	return d.NewStepOn(t, rows, rows, slots, again)
}

// NewStepOn is NewStep with loss on some of the rows: the last ones of each example.
func (d Decoder) NewStepOn(t engine.DType, rows, some, slots int, again bool) (*Step, error) {
	family, err := d.Family(t)
	if err != nil {
		return nil, err
	}
	p := engine.NewProgram()
	if again {
		p.Recompute()
	}
	s := &Step{Program: p, size: d, slots: slots, loss: some, tokens: p.Domain("tokens", rows)}
	arg := func(name string) engine.Buffer { return p.Arg(name, s.tokens, engine.I32, rows) }
	s.in = engine.Input{IDs: arg("ids"), Pos: arg("pos"), Lo: arg("lo"), Hi: arg("hi")}
	on := s.tokens
	if some < rows {
		on = p.Domain("loss rows", some)
		arg := func(name string) engine.Buffer { return p.Arg(name+" of loss rows", on, engine.I32, some) }
		s.in.Chosen = &engine.Chosen{Idx: arg("index"), Pos: arg("pos"), Lo: arg("lo"), Hi: arg("hi")}
	}
	s.targets, s.weights = p.Arg("targets", on, engine.I32, some, 1), p.Arg("weights", on, engine.F32, some, 1)
	s.hyper = p.Arg("hyper", engine.AllRows, engine.F32, 3)
	s.prefix = p.Persist("prefix", engine.Spec{Shape: []int{d.Layers, 2, slots, d.kv()}})
	p.Train(s.prefix)
	hooks := engine.Hooks{KV: func(p *engine.Program, at engine.At) engine.Segment {
		part := func(k int) engine.Buffer { return p.View(s.prefix, (2*at.Layer+k)*slots*d.kv(), slots, d.kv()) }
		return engine.Segment{K: part(0), V: part(1)}
	}}
	out := family.Forward(p, s.in, hooks)
	loss := family.Loss(p, out.Hidden, s.targets, s.weights, false, hooks)
	grad := p.Grad(loss)[s.prefix]
	stats := p.GradStats([]engine.Buffer{grad}, []engine.Buffer{loss}, 1)
	p.AdamW(s.prefix, grad, stats, s.hyper, engine.AdamW{Beta1: beta1, Beta2: beta2, Eps: 1e-8, Decay: 0.01, Rate: 1})
	p.Keep("loss", loss)
	return s, p.Err()
}

// Args are the inputs of the nth step, counted from 1: live rows in examples of seq tokens,
// made up of n.
func (s *Step) Args(live, seq, n int, lr float64) engine.Args {
	ints := map[engine.Buffer][]int32{}
	loss := min(live, s.loss)
	weights := make([]float64, loss)
	for i := range weights {
		weights[i] = 1 / float64(loss)
	}
	for i := range live {
		id := int32((i*7919 + 13*n) % s.size.Vocab)
		row := map[engine.Buffer]int32{s.in.IDs: id, s.in.Pos: int32(s.slots + i%seq), s.in.Lo: int32(i / seq * seq), s.in.Hi: int32(i + 1)}
		if i%seq >= seq-loss*seq/live {
			row[s.targets] = (id*31 + 7) % int32(s.size.Vocab)
			if c := s.in.Chosen; c != nil {
				row[c.Idx], row[c.Pos], row[c.Lo], row[c.Hi] = int32(i), row[s.in.Pos], row[s.in.Lo], row[s.in.Hi]
			}
		}
		for b, v := range row {
			ints[b] = append(ints[b], v)
		}
	}
	unbiased := func(beta float64) float64 { return 1 / (1 - math.Pow(beta, float64(n))) }
	return engine.Args{Ints: ints, Live: map[engine.Domain]int{s.tokens: live},
		Floats: map[engine.Buffer][]float64{s.weights: weights, s.hyper: {lr, unbiased(beta1), unbiased(beta2)}}}
}

// FLOPs is the work of a step on rows of examples of seq tokens by METHODS §3.1: forward and
// by the inputs backward for the linear maps and the head, three times the forward pass for
// attention.
func (s *Step) FLOPs(rows, seq int) float64 {
	d := s.size
	n, hidden, layers := float64(rows), float64(d.Hidden), float64(d.Layers)
	linear := layers * hidden * float64(2*d.Hidden+2*d.kv()+3*d.FF)
	attention := 4 * layers * hidden * (float64(seq+1)/2 + float64(s.slots))
	return n * (4*linear + 3*attention + 4*hidden*float64(d.Vocab))
}

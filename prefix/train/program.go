package train

import (
	"context"
	"fmt"

	"prelude/engine"
	"prelude/prefix"
	"prelude/prefix/data"
)

// thrift is what a training gives up for memory, in this order.
type thrift int

const (
	spendMemory  thrift = iota // packed weights are kept between steps, where the device packs them
	computeOnce                // activations are kept, all of them
	computeTwice               // only block inputs are kept, and the rest is computed again
)

// steadyRows is up to how many rows of a step or of an evaluation its products are bound by what
// happens to the weights before: to pack one for products in integers takes as long as to multiply a
// hundred rows with it.
const steadyRows = 1024

// program builds the training program: forward, loss, gradients, masks, statistics,
// update, log. Masks are the contents of the tensors that hold rows in place. Thrift says what is
// given up for memory.
func (r *Run) program(t thrift) (p *engine.Program, masks map[string][]float32) {
	p = r.f.NewProgram()
	if t == spendMemory && r.batches.Bounds().Rows <= steadyRows {
		p.SetSteady()
	}
	if t == computeTwice {
		p.Recompute()
	}
	r.x = newInputs(p, r.f.Arch.Info(), r.batches.Bounds(), r.Method.Slots())
	r.part = r.Method.Build(p, r.f.Arch, r.x.in, prefix.Train)
	h := r.part.Hooks
	out := r.x.forward(p, r.f.Arch, h)
	loss := r.f.Arch.Loss(p, out.Hidden, r.x.targets, r.x.weights, r.x.rest, h)
	grads := p.Grad(append(r.part.Penalties(p), loss)...)
	r.hyper = p.Arg("hyper", engine.AllRows, engine.F32, 3)
	r.at = p.Arg("step", engine.AllRows, engine.I32, 1)
	masks = map[string][]float32{}
	var params, gs []engine.Buffer
	var ps []prefix.Param
	for _, q := range r.Method.Params() {
		if q.Fixed {
			continue
		}
		b := p.Named(q.Name)
		g := grads[b]
		if q.Hold != nil {
			name := "hold." + q.Name
			mask := p.Persist(name, engine.Spec{DType: engine.F32, Shape: []int{len(q.Hold), 1}})
			masks[name] = maskOf(q.Hold)
			flat := p.View(g, 0, len(q.Hold), p.Spec(g).Len()/len(q.Hold))
			g = p.Mul(flat, mask)
		}
		params, gs, ps = append(params, b), append(gs, g), append(ps, q)
	}
	stats := p.GradStats(gs, []engine.Buffer{loss}, r.opts.Clip)
	for i, b := range params {
		rate := ps[i].Rate
		if rate == 0 {
			rate = 1
		}
		if r.opts.Optimizer == muon && ps[i].Matrices {
			p.Muon(b, gs[i], stats, r.hyper, engine.Muon{Beta: muonBeta, Rate: rate})
			continue
		}
		p.AdamW(b, gs[i], stats, r.hyper, engine.AdamW{Beta1: beta1, Beta2: beta2, Eps: epsilon, Decay: ps[i].Decay, Rate: rate})
	}
	p.Record(p.Persist("train.log", engine.Spec{DType: engine.F32, Shape: []int{logRows, 4}}), r.at, loss, stats)
	return p, masks
}

// compile builds the training program, within the budget if there is one, and its
// tensors, and evaluation beside it.
func (r *Run) compile(ctx context.Context, val []data.Tokens) error {
	few := glance(len(val), r.opts.Batch)
	r.state = map[string]engine.Tensor{}
	var once engine.Memory
	for t := spendMemory; ; t++ {
		have := bound(r.f.Weights, r.Tensors, r.state)
		eval, evaluation, err := newEvaluator(r.f, r.Method, spread(val, few), readAtOnce(r.opts.Batch), few)
		if err != nil {
			return err
		}
		if t == spendMemory && eval.few.Bounds().With(eval.rest.Bounds()).Rows <= steadyRows {
			evaluation.SetSteady()
		}
		p, masks := r.program(t)
		if r.Planned, err = engine.Need(r.f.Dev, have, p, evaluation); err != nil {
			return err
		}
		r.eval, r.Recompute = eval, t == computeTwice
		if need := r.Planned.Tensors + r.Planned.Scratch; r.opts.Budget == 0 || need <= r.opts.Budget {
			err := r.place(ctx, p, masks, evaluation)
			if err == nil || t > spendMemory || ctx.Err() != nil {
				return err
			}
			r.unplace() // the machine gives less memory than it let expect
			continue
		} else if t == computeTwice {
			return fmt.Errorf("train: a step needs %d MB with the model (%d MB if it computes activations once), there are %d MB; use a smaller batch or shorter examples",
				need>>20, (once.Tensors+once.Scratch)>>20, r.opts.Budget>>20)
		}
		once = r.Planned
	}
}

// place allocates what the programs need and compiles them.
func (r *Run) place(ctx context.Context, p *engine.Program, masks map[string][]float32, evaluation *engine.Program) error {
	for name, s := range p.Tensors() {
		if r.f.Weights[name] != nil || r.Tensors[name] != nil || r.state[name] != nil {
			continue
		}
		t, err := r.f.Dev.Alloc(s)
		if err != nil {
			return err
		}
		r.state[name] = t
		content := make([]byte, s.Bytes())
		if m, ok := masks[name]; ok {
			content = engine.FloatBytes(m)
		}
		if err := t.Write(ctx, 0, content); err != nil {
			return err
		}
	}
	r.log = r.state["train.log"]
	r.cost = p.Cost()
	have := bound(r.f.Weights, r.Tensors, r.state)
	var err error
	if r.plan, err = r.f.Dev.Compile(ctx, p, have); err != nil {
		return err
	}
	return r.eval.compile(ctx, r.f.Dev, evaluation, have)
}

// unplace gives back what place has compiled.
func (r *Run) unplace() {
	if r.plan != nil {
		r.plan.Close()
	}
	r.plan = nil
	r.eval.Close()
}

// maskOf is 0 for rows that keep their value, else 1.
func maskOf(hold []bool) []float32 {
	m := make([]float32, len(hold))
	for i, h := range hold {
		if !h {
			m[i] = 1
		}
	}
	return m
}

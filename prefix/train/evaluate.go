package train

import (
	"context"

	"prelude/engine"
	"prelude/prefix"
	"prelude/prefix/data"
)

// Evaluator measures the loss of a frozen model, with or without a prefix, on fixed
// examples.
type Evaluator struct {
	x       *inputs
	part    *prefix.Part // nil: the bare model
	batches *data.Batcher
	plan    engine.Plan
	loss    engine.Tensor
}

// NewEvaluator compiles the evaluation of tokens. Method may be nil: the bare model.
func NewEvaluator(ctx context.Context, f engine.Frozen, m *prefix.Method, tensors map[string]engine.Tensor, tokens []data.Tokens, batch int) (*Evaluator, error) {
	e, p, err := newEvaluator(f, m, tokens, batch)
	if err != nil {
		return nil, err
	}
	if err := e.compile(ctx, f.Dev, p, bound(f.Weights, tensors)); err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

// newEvaluator is an evaluator and its program, which is still to be compiled.
func newEvaluator(f engine.Frozen, m *prefix.Method, tokens []data.Tokens, batch int) (*Evaluator, *engine.Program, error) {
	slots := 0
	if m != nil {
		slots = m.Slots()
	}
	if err := complete(f.Arch.Info(), tokens); err != nil {
		return nil, nil, err
	}
	e := &Evaluator{batches: data.NewBatcher(tokens, options(m, data.BatchOptions{Size: batch}))}
	p := f.NewProgram()
	e.x = newInputs(p, f.Arch.Info(), e.batches.Bounds(), slots)
	var h engine.Hooks
	if m != nil {
		e.part = m.Build(p, f.Arch, e.x.in, prefix.Evaluate)
		h = e.part.Hooks
	}
	out := e.x.forward(p, f.Arch, h)
	p.Keep("eval.loss", f.Arch.Loss(p, out.Hidden, e.x.targets, e.x.weights, e.x.rest, h))
	return e, p, nil
}

// compile compiles the evaluator's program over these tensors.
func (e *Evaluator) compile(ctx context.Context, dev engine.Device, p *engine.Program, have map[string]engine.Tensor) (err error) {
	if e.loss, err = dev.Alloc(engine.Spec{DType: engine.F32, Shape: []int{1}}); err != nil {
		return err
	}
	e.plan, err = dev.Compile(ctx, p, bound(have, map[string]engine.Tensor{"eval.loss": e.loss}))
	return err
}

// Close frees the evaluator's plan and tensor.
func (e *Evaluator) Close() {
	if e.plan != nil {
		e.plan.Close()
	}
	if e.loss != nil {
		e.loss.Close()
	}
}

// Loss is the mean over all completion tokens, in nats: cross-entropy, or with a teacher
// KL(teacher ‖ model) over the teacher's tokens and the class of all others.
func (e *Evaluator) Loss(ctx context.Context) (float64, error) {
	var sum float64
	var n int
	for i := range e.batches.Len() {
		l, tokens, err := e.batch(ctx, i)
		if err != nil {
			return 0, err
		}
		sum += l * float64(tokens)
		n += tokens
	}
	return sum / float64(n), nil
}

// batch is one batch's mean loss, and its completion tokens.
func (e *Evaluator) batch(ctx context.Context, i int) (loss float64, tokens int, err error) {
	b := e.batches.At(i)
	args := e.x.fill(b)
	if e.part != nil {
		e.part.Fill(args, nil)
		fillSoft(e.part, args, b)
	}
	if err := e.plan.Run(ctx, args); err != nil {
		return 0, 0, err
	}
	mean, err := engine.ReadFloats(ctx, e.loss)
	if err != nil {
		return 0, 0, err
	}
	return float64(mean[0]) - b.Entropy, b.Loss, nil
}

// Each is the loss of each batch and how many tokens it counts: of each example, for an
// evaluator of batches of one.
func (e *Evaluator) Each(ctx context.Context) (loss []float64, tokens []int, err error) {
	for i := range e.batches.Len() {
		l, n, err := e.batch(ctx, i)
		if err != nil {
			return nil, nil, err
		}
		loss, tokens = append(loss, l), append(tokens, n)
	}
	return loss, tokens, nil
}

// bound joins maps of tensors.
func bound(all ...map[string]engine.Tensor) map[string]engine.Tensor {
	sum := map[string]engine.Tensor{}
	for _, m := range all {
		for name, t := range m {
			sum[name] = t
		}
	}
	return sum
}

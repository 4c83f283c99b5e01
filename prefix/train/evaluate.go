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
	x         *inputs
	part      *prefix.Part // nil: the bare model
	few, rest *data.Batcher
	first     int // examples in few
	examples  int // in all
	plan      engine.Plan
	loss      engine.Tensor
}

// NewEvaluator compiles the evaluation of tokens. Method may be nil: the bare model.
func NewEvaluator(ctx context.Context, f engine.Frozen, m *prefix.Method, tensors map[string]engine.Tensor, tokens []data.Tokens, batch int) (*Evaluator, error) {
	e, p, err := newEvaluator(f, m, tokens, batch, 0)
	if err != nil {
		return nil, err
	}
	if err := e.compile(ctx, f.Dev, p, bound(f.Weights, tensors)); err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

// newEvaluator is an evaluator and its program, which is still to be compiled. The first few
// examples can be read without the rest.
func newEvaluator(f engine.Frozen, m *prefix.Method, tokens []data.Tokens, batch, few int) (*Evaluator, *engine.Program, error) {
	slots := 0
	if m != nil {
		slots = m.Slots()
	}
	if err := complete(f.Arch.Info(), tokens); err != nil {
		return nil, nil, err
	}
	batches := func(of []data.Tokens) *data.Batcher {
		return data.NewBatcher(of, options(m, data.BatchOptions{Size: batch}))
	}
	e := &Evaluator{few: batches(tokens[:few]), rest: batches(tokens[few:]), first: few, examples: len(tokens)}
	p := f.NewProgram()
	e.x = newInputs(p, f.Arch.Info(), e.few.Bounds().With(e.rest.Bounds()), slots)
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
	_, all, err := e.whole(ctx)
	return all.mean(), err
}

// losses is a sum of losses over completion tokens, and their number.
type losses struct {
	sum    float64
	tokens int
}

func (l losses) mean() float64 { return l.sum / float64(l.tokens) }

func (l losses) with(o losses) losses { return losses{l.sum + o.sum, l.tokens + o.tokens} }

// whole reads all examples: the losses of the first few, and of all.
func (e *Evaluator) whole(ctx context.Context) (few, all losses, err error) {
	if few, err = e.read(ctx, e.few); err != nil {
		return few, all, err
	}
	rest, err := e.read(ctx, e.rest)
	return few, few.with(rest), err
}

// read is the losses of a batcher's examples.
func (e *Evaluator) read(ctx context.Context, of *data.Batcher) (all losses, err error) {
	for i := range of.Len() {
		l, tokens, err := e.batch(ctx, of.At(i))
		if err != nil {
			return all, err
		}
		all.sum += l * float64(tokens)
		all.tokens += tokens
	}
	return all, nil
}

// batch is one batch's mean loss, and its completion tokens.
func (e *Evaluator) batch(ctx context.Context, b *data.Batch) (loss float64, tokens int, err error) {
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
	for _, of := range []*data.Batcher{e.few, e.rest} {
		for i := range of.Len() {
			l, n, err := e.batch(ctx, of.At(i))
			if err != nil {
				return nil, nil, err
			}
			loss, tokens = append(loss, l), append(tokens, n)
		}
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

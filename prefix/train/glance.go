package train

import (
	"context"
	"math"
	"time"
)

// Evaluations by "plateau" cost little beside the steps between them: all held-out examples are
// read at the end of a round, which decides how training goes on and what is the best. In the
// middle of a round a glance reads a fixed few of them, so that whoever looks sees how it goes,
// and tells what they let expect of all,
//
//	loss = all′ · few / few′
//
// where ′ is the last evaluation that read all: both prefixes have read the same few, whose
// differences from the rest mostly cancel.
//
// glance is how many of so many held-out examples it reads, as many as a step but no fewer than
// four; 0 where that would be most of them.
func glance(held, batch int) int {
	few := max(4, batch)
	if 3*few > 2*held {
		return 0
	}
	return few
}

// spread puts so many of the examples first, evenly from all of them, since files are often
// in some order.
func spread[T any](all []T, few int) []T {
	var first, rest []T
	for i, x := range all {
		if i*few/len(all) != (i+1)*few/len(all) {
			first = append(first, x)
		} else {
			rest = append(rest, x)
		}
	}
	return append(first, rest...)
}

// glance tells what to expect of the prefix as it is; where there are too few examples to
// choose some, what it is.
func (l *loop) glance(ctx context.Context) error {
	if l.eval.few.Len() == 0 || l.few == 0 {
		return l.evaluate(ctx)
	}
	if err := l.report(ctx); err != nil {
		return err
	}
	defer l.timed(new(time.Duration))()
	few, err := l.eval.read(ctx, l.eval.few)
	if err != nil {
		return err
	}
	l.tell(EvalInfo{Step: l.step, Loss: l.all * few.mean() / l.few, Rows: l.eval.first})
	return nil
}

// evaluate reads all held-out examples with the prefix as it is, and keeps it if it is the best.
func (l *loop) evaluate(ctx context.Context) error {
	if err := l.report(ctx); err != nil {
		return err
	}
	defer l.timed(&l.lastEval)()
	few, all, err := l.eval.whole(ctx)
	if err != nil {
		return err
	}
	l.evaluated = l.step
	l.whole(few, all)
	loss := all.mean()
	kept := loss < l.best.Loss
	if kept {
		state, err := readAll(ctx, l.Tensors)
		if err != nil {
			return err
		}
		l.best = Best{Step: l.step, Loss: loss, State: state}
	}
	l.tell(EvalInfo{Step: l.step, Loss: loss, Best: kept})
	return nil
}

// whole remembers an evaluation for the glances after it, unless its losses are no measure of
// others: divergences from a teacher may be 0.
func (r *Run) whole(few, all losses) {
	r.few, r.all = 0, 0
	if f, a := few.mean(), all.mean(); f > 0 && a > 0 && !math.IsInf(f+a, 0) {
		r.few, r.all = f, a
	}
}

func (l *loop) tell(i EvalInfo) {
	if i.Base, i.Of = l.base, l.eval.examples; l.ev.Eval != nil {
		l.ev.Eval(i)
	}
}

// timed counts the time until what it returns is called as evaluation, and puts it into took.
func (l *loop) timed(took *time.Duration) func() {
	begun := time.Now()
	return func() {
		*took = time.Since(begun)
		l.reading += *took
	}
}

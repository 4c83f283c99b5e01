package reproduce

import (
	"context"
	"fmt"
	"time"

	"prelude/engine"
	"prelude/prefix"
	"prelude/prefix/data"
	"prelude/prefix/train"
)

// lab is one run of an experiment: everything that takes time goes through it, so that it
// can tell how far it is, and end early.
type lab struct {
	Bench
	Options
	*Result
	plan   *plan // if set, trainings and exams are counted, not run
	total  float64
	done   float64
	models []*model
}

// plan is what an experiment comes to: examples of a prefix's training, and how often one is
// set up.
type plan struct {
	work   float64
	setups float64
	first  *training
}

// examSetup is what it takes to set up an exam, which is one program, beside a training.
const examSetup = 1.0 / 3

// What an example costs beside one that trains a prefix: backward by the weights as well,
// or no backward at all.
const (
	fullWork = 1.4
	readWork = 0.35
)

// training is one that a plan holds, to try out how long its steps take.
type training struct {
	model  *model
	choice prefix.Choice
	data   train.Data
	from   prefix.StartFrom
	opts   train.Options
}

// between lets others in, and says whether to go on.
func (l *lab) between(ctx context.Context) error {
	if l.Watch.Between != nil && !l.Watch.Between() {
		return context.Canceled
	}
	return ctx.Err()
}

func (l *lab) stage(format string, args ...any) {
	if l.Watch.Stage != nil && l.plan == nil {
		l.Watch.Stage(fmt.Sprintf(format, args...))
	}
}

// work counts examples that are done, or planned.
func (l *lab) work(examples int, cost float64) {
	w := float64(examples) * cost
	if l.plan != nil {
		l.plan.work += w
		return
	}
	l.done += w
	if l.Watch.Work != nil && l.total > 0 {
		l.Watch.Work(min(1, l.done/l.total))
	}
}

// close frees what the experiment has put on the device.
func (l *lab) close() {
	for _, m := range l.models {
		m.close()
	}
}

// trained is a finished training.
type trained struct {
	lab       *lab
	frozen    engine.Frozen
	method    *prefix.Method
	tensors   map[string]engine.Tensor
	curve     []float64 // training loss by step
	val       float64   // best validation loss
	trainable int64
	stepTime  time.Duration // mean
	flops     float64       // of a step
}

// tune trains a choice with the project's own trainer, all steps, and keeps what was best
// on validation. What names its curve.
func (l *lab) tune(ctx context.Context, what string, on *model, f engine.Frozen, c prefix.Choice, d train.Data, from prefix.StartFrom, o train.Options) (*trained, error) {
	m, err := prefix.New(c, f.Arch.Info())
	if err != nil {
		return nil, err
	}
	o.Patience = o.Steps + 1
	if o.Eval == 0 {
		o.Eval = max(1, o.Steps/10)
	}
	cost := 1.0
	if c["weights"] == "full" {
		cost = fullWork
	}
	exams := len(d.Val) * (o.Steps/o.Eval + 2)
	if l.plan != nil {
		if l.plan.first == nil {
			l.plan.first = &training{on, c, d, from, o}
		}
		l.plan.setups++
		l.work(o.Steps*o.Batch, cost)
		l.work(exams, readWork)
		return &trained{lab: l, frozen: f, method: m}, nil
	}
	l.stage("Training: %s", what)
	// A device is not left with half a training: what comes before the first step is short.
	r, err := train.New(context.WithoutCancel(ctx), f, m, d, from, o)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	t := &trained{lab: l, frozen: f, method: m, tensors: r.Tensors, trainable: m.Trainable(), flops: r.Cost().FLOPs}
	begun := time.Now()
	var stopped error
	_, err = r.Train(ctx, train.Events{Step: func(s train.StepInfo) {
		t.curve = append(t.curve, s.Loss...)
		l.work(len(s.Loss)*o.Batch, cost)
		if l.Watch.Steps != nil {
			l.Watch.Steps(what, s.First, o.Steps, s.Loss)
		}
	}, Eval: func(e train.EvalInfo) {
		if l.Watch.Eval != nil {
			l.Watch.Eval(what, e.Step, e.Loss)
		}
	}, Between: func() bool {
		stopped = l.between(ctx)
		return stopped == nil
	}})
	if err == nil {
		err = stopped
	}
	if err != nil {
		t.close()
		return nil, err
	}
	l.work(exams, readWork)
	t.val = r.Best().Loss
	t.stepTime = time.Since(begun) / time.Duration(max(1, len(t.curve)))
	return t, nil
}

// match is the exact match on tokens.
func (t *trained) match(ctx context.Context, tokens []data.Tokens) (float64, error) {
	_, got, err := t.lab.examine(ctx, t.frozen, t.method, t.tensors, tokens)
	return got, err
}

func (t *trained) close() {
	for _, x := range t.tensors {
		x.Close()
	}
}

// examine is the exact match of one method on tokens, and the logits of the first of them.
// A nil method is the bare model.
func (l *lab) examine(ctx context.Context, f engine.Frozen, m *prefix.Method, tensors map[string]engine.Tensor, tokens []data.Tokens) (logits []float32, match float64, err error) {
	defer func() { l.work(len(tokens), readWork) }()
	if l.plan != nil {
		l.plan.setups += examSetup
		return nil, 0, nil
	}
	e, err := newExam(ctx, f, m, tensors, tokens)
	if err != nil {
		return nil, 0, err
	}
	defer e.close()
	return e.match(ctx, func() error { return l.between(ctx) })
}

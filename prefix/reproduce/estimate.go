package reproduce

import (
	"context"
	"time"

	"prelude/engine"
	"prelude/prefix"
	"prelude/prefix/train"
)

// Pace is how long trainings take on one device, by a trial of each experiment's first
// with a model of its size and without its weights.
type Pace struct {
	dev   engine.Device
	known map[string]speed // by the experiment
}

// speed is how long it takes to set up a training, and an example of it.
type speed struct{ setup, example time.Duration }

// NewPace knows nothing yet.
func NewPace(dev engine.Device) *Pace { return &Pace{dev, map[string]speed{}} }

// A trial takes at most so many steps and ends after about tryTime; on the reference device,
// which is slow and knows no batches, an example counts as much alone.
const (
	trySteps   = 40
	tryTime    = 500 * time.Millisecond
	tryBatchGo = 4
)

// beside is how much longer a run takes than its trial: a page draws its curve on one of the
// same cores, and losses are read (1.3 to 1.7, in Chromium on two cores).
const beside = 1.5

// Takes is about how long the experiment, or its part, takes.
func (p *Pace) Takes(ctx context.Context, x Experiment, o Options) (time.Duration, error) {
	plan, err := x.plan(ctx, o)
	if err != nil {
		return 0, err
	}
	v, ok := p.known[x.ID]
	if !ok {
		if v, err = plan.first.try(ctx, p.dev); err != nil {
			return 0, err
		}
		p.known[x.ID] = v
	}
	return time.Duration(beside * (plan.work*float64(v.example) + plan.setups*float64(v.setup))), nil
}

// try takes a few steps on a model of zeros.
func (t *training) try(ctx context.Context, dev engine.Device) (v speed, err error) {
	specs := t.model.gpt.Tensors()
	m, err := newModel(ctx, dev, t.model.gpt.sizes, t.model.pad, func(name string) ([]float32, error) {
		return make([]float32, specs[name].Len()), nil
	})
	if err != nil {
		return v, err
	}
	defer m.close()
	method, err := prefix.New(t.choice, m.Arch.Info())
	if err != nil {
		return v, err
	}
	o := t.opts
	o.Steps, o.Eval = trySteps, trySteps
	if dev.Name() == "cpu" {
		o.Batch = min(o.Batch, tryBatchGo)
	}
	d := t.data
	d.Val = d.Val[:1]
	begun := time.Now()
	r, err := train.New(context.WithoutCancel(ctx), m.Frozen, method, d, t.from, o)
	if err != nil {
		return v, err
	}
	v.setup = time.Since(begun)
	defer r.Close()
	defer func() {
		for _, x := range r.Tensors {
			x.Close()
		}
	}()
	if err := ctx.Err(); err != nil {
		return v, err
	}
	// Steps are queued: only when their losses have been read are they done. The first to be
	// read have warmed up.
	var read []time.Time
	var steps int
	_, err = r.Train(ctx, train.Events{Step: func(s train.StepInfo) {
		if len(read) > 0 {
			steps += len(s.Loss)
		}
		read = append(read, time.Now())
	}, Between: func() bool {
		return len(read) < 2 || read[len(read)-1].Sub(read[0]) < tryTime
	}})
	if err != nil || steps == 0 {
		return v, err
	}
	v.example = read[len(read)-1].Sub(read[0]) / time.Duration(steps*o.Batch)
	return v, nil
}

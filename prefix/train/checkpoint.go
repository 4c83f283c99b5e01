package train

import (
	"context"
	"time"

	"prelude/engine"
)

// checkpointEvery is how often the state is read back.
const checkpointEvery = 10 * time.Second

// Checkpoint is all that a training needs to go on: tensors of the method and of the
// optimiser, and the number of steps done.
type Checkpoint struct {
	Step  int
	State map[string][]byte
	Best  Best
	Time  time.Time
}

// Checkpoint is the last state that was read back: the start, at first.
func (r *Run) Checkpoint() Checkpoint { return r.saved }

// Save reads the state back now.
func (r *Run) Save(ctx context.Context) error {
	state, err := readAll(ctx, bound(r.Tensors, r.state))
	if err != nil {
		return err
	}
	r.saved = Checkpoint{Step: r.step, State: state, Best: r.best, Time: time.Now()}
	return nil
}

// Restore puts the state of a checkpoint into a run that was prepared the same way,
// perhaps on another device: training goes on after that step.
func (r *Run) Restore(ctx context.Context, c Checkpoint) error {
	if err := writeAll(ctx, bound(r.Tensors, r.state), c.State); err != nil {
		return err
	}
	r.step, r.read, r.best, r.saved = c.Step, c.Step, c.Best, c
	return nil
}

// restoreBest puts the best prefix into the method's tensors.
func (r *Run) restoreBest(ctx context.Context) error {
	return writeAll(ctx, r.Tensors, r.best.State)
}

func readAll(ctx context.Context, tensors map[string]engine.Tensor) (map[string][]byte, error) {
	all := map[string][]byte{}
	for name, t := range tensors {
		all[name] = make([]byte, t.Spec().Bytes())
		if err := t.Read(ctx, 0, all[name]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func writeAll(ctx context.Context, tensors map[string]engine.Tensor, state map[string][]byte) error {
	for name, raw := range state {
		if err := tensors[name].Write(ctx, 0, raw); err != nil {
			return err
		}
	}
	return nil
}

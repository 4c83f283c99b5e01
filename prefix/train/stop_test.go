package train_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"prelude/engine"
	"prelude/engine/cpu"
	"prelude/models/tiny"
	"prelude/prefix"
	"prelude/prefix/train"
)

// A context that ends in the middle of a step leaves the best prefix in the tensors; one
// that ends before anything was evaluated leaves nothing.
func TestStopInTheMiddleOfAStep(t *testing.T) {
	dev := cpu.New[float32]()
	f := tiny.Llama(t, dev)
	m, err := prefix.New(prefix.Choice{}, f.Arch.Info())
	if err != nil {
		t.Fatal(err)
	}
	r, err := train.New(context.Background(), f, m, task(), prefix.StartFrom{}, train.Options{Steps: 60, LR: 0.05, Patience: 100})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	ctx, halt := context.WithCancel(context.Background())
	if _, err := r.Stop(context.Background()); err == nil || !strings.Contains(err.Error(), "nothing to keep") {
		t.Errorf("a stop before the start: %v", err)
	}
	steps := 0
	_, err = r.Train(ctx, train.Events{Between: func() bool {
		if steps++; steps == 20 { // the next step meets it
			ops := 0
			dev.Yield = func() {
				if ops++; ops == 5 {
					halt()
				}
			}
		}
		return true
	}})
	if !errors.Is(err, context.Canceled) || steps != 20 {
		t.Fatalf("after %d steps: %v, want that the 21st is broken off", steps, err)
	}
	res, err := r.Stop(context.Background())
	if err != nil || res.Why != "stopped" || res.Steps > 20 || res.Best.Loss > r.Base() || res.Time <= 0 {
		t.Fatalf("%+v, %v", res, err)
	}
	for name, want := range res.Best.State {
		got := make([]byte, len(want))
		if err := r.Tensors[name].Read(context.Background(), 0, got); err != nil || string(got) != string(want) {
			t.Errorf("%s is not the best prefix's: %v", name, err)
		}
	}
}

// grudging is a device on which there is no room for what a steady program would keep.
type grudging struct {
	engine.Device
	refused *int
}

func (d grudging) Compile(ctx context.Context, p *engine.Program, bind map[string]engine.Tensor) (engine.Plan, error) {
	if p.Steady() {
		*d.refused++
		return nil, errors.New("no memory for packed weights")
	}
	return d.Device.Compile(ctx, p, bind)
}

// Where a device has no room for packed weights after all, a training does without.
func TestWithoutPackedWeights(t *testing.T) {
	refused := 0
	out := tune(t, tiny.Llama(t, grudging{cpu.New[float32](), &refused}), nil, train.Options{Steps: 4, Seed: 1}, nil)
	if refused == 0 || len(out.losses) != 4 {
		t.Errorf("%d programs were refused, %d steps taken", refused, len(out.losses))
	}
}

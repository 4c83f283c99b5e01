package session_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"prelude/engine"
	"prelude/engine/cpu"
	"prelude/models"
	"prelude/models/tiny"
	"prelude/models/weights"
	"prelude/ui/wire"
	"prelude/wasm/session"
)

// counting is a device that counts the runs of its plans and ends them where stop says so.
type counting struct {
	engine.Device
	compiled, runs int
	stop           func(runs int)
}

type countingPlan struct {
	engine.Plan
	dev *counting
}

func (d *counting) Compile(ctx context.Context, p *engine.Program, bind map[string]engine.Tensor) (engine.Plan, error) {
	d.compiled++
	plan, err := d.Device.Compile(ctx, p, bind)
	return countingPlan{plan, d}, err
}

func (p countingPlan) Run(ctx context.Context, in engine.Args) error {
	if p.dev.runs++; p.dev.stop != nil {
		p.dev.stop(p.dev.runs)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return p.Plan.Run(ctx, in)
}

// loadOn is a session with the tiny model on a device, and the sample.
func loadOn(t *testing.T, dev engine.Device) *session.Session {
	t.Helper()
	f, err := models.Open(context.Background(), "tiny", weights.Dir(tiny.Folder(t, 0)), "")
	if err != nil {
		t.Fatal(err)
	}
	s := &session.Session{Device: dev}
	if err := s.Load(context.Background(), f, weights.Options{}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.SetData("sample.jsonl", sample(), wire.DataOptions{}); err != nil {
		t.Fatal(err)
	}
	return s
}

// After Ahead the first thing that a training runs is its first step, also where the page
// names the defaults that Ahead left open; its losses are those of a training that nothing
// was done for ahead.
func TestAhead(t *testing.T) {
	ctx := context.Background()
	o := wire.Train{Steps: 12, LR: 0.03, Seed: 1, Method: map[string]string{}}
	curve := func(s *session.Session, between func() bool) (losses []float64) {
		if _, err := s.Train(ctx, o, session.Watch{Planned: func(wire.Planned) {}, Between: between,
			Step: func(x wire.Step) { losses = append(losses, x.Loss...) }, Eval: func(e wire.Eval) { losses = append(losses, e.Loss, e.Base) }}); err != nil {
			t.Fatal(err)
		}
		return losses
	}
	want := curve(loadOn(t, cpu.New[float32]()), nil)

	dev := &counting{Device: cpu.New[float32]()}
	s := loadOn(t, dev)
	if err := s.Ahead(ctx, wire.DefaultTrain()); err != nil {
		t.Fatal(err)
	}
	o.Method = map[string]string{"gate": "open", "kv.slots": ""}
	dev.runs, dev.compiled = 0, 0
	first := 0
	got := curve(s, func() bool {
		if first == 0 {
			first = dev.runs
		}
		return true
	})
	if first != 1 || dev.compiled != 0 {
		t.Errorf("%d runs and %d compilations before the end of the first step, want 1 and 0", first, dev.compiled)
	}
	if !slices.Equal(got, want) {
		t.Errorf("losses %v, without Ahead %v", got, want)
	}

	// Another seed is another training: it is prepared anew, but the base is remembered.
	if err := s.Ahead(ctx, wire.DefaultTrain()); err != nil {
		t.Fatal(err)
	}
	o.Seed = 2
	if other := curve(s, nil); slices.Equal(other, want) || other[1] != want[1] {
		t.Errorf("with another seed the losses are %v", other)
	}
}

// Ahead that is broken off at any run leaves nothing wrong, and can be taken up again; what
// it holds is given back when the examples change.
func TestAheadBrokenOff(t *testing.T) {
	for at := 1; ; at++ {
		ctx, cancel := context.WithCancel(context.Background())
		dev := &counting{Device: cpu.New[float32]()}
		s := loadOn(t, dev)
		held := dev.Memory().Tensors
		dev.runs = 0
		dev.stop = func(runs int) {
			if runs == at {
				cancel()
			}
		}
		err := s.Ahead(ctx, wire.DefaultTrain())
		cancel()
		dev.stop = nil
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Fatalf("broken off at run %d: %v", at, err)
		}
		if err := s.Ahead(context.Background(), wire.DefaultTrain()); err != nil {
			t.Fatal(err)
		}
		if _, err := s.SetData("other.jsonl", sample()[:1000-1000%77], wire.DataOptions{SkipBad: true}); err != nil {
			t.Fatal(err)
		}
		if now := dev.Memory().Tensors; now != held {
			t.Fatalf("broken off at run %d: %d bytes are held, before %d", at, now, held)
		}
		if err == nil {
			if at < 3 {
				t.Errorf("Ahead takes %d runs", at)
			}
			return
		}
	}
}

// The bare model's loss on one data set is the same to the last bit, whoever reads it first: a
// training of any batch, or the three numbers of the page.
func TestOneBaseLoss(t *testing.T) {
	standing, err := loadOn(t, cpu.New[float32]()).Standing(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, batch := range []int{1, 3, 8} {
		s := loadOn(t, cpu.New[float32]())
		train(t, s, wire.Train{Steps: 1, Batch: batch, Method: map[string]string{"kv.slots": "4"}})
		after, err := s.Standing(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if after.Base != standing.Base {
			t.Errorf("a training in batches of %d reads %v, the page alone %v", batch, after.Base, standing.Base)
		}
	}
}

package trial_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"prelude/engine"
	"prelude/engine/cpu"
	"prelude/engine/trial"
)

func TestTime(t *testing.T) {
	dev := cpu.New[float32]()
	s := trial.ShapeOf(engine.ModelInfo{Hidden: 32, FF: 64, Heads: 2, KVHeads: 1, HeadDim: 16}, engine.Q4_0, 8)
	took, err := trial.Time(context.Background(), dev, s, time.Second)
	if err != nil || took <= 0 {
		t.Fatalf("took %v, error %v", took, err)
	}
	if n := dev.Memory().Tensors; n != 0 {
		t.Errorf("%d bytes of tensors are left behind", n)
	}
	if _, err := trial.Time(context.Background(), dev, trial.Shape{}, time.Second); err == nil {
		t.Error("an empty shape is timed")
	}
}

// slow is a device whose runs take so long a row, and whose Compile so long.
type slow struct {
	engine.Device
	row, compile time.Duration
}

type slowPlan struct {
	engine.Plan
	row time.Duration
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (d slow) Compile(ctx context.Context, p *engine.Program, bind map[string]engine.Tensor) (engine.Plan, error) {
	if err := wait(ctx, d.compile); err != nil {
		return nil, err
	}
	plan, err := d.Device.Compile(ctx, p, bind)
	return slowPlan{plan, d.row}, err
}

func (p slowPlan) Run(ctx context.Context, a engine.Args) error {
	for _, live := range a.Live {
		if err := wait(ctx, p.row*time.Duration(live)); err != nil {
			return err
		}
	}
	return p.Plan.Run(ctx, a)
}

// A slow device is measured, or given up, within the limit.
func TestSlowDevices(t *testing.T) {
	s := trial.Shape{Rows: 160, Hidden: 8, FF: 8, Heads: 1, KVHeads: 1, HeadDim: 8}
	const limit = 400 * time.Millisecond
	for _, c := range []struct {
		name         string
		row, compile time.Duration
		low, high    time.Duration // what is measured; 0: ErrSlow
	}{
		{"fast", 0, 0, 1, 100 * time.Millisecond},
		{"slow", 5 * time.Millisecond, 0, 700 * time.Millisecond, 3 * time.Second},
		{"too slow", 200 * time.Millisecond, 0, 0, 0},
		{"compiles too long", 0, time.Hour, 0, 0},
	} {
		for what, measure := range map[string]func(context.Context, engine.Device, trial.Shape, time.Duration) (time.Duration, error){"block": trial.Time, "products": trial.Products} {
			t.Run(c.name+"/"+what, func(t *testing.T) {
				begun := time.Now()
				took, err := measure(context.Background(), slow{cpu.New[float32](), c.row, c.compile}, s, limit)
				if spent := time.Since(begun); spent > 3*limit {
					t.Errorf("took %v, the limit is %v", spent, limit)
				}
				if c.high == 0 {
					if !errors.Is(err, trial.ErrSlow) {
						t.Fatalf("%v, error %v; want ErrSlow", took, err)
					}
				} else if err != nil || took < c.low || took > c.high {
					t.Errorf("%v, error %v; want between %v and %v", took, err, c.low, c.high)
				}
			})
		}
	}
}

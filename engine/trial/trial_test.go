package trial_test

import (
	"context"
	"testing"
	"time"

	"prelude/engine"
	"prelude/engine/cpu"
	"prelude/engine/trial"
)

func TestTime(t *testing.T) {
	dev := cpu.New[float32]()
	s := trial.ShapeOf(engine.ModelInfo{Hidden: 32, FF: 64, Heads: 2, KVHeads: 1, HeadDim: 16}, engine.Q4_0, 8)
	took, err := trial.Time(context.Background(), dev, s, 50*time.Millisecond)
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

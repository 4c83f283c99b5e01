package conformance

import (
	"context"
	"math"
	"testing"

	"prelude/engine"
	"prelude/engine/cpu"
)

// Test runs every case on dev, valid and invalid.
func Test(t *testing.T, dev engine.Device, bound float64) {
	for _, c := range Cases() {
		t.Run(c.Name, func(t *testing.T) { Check(t, dev, c, bound) })
	}
	for _, c := range InvalidCases() {
		t.Run("invalid/"+c.Name, func(t *testing.T) { CheckInvalid(t, dev, c) })
	}
}

// Check runs one case on dev and compares it with the reference.
func Check(t *testing.T, dev engine.Device, c Case, bound float64) {
	t.Helper()
	ctx := context.Background()
	want, err := Run(ctx, cpu.New[float64](), c)
	if err != nil {
		t.Fatalf("reference: %v", err)
	}
	single, err := Run(ctx, cpu.New[float32](), c)
	if err != nil {
		t.Fatalf("float32 reference: %v", err)
	}
	got, err := Run(ctx, dev, c)
	if err != nil {
		t.Fatalf("%s: %v", dev.Name(), err)
	}
	for name := range want {
		limit := max(bound*max(1, c.Loose), 2*Error(single[name], want[name]))
		if e := Error(got[name], want[name]); !(e <= limit) {
			t.Errorf("%q: error %.3g, want ≤ %.3g", name, e, limit)
		}
	}
}

// Error is max|x−y| / max|y|; NaN where x has one.
func Error(x, y []float64) float64 {
	if len(x) != len(y) {
		return math.NaN()
	}
	var diff, size float64
	for i := range y {
		d := math.Abs(x[i] - y[i])
		if math.IsNaN(d) {
			return d
		}
		diff, size = max(diff, d), max(size, math.Abs(y[i]))
	}
	if diff == 0 {
		return 0
	}
	return diff / max(size, 1e-30)
}

package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"testing"

	"prelude/engine"
	"prelude/simd"
	"prelude/ui/wire"
	"prelude/wasm/session"
)

// A training whose products with frozen weights are computed in integers comes to the losses of
// one in float32: prelude-wren after 20 steps, or with PRELUDE_SLOW SmolLM2 after 60 with three
// seeds, which -run takes one by one ("Integers/seed=2"). From the root, since data are found
// from there:
//
//	PRELUDE_SLOW=1 go test -timeout 2h -v -run IntegersLearn ./wasm/reproduce/pace
func TestIntegersLearnWhatFloatsDo(t *testing.T) {
	t.Chdir("../../..")
	model, set, steps, seeds := "static/models/prelude-wren", "polite", 20, 1
	if os.Getenv("PRELUDE_SLOW") != "" {
		model, set, steps, seeds = "static/models/smollm2-135m", "e2e", 60, 3
	}
	for name, dir := range map[string]string{"model": model, "data": e2e} {
		if _, err := os.Stat(dir); err != nil && (name == "model" || set == "e2e") {
			t.Skip(err)
		}
	}
	examples, err := read(set)
	if err != nil {
		t.Fatal(err)
	}
	for seed := range seeds {
		t.Run(fmt.Sprintf("seed=%d", seed+1), func(t *testing.T) {
			loss := func(p engine.Precision) (last float64) {
				ctx := context.Background()
				s, err := open(ctx, model, p, simd.Integers)
				if err != nil {
					t.Fatal(err)
				}
				defer s.Device.Close()
				if _, err := s.SetData(set+".jsonl", examples, wire.DataOptions{Chat: new(bool), Space: true, ValShare: valShare, Seed: 1}); err != nil {
					t.Fatal(err)
				}
				o := wire.Train{Steps: steps, Eval: steps, Batch: 4, Schedule: "linear", Seed: uint64(seed + 1)}
				if _, err := s.Train(ctx, o, session.Watch{Planned: func(wire.Planned) {}, Step: func(wire.Step) {},
					Eval: func(e wire.Eval) { last = e.Loss }, Between: func() bool { return true }}); err != nil {
					t.Fatal(err)
				}
				t.Logf("%v (%s): %.4f after %d steps", p, engine.ArithmeticOf(s.Device, p), last, steps)
				return last
			}
			if exact, fast := loss(engine.Exact), loss(engine.Fast); !(math.Abs(exact-fast) <= 0.01) {
				t.Errorf("validation loss %.4f in float32 and %.4f in integers, want within 0.01", exact, fast)
			}
		})
	}
}

package webgpu

import (
	"context"
	"testing"

	"prelude/engine"
)

// What a device says that programs need is what it holds once they are compiled, where
// values are split too.
func TestNeed(t *testing.T) {
	ctx := context.Background()
	for _, binding := range []int64{DefaultLimits.Binding, 4 << 10} {
		dev := open(t, Options{DefaultLimits: true, Tile: smallTile})
		dev.limits.Binding = binding
		program := func(rows int) *engine.Program {
			p := engine.NewProgram()
			x := p.Persist("x", engine.Spec{Shape: []int{rows, 33}})
			y := p.Unary(engine.SiLU, p.Unary(engine.Tanh, x, 0), 0)
			p.Keep("y", p.SumAll(p.Mul(y, x)))
			p.Keep("e", p.SumAll(p.Embed(p.Arg("ids", engine.AllRows, engine.I32, 3), p.Persist("w", engine.Spec{DType: engine.Q8_0, Shape: []int{70, 64}}), 1)))
			return p
		}
		small, large := program(40), program(40)
		large.Keep("more", large.SumAll(large.Unary(engine.AddConst, large.Temp("wide", engine.AllRows, 64, 60), 1)))
		bind := map[string]engine.Tensor{}
		want, err := engine.Need(dev, bind, small, large)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range []*engine.Program{small, large} {
			for name, s := range p.Tensors() {
				if bind[name] == nil {
					if bind[name], err = dev.Alloc(s); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		for _, p := range []*engine.Program{small, large} {
			own := map[string]engine.Tensor{}
			for name := range p.Tensors() {
				own[name] = bind[name]
			}
			if _, err := dev.Compile(ctx, p, own); err != nil {
				t.Fatal(err)
			}
		}
		if got := dev.Memory(); got != want || got.Scratch == 0 {
			t.Errorf("bindings of %d bytes: planned %+v, held %+v", binding, want, got)
		}
	}
}

package simd

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"prelude/engine"
	"prelude/engine/conformance"
	"prelude/engine/cpu"
)

// An example whose later rows see more keys than attention weights are kept of, beside short
// ones: gradients of some keys come from kept weights, of others from both kinds.
func TestLongAttention(t *testing.T) {
	const rows, heads, kv, dim, slots = keptSpan + 90, 4, 2, 8, 5
	run := func(dev engine.Device) map[string][]float64 {
		ctx := context.Background()
		p := engine.NewProgram()
		bind, out := map[string]engine.Tensor{}, map[string][]float64{}
		r := rand.New(rand.NewPCG(3, 9))
		var trained []string
		param := func(name string, shape ...int) engine.Buffer {
			b := p.Persist(name, engine.Spec{Shape: shape})
			p.Train(b)
			trained = append(trained, name)
			return b
		}
		arg := func(name string) engine.Buffer { return p.Arg(name, engine.AllRows, engine.I32, rows) }
		o := engine.Attention{Heads: heads, KVHeads: kv, HeadDim: dim, Scale: 0.35, Lo: arg("lo"), Hi: arg("hi")}
		o.Q, o.K, o.V = param("q", rows, heads*dim), param("k", rows, kv*dim), param("v", rows, kv*dim)
		o.PK, o.PV = param("pk", slots, kv*dim), param("pv", slots, kv*dim)
		weights := p.Persist("weights", engine.Spec{Shape: []int{rows, heads * dim}})
		grads := p.Grad(p.SumAll(p.Mul(p.Attention(o), weights)))
		for _, name := range trained {
			for b, g := range grads {
				if p.Info(b).Name == name {
					p.CopyTo(g, p.Persist("d "+name, p.Spec(b)))
				}
			}
		}
		for _, name := range slices.Sorted(maps.Keys(p.Tensors())) {
			s := p.Tensors()[name]
			x, err := dev.Alloc(s)
			if err != nil {
				t.Fatal(err)
			}
			defer x.Close()
			bind[name] = x
			v := make([]float32, s.Len())
			for i := range v {
				v[i] = float32(r.NormFloat64())
			}
			if err := x.Write(ctx, 0, engine.FloatBytes(v)); err != nil {
				t.Fatal(err)
			}
		}
		plan, err := dev.Compile(ctx, p, bind)
		if err != nil {
			t.Fatal(err)
		}
		defer plan.Close()
		a := engine.Args{Ints: map[engine.Buffer][]int32{}}
		for i := range int32(rows) {
			lo := int32(0)
			if i >= keptSpan+50 { // short examples at the end
				lo = i / 13 * 13
			}
			a.Ints[o.Lo], a.Ints[o.Hi] = append(a.Ints[o.Lo], lo), append(a.Ints[o.Hi], i+1)
		}
		if err := plan.Run(ctx, a); err != nil {
			t.Fatal(err)
		}
		for _, name := range trained {
			out[name] = numbersOf(t, bind["d "+name])
		}
		return out
	}
	want := run(cpu.New[float64]())
	for name, o := range variants {
		for tensor, got := range run(device(t, o)) {
			if e := conformance.Error(got, want[tensor]); !(e <= 1e-5) {
				t.Errorf("%s: error %.3g of the gradient of %s", name, e, tensor)
			}
		}
	}
}

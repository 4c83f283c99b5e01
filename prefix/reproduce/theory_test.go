package reproduce

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"prelude/engine"
	"prelude/prefix"
)

// What Petrov et al. prove (their eq. 7), on E1's model: a prefix of one leaves the relative
// attention among the text's tokens as it is, so that the first attention's output o is the
// plain one h moved towards the prefix's value v, in every row o = (1−λ)h + λv with 0 < λ < 1.
func TestPrefixOnlyMovesAttentionTowardsItsValue(t *testing.T) {
	ctx := context.Background()
	l := newLab(t)
	m, err := l.open(ctx, weightsE1, sizesE1, 1)
	if err != nil {
		t.Fatal(err)
	}
	method, err := prefix.New(state(1), m.gpt.Info())
	if err != nil {
		t.Fatal(err)
	}
	if err := method.Start(ctx, m.Frozen, prefix.StartFrom{}, rand.New(rand.NewPCG(1, 2))); err != nil {
		t.Fatal(err)
	}
	tensors, err := method.Alloc(ctx, m.Dev)
	if err != nil {
		t.Fatal(err)
	}
	x := l.digitsFor("descending", 1, 1, 0, 1).Train[0].IDs
	n, d := len(x), sizesE1.hidden
	p := engine.NewProgram()
	args := engine.Args{Ints: map[engine.Buffer][]int32{}, Floats: map[engine.Buffer][]float64{}}
	arg := func(name string, of func(i int) int) engine.Buffer {
		a, v := p.Arg(name, engine.AllRows, engine.I32, n), make([]int32, n)
		for i := range v {
			v[i] = int32(of(i))
		}
		args.Ints[a] = v
		return a
	}
	in := engine.Input{IDs: arg("ids", func(i int) int { return int(x[i]) }), Pos: arg("pos", func(i int) int { return 1 + min(i, 18) }),
		Lo: arg("lo", func(int) int { return 0 }), Hi: arg("hi", func(i int) int { return i + 1 })}
	bind := map[string]engine.Tensor{}
	for name, w := range m.Weights {
		bind[name] = w
	}
	for name, w := range tensors {
		bind[name] = w
	}
	keep := func(name string, b engine.Buffer) {
		s := engine.Spec{DType: engine.F32, Shape: p.Spec(b).Shape}
		if bind[name], err = m.Dev.Alloc(s); err != nil {
			t.Fatal(err)
		}
		p.CopyTo(b, p.Persist(name, s))
	}
	part := method.Build(p, m.gpt, in, prefix.Evaluate)
	part.Fill(args, nil)
	with := part.Hooks
	kv := with.KV
	with.KV = func(p *engine.Program, at engine.At) engine.Segment {
		s := kv(p, at)
		keep("value", s.V)
		return s
	}
	see := func(h engine.Hooks, name string) {
		h.AttnOut = func(_ *engine.Program, _ engine.At, o engine.Buffer) engine.Buffer {
			keep(name, o)
			return o
		}
		m.gpt.Forward(p, in, h)
	}
	see(with, "with")
	see(engine.Hooks{}, "without")
	plan, err := m.Dev.Compile(ctx, p, bind)
	if err != nil {
		t.Fatal(err)
	}
	if err := plan.Run(ctx, args); err != nil {
		t.Fatal(err)
	}
	read := func(name string) []float32 {
		x, err := engine.ReadFloats(ctx, bind[name])
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	o, h, v := read("with"), read("without"), read("value")
	for row := range n {
		var along, length float64
		for i := range d {
			to := float64(v[i] - h[row*d+i])
			along += float64(o[row*d+i]-h[row*d+i]) * to
			length += to * to
		}
		share := along / length
		if !(share > 0 && share < 1) {
			t.Errorf("row %d: λ = %g, want it between 0 and 1", row, share)
		}
		for i := range d {
			want := (1-share)*float64(h[row*d+i]) + share*float64(v[i])
			if off := math.Abs(float64(o[row*d+i]) - want); off > 1e-4 {
				t.Fatalf("row %d, element %d: %g, want %g on the line from h to v", row, i, o[row*d+i], want)
			}
		}
	}
}

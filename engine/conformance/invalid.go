package conformance

import (
	"context"
	"errors"
	"testing"

	"prelude/engine"
)

// Invalid is a program, arguments that fit it, and a change after which they do not. Every
// device must refuse the changed arguments with [engine.ErrArgs] and keep its tensors as
// they were.
type Invalid struct {
	Name  string
	Build func(b *Builder) (spoil func(in engine.Args))
}

// at is a change of one value of an integer argument.
func at(arg engine.Buffer, i int, to int32) func(engine.Args) {
	return func(in engine.Args) { in.Ints[arg][i] = to }
}

// InvalidCases lists them: every bound of every operation, and arguments that fit no buffer.
func InvalidCases() []Invalid {
	embed := func(b *Builder) (ids engine.Buffer, rows engine.Domain) {
		rows = b.Rows(4, 3)
		ids = b.Ints("ids", rows, []int32{3, 0, 10}, 4)
		b.Out("y", b.Embed(ids, b.Param("w", 1, 11, 8), 1))
		return ids, rows
	}
	all := []Invalid{
		{"too many values", func(b *Builder) func(engine.Args) {
			ids, _ := embed(b)
			return func(in engine.Args) { in.Ints[ids] = make([]int32, 5) }
		}},
		{"too few values", func(b *Builder) func(engine.Args) {
			ids, _ := embed(b)
			return func(in engine.Args) { in.Ints[ids] = in.Ints[ids][:2] }
		}},
		{"no values", func(b *Builder) func(engine.Args) {
			ids, _ := embed(b)
			return func(in engine.Args) { delete(in.Ints, ids) }
		}},
		{"floats for integers", func(b *Builder) func(engine.Args) {
			ids, _ := embed(b)
			return func(in engine.Args) { in.Floats[ids] = []float64{1} }
		}},
		{"unknown buffer", func(b *Builder) func(engine.Args) {
			embed(b)
			return func(in engine.Args) { in.Floats[engine.Buffer(b.Len()+100)] = []float64{1} }
		}},
		{"tensor as an argument", func(b *Builder) func(engine.Args) {
			embed(b)
			return func(in engine.Args) { in.Floats[b.Named("w")] = []float64{1} }
		}},
		{"view as an argument", func(b *Builder) func(engine.Args) {
			x := b.Floats("x", 0, []float64{1, 2, 3, 4}, 4)
			part := b.View(x, 2, 2)
			b.Watch("y", b.SumAll(part))
			return func(in engine.Args) { in.Floats[part] = []float64{1, 2} }
		}},
		{"too many live rows", func(b *Builder) func(engine.Args) {
			_, rows := embed(b)
			return func(in engine.Args) { in.Live[rows] = 5 }
		}},
		{"negative live rows", func(b *Builder) func(engine.Args) {
			_, rows := embed(b)
			return func(in engine.Args) { in.Live[rows] = -1 }
		}},
		{"unknown domain", func(b *Builder) func(engine.Args) {
			embed(b)
			return func(in engine.Args) { in.Live[engine.Domain(b.Domains()+100)] = 1 }
		}},
		{"more live rows than values", func(b *Builder) func(engine.Args) {
			_, rows := embed(b)
			return func(in engine.Args) { in.Live[rows] = 4 }
		}},
	}
	indices := func(name string, build func(b *Builder) (arg engine.Buffer, least, most int32)) {
		for _, end := range []struct {
			name string
			off  func(least, most int32) int32
		}{
			{"below", func(least, _ int32) int32 { return least - 1 }},
			{"beyond", func(_, most int32) int32 { return most + 1 }},
			{"far beyond", func(int32, int32) int32 { return 1<<31 - 1 }},
			{"far below", func(int32, int32) int32 { return -1 << 31 }},
		} {
			all = append(all, Invalid{name + " " + end.name, func(b *Builder) func(engine.Args) {
				arg, least, most := build(b)
				if to := end.off(least, most); most < 1<<31-1 || to < least {
					return at(arg, 1, to)
				}
				return at(arg, 1, -1) // nothing is beyond
			}})
		}
	}
	indices("embed: id", func(b *Builder) (engine.Buffer, int32, int32) { ids, _ := embed(b); return ids, 0, 10 })
	rows := func(b *Builder) (x, idx engine.Buffer) {
		m := b.Domain("chosen", 4)
		b.Args.Live[m] = 3
		return b.Live(b.Tensor("x", 1, 9, 7), b.Rows(9, 8)), b.Ints("idx", m, []int32{7, 0, 3}, 4)
	}
	indices("gather: row", func(b *Builder) (engine.Buffer, int32, int32) {
		x, idx := rows(b)
		b.Out("y", b.GatherRows(x, idx))
		return idx, 0, 7
	})
	indices("scatter: row", func(b *Builder) (engine.Buffer, int32, int32) {
		x, idx := rows(b)
		m := b.Info(idx).Rows
		b.Out("y", b.ScatterRows(b.Live(b.Param("z", 1, 4, 7), m), idx, x))
		return idx, 0, 7
	})
	indices("store: row", func(b *Builder) (engine.Buffer, int32, int32) {
		idx := b.Ints("idx", 0, []int32{9, 2, 4}, 3)
		b.StoreRows(b.Tensor("x", 1, 3, 6), idx, b.Tensor("cache", 1, 10, 6))
		b.Changes("cache")
		return idx, 0, 9
	})
	indices("rope: position", func(b *Builder) (engine.Buffer, int32, int32) {
		cos, sin := b.tables(50, 4)
		pos := b.Ints("pos", 0, []int32{3, 0, 49}, 3)
		b.Out("y", b.RoPE(b.Param("x", 1, 3, 16), pos, cos, sin, 8))
		return pos, 0, 49
	})
	indices("cross-entropy: target", func(b *Builder) (engine.Buffer, int32, int32) {
		targets := b.Ints("targets", 0, []int32{1, 0, 8}, 3, 1)
		b.Loss("loss", b.CrossEntropy(b.Param("h", 1, 3, 8), b.Tensor("w", 1, 9, 8), engine.None, targets, b.Floats("weights", 0, []float64{1, 1, 1}, 3, 1), false))
		return targets, 0, 8
	})
	all = append(all, Invalid{"record: negative step", func(b *Builder) func(engine.Args) {
		step := b.Ints("step", 0, []int32{6}, 1)
		b.Record(b.Tensor("log", 0, 4, 1), step, b.Tensor("loss", 1, 1))
		b.Changes("log")
		return at(step, 0, -1)
	}})
	attended := func(choose func(o engine.Attention) engine.Buffer, least, most int32) func(b *Builder) (engine.Buffer, int32, int32) {
		return func(b *Builder) (engine.Buffer, int32, int32) {
			d := b.Rows(9, 8)
			o := engine.Attention{Heads: 2, KVHeads: 2, HeadDim: 4, Scale: 0.5}
			o.Q, o.K, o.V = b.Live(b.Param("q", 1, 9, 8), d), b.Live(b.Param("k", 1, 9, 8), d), b.Live(b.Param("v", 1, 9, 8), d)
			o.Lo, o.Hi = b.Ints("lo", d, make([]int32, 8), 9), b.Ints("hi", d, []int32{1, 2, 3, 4, 5, 6, 7, 8}, 9)
			o.PK, o.PV = b.Param("pk", 1, 3, 8), b.Param("pv", 1, 3, 8)
			o.PLo, o.PHi = b.Ints("plo", d, make([]int32, 8), 9), b.Ints("phi", d, []int32{3, 3, 3, 3, 3, 3, 3, 3}, 9)
			o.Rel = b.Param("rel", 1, 2, 9)
			o.QPos, o.KPos, o.PPos = b.Ints("qpos", d, nil, 9), b.Ints("kpos", d, nil, 9), b.Ints("ppos", 0, []int32{-3, -2, -1}, 3)
			b.Out("o", b.Attention(o))
			return choose(o), least, most
		}
	}
	const far = 1 << 29
	indices("attention: range start", attended(func(o engine.Attention) engine.Buffer { return o.Lo }, 0, 8))
	indices("attention: range end", attended(func(o engine.Attention) engine.Buffer { return o.Hi }, 0, 8))
	indices("attention to the prefix: range start", attended(func(o engine.Attention) engine.Buffer { return o.PLo }, 0, 3))
	indices("attention to the prefix: range end", attended(func(o engine.Attention) engine.Buffer { return o.PHi }, 0, 3))
	indices("attention: query position", attended(func(o engine.Attention) engine.Buffer { return o.QPos }, -far, far))
	indices("attention: key position", attended(func(o engine.Attention) engine.Buffer { return o.KPos }, -far, far))
	indices("attention: slot position", attended(func(o engine.Attention) engine.Buffer { return o.PPos }, -far, far))
	convolved := func(choose func(lo, hi engine.Buffer) engine.Buffer, least, most int32) func(b *Builder) (engine.Buffer, int32, int32) {
		return func(b *Builder) (engine.Buffer, int32, int32) {
			d := b.Rows(6, 5)
			lo, hi := b.Ints("lo", d, make([]int32, 5), 6), b.Ints("hi", d, []int32{1, 2, 3, 4, 5}, 6)
			b.Out("y", b.CausalConv(b.Live(b.Param("x", 1, 6, 4), d), b.Param("w", 1, 2, 4), engine.None, lo, hi, 1))
			return choose(lo, hi), least, most
		}
	}
	indices("causal convolution: range start", convolved(func(lo, _ engine.Buffer) engine.Buffer { return lo }, 0, 1))
	indices("causal convolution: range end", convolved(func(_, hi engine.Buffer) engine.Buffer { return hi }, 1, 5))
	return all
}

// CheckInvalid runs a case on dev: with arguments that fit, with those that do not, and
// with the first again, which must give the same results.
func CheckInvalid(t *testing.T, dev engine.Device, c Invalid) {
	t.Helper()
	ctx := context.Background()
	var spoil func(engine.Args)
	b := newBuilder(Case{Build: func(b *Builder) { spoil = c.Build(b) }})
	b.finish()
	s, err := b.start(ctx, dev)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	before, err := s.run(ctx, b.Args)
	if err != nil {
		t.Fatalf("arguments that fit: %v", err)
	}
	bad := clone(b.Args)
	spoil(bad)
	if err := s.plan.Run(ctx, bad); !errors.Is(err, engine.ErrArgs) {
		t.Errorf("%v, want engine.ErrArgs", err)
	}
	after, err := s.results(ctx)
	if err != nil {
		t.Fatal(err)
	}
	again, err := s.run(ctx, b.Args)
	if err != nil {
		t.Fatal(err)
	}
	for name := range before {
		if e := Error(after[name], before[name]); e != 0 {
			t.Errorf("the refused run changed %q by %.3g", name, e)
		}
		if e := Error(again[name], before[name]); e != 0 {
			t.Errorf("after the refused run %q differs by %.3g", name, e)
		}
	}
}

// clone copies arguments.
func clone(in engine.Args) engine.Args {
	out := engine.Args{Ints: map[engine.Buffer][]int32{}, Floats: map[engine.Buffer][]float64{}, Live: map[engine.Domain]int{}}
	for b, v := range in.Ints {
		out.Ints[b] = append([]int32{}, v...)
	}
	for b, v := range in.Floats {
		out.Floats[b] = append([]float64{}, v...)
	}
	for d, n := range in.Live {
		out.Live[d] = n
	}
	return out
}

package conformance

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"prelude/engine"
)

// Cases lists all cases.
func Cases() []Case {
	var all []Case
	for _, group := range [][]Case{linear(), embed(), norms(), rope(), attention(), elementwise(), activations(), rows(), convolution(), heads(), losses(), update(), steps()} {
		all = append(all, group...)
	}
	return all
}

func linear() []Case {
	var all []Case
	for _, s := range []struct{ rows, in, out int }{{1, 32, 5}, {7, 64, 33}, {67, 96, 70}, {130, 32, 257}} {
		for _, t := range []engine.DType{engine.F32, engine.F16, engine.BF16, engine.Q8_0, engine.Q4_0, engine.Q4_1} {
			all = append(all, Case{Name: fmt.Sprintf("linear/%v/%dx%dx%d", t, s.rows, s.in, s.out), Build: func(b *Builder) {
				d := b.Rows(s.rows+3, s.rows)
				x := b.Live(b.Param("x", 1, s.rows+3, s.in), d)
				b.Out("y", b.Linear(x, b.Weight("w", t, s.out, s.in), engine.None, engine.None))
			}})
		}
		all = append(all, Case{Name: fmt.Sprintf("linear/trained/%dx%dx%d", s.rows, s.in, s.out), Build: func(b *Builder) {
			d := b.Rows(s.rows+3, s.rows)
			x := b.Live(b.Param("x", 1, s.rows+3, s.in), d)
			add := b.Live(b.Param("add", 1, s.rows+3, s.out), d)
			y := b.Linear(x, b.Param("w", 0.5, s.out, s.in), b.Param("bias", 1, s.out), add)
			b.Out("y", y)
			b.Out("z", b.Linear(x, b.Param("v", 0.5, s.out, s.in), engine.None, y)) // x and y have two uses
		}})
	}
	return append(all, Case{Name: "linear/no live rows", Build: func(b *Builder) {
		x := b.Live(b.Param("x", 1, 4, 32), b.Rows(4, 0))
		b.Out("y", b.SumRows(b.Linear(x, b.Param("w", 1, 8, 32), engine.None, engine.None)))
	}})
}

func embed() []Case {
	var all []Case
	for _, t := range []engine.DType{engine.F32, engine.F16, engine.BF16, engine.Q8_0, engine.Q4_0, engine.Q4_1} {
		all = append(all, Case{Name: fmt.Sprintf("embed/%v", t), Build: func(b *Builder) {
			ids := b.Ints("ids", b.Rows(6, 5), []int32{3, 0, 10, 3, 7}, 6)
			b.Watch("y", b.Embed(ids, b.Weight("w", t, 11, 64), 2.5))
		}})
	}
	return append(all, Case{Name: "embed/ids of a tensor", Build: func(b *Builder) {
		ids := b.Persist("ids", engine.Spec{DType: engine.I32, Shape: []int{3}})
		b.init["ids"] = []byte{10, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0}
		b.Watch("y", b.Embed(b.View(ids, 1, 2), b.Tensor("w", 1, 11, 9), 1))
	}}, Case{Name: "embed/trained", Build: func(b *Builder) {
		ids := b.Ints("ids", b.Rows(6, 5), []int32{3, 0, 10, 3, 7}, 6)
		b.Out("y", b.Embed(ids, b.Param("w", 1, 11, 9), 2.5))
	}}, Case{Name: "embed/tied", Build: func(b *Builder) {
		ids := b.Ints("ids", b.Rows(6, 5), []int32{3, 0, 10, 3, 7}, 6)
		w := b.Param("w", 1, 11, 9)
		b.Out("y", b.Linear(b.Embed(ids, w, 1), w, engine.None, engine.None))
	}})
}

func norms() []Case {
	var all []Case
	for _, s := range []struct{ rows, groups, n int }{{1, 1, 1}, {5, 1, 33}, {3, 4, 16}, {40, 1, 576}} {
		for _, sigma := range []float64{1, 1e-4, 1e4} {
			name := fmt.Sprintf("%dx%dx%d/%g", s.rows, s.groups, s.n, sigma)
			all = append(all, Case{Name: "rmsnorm/" + name, Loose: 3, NoDiff: sigma < 1, Build: func(b *Builder) {
				x := b.Live(b.Param("x", sigma, s.rows+1, s.groups*s.n), b.Rows(s.rows+1, s.rows))
				b.Out("y", b.RMSNorm(x, b.Param("gain", 1, s.n), 1e-5, 1))
				b.Out("z", b.RMSNorm(x, b.Tensor("frozen", 1, s.n), 1e-5, 0))
			}})
			if s.n > 1 {
				all = append(all, Case{Name: "layernorm/" + name, Loose: 3, NoDiff: sigma < 1, Build: func(b *Builder) {
					x := b.Live(b.Param("x", sigma, s.rows+1, s.groups*s.n), b.Rows(s.rows+1, s.rows))
					b.Out("y", b.LayerNorm(x, b.Param("gain", 1, s.n), b.Param("bias", 1, s.n), 1e-5))
				}})
			}
		}
	}
	return all
}

// tables are RoPE's cosines and sines for r pairs.
func (b *Builder) tables(positions, r int) (cos, sin engine.Buffer) {
	c, s := make([]float64, positions*r), make([]float64, positions*r)
	for p := range positions {
		for i := range r {
			a := float64(p) * math.Pow(10000, -float64(i)/float64(r))
			c[p*r+i], s[p*r+i] = float64(float32(math.Cos(a))), float64(float32(math.Sin(a)))
		}
	}
	return b.Set("cos", c, positions, r), b.Set("sin", s, positions, r)
}

func rope() []Case {
	var all []Case
	for _, s := range []struct{ rows, heads, dim, r int }{{5, 3, 8, 4}, {9, 1, 64, 32}, {4, 2, 20, 3}} {
		all = append(all, Case{Name: fmt.Sprintf("rope/%dx%dx%d/%d", s.rows, s.heads, s.dim, s.r), Build: func(b *Builder) {
			d := b.Rows(s.rows+2, s.rows)
			pos := make([]int32, s.rows)
			for i := range pos {
				pos[i] = b.Int(50)
			}
			cos, sin := b.tables(50, s.r)
			x := b.Live(b.Param("x", 1, s.rows+2, s.heads*s.dim), d)
			b.Out("y", b.RoPE(x, b.Ints("pos", d, pos, s.rows+2), cos, sin, s.dim))
		}})
	}
	return all
}

// attn describes an attention case.
type attn struct {
	name                   string
	rows, heads, kv, dim   int
	slots                  int
	bias                   []int // shape of the prefix bias with -1 for its full size, nil for none
	noContent, window, rel bool
	free                   bool // the prefix has no relative bias
	empty                  bool // some rows see nothing
	reversed               bool // some ranges end before they begin
	sigma, cap             float64
}

func (a attn) build(b *Builder) {
	most := a.rows + 3
	d := b.Rows(most, a.rows)
	o := engine.Attention{Heads: a.heads, KVHeads: a.kv, HeadDim: a.dim, Scale: 1 / math.Sqrt(float64(a.dim)), Cap: a.cap}
	o.Q = b.Live(b.Param("q", a.sigma, most, a.heads*a.dim), d)
	if !a.noContent {
		o.K = b.Live(b.Param("k", a.sigma, most, a.kv*a.dim), d)
		o.V = b.Live(b.Param("v", 1, most, a.kv*a.dim), d)
		lo, hi := make([]int32, a.rows), make([]int32, a.rows)
		for t := range lo {
			seg := t / 7 * 7 // examples of seven rows
			lo[t], hi[t] = int32(seg), int32(t+1)
			if a.window {
				lo[t] = int32(max(seg, t-2))
			}
			if a.empty && t%3 == 0 {
				hi[t] = lo[t]
			}
			if a.reversed && t%4 == 0 {
				lo[t], hi[t] = hi[t], lo[t]
			}
		}
		o.Lo, o.Hi = b.Ints("lo", d, lo, most), b.Ints("hi", d, hi, most)
	}
	if a.slots > 0 {
		o.PK = b.Param("pk", a.sigma, a.slots, a.kv*a.dim)
		o.PV = b.Param("pv", 1, a.slots, a.kv*a.dim)
		if a.window || a.empty || a.reversed {
			lo, hi := make([]int32, a.rows), make([]int32, a.rows)
			for t := range lo {
				lo[t], hi[t] = int32(t%(a.slots+1)), int32(a.slots)
				if a.empty && t%3 == 0 {
					hi[t] = lo[t]
				}
				if a.reversed && t%5 == 1 {
					lo[t], hi[t] = hi[t], 0
				}
			}
			o.PLo, o.PHi = b.Ints("plo", d, lo, most), b.Ints("phi", d, hi, most)
		}
	}
	if a.bias != nil {
		full := []int{most, a.heads, a.slots}
		shape := make([]int, 3)
		for i, n := range a.bias {
			shape[i] = n
			if n < 0 {
				shape[i] = full[i]
			}
		}
		bias := b.Param("bias", 1, shape...)
		if shape[0] == most {
			bias = b.Live(bias, d)
		}
		o.PBias = bias
	}
	if a.rel {
		o.Rel = b.Param("rel", 1, a.heads, 9)
		o.QPos, o.KPos = b.Ints("qpos", d, nil, most), b.Ints("kpos", d, nil, most)
		if a.slots > 0 && !a.free {
			o.PPos = b.Ints("ppos", engine.AllRows, nil, a.slots)
		}
	}
	b.Out("o", b.Attention(o))
}

func attention() []Case {
	var all []Case
	for _, a := range []attn{
		{name: "causal", rows: 17, heads: 4, kv: 2, dim: 8, sigma: 1},
		{name: "one row", rows: 1, heads: 1, kv: 1, dim: 4, sigma: 1},
		{name: "one row with prefix", rows: 1, heads: 3, kv: 1, dim: 16, slots: 5, sigma: 1},
		{name: "prefix", rows: 30, heads: 4, kv: 2, dim: 8, slots: 5, sigma: 1},
		{name: "prefix, heads of 64", rows: 23, heads: 9, kv: 3, dim: 64, slots: 16, sigma: 1},
		{name: "slot bias", rows: 16, heads: 4, kv: 2, dim: 8, slots: 5, bias: []int{1, 1, -1}, sigma: 1},
		{name: "head and slot bias", rows: 16, heads: 4, kv: 4, dim: 8, slots: 5, bias: []int{1, -1, -1}, sigma: 1},
		{name: "row and slot bias", rows: 16, heads: 4, kv: 1, dim: 8, slots: 5, bias: []int{-1, 1, -1}, sigma: 1},
		{name: "row and head bias", rows: 16, heads: 4, kv: 2, dim: 8, slots: 5, bias: []int{-1, -1, 1}, sigma: 1},
		{name: "full bias", rows: 16, heads: 4, kv: 2, dim: 8, slots: 5, bias: []int{-1, -1, -1}, sigma: 1},
		{name: "prefix only", rows: 16, heads: 4, kv: 2, dim: 8, slots: 5, noContent: true, sigma: 1},
		{name: "window", rows: 20, heads: 4, kv: 2, dim: 8, slots: 6, window: true, sigma: 1},
		{name: "hidden rows", rows: 20, heads: 4, kv: 2, dim: 8, slots: 6, empty: true, sigma: 1},
		{name: "reversed ranges", rows: 20, heads: 4, kv: 2, dim: 8, slots: 6, reversed: true, sigma: 1},
		{name: "relative bias", rows: 20, heads: 4, kv: 4, dim: 8, slots: 3, rel: true, sigma: 1},
		{name: "relative bias of the content alone", rows: 20, heads: 4, kv: 4, dim: 8, slots: 3, rel: true, free: true, sigma: 1},
		{name: "large scores", rows: 20, heads: 2, kv: 2, dim: 8, slots: 3, sigma: 12},
		{name: "soft cap", rows: 30, heads: 4, kv: 2, dim: 8, slots: 5, window: true, sigma: 1, cap: 0.8},
		{name: "soft cap and biases", rows: 20, heads: 4, kv: 4, dim: 20, slots: 3, bias: []int{-1, -1, -1}, rel: true, sigma: 1, cap: 1.5},
		{name: "soft cap of large scores", rows: 20, heads: 2, kv: 2, dim: 8, slots: 3, sigma: 12, cap: 50},
		{name: "head size 20", rows: 20, heads: 2, kv: 1, dim: 20, slots: 3, sigma: 1},
	} {
		c := Case{Name: "attention/" + a.name, Build: a.build, NoDiff: a.sigma > 2}
		if a.sigma > 2 {
			c.Loose = 2 // scores of hundreds: half a float32 step of lse is beyond the bound
		}
		all = append(all, c)
	}
	// Answers with stretches of a cache to themselves, of a program that learns nothing.
	for _, a := range []struct{ heads, kv, dim, slots int }{{9, 3, 64, 6}, {4, 1, 32, 0}, {5, 1, 16, 3}, {2, 2, 24, 5}, {4, 2, 48, 9}} {
		all = append(all, Case{Name: fmt.Sprintf("attention/answers/%dx%dx%d/%d", a.heads, a.kv, a.dim, a.slots), NoDiff: true, Build: func(b *Builder) {
			const stretch = 14
			d := b.Rows(5, 4)
			o := engine.Attention{Heads: a.heads, KVHeads: a.kv, HeadDim: a.dim, Scale: 0.2}
			o.Q = b.GatherRows(b.Tensor("q", 1, 5, a.heads*a.dim), b.Ints("live", d, nil, 5))
			o.K, o.V = b.Tensor("k", 1, 5*stretch, a.kv*a.dim), b.Tensor("v", 1, 5*stretch, a.kv*a.dim)
			o.Lo, o.Hi = b.Ints("lo", d, []int32{0, stretch, 3 * stretch, 4 * stretch}, 5), b.Ints("hi", d, []int32{1, stretch + 7, 3*stretch + 12, 4*stretch + 9}, 5)
			if a.slots > 0 {
				o.PK, o.PV = b.Tensor("pk", 1, a.slots, a.kv*a.dim), b.Tensor("pv", 1, a.slots, a.kv*a.dim)
			}
			b.Watch("o", b.Attention(o))
		}})
	}
	return append(all, Case{Name: "attention/removed slots", Build: func(b *Builder) {
		d := b.Rows(9, 8)
		o := engine.Attention{Heads: 2, KVHeads: 2, HeadDim: 4, Scale: 0.5}
		o.Q, o.K, o.V = b.Live(b.Param("q", 1, 9, 8), d), b.Live(b.Param("k", 1, 9, 8), d), b.Live(b.Param("v", 1, 9, 8), d)
		o.Lo, o.Hi = b.Ints("lo", d, make([]int32, 9), 9), b.Ints("hi", d, []int32{1, 2, 3, 4, 5, 6, 7, 8}, 9)
		o.PK, o.PV = b.Param("pk", 1, 3, 8), b.Param("pv", 1, 3, 8)
		o.PBias = b.Set("bias", []float64{-1e30, 0, -1e30}, 1, 1, 3)
		b.Out("o", b.Attention(o))
	}}, Case{Name: "attention/keys used twice", Build: func(b *Builder) {
		d := b.Rows(9, 8)
		o := engine.Attention{Heads: 2, KVHeads: 2, HeadDim: 4, Scale: 0.5}
		o.Q = b.Live(b.Param("q", 1, 9, 8), d)
		o.K = b.Live(b.Param("k", 1, 9, 8), d)
		o.V = o.K
		o.Lo, o.Hi = b.Ints("lo", d, make([]int32, 9), 9), b.Ints("hi", d, []int32{1, 2, 3, 4, 5, 6, 7, 8}, 9)
		pkv := b.Param("prefix", 1, 4, 3, 8)
		for i := range 2 {
			o.PK, o.PV = b.View(pkv, 2*i*24, 3, 8), b.View(pkv, (2*i+1)*24, 3, 8)
			o.Q = b.Attention(o)
		}
		b.Out("o", o.Q)
	}})
}

func elementwise() []Case {
	var all []Case
	for name, shape := range map[string][]int{"same": {6, 5}, "column": {5}, "row": {6, 1}, "uniform": {1}} {
		all = append(all, Case{Name: "binary/" + name, Build: func(b *Builder) {
			d := b.Rows(6, 5)
			x := b.Live(b.Param("x", 1, 6, 5), d)
			y := b.Param("y", 1, shape...)
			if len(shape) == 2 {
				y = b.Live(y, d)
			}
			b.Out("sum", b.Add(x, y))
			b.Out("product", b.Mul(x, y))
		}})
	}
	return append(all, Case{Name: "rowdot", Build: func(b *Builder) {
		d := b.Rows(6, 5)
		x, y := b.Live(b.Param("x", 1, 6, 37), d), b.Live(b.Param("y", 1, 6, 37), d)
		b.Out("dot", b.RowDot(x, y))
		b.Out("one", b.RowDot(x, engine.None))
	}}, Case{Name: "largest", NoDiff: true, Build: func(b *Builder) {
		d := b.Rows(8, 7)
		const n = 203
		v := make([]float64, 8*n)
		for i := range v {
			v[i] = float64(b.Int(40)) - 60 // many as large as the largest: the first counts
		}
		for row, at := range []int{0, 65, n - 1, 199, 64} {
			v[row*n+at] = 3
		}
		v[1*n+150], v[4*n+63] = 3, math.NaN()
		for i := range n {
			v[5*n+i] = -7
		}
		b.Watch("y", b.Largest(b.Live(b.Set("x", v, 8, n), d)))
	}}, Case{Name: "copy", Build: func(b *Builder) {
		x := b.Live(b.Param("x", 1, 6, 3), b.Rows(6, 5))
		t := b.Temp("y", engine.AllRows, 6, 3)
		b.Program.CopyTo(b.Mul(x, x), t)
		b.Watch("y", t)
		b.Out("z", b.Add(x, x))
	}}, Case{Name: "views", Build: func(b *Builder) {
		x := b.Param("x", 1, 4, 3, 2)
		b.Out("a", b.Mul(b.View(x, 6, 3, 2), b.View(x, 18, 3, 2)))
		b.Out("b", b.Unary(engine.Scale, b.View(x, 6, 6), 3))
		b.Out("c", b.Mul(x, x))
		b.Out("d", b.View(x, 0, 3, 2))
	}})
}

func activations() []Case {
	names := map[engine.UnaryFn]string{engine.Scale: "scale", engine.Tanh: "tanh", engine.Sigmoid: "sigmoid", engine.SiLU: "silu",
		engine.GELU: "gelu", engine.GELUTanh: "gelu-tanh", engine.ReLU: "relu", engine.Exp: "exp", engine.Log: "log",
		engine.ELU1: "elu1", engine.Clamp01: "clamp01", engine.AddConst: "addconst"}
	var all []Case
	for fn := engine.Scale; fn <= engine.AddConst; fn++ {
		wide := []float64{1e-6, -1e-6, 0.3, -0.7, 1, 5, -5, 9.5, -9.5, 20, -20, 87, -87, 200, -200, 1e4, -1e4}
		switch fn {
		case engine.Exp:
			wide = wide[:len(wide)-4]
		case engine.Log:
			wide = []float64{1e-6, 0.3, 1, 2, 1e4}
		}
		kink := fn == engine.ReLU || fn == engine.Clamp01
		all = append(all, Case{Name: "unary/" + names[fn], NoDiff: true, Build: func(b *Builder) {
			x := b.Set("x", wide, 1, len(wide))
			b.Train(x)
			b.train = append(b.train, "x")
			b.Out("y", b.Unary(fn, x, 0.7))
		}}, Case{Name: "unary/small/" + names[fn], NoDiff: kink, Build: func(b *Builder) {
			x := b.Live(b.Param("x", 1, 9, 7), b.Rows(9, 8))
			if fn == engine.Log {
				x = b.Unary(engine.AddConst, b.Mul(x, x), 0.5)
			}
			b.Out("y", b.Unary(fn, x, 0.7))
		}})
		if fn >= engine.SiLU && fn <= engine.ReLU || fn == engine.Sigmoid {
			all = append(all, Case{Name: "gated/" + names[fn], NoDiff: kink, Build: func(b *Builder) {
				d := b.Rows(9, 8)
				b.Out("y", b.Gated(fn, b.Live(b.Param("a", 2, 9, 35), d), b.Live(b.Param("b", 1, 9, 35), d)))
			}})
		}
	}
	return all
}

func rows() []Case {
	return []Case{{Name: "gather", Build: func(b *Builder) {
		d, m := b.Rows(9, 8), b.Domain("chosen", 5)
		b.Args.Live[m] = 4
		x := b.Live(b.Param("x", 1, 9, 7), d)
		idx := b.Ints("idx", m, []int32{7, 0, 3, 5}, 5)
		b.Out("y", b.GatherRows(x, idx))
		b.Out("z", b.Mul(x, x))
		b.Out("s", b.ScatterRows(b.GatherRows(x, idx), idx, x))
	}}, {Name: "store", Build: func(b *Builder) {
		x := b.Live(b.Param("x", 1, 4, 6), b.Rows(4, 3))
		b.StoreRows(x, b.Ints("idx", 1, []int32{9, 2, 4}, 4), b.Tensor("cache", 1, 10, 6))
		b.Changes("cache")
	}}, {Name: "concat", Build: func(b *Builder) {
		x, y := b.Param("x", 1, 3, 5), b.Param("y", 1, 4, 5)
		b.Out("z", b.ConcatRows(x, y))
		b.Out("w", b.Mul(x, x))
	}}, {Name: "split", Build: func(b *Builder) {
		x := b.Param("x", 1, 3, 20)
		b.Out("z", b.SplitCols(x, 4))
	}}}
}

func losses() []Case {
	var all []Case
	type loss struct {
		name                string
		rows, d, vocab, k   int
		t                   engine.DType
		rest, trained, bias bool
		scale, cap          float64
	}
	for _, l := range []loss{
		{"plain", 13, 32, 50, 1, engine.F32, false, false, false, 1, 0},
		{"trained head", 13, 9, 50, 1, engine.F32, false, true, true, 1, 0},
		{"one row", 1, 32, 7, 1, engine.F32, false, false, false, 1, 0},
		{"several targets", 13, 32, 50, 4, engine.F32, false, true, false, 1, 0},
		{"rest class", 13, 32, 50, 4, engine.F32, true, true, false, 1, 0},
		{"large logits", 13, 32, 50, 1, engine.F32, false, false, false, 30, 0},
		{"Q8_0 head", 70, 64, 301, 1, engine.Q8_0, false, false, false, 1, 0},
		{"F16 head", 70, 64, 301, 1, engine.F16, false, false, false, 1, 0},
		{"Q4_1 head", 9, 64, 301, 2, engine.Q4_1, false, false, false, 1, 0},
		{"soft cap", 13, 32, 50, 4, engine.F32, false, true, true, 1, 1.5},
		{"soft cap, rest class", 13, 32, 50, 4, engine.F32, true, false, false, 1, 3},
		{"soft cap of large logits", 13, 32, 50, 1, engine.F32, false, false, false, 30, 30},
	} {
		all = append(all, Case{Name: "loss/" + l.name, NoDiff: l.scale > 1, Build: func(b *Builder) {
			d := b.Rows(l.rows+2, l.rows)
			h := b.Live(b.Param("h", l.scale, l.rows+2, l.d), d)
			var w, bias engine.Buffer
			if l.trained {
				w = b.Param("w", 0.5, l.vocab, l.d)
			} else {
				w = b.Weight("w", l.t, l.vocab, l.d)
			}
			if l.bias {
				bias = b.Param("bias", 1, l.vocab)
			}
			wk := l.k
			if l.rest {
				wk++
			}
			var targets []int32
			weights := make([]float64, l.rows*wk)
			for r := range l.rows {
				first := b.Int(l.vocab)
				for i := range l.k {
					targets = append(targets, (first+int32(i)*5)%int32(l.vocab))
				}
				for i := range wk {
					weights[r*wk+i] = float64(b.Int(4)) / 16
				}
			}
			b.Loss("loss", b.CappedCrossEntropy(h, w, bias, b.Ints("targets", d, targets, l.rows+2, l.k), b.Floats("weights", d, weights, l.rows+2, wk), l.rest, l.cap))
		}})
	}
	return append(all, Case{Name: "loss/scaled", Build: func(b *Builder) {
		h := b.Param("h", 1, 4, 8)
		l := b.CrossEntropy(h, b.Tensor("w", 1, 9, 8), engine.None, b.Ints("targets", 0, []int32{1, 2, 3, 4}, 4, 1),
			b.Floats("weights", 0, []float64{0.25, 0.25, 0.25, 0.25}, 4, 1), false)
		b.Loss("half", b.Unary(engine.Scale, l, 0.5))
	}}, Case{Name: "loss/each", Build: func(b *Builder) {
		const rows, vocab = 70, 301
		targets, weights := make([]int32, rows), make([]float64, rows)
		for i := range rows {
			targets[i], weights[i] = b.Int(vocab), float64(1+b.Int(4))/16
		}
		l := b.CrossEntropy(b.Param("h", 1, rows, 64), b.Weight("w", engine.F16, vocab, 64), engine.None, b.Ints("targets", 0, targets, rows, 1), b.Floats("weights", 0, weights, rows, 1), false)
		b.Loss("loss", l)
		b.Watch("each", b.EachLoss(l))
	}})
}

func update() []Case {
	adam := func(clip, spoil float64) func(b *Builder) {
		return func(b *Builder) {
			p, q := b.Tensor("p", 1, 3, 5), b.Tensor("q", 1, 37)
			gp, gq := b.Tensor("gp", 1, 3, 5), b.Tensor("gq", 1, 37)
			loss := b.Set("loss", []float64{spoil}, 1)
			b.Tensor("adam.m.p", 0.1, 3, 5)
			b.Tensor("adam.m.q", 0.1, 37)
			for _, v := range []string{"adam.v.p", "adam.v.q"} {
				n := engine.Spec{Shape: []int{3, 5}}
				if v == "adam.v.q" {
					n.Shape = []int{37}
				}
				x := b.Normal(n.Len(), 0.1)
				for i := range x {
					x[i] *= x[i]
				}
				b.Set(v, x, n.Shape...)
			}
			hyper := b.Floats("hyper", 0, []float64{0.01, 3.2, 40}, 3)
			stats := b.GradStats([]engine.Buffer{gp, gq}, []engine.Buffer{loss}, clip)
			b.AdamW(p, gp, stats, hyper, engine.AdamW{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Decay: 0.01, Rate: 1})
			b.AdamW(q, gq, stats, hyper, engine.AdamW{Beta1: 0.9, Beta2: 0.95, Eps: 1e-8, Rate: 0.5})
			log := b.Tensor("log", 0, 4, 4)
			b.Record(log, b.Ints("step", 0, []int32{6}, 1), loss, stats)
			b.Watch("stats", stats)
			b.Changes("p", "q", "adam.m.p", "adam.v.p", "adam.m.q", "adam.v.q")
			if !math.IsNaN(spoil) && !math.IsInf(spoil, 0) {
				b.Changes("log")
			}
		}
	}
	// Matrices that are wider than long, longer than wide, and of a single row; the last one's
	// gradient and momentum are zero in one row, as where a slot is held.
	muon := func(clip, spoil float64) func(b *Builder) {
		return func(b *Builder) {
			loss := b.Set("loss", []float64{spoil}, 1)
			sizes := map[string][]int{"wide": {3, 6, 17}, "long": {2, 21, 8}, "row": {2, 1, 9}, "held": {1, 5, 12}}
			var all, grads []engine.Buffer
			var names []string
			for _, name := range slices.Sorted(maps.Keys(sizes)) {
				shape := sizes[name]
				n := engine.Spec{Shape: shape}.Len()
				m, g := b.Normal(n, 0.1), b.Normal(n, 1)
				if name == "held" {
					clear(m[:shape[2]])
					clear(g[:shape[2]])
				}
				all = append(all, b.Tensor(name, 1, shape...))
				b.Set("muon.m."+name, m, shape...)
				grads = append(grads, b.Set("g."+name, g, shape...))
				names = append(names, name, "muon.m."+name)
			}
			hyper := b.Floats("hyper", 0, []float64{0.01, 3.2, 40}, 3)
			stats := b.GradStats(grads, []engine.Buffer{loss}, clip)
			for i, p := range all {
				b.Muon(p, grads[i], stats, hyper, engine.Muon{Beta: 0.8, Rate: 0.5 + 0.5*float64(i)})
			}
			b.Changes(names...)
		}
	}
	return []Case{
		{Name: "muon", Build: muon(0, 2)},
		{Name: "muon/clipped", Build: muon(1, 2)},
		{Name: "muon/NaN", Build: muon(1, math.NaN())},
		{Name: "adamw", Build: adam(0, 2)},
		{Name: "adamw/clipped", Build: adam(1, 2)},
		{Name: "adamw/NaN", Build: adam(1, math.NaN())},
		{Name: "adamw/infinite", Build: adam(1, math.Inf(1))},
	}
}

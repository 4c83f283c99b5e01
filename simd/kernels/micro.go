package kernels

import . "prelude/simd/asm"

// Register tile of every matrix product: up to mr rows of A against nr columns
// of B.
//
//	            row of B [8]
//	            ┌────┬────┐
//	            │ b0 │ b1 │   two loads a step of k
//	            └────┴────┘
//	A row 0  ·→ [c00][c01]    one broadcast a row and step,
//	A row 1  ·→ [c10][c11]    two multiply-adds on it
//	  …            …
//	A row 4  ·→ [c40][c41]    10 sums + 2 of b + 2 of a = 14 of 16 registers
//
// V8 moves multiply-adds down to the end of a block and loads up to its start,
// so that a long block runs out of registers. A branch that is never taken, but
// would carry the sums with it, holds them in place: one after every second
// row. The branches between steps of k are the loop's own exits. Without them
// the loop runs at half its speed; with them at 0.95 of the multiply-add limit.
const (
	mr     = 5
	nr     = 8
	unroll = 4
)

// tileKind says how a register tile reads its operands.
type tileKind struct {
	columns bool // A is stored [k, m]: steps of k are as bytes apart
	loose   bool // B's rows are bs bytes apart, not packed in panels of 8
}

// tiles builds the register tiles: tile[kind][r] works on r rows,
//
//	(a, as, b, bs, k, c, cs, acc):  c[r, 8] = (acc ? c : 0) + a·b, k ≥ 1
func (g *generator) tiles() {
	g.tile = map[tileKind][]*Func{}
	for _, kind := range []tileKind{{}, {columns: true}, {loose: true}, {true, true}} {
		fs := make([]*Func, mr+1)
		for r := 1; r <= mr; r++ {
			fs[r] = g.registerTile(r, kind)
		}
		g.tile[kind] = fs
	}
}

func (g *generator) registerTile(rows int, kind tileKind) *Func {
	f := g.m.Func("tile", nil, I32, I32, I32, I32, I32, I32, I32, I32)
	a, as, b, bs := f.Param(0), f.Param(1), f.Param(2), f.Param(3)
	k, c, cs, acc := f.Param(4), f.Param(5), f.Param(6), f.Param(7)
	var sum [mr][2]Value
	out, row := []Value{c}, []Value{a}
	for i := range rows {
		sum[i] = [2]Value{f.Local(F32x4), f.Local(F32x4)}
		if i > 0 {
			out = append(out, f.Let(out[i-1].Add(cs)))
		}
		if i > 0 && !kind.columns {
			row = append(row, f.Let(row[i-1].Add(as)))
		}
	}
	f.If(acc, func() {
		for i := range rows {
			f.Set(sum[i][0], LoadV(out[i], 0))
			f.Set(sum[i][1], LoadV(out[i], 16))
		}
	}, nil)
	never := -2
	f.Block(func(done Label) {
		f.Loop(func(again Label) {
			for u := range unroll {
				at := 32 * u
				if kind.loose {
					at = 0
				}
				b0, b1 := f.Let(LoadV(b, at)), f.Let(LoadV(b, at+16))
				for i := range rows {
					if i > 0 && i%2 == 0 {
						f.BranchIf(done, k.Lt(Const(never)))
						never--
					}
					var ai Value
					if kind.columns {
						ai = f.Let(LoadSplat(a, 4*i))
					} else {
						ai = f.Let(LoadSplat(row[i], 4*u))
					}
					f.Set(sum[i][0], g.m.Madd(ai, b0, sum[i][0]))
					f.Set(sum[i][1], g.m.Madd(ai, b1, sum[i][1]))
				}
				if kind.columns {
					f.Set(a, a.Add(as))
				}
				if kind.loose {
					f.Set(b, b.Add(bs))
				}
				if u < unroll-1 {
					f.BranchIf(done, k.Le(Const(u+1)))
				}
			}
			if !kind.columns {
				for i := range rows {
					f.Inc(row[i], 4*unroll)
				}
			}
			if !kind.loose {
				f.Inc(b, 4*nr*unroll)
			}
			f.Inc(k, -unroll)
			f.BranchIf(again, k.Gt(Const(0)))
		})
	})
	for i := range rows {
		f.Store(out[i], 0, sum[i][0])
		f.Store(out[i], 16, sum[i][1])
	}
	return f
}

// peak is the limit all products are measured against: n rounds of 48
// multiply-adds on registers alone, in 12 independent sums.
func (g *generator) peak() *Func {
	f := g.m.Func("peak", []Type{F32}, I32)
	n := f.Param(0)
	x, y := f.Let(VecF32(1.0001)), f.Let(VecF32(1e-6))
	var sum [12]Value
	for i := range sum {
		sum[i] = f.Let(VecF32(float32(i)))
	}
	f.While(n.Gt(Const(0)), func() {
		for range 4 {
			for i := range sum {
				f.Set(sum[i], g.m.Madd(sum[i], x, y))
			}
		}
		f.Inc(n, -1)
	})
	total := sum[0]
	for _, s := range sum[1:] {
		total = total.Add(s)
	}
	f.Return(f.HSum(total))
	return f
}

// read is the limit of decoding: it reads n bytes at an address, a multiple of 128, and
// does no more than add them up.
func (g *generator) read() *Func {
	f := g.m.Func("read", []Type{I32}, I32, I32)
	at, n := f.Param(0), f.Param(1)
	var sum [8]Value
	for i := range sum {
		sum[i] = f.Local(I32x4)
	}
	f.While(n.Gt(Const(0)), func() {
		for i := range sum {
			f.Set(sum[i], sum[i].Add(Load(I32x4, at, 16*i)))
		}
		f.Inc(at, 128)
		f.Inc(n, -128)
	})
	total := sum[0]
	for _, s := range sum[1:] {
		total = total.Add(s)
	}
	f.Return(total.Lane(0).Add(total.Lane(1)).Add(total.Lane(2)).Add(total.Lane(3)))
	return f
}

// rowGroups emits a loop over rows [0, m) in groups of mr and what remains,
// with do called for each group size with the group's first row.
func rowGroups(f *Func, m Value, do func(rows int, first Value)) {
	i := f.Let(Const(0))
	f.While(i.Le(m.Sub(Const(mr))), func() {
		do(mr, i)
		f.Inc(i, mr)
	})
	for r := 1; r < mr; r++ {
		f.If(m.Sub(i).Eq(Const(r)), func() { do(r, i) }, nil)
	}
}

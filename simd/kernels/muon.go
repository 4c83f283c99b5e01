package kernels

import (
	"unsafe"

	"prelude/engine"
	. "prelude/simd/asm"
	"prelude/simd/command"
)

// muon builds Muon's update (engine/muon.go has the formulas); a tile is one matrix X of r rows and
// c columns. The rounds go on the shorter side: with n = min(r, c), A = XXᵀ or XᵀX of n by n and
// Q = a + b·A + c·A²,
//
//	P ← Q·P      A ← Q·A·Q
//
// since all of these are polynomials of the same A, and X's update is P·X or X·P in the end. A
// product is LᵀR of matrices as they lie, rows padded with zeros to whole tiles. So a long prefix
// pays for its width and a wide one for its length.
func (g *generator) muon() {
	g.kernel(command.Muon, func(f *Func, rec, tile, ws Value) {
		var r command.Matrices
		get := func(o uintptr) Value { return field(f, rec, o) }
		stats := get(unsafe.Offsetof(r.Stats))
		f.If(Load(F32, stats, 8).Ne(ConstF32(0)), func() { f.Return() }, nil)
		rows, cols := get(unsafe.Offsetof(r.Rows)), get(unsafe.Offsetof(r.Cols))
		size := f.Let(tile.Mul(rows.Mul(cols)).Shl(2))
		at := func(o uintptr) Value { return f.Let(get(o).Add(size)) }
		p, m, grad := at(unsafe.Offsetof(r.P)), at(unsafe.Offsetof(r.M)), at(unsafe.Offsetof(r.G))

		wide := f.Let(rows.Le(cols))
		n := f.Let(MinI(rows, cols))
		rowBytes, colBytes, side := f.Let(up8(cols).Shl(2)), f.Let(up8(rows).Shl(2)), f.Let(up8(n).Shl(2))
		next := f.Let(ws)
		room := func(rows, bytes Value) Value {
			x := f.Let(next)
			f.Set(next, next.Add(rows.Mul(bytes)))
			return x
		}
		x, xt := room(rows, rowBytes), room(cols, colBytes)
		a, sq, q, poly, spare := room(n, side), room(n, side), room(n, side), room(n, side), room(n, side)
		u := f.Let(next) // where X lies transposed, or X itself, whichever is not needed any more
		f.Fill(x, Const(0), next.Sub(x))

		g.momentum(f, rec, stats, m, grad, x, rows, cols, rowBytes)
		g.scaled(f, x, xt, rows, cols, rowBytes, colBytes)

		// times is C = LᵀR of k rows; L has rows columns, R and C have bytes a row.
		times := func(c, l, ls, r, bytes, k, rows Value) {
			f.For(Const(0), bytes, 4*nr, func(col Value) {
				f.Call(g.multiply[tileKind{true, true}], l, ls, r.Add(col), bytes, k, c.Add(col), bytes, Const(0), rows)
			})
		}
		square := func(c, l, r Value) { times(c, l, side, r, side, n, n) }
		f.If(wide, func() { times(a, xt, colBytes, xt, side, cols, n) }, func() { times(a, x, rowBytes, x, side, rows, n) })
		f.For(Const(0), Const(engine.MuonRounds), 1, func(round Value) {
			square(sq, a, a)
			g.polynomial(f, q, a, sq, n, side)
			f.If(round, func() {
				square(spare, poly, q)
				f.Set(u, poly)
				f.Set(poly, spare)
				f.Set(spare, u)
			}, func() { f.Copy(poly, q, n.Mul(side)) })
			f.If(round.Lt(Const(engine.MuonRounds-1)), func() {
				square(sq, a, q)
				square(a, q, sq)
			}, nil)
		})
		f.If(wide, func() {
			f.Set(u, xt)
			times(u, poly, side, x, rowBytes, n, rows)
		}, func() {
			f.Set(u, x)
			times(u, xt, colBytes, poly, rowBytes, n, rows)
		})

		lr := f.Let(Load(F32, get(unsafe.Offsetof(r.Hyper)), 0).Mul(number(f, rec, unsafe.Offsetof(r.Rate))).Splat(F32x4))
		f.For(Const(0), rows, 1, func(Value) {
			each(f, cols, func(at Value, put func(ptr, v Value)) {
				put(p, LoadV(p.Add(at), 0).Sub(lr.Mul(LoadV(u.Add(at), 0))))
			})
			f.Set(p, p.Add(cols.Shl(2)))
			f.Set(u, u.Add(rowBytes))
		})
	})
}

// momentum updates m by the gradient and writes what is to be orthogonalised to x.
func (g *generator) momentum(f *Func, rec, stats, m, grad, x, rows, cols, rowBytes Value) {
	var r command.Matrices
	beta, scale := f.Let(LoadSplat(rec, int(unsafe.Offsetof(r.Beta)))), f.Let(LoadSplat(stats, 4))
	to := f.Let(x)
	f.For(Const(0), rows, 1, func(Value) {
		each(f, cols, func(at Value, put func(ptr, v Value)) {
			gi := f.Let(LoadV(grad.Add(at), 0).Mul(scale))
			mi := f.Let(beta.Mul(LoadV(m.Add(at), 0)).Add(gi))
			put(m, mi)
			put(to, gi.Add(beta.Mul(mi)))
		})
		f.Set(m, m.Add(cols.Shl(2)))
		f.Set(grad, grad.Add(cols.Shl(2)))
		f.Set(to, to.Add(rowBytes))
	})
}

// scaled divides x by its norm and writes it to xt too, transposed.
func (g *generator) scaled(f *Func, x, xt, rows, cols, rowBytes, colBytes Value) {
	sum, end := f.Local(F64x2), f.Let(x.Add(rows.Mul(rowBytes)))
	f.For(x, end, 16, func(at Value) { addSquares(f, sum, f.Let(LoadV(at, 0))) })
	norm := f.Let(sum.Lane(0).Add(sum.Lane(1)).Sqrt())
	scale := f.Let(ConstF64(1).Div(norm.Add(ConstF64(engine.MuonEps))).Convert("f32.demote_f64"))
	f.For(Const(0), rows, 1, func(i Value) {
		from, to := f.Let(x.Add(i.Mul(rowBytes))), f.Let(xt.Add(i.Shl(2)))
		f.For(Const(0), cols, 1, func(Value) {
			v := f.Let(Load(F32, from, 0).Mul(scale))
			f.Store(from, 0, v)
			f.Store(to, 0, v)
			f.Inc(from, 4)
			f.Set(to, to.Add(colBytes))
		})
	})
}

// polynomial is q = a + b·A + c·A² of n rows.
func (g *generator) polynomial(f *Func, q, a, sq, n, side Value) {
	f.For(Const(0), n.Mul(side), 16, func(at Value) {
		v := VecF32(engine.MuonB).Mul(LoadV(a.Add(at), 0))
		f.Store(q.Add(at), 0, g.m.Madd(VecF32(engine.MuonC), LoadV(sq.Add(at), 0), v))
	})
	diagonal := f.Let(q)
	f.For(Const(0), n, 1, func(Value) {
		f.Store(diagonal, 0, Load(F32, diagonal, 0).Add(ConstF32(engine.MuonA)))
		f.Set(diagonal, diagonal.Add(side).Add(Const(4)))
	})
}

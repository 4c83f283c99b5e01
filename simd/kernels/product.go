package kernels

import (
	"unsafe"

	. "prelude/simd/asm"
	"prelude/simd/command"
)

// The matrix product C = A·B, blocked after Goto and van de Geijn (2008,
// "Anatomy of high-performance matrix multiplication"):
//
//	     k            Cols                 Cols
//	  ┌─────┐       ┌─┬─┬─┬─┐           ┌─────────┐
//	m │  A  │   ·   │8│8│8│8│ kc   =  m │ C tile  │
//	  └─────┘       └─┴─┴─┴─┘           └─────────┘
//
// A record's tile is some columns of C. For each kc rows of B these columns are
// packed, unpacked from their type on the way, into panels of 8 in the
// workspace, where they stay in the second-level cache; 5 rows of A at a time
// go over all panels (micro.go). A is read where it lies.
const kc = 256

// Workspace of a product: C's last columns, rows to transpose, panels.
const (
	wsEdge   = 0
	wsRows   = 256
	rowBytes = 4*kc + 64
	wsPanels = wsRows + nr*rowBytes
)

func (g *generator) product() {
	g.kernel(command.GEMM, func(f *Func, rec, tile, ws Value) {
		var r command.Product
		get := func(offset uintptr) Value { return field(f, rec, offset) }
		lda, columns := get(unsafe.Offsetof(r.LDA)), get(unsafe.Offsetof(r.Columns))
		ldc, n := get(unsafe.Offsetof(r.LDC)), get(unsafe.Offsetof(r.N))
		rowTiles := get(unsafe.Offsetof(r.RowTiles))
		m, k := get(unsafe.Offsetof(r.M)), get(unsafe.Offsetof(r.K))
		live := live(f, rec, unsafe.Offsetof(r.Live))
		f.If(columns, func() { f.Set(k, live) }, func() { f.Set(m, live) })

		// This tile's part of C: rows [row, row+m), columns [col, col+n).
		row := f.Let(tile.Rem(rowTiles).Mul(get(unsafe.Offsetof(r.Rows))))
		col := f.Let(tile.Div(rowTiles).Mul(get(unsafe.Offsetof(r.Cols))))
		f.Set(m, MinI(get(unsafe.Offsetof(r.Rows)), m.Sub(row)))
		f.If(m.Le(Const(0)), func() { f.Return() }, nil)
		f.Set(n, MinI(get(unsafe.Offsetof(r.Cols)), n.Sub(col)))
		c := f.Let(get(unsafe.Offsetof(r.C)).Add(row.Mul(ldc)).Add(col.Shl(2)))
		a := f.Let(get(unsafe.Offsetof(r.A)).Add(Select(columns, row.Shl(2), row.Mul(lda))))
		acc := g.begin(f, rec, c, m, n, k, row, col)

		panels := f.Let(n.Add(Const(nr - 1)).ShrU(3))
		done := f.Let(Const(0))
		f.While(done.Lt(k), func() {
			depth := f.Let(MinI(k.Sub(done), Const(kc)))
			// packRows writes whole steps of four, so panels are that far apart.
			step := f.Let(depth.Add(Const(3)).And(Const(-4)).Shl(5))
			g.packB(f, rec, ws, col, n, panels, done, depth, step)
			rowGroups(f, m, func(rows int, first Value) {
				ai := f.Let(a.Add(Select(columns, first.Shl(2).Add(done.Mul(lda)), first.Mul(lda).Add(done.Shl(2)))))
				ci := f.Let(c.Add(first.Mul(ldc)))
				b := f.Let(ws.Add(Const(wsPanels)))
				call := func(ci, ldc Value) {
					args := []Value{ai, lda, b, Const(0), depth, ci, ldc, acc}
					f.If(columns,
						func() { f.Call(g.tile[tileKind{columns: true}][rows], args...) },
						func() { f.Call(g.tile[tileKind{}][rows], args...) })
				}
				left := f.Let(n)
				f.While(left.Ge(Const(nr)), func() {
					call(ci, ldc)
					f.Set(b, b.Add(step))
					f.Inc(ci, 4*nr)
					f.Inc(left, -nr)
				})
				f.If(left.Gt(Const(0)), func() {
					edge := f.Let(ws.Add(Const(wsEdge)))
					f.If(acc, func() { copyTile(f, edge, Const(4*nr), ci, ldc, rows, left) }, nil)
					call(edge, Const(4*nr))
					copyTile(f, ci, ldc, edge, Const(4*nr), rows, left)
				}, nil)
			})
			f.Set(acc, Const(1))
			f.Set(done, done.Add(depth))
		})
	})
}

// begin writes bias and add into the tile of C where there are any; what it
// returns is 1 if C holds something to add to.
func (g *generator) begin(f *Func, rec, c, m, n, k, row, col Value) Value {
	var r command.Product
	acc := field(f, rec, unsafe.Offsetof(r.Acc))
	bias, add := field(f, rec, unsafe.Offsetof(r.Bias)), field(f, rec, unsafe.Offsetof(r.Add))
	ldc, ldadd := field(f, rec, unsafe.Offsetof(r.LDC)), field(f, rec, unsafe.Offsetof(r.LDAdd))
	f.If(acc.Not().And(bias.Or(add).Ne(Const(0)).Or(k.Eq(Const(0)))), func() {
		f.If(bias, func() { f.Set(bias, bias.Add(col.Shl(2))) }, nil)
		f.If(add, func() { f.Set(add, add.Add(row.Mul(ldadd)).Add(col.Shl(2))) }, nil)
		f.For(Const(0), m, 1, func(i Value) {
			out := f.Let(c.Add(i.Mul(ldc)))
			from := f.Let(add.Add(i.Mul(ldadd)))
			each := func(t Type, zero Value, at Value) {
				v := f.Let(zero)
				f.If(bias, func() { f.Set(v, Load(t, bias.Add(at), 0)) }, nil)
				f.If(add, func() { f.Set(v, v.Add(Load(t, from.Add(at), 0))) }, nil)
				f.Store(out.Add(at), 0, v)
			}
			end := f.Let(n.Shl(2))
			at := f.Let(Const(0))
			f.While(at.Add(Const(16)).Le(end), func() {
				each(F32x4, VecF32(0), at)
				f.Inc(at, 16)
			})
			f.While(at.Lt(end), func() {
				each(F32, ConstF32(0), at)
				f.Inc(at, 4)
			})
		})
		f.Set(acc, Const(1))
	}, nil)
	return acc
}

// packB packs rows [from, from+depth) of B and columns [col, col+n) into panels
// step bytes apart.
func (g *generator) packB(f *Func, rec, ws, col, n, panels, from, depth, step Value) {
	var r command.Product
	quants, scales, typ, width := weight(f, rec, unsafe.Offsetof(r.B))
	dst := f.Let(ws.Add(Const(wsPanels)))
	rows := f.Let(ws.Add(Const(wsRows)))
	f.If(LoadI(rec, int(unsafe.Offsetof(r.Transposed))), func() {
		f.For(Const(0), n, nr, func(j Value) {
			first := f.Let(col.Add(j).Mul(width).Add(from)) // element of B
			have := f.Let(MinI(n.Sub(j), Const(nr)))
			f.If(typ, func() {
				f.For(Const(0), have, 1, func(i Value) {
					f.Call(g.unpack, typ, quants, scales, first.Add(i.Mul(width)), depth, rows.Add(i.Mul(Const(rowBytes))))
				})
				f.Call(g.packRows, rows, Const(rowBytes), have, depth, dst)
			}, func() {
				f.Call(g.packRows, quants.Add(first.Shl(2)), width.Shl(2), have, depth, dst)
			})
			f.Set(dst, dst.Add(step))
		})
	}, func() {
		f.For(Const(0), depth, 1, func(i Value) {
			first := f.Let(from.Add(i).Mul(width).Add(col))
			f.If(typ, func() {
				f.Call(g.unpack, typ, quants, scales, first, n, rows)
				f.Call(g.packColumns, rows, panels, dst, step)
			}, func() {
				f.Call(g.packColumns, quants.Add(first.Shl(2)), panels, dst, step)
			})
			f.Inc(dst, 4*nr)
		})
	})
}

// weight reads a Weight at this offset of a record.
func weight(f *Func, rec Value, at uintptr) (quants, scales, typ, width Value) {
	var w command.Weight
	get := func(o uintptr) Value { return field(f, rec, at+o) }
	return get(unsafe.Offsetof(w.Quants)), get(unsafe.Offsetof(w.Scales)), get(unsafe.Offsetof(w.Type)), get(unsafe.Offsetof(w.Width))
}

// copyTile copies rows × cols elements.
func copyTile(f *Func, dst, ldd, src, lds Value, rows int, cols Value) {
	bytes := f.Let(cols.Shl(2))
	for i := range rows {
		f.For(Const(0), bytes, 4, func(at Value) {
			f.Store(dst.Add(ldd.Mul(Const(i))).Add(at), 0, Load(F32, src.Add(lds.Mul(Const(i))).Add(at), 0))
		})
	}
}

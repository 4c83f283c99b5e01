package kernels

import (
	"unsafe"

	. "prelude/simd/asm"
	"prelude/simd/command"
)

// Products in integers: C = A·B of many rows with a matrix that does not learn, both
// factors rounded by blocks of 64 numbers of the sum over k,
//
//	a ≈ d·p         p signed, 8 bits; d = max(max|a|/127, max P/256) for each row and block
//	w ≈ s·(q − 64)  q of 7 bits, 1 … 127; s = max|w|/63 for each column and block
//
//	c = Σ_blocks d·s·(Σ p·q − 64·Σ p)
//
// The inner sum is exact: 32-bit integers, which begin with −64·Σp. The outer one is float32.
// There are three ways to it, which multiply the same numbers and so give the same sums:
//
//   - in fours: i32x4.relaxed_dot_i8x16_i7x16_add_s. With 7 bits in its second operand it is the
//     same on every machine; what it does with 8 differs. It is one instruction on ARM and
//     where x86 has AVX-VNNI, and five on other x86.
//   - in pairs: i16x8.relaxed_dot_i8x16_i7x16_s, two of which are added in 16 bits before
//     i32x4.dot_i16x8_s with ones adds them up in 32. On x86 each is one instruction. For the sums
//     of four products p·q to be within 16 bits, P, the sum of the positive of four numbers a that
//     meet so, or of the negative, is at most 256·d: with what rounding adds to four, 258·127 < 2¹⁵.
//     Of normally distributed numbers, d is larger for it by 3 % on the average.
//   - i32x4.dot_i16x8_s of 16-bit numbers, in modules without relaxed SIMD.
//
// A device times the first two (simd/decide.go); a record says which it is.
//
// A matrix of any type is unpacked and rounded while it is packed into panels, for each product
// again, since its blocks have to lie along k, and on the way back k runs across those in
// which it is stored. That costs a few per cent of the product, and no memory; of a product of few
// rows it costs the most, so plans that run such ones many times keep their panels. Numbers of 4
// bits could be taken as they are where k runs along their blocks, which loses nothing: but
// with a scale and a minimum for every 32, such products took 1.3 times as long, and gradients
// of SmolLM2 were hardly nearer to the exact ones (a least cosine of 0.994, not 0.990).
//
// A block has one d, so that one large number costs all others of its row and block their
// precision. Some models have channels a hundred times the others (SmolLM2 has). So on the way
// forward the 8 columns of A with the largest numbers are not rounded but multiplied in float32,
// with rows of B that are unpacked for them: 8 of several hundred.
//
// Numbers that are not finite: a block's largest absolute value is found by comparing bits,
// in which NaN and Inf are above all others. Then d or s is not finite, and so is all that
// the block adds to.
const (
	roundedBlock = command.RoundedBlock
	aTop         = 127
	bTop         = 63
	fourTop      = 256 // of four numbers that pairs add in 16 bits: either sign's sum, before rounding
	bZero        = 64
	tiny         = 1e-30 // blocks below count as zeros: their inverse would be Inf
)

// A rounded block: its numbers, and then
const (
	tailD    = 0 // d
	tailZero = 4 // −64·Σp as an i32
	tailSize = command.BlockTail
)

// Workspace: rows of C that nobody wants or that end before a panel does, a block of B in
// float32, panels.
const (
	wsBlock     = command.PackedEdge
	unpackedRow = command.PackedFloats / roundedBlock
	wsIntPanels = command.PackedEdge + command.PackedFloats
)

// number is the size in bytes of a rounded number in this module.
func (g *generator) number() int {
	if g.Relaxed {
		return 1
	}
	return 2
}

// aBlock and bBlock are the sizes in bytes of a rounded block of a row of A and of a panel.
func (g *generator) aBlock() int { return roundedBlock*g.number() + tailSize }
func (g *generator) bBlock() int { return nr*roundedBlock*g.number() + 4*nr }

func (g *generator) integers() {
	g.pickColumns()
	g.roundBlocks()
	inFours, pack := g.integerTile(false), g.packRounded()
	inPairs := inFours
	if g.Relaxed {
		inPairs = g.integerTile(true)
	}
	g.keepPanels(pack)
	g.kernel(command.GEMMRounded, func(f *Func, rec, tile, ws Value) {
		var r command.Product
		get := func(offset uintptr) Value { return field(f, rec, offset) }
		lda, ldc, n := get(unsafe.Offsetof(r.LDA)), get(unsafe.Offsetof(r.LDC)), get(unsafe.Offsetof(r.N))
		rowTiles, k := get(unsafe.Offsetof(r.RowTiles)), get(unsafe.Offsetof(r.K))
		m, pairs := live(f, rec, unsafe.Offsetof(r.Live)), get(unsafe.Offsetof(r.Pairs))
		row := f.Let(tile.Rem(rowTiles).Mul(get(unsafe.Offsetof(r.Rows))))
		col := f.Let(tile.Div(rowTiles).Mul(get(unsafe.Offsetof(r.Cols))))
		f.Set(m, MinI(get(unsafe.Offsetof(r.Rows)), m.Sub(row)))
		f.If(m.Le(Const(0)), func() { f.Return() }, nil)
		f.Set(n, MinI(get(unsafe.Offsetof(r.Cols)), n.Sub(col)))
		c := f.Let(get(unsafe.Offsetof(r.C)).Add(row.Mul(ldc)).Add(col.Shl(2)))
		a := f.Let(get(unsafe.Offsetof(r.A)).Add(row.Mul(lda)))
		f.If(g.begin(f, rec, c, m, n, k, row, col).Not(), func() {
			f.For(Const(0), m, 1, func(i Value) { f.Fill(c.Add(i.Mul(ldc)), Const(0), n.Shl(2)) })
		}, nil)

		b, kept := f.Let(ws.Add(Const(wsIntPanels))), get(unsafe.Offsetof(r.Kept))
		whole := f.Let(k.Add(Const(roundedBlock - 1)).Div(Const(roundedBlock)).Mul(Const(g.bBlock()))) // of a panel that is kept
		from, stripe := f.Let(Const(0)), f.Let(get(unsafe.Offsetof(r.M)).Mul(lda))
		deep := f.Let(lda.Div(Const(g.aBlock())).Mul(Const(roundedBlock)))
		f.While(from.Lt(k), func() {
			depth := f.Let(MinI(k.Sub(from), deep))
			blocks := f.Let(depth.Add(Const(roundedBlock - 1)).Div(Const(roundedBlock)))
			step := f.Let(blocks.Mul(Const(g.bBlock())))
			f.If(kept, func() {
				f.Set(b, kept.Add(col.ShrU(3).Mul(whole)).Add(from.Div(Const(roundedBlock)).Mul(Const(g.bBlock()))))
				f.Set(step, whole)
			}, func() { f.Call(pack, rec, ws, b, col, n, from, depth) })
			f.For(Const(0), m, mr, func(i Value) {
				rows := f.Let(MinI(m.Sub(i), Const(mr)))
				ai, ci, bi := f.Let(a.Add(i.Mul(lda))), f.Let(c.Add(i.Mul(ldc))), f.Let(b)
				multiply := func(ci, ldc Value) {
					f.If(pairs, func() { f.Call(inPairs, ai, lda, bi, blocks, ci, ldc, rows, ws) },
						func() { f.Call(inFours, ai, lda, bi, blocks, ci, ldc, rows, ws) })
				}
				left := f.Let(n)
				f.While(left.Ge(Const(nr)), func() {
					multiply(ci, ldc)
					f.Set(bi, bi.Add(step))
					f.Inc(ci, 4*nr)
					f.Inc(left, -nr)
				})
				f.If(left.Gt(Const(0)), func() {
					copyRows(f, ws, Const(4*nr), ci, ldc, rows, left)
					multiply(ws, Const(4*nr))
					copyRows(f, ci, ldc, ws, Const(4*nr), rows, left)
				}, nil)
			})
			f.Set(a, a.Add(stripe))
			f.Set(from, from.Add(deep))
		})
		picked := get(unsafe.Offsetof(r.Picked))
		f.If(picked, func() {
			apart := f.Let(get(unsafe.Offsetof(r.Apart)).Add(row.Mul(Const(4 * command.PickedColumns))))
			g.addPicked(f, rec, ws, picked, apart, c, ldc, m, n, col)
		}, nil)
	})
}

// keepPanels builds the kernel that packs a matrix once for many products. A tile is Cols columns.
func (g *generator) keepPanels(pack *Func) {
	g.kernel(command.PackRounded, func(f *Func, rec, tile, ws Value) {
		var r command.Product
		get := func(offset uintptr) Value { return field(f, rec, offset) }
		n, k := get(unsafe.Offsetof(r.N)), get(unsafe.Offsetof(r.K))
		col := f.Let(tile.Mul(get(unsafe.Offsetof(r.Cols))))
		f.Set(n, MinI(get(unsafe.Offsetof(r.Cols)), n.Sub(col)))
		whole := k.Add(Const(roundedBlock - 1)).Div(Const(roundedBlock)).Mul(Const(g.bBlock()))
		to := f.Let(get(unsafe.Offsetof(r.Kept)).Add(col.ShrU(3).Mul(whole)))
		f.Call(pack, rec, ws, to, col, n, Const(0), k)
	})
}

// addPicked adds to rows [0, m) and columns [col, col+n) of C the products of the picked
// columns of A, which lie at apart.
func (g *generator) addPicked(f *Func, rec, ws, picked, apart, c, ldc, m, n, col Value) {
	const columns = command.PickedColumns
	quants, scales, typ, width := weightOf(f, rec)
	panels := f.Let(ws.Add(Const(wsIntPanels)))
	// Not n.Add(nr−1).And(−nr): wazero 1 takes 0 < x∧y for false.
	f.For(Const(0), n.Add(Const(nr-1)).ShrU(3).Shl(3), 1, func(j Value) {
		first := f.Let(MinI(j, n.Sub(Const(1))).Add(col).Mul(width))
		to := f.Let(panels.Add(j.And(Const(-nr)).Mul(Const(4 * columns))).Add(j.And(Const(nr - 1)).Shl(2)))
		f.For(Const(0), Const(columns), 1, func(e Value) {
			f.Call(g.unpackOne, typ, quants, scales, first.Add(LoadI(picked.Add(e.Shl(2)), 0)), to.Add(e.Mul(Const(4*nr))))
		})
	})
	rowGroups(f, m, func(rows int, first Value) {
		ai, ci, bi := f.Let(apart.Add(first.Mul(Const(4*columns)))), f.Let(c.Add(first.Mul(ldc))), f.Let(panels)
		call := func(ci, ldc Value) {
			f.Call(g.tile[tileKind{}][rows], ai, Const(4*columns), bi, Const(0), Const(columns), ci, ldc, Const(1))
		}
		left := f.Let(n)
		f.While(left.Ge(Const(nr)), func() {
			call(ci, ldc)
			f.Inc(bi, 4*nr*columns)
			f.Inc(ci, 4*nr)
			f.Inc(left, -nr)
		})
		f.If(left.Gt(Const(0)), func() {
			copyTile(f, ws, Const(4*nr), ci, ldc, rows, left)
			call(ws, Const(4*nr))
			copyTile(f, ci, ldc, ws, Const(4*nr), rows, left)
		}, nil)
	})
}

// pickColumns builds the kernels of command.Pick.
func (g *generator) pickColumns() {
	var r command.Pick
	g.kernel(command.ColumnTops, func(f *Func, rec, tile, ws Value) {
		get := func(o uintptr) Value { return field(f, rec, o) }
		rows, k := live(f, rec, unsafe.Offsetof(r.Live)), get(unsafe.Offsetof(r.K))
		from, count := span(f, k, tile, Const(64))
		x, tops := f.Let(get(unsafe.Offsetof(r.X)).Add(from.Shl(2))), f.Let(get(unsafe.Offsetof(r.Tops)).Add(from.Shl(2)))
		f.Fill(tops, Const(0), count.Shl(2))
		end := f.Let(count.ShrU(2).Shl(4))
		f.For(Const(0), rows, 1, func(Value) {
			f.For(Const(0), end, 16, func(at Value) {
				to, top := f.Let(tops.Add(at)), f.Local(I32x4)
				f.Set(top, Load(I32x4, to, 0))
				topBits(f, top, LoadV(x.Add(at), 0))
				f.Store(to, 0, top)
			})
			f.For(end, count.Shl(2), 4, func(at Value) {
				to, v := f.Let(tops.Add(at)), f.Let(LoadI(x.Add(at), 0).And(Const(0x7fffffff)))
				f.If(v.Gt(LoadI(to, 0)), func() { f.Store(to, 0, v) }, nil)
			})
			f.Set(x, x.Add(k.Shl(2)))
		})
	})
	g.kernel(command.PickColumns, func(f *Func, rec, tile, ws Value) {
		get := func(o uintptr) Value { return field(f, rec, o) }
		k, y, tops := get(unsafe.Offsetof(r.K)), get(unsafe.Offsetof(r.Y)), get(unsafe.Offsetof(r.Tops))
		f.For(Const(0), Const(command.PickedColumns), 1, func(e Value) {
			best, top := f.Let(Const(0)), f.Let(Const(-1))
			f.For(Const(0), k, 1, func(i Value) {
				v := f.Let(LoadI(tops.Add(i.Shl(2)), 0))
				f.If(v.Gt(top), func() {
					f.Set(top, v)
					f.Set(best, i)
				}, nil)
			})
			f.Store(tops.Add(best.Shl(2)), 0, Const(-1))
			f.Store(y.Add(e.Shl(2)), 0, best)
		})
	})
}

// copyRows copies rows × cols elements.
func copyRows(f *Func, dst, ldd, src, lds, rows, cols Value) {
	f.For(Const(0), rows, 1, func(i Value) {
		f.For(Const(0), cols.Shl(2), 4, func(at Value) {
			f.Store(dst.Add(i.Mul(ldd)).Add(at), 0, Load(F32, src.Add(i.Mul(lds)).Add(at), 0))
		})
	})
}

// integerTile is the register tile: 5 rows of A against the 8 columns of a panel,
//
//	(a, lda, b, blocks, c, ldc, rows, away):  c[rows, 8] += a·b
//
// Rows from rows on are computed and written to away. The sums of a block are 10 vectors
// of integers; those of all blocks stay in C, which is in the first-level cache. A branch
// that is never taken after each step of four k (or of eight, in pairs) holds the sums in
// registers: see micro.go.
func (g *generator) integerTile(pairs bool) *Func {
	f := g.m.Func("integer_tile", nil, I32, I32, I32, I32, I32, I32, I32, I32)
	a, lda, b, blocks := f.Param(0), f.Param(1), f.Param(2), f.Param(3)
	c, ldc, rows, away := f.Param(4), f.Param(5), f.Param(6), f.Param(7)
	size := g.number()
	var sum [mr][2]Value
	row, out := []Value{a}, []Value{c}
	for i := range mr {
		sum[i] = [2]Value{f.Local(I32x4), f.Local(I32x4)}
		if i > 0 {
			here := Const(i).Lt(rows)
			row = append(row, f.Let(Select(here, a.Add(lda.Mul(Const(i))), a)))
			out = append(out, f.Let(Select(here, c.Add(ldc.Mul(Const(i))), away.Add(Const(4*nr*i)))))
		}
	}
	vectors := func(step int) [2]Value {
		return [2]Value{f.Let(Load(I8x16, b, 32*step)), f.Let(Load(I8x16, b, 32*step+16))}
	}
	steps, add := 1, func(step int) {
		v := vectors(step)
		for i := range sum {
			ai := f.Let(LoadSplatI(row[i], 4*step))
			for j := range v {
				f.Set(sum[i][j], g.dotBytes(ai, v[j], sum[i][j]))
			}
		}
	}
	if pairs {
		ones := f.Let(VecI16(1))
		steps, add = 2, func(step int) {
			v, w := vectors(step), vectors(step+1)
			for i := range sum {
				ai, bi := f.Let(LoadSplatI(row[i], 4*step).As(I8x16)), f.Let(LoadSplatI(row[i], 4*step+4).As(I8x16))
				for j := range v {
					f.Set(sum[i][j], DotI16(f.Let(DotPairs(ai, v[j]).Add(DotPairs(bi, w[j]))), ones).Add(sum[i][j]))
				}
			}
		}
	}
	f.Block(func(done Label) {
		never := -2
		fence := func() {
			f.BranchIf(done, blocks.Lt(Const(never)))
			never--
		}
		f.Loop(func(again Label) {
			for i := range sum {
				f.Set(sum[i][0], LoadSplatI(row[i], roundedBlock*size+tailZero))
				f.Set(sum[i][1], sum[i][0])
			}
			for step := 0; step < roundedBlock*size/4; step += steps {
				add(step)
				fence()
			}
			at := nr * roundedBlock * size
			s := [2]Value{f.Let(LoadV(b, at)), f.Let(LoadV(b, at+16))}
			for i := range sum {
				d := f.Let(LoadSplat(row[i], roundedBlock*size+tailD))
				for j := range s {
					f.Store(out[i], 16*j, g.m.Madd(sum[i][j].Convert("f32x4.convert_i32x4_s").Mul(d), s[j], LoadV(out[i], 16*j)))
				}
				if i%2 == 1 {
					fence()
				}
			}
			f.Inc(b, g.bBlock())
			for i := range row {
				f.Inc(row[i], g.aBlock())
			}
			f.Inc(blocks, -1)
			f.BranchIf(again, blocks.Gt(Const(0)))
		})
	})
	return f
}

// dotBytes adds the products of four pairs of numbers in each lane, or of two where they have
// 16 bits.
func (g *generator) dotBytes(a, b, sum Value) Value {
	if g.Relaxed {
		return DotI8(a.As(I8x16), b, sum)
	}
	return DotI16(a.As(I16x8), b.As(I16x8)).Add(sum)
}

// magic moves a float32 of at most 22 bits, rounded to the nearest integer, into the low
// bits of its own representation: 1.5·2²³, whose bits are magicBits.
const (
	magic     = 0x1.8p23
	magicBits = 0x4b400000
)

// topBits is the largest absolute value of vectors as bits: with the sign taken off, bits
// of floats are ordered as they are, Inf and NaN above all.
func topBits(f *Func, top, v Value) { f.Set(top, top.Max(v.As(I32x4).And(VecI32(0x7fffffff)))) }

// roundBlocks builds the kernel of command.Blocks.
func (g *generator) roundBlocks() {
	g.kernel(command.RoundBlocks, func(f *Func, rec, tile, ws Value) {
		var r command.Blocks
		get := func(o uintptr) Value { return field(f, rec, o) }
		rows := live(f, rec, unsafe.Offsetof(r.Live))
		first, count := span(f, rows, tile, get(unsafe.Offsetof(r.Chunk)))
		k := get(unsafe.Offsetof(r.K))
		x := f.Let(get(unsafe.Offsetof(r.X)).Add(first.Mul(k).Shl(2)))
		// From the end of a row's part of a stripe to the row's part of the next one.
		stripe := get(unsafe.Offsetof(r.Stripe))
		stride := f.Let(stripe.Mul(Const(g.aBlock())))
		jump := f.Let(LoadI(rec, int(unsafe.Offsetof(r.Live)+unsafe.Offsetof(r.Live.Max))).Sub(Const(1)).Mul(stride))
		row := f.Let(get(unsafe.Offsetof(r.Y)).Add(first.Mul(stride)))
		picked, apart := get(unsafe.Offsetof(r.Picked)), get(unsafe.Offsetof(r.Apart))
		f.Set(apart, apart.Add(first.Mul(Const(4*command.PickedColumns))))
		// eachPicked is for the picked numbers of the row at hand and where they go. They are
		// zero in X as long as the row is rounded: nobody else reads it now.
		eachPicked := func(row Value, do func(at, apart Value)) {
			f.If(picked, func() {
				for e := range command.PickedColumns {
					do(f.Let(row.Add(LoadI(picked, 4*e).Shl(2))), apart.Add(Const(4*e)))
				}
			}, nil)
		}
		f.For(Const(0), count, 1, func(Value) {
			left, whole, y, room := f.Let(k), f.Let(x), f.Let(row), f.Let(stripe)
			eachPicked(whole, func(at, apart Value) {
				f.Store(apart, 0, LoadI(at, 0))
				f.Store(at, 0, Const(0))
			})
			f.While(left.Gt(Const(0)), func() {
				// Of a block that ends before its end, a copy with zeros.
				src := f.Let(x)
				f.If(left.Lt(Const(roundedBlock)), func() {
					f.Fill(ws, Const(0), Const(4*roundedBlock))
					f.Copy(ws, x, left.Shl(2))
					f.Set(src, ws)
				}, nil)
				g.roundBlock(f, src, y)
				f.Inc(y, g.aBlock())
				f.Inc(x, 4*roundedBlock)
				f.Inc(left, -roundedBlock)
				f.Inc(room, -1)
				f.If(room.Not(), func() {
					f.Set(y, y.Add(jump))
					f.Set(room, stripe)
				}, nil)
			})
			f.Set(row, row.Add(stride))
			f.Set(x, whole.Add(k.Shl(2)))
			eachPicked(whole, func(at, apart Value) { f.Store(at, 0, LoadI(apart, 0)) })
			f.Inc(apart, 4*command.PickedColumns)
		})
	})
}

// roundBlock rounds the block of numbers at x to y.
func (g *generator) roundBlock(f *Func, x, y Value) {
	size := g.number()
	tops := [2]Value{f.Let(VecI32(0)), f.Let(VecI32(0))}
	f.Block(func(done Label) {
		for i := range roundedBlock / 8 {
			v, w := f.Let(LoadV(x, 32*i)), f.Let(LoadV(x, 32*i+16))
			topBits(f, tops[0], v)
			topBits(f, tops[1], w)
			// Of these eight, four and four meet where products are summed in pairs. The larger of
			// a four's positive and negative sum is half of |Σa| and of Σ|a|.
			sum, all := f.Let(v.Add(w)), f.Let(v.Abs().Add(w.Abs()))
			sum = sum.Add(Shuffle4(sum, sum, 1, 0, 3, 2)).Abs()
			all = all.Add(Shuffle4(all, all, 1, 0, 3, 2))
			topBits(f, tops[i%2], sum.Add(all).Mul(VecF32(0.5*aTop/fourTop)))
			if i%2 == 1 {
				f.BranchIf(done, x.Eq(Const(-i))) // a fence: see micro.go
			}
		}
	})
	most := f.Let(hMaxI(f, tops[0].Max(tops[1])).Convert("f32.reinterpret_i32"))
	d := f.Let(most.Mul(ConstF32(1.0 / aTop)))
	over := f.Let(Select(most.Gt(ConstF32(tiny)), ConstF32(aTop).Div(most), ConstF32(0)).Splat(F32x4))
	sum := f.Let(VecI32(0))
	for i := range roundedBlock / 16 {
		var q [4]Value
		for j := range q {
			q[j] = f.Let(LoadV(x, 64*i+16*j).Mul(over).Add(VecF32(magic)).As(I32x4).Sub(VecI32(magicBits)))
		}
		a, b := f.Let(NarrowI16(q[0], q[1])), f.Let(NarrowI16(q[2], q[3]))
		if g.Relaxed {
			p := f.Let(NarrowI8(a, b))
			f.Store(y, 16*i, p)
			f.Set(sum, DotI8(p, VecI8(1), sum))
		} else { // of each four the even ones, then the odd ones: see putNumbers
			f.Store(y, 32*i, evenOdd(a))
			f.Store(y, 32*i+16, evenOdd(b))
			f.Set(sum, sum.Add(DotI16(a.Add(b), VecI16(1))))
		}
	}
	total := f.Let(sum.Lane(0).Add(sum.Lane(1)).Add(sum.Lane(2)).Add(sum.Lane(3)))
	f.Store(y, roundedBlock*size+tailD, d)
	f.Store(y, roundedBlock*size+tailZero, total.Mul(Const(-bZero)))
}

// evenOdd orders eight 16-bit numbers 0 2 1 3, 4 6 5 7.
func evenOdd(v Value) Value { return Shuffle8(v, v, 0, 2, 1, 3, 4, 6, 5, 7) }

// hMaxI is the largest of an i32x4's lanes.
func hMaxI(f *Func, v Value) Value {
	a := f.Let(v.Max(Shuffle4(v, v, 2, 3, 0, 1)))
	return a.Max(Shuffle4(a, a, 1, 0, 3, 2)).Lane(0)
}

package kernels

import (
	"unsafe"

	. "prelude/simd/asm"
	"prelude/simd/command"
)

// Attention works on a strip at a time: the scores of a block of query rows
// with all query heads of one key/value head, against the prefix slots and the
// range of keys that these rows see. No more than a strip of the [rows, keys]
// matrix exists; the backward kernels compute strips again from lse (Dao et al.
// 2022, arXiv 2205.14135).
//
//	              slots, then keys from the lowest lo to the highest hi
//	             ┌────────┬──────────────────────────────────┐
//	head 0 row 0 │ ░░░░░░ │ ····████                         │
//	       row 1 │ ░░░░░░ │ ····█████                        │  widths are
//	head 1 row 0 │ ░░░░░░ │ ····████                         │  rounded up to 8
//	       …     └────────┴──────────────────────────────────┘
//
// Products use the register tiles of micro.go: keys are packed 8 at a time
// against the queries; weights times values read values where they lie.
//
// AttendQueries gives dq, and keeps its strips where there is room; AttendSlots makes the
// slots' dk and dv of them. AttendKeys goes over the query blocks once more for each block
// of keys and gives dk and dv, so that every sum has one owner and a fixed order; strips that
// are not kept it makes again.

const hidden = -1e30 // the lse of a row that sees nothing; see engine.Attention

// scope is what one attention kernel has read of its record.
type scope struct {
	f                        *Func
	rec, ws                  Value
	heads, kvHeads, hd       Value
	group, kvh               Value // query heads a key/value head, and which of these
	slots, rows              Value
	qStep, kvStep, headBytes Value // bytes of a row of queries, of keys, of a head
	t0, count                Value // query rows of the block
	kmin, kn                 Value // keys that the block sees
	slotCols, stride         Value // a strip's columns for slots, and its row in bytes
	panel                    Value // workspace: packed keys
	strip, strip2, out       Value // workspace: strips, and a block of outputs
}

var attn command.Attention // for offsets

func (s *scope) get(o uintptr) Value { return field(s.f, s.rec, o) }

func (g *generator) newScope(f *Func, rec, ws, kvh Value) *scope {
	s := &scope{f: f, rec: rec, ws: ws, kvh: kvh}
	s.heads, s.kvHeads, s.hd = s.get(unsafe.Offsetof(attn.Heads)), s.get(unsafe.Offsetof(attn.KVHeads)), s.get(unsafe.Offsetof(attn.HeadDim))
	s.group = f.Let(s.heads.Div(s.kvHeads))
	s.slots, s.rows = s.get(unsafe.Offsetof(attn.Slots)), live(f, rec, unsafe.Offsetof(attn.Live))
	s.headBytes = f.Let(s.hd.Shl(2))
	s.qStep, s.kvStep = f.Let(s.heads.Mul(s.headBytes)), f.Let(s.kvHeads.Mul(s.headBytes))
	s.panel = f.Let(ws)
	s.t0, s.count, s.kmin, s.kn = f.Local(I32), f.Local(I32), f.Local(I32), f.Local(I32)
	s.slotCols, s.stride, s.strip2, s.out = f.Local(I32), f.Local(I32), f.Local(I32), f.Local(I32)
	s.strip = f.Let(ws.Add(s.hd.Add(Const(4)).Mul(Const(4 * nr))))
	return s
}

// rowRange reads a row's [lo, hi) from two address fields; without them it is [0, all).
func (s *scope) rowRange(lo, hi uintptr, t, all Value) (from, to Value) {
	f := s.f
	from, to = f.Let(Const(0)), f.Let(all)
	p, q := LoadI(s.rec, int(lo)), LoadI(s.rec, int(hi))
	f.If(p, func() {
		f.Set(from, LoadI(p.Add(t.Shl(2)), 0))
		f.Set(to, LoadI(q.Add(t.Shl(2)), 0))
	}, nil)
	return from, to
}

// block sets the query rows of block number b and lays out their strip; rows
// past the live ones return from the kernel if leave.
func (s *scope) block(b Value, leave bool) {
	f := s.f
	size := s.get(unsafe.Offsetof(attn.Block))
	f.Set(s.t0, b.Mul(size))
	f.Set(s.count, MinI(s.rows.Sub(s.t0), size))
	if leave {
		f.If(s.count.Le(Const(0)), func() { f.Return() }, nil)
	}
	s.sees()
	s.layOut()
}

// layOut lays out the strip of the rows at hand.
func (s *scope) layOut() {
	f := s.f
	f.Set(s.slotCols, up8(s.slots))
	f.Set(s.stride, s.slotCols.Add(up8(s.kn)).Shl(2))
	size2 := f.Let(s.group.Mul(s.count).Mul(s.stride))
	f.Set(s.strip2, s.strip.Add(size2))
	f.Set(s.out, s.strip2.Add(size2))
}

// runs calls do for each run of a block's rows whose key ranges touch: rows of answers that have
// stretches of a cache to themselves see little of what lies between them. A row that sees no keys
// goes with the one before it.
func (s *scope) runs(b Value, do func()) {
	f := s.f
	size := s.get(unsafe.Offsetof(attn.Block))
	f.Set(s.t0, b.Mul(size))
	end := f.Let(MinI(s.rows, s.t0.Add(size)))
	keys := LoadI(s.rec, int(unsafe.Offsetof(attn.K)))
	f.While(s.t0.Lt(end), func() {
		f.Set(s.count, Const(1))
		f.Set(s.kmin, Const(0))
		kmax, going := f.Let(Const(0)), f.Let(Const(1))
		f.If(keys, func() {
			from, to := s.rowRange(unsafe.Offsetof(attn.Lo), unsafe.Offsetof(attn.Hi), s.t0, Const(0))
			f.If(from.Lt(to), func() {
				f.Set(s.kmin, from)
				f.Set(kmax, to)
			}, nil)
		}, nil)
		f.While(going.And(s.t0.Add(s.count).Lt(end)), func() {
			from, to := f.Let(Const(0)), f.Let(Const(0))
			f.If(keys, func() {
				lo, hi := s.rowRange(unsafe.Offsetof(attn.Lo), unsafe.Offsetof(attn.Hi), s.t0.Add(s.count), Const(0))
				f.Set(from, lo)
				f.Set(to, hi)
			}, nil)
			f.If(from.Lt(to), func() {
				some := f.Let(s.kmin.Lt(kmax))
				f.If(some.And(kmax.Lt(from).Or(to.Lt(s.kmin))), func() { f.Set(going, Const(0)) }, func() {
					f.Set(s.kmin, Select(some, MinI(s.kmin, from), from))
					f.Set(kmax, Select(some.And(to.Lt(kmax)), kmax, to))
				})
			}, nil)
			f.Set(s.count, s.count.Add(going))
		})
		f.Set(s.kn, kmax.Sub(s.kmin))
		s.layOut()
		do()
		f.Set(s.t0, s.t0.Add(s.count))
	})
}

// touch brings the keys and values that the rows at hand see near.
func (s *scope) touch() {
	for _, of := range []uintptr{unsafe.Offsetof(attn.K), unsafe.Offsetof(attn.V)} {
		touch(s.f, s.get(of).Add(s.kmin.Mul(s.kvStep)), s.kn.Mul(s.kvStep), s.strip)
	}
}

// sees sets the range of keys that the block's rows see.
func (s *scope) sees() {
	f := s.f
	f.Set(s.kmin, Const(0x7fffffff))
	kmax := f.Let(Const(0))
	f.If(LoadI(s.rec, int(unsafe.Offsetof(attn.K))), func() {
		f.For(s.t0, s.t0.Add(s.count), 1, func(t Value) {
			lo, hi := s.rowRange(unsafe.Offsetof(attn.Lo), unsafe.Offsetof(attn.Hi), t, Const(0))
			f.If(lo.Lt(hi), func() {
				f.Set(s.kmin, MinI(s.kmin, lo))
				f.Set(kmax, Select(kmax.Lt(hi), hi, kmax))
			}, nil)
		})
	}, nil)
	f.Set(s.kmin, MinI(s.kmin, kmax))
	f.Set(s.kn, kmax.Sub(s.kmin))
}

func up8(n Value) Value { return n.Add(Const(7)).And(Const(-8)) }

// query is the address of the first element of row t0 + i, head g of the group, in an
// array of rows of heads.
func (s *scope) query(base, g, i Value) Value {
	return base.Add(s.t0.Add(i).Mul(s.qStep)).Add(s.kvh.Mul(s.group).Add(g).Mul(s.headBytes))
}

// key is the address of row j of an array of rows of key/value heads.
func (s *scope) key(base, j Value) Value {
	return base.Add(j.Mul(s.kvStep)).Add(s.kvh.Mul(s.headBytes))
}

// scores fills a strip with rows · keysᵀ: queries against keys, or output
// gradients against values. With direct, a single row of a program that does not learn meets its keys
// where they lie: to pack them would take longer.
func (g *generator) scores(s *scope, strip Value, rows, pkeys, keys uintptr, direct bool) {
	f := s.f
	packed := func(base, n, first Value) {
		f.For(Const(0), n, nr, func(j Value) {
			f.Call(g.packRows, s.key(base, first.Add(j)), s.kvStep, MinI(n.Sub(j), Const(nr)), s.hd, s.panel)
			col := f.Let(strip.Add(j.Shl(2)))
			g.againstPanel(s, col, rows, s.panel, s.stride)
		})
	}
	part := packed
	if direct {
		one := f.Let(s.count.Eq(Const(1)).And(s.hd.And(Const(4*rowUnroll - 1)).Not()).And(s.get(unsafe.Offsetof(attn.Direct))))
		part = func(base, n, first Value) {
			f.If(one, func() { g.againstRows(s, strip, rows, s.key(base, first), n) }, func() { packed(base, n, first) })
		}
	}
	strip = f.Let(strip)
	part(s.get(pkeys), s.slots, Const(0))
	f.Set(strip, strip.Add(s.slotCols.Shl(2)))
	part(s.get(keys), s.kn, s.kmin)
}

// againstRows writes the scores of the block's one row and all its heads against n rows of keys.
func (g *generator) againstRows(s *scope, strip Value, rows uintptr, keys, n Value) {
	f, most := s.f, len(g.rowScores)-1
	q, c, left := f.Let(s.query(s.get(rows), Const(0), Const(0))), f.Let(strip), f.Let(s.group)
	k := f.Let(keys)
	f.While(left.Gt(Const(0)), func() {
		f.If(left.Ge(Const(most)), func() { f.Call(g.rowScores[most], q, s.headBytes, k, s.kvStep, n, c, s.stride) }, nil)
		for heads := 1; heads < most; heads++ {
			f.If(left.Eq(Const(heads)), func() { f.Call(g.rowScores[heads], q, s.headBytes, k, s.kvStep, n, c, s.stride) }, nil)
		}
		f.Set(q, q.Add(s.headBytes.Mul(Const(most))))
		f.Set(c, c.Add(s.stride.Mul(Const(most))))
		f.Inc(left, -most)
	})
}

// rowUnroll is how many vectors of a head go before the next look at its end.
const rowUnroll = 4

// rowsScores builds row_scores(q, headBytes, k, step, n, c, stride) of some heads: of each its row of n
// scores, q against rows of k, four at a time. Columns up to the next multiple of four are written too.
func (g *generator) rowsScores() {
	const most = 3 // 12 sums
	g.rowScores = make([]*Func, most+1)
	for heads := 1; heads <= most; heads++ {
		f := g.m.Func("row_scores", nil, I32, I32, I32, I32, I32, I32, I32)
		q, headBytes, k, step, n, c, stride := f.Param(0), f.Param(1), f.Param(2), f.Param(3), f.Param(4), f.Param(5), f.Param(6)
		var qs, cs []Value
		var sum [most][4]Value
		for h := range heads {
			qs, cs = append(qs, f.Let(q.Add(headBytes.Mul(Const(h))))), append(cs, f.Let(c.Add(stride.Mul(Const(h)))))
			for i := range sum[h] {
				sum[h][i] = f.Local(F32x4)
			}
		}
		f.For(Const(0), n, 4, func(j Value) {
			var key [4]Value
			for i := range key {
				key[i] = f.Let(k.Add(MinI(j.Add(Const(i)), n.Sub(Const(1))).Mul(step)))
			}
			for h := range heads {
				for i := range sum[h] {
					f.Set(sum[h][i], VecF32(0))
				}
			}
			at, never := f.Let(Const(0)), -1
			f.Block(func(out Label) {
				f.While(at.Lt(headBytes), func() {
					for u := range rowUnroll {
						var qv [most]Value
						for h := range heads {
							qv[h] = f.Let(LoadV(qs[h].Add(at), 16*u))
						}
						for i := range key {
							kv := f.Let(LoadV(key[i].Add(at), 16*u))
							for h := range heads {
								f.Set(sum[h][i], g.m.Madd(qv[h], kv, sum[h][i]))
							}
						}
						f.BranchIf(out, at.Lt(Const(never))) // a fence: see micro.go
						never--
					}
					f.Inc(at, 16*rowUnroll)
				})
			})
			for h := range heads {
				t := f.Transpose4(sum[h])
				f.Store(cs[h].Add(j.Shl(2)), 0, t[0].Add(t[1]).Add(t[2].Add(t[3])))
			}
		})
		g.rowScores[heads] = f
	}
}

// againstPanel writes 8 columns of a strip: all rows and heads of the block against
// one packed panel.
func (g *generator) againstPanel(s *scope, col Value, rows uintptr, panel, stride Value) {
	f := s.f
	base := s.get(rows)
	f.If(s.count.Eq(Const(1)), func() { // decoding: the heads of one row go together
		f.Call(g.multiply[tileKind{}], s.query(base, Const(0), Const(0)), s.headBytes, panel, Const(0), s.hd, col, stride, Const(0), s.group)
	}, func() {
		f.For(Const(0), s.group, 1, func(h Value) {
			f.Call(g.multiply[tileKind{}], s.query(base, h, Const(0)), s.qStep, panel, Const(0), s.hd, col, stride, Const(0), s.count)
			f.Set(col, col.Add(s.count.Mul(stride)))
		})
	})
}

// masks hides what row t, head h of the group does not see in its row of a strip, and
// adds scale and biases to the rest.
func (g *generator) masks(s *scope, row, t, h Value) {
	f := s.f
	plo, phi := s.rowRange(unsafe.Offsetof(attn.PLo), unsafe.Offsetof(attn.PHi), t, s.slots)
	lo, hi := s.rowRange(unsafe.Offsetof(attn.Lo), unsafe.Offsetof(attn.Hi), t, Const(0))
	g.maskPart(s, row, t, h, s.slotCols, Const(0), plo, phi, true)
	g.maskPart(s, f.Let(row.Add(s.slotCols.Shl(2))), t, h, up8(s.kn), s.kmin, lo, hi, false)
}

// maskPart is masks for cols columns that begin at slot or key number first.
func (g *generator) maskPart(s *scope, row, t, h, cols, first, lo, hi Value, prefix bool) {
	f := s.f
	head := f.Let(s.kvh.Mul(s.group).Add(h))
	bias, biasStep, pos := f.Let(Const(0)), f.Let(Const(0)), unsafe.Offsetof(attn.KPos)
	if prefix {
		pos = unsafe.Offsetof(attn.PPos)
		p := s.get(unsafe.Offsetof(attn.PBias))
		f.If(p, func() {
			f.Set(biasStep, s.get(unsafe.Offsetof(attn.BiasSlot)))
			f.Set(bias, p.Add(t.Mul(s.get(unsafe.Offsetof(attn.BiasRow)))).Add(head.Mul(s.get(unsafe.Offsetof(attn.BiasHead)))).Add(first.Mul(biasStep)))
		}, nil)
	}
	rel, rels := f.Let(Const(0)), s.get(unsafe.Offsetof(attn.Rels))
	base, positions := s.get(unsafe.Offsetof(attn.Rel)), s.get(pos)
	qpos := f.Let(Const(0))
	f.If(base.Ne(Const(0)).And(positions.Ne(Const(0))), func() {
		f.Set(rel, base.Add(head.Mul(rels).Shl(2)))
		f.Set(positions, positions.Add(first.Shl(2)))
		f.Set(qpos, LoadI(s.get(unsafe.Offsetof(attn.QPos)).Add(t.Shl(2)), 0))
	}, nil)
	scale, cap := f.Let(Load(F32, s.rec, int(unsafe.Offsetof(attn.Scale)))), f.Let(Load(F32, s.rec, int(unsafe.Offsetof(attn.Cap))))
	f.If(cap.Ne(ConstF32(0)), func() {
		f.Call(g.cap, row, cols, f.Let(scale.Div(cap)), cap)
		f.Set(scale, ConstF32(1))
	}, nil)
	f.Call(g.mask, row, cols, lo.Sub(first), hi.Sub(first), scale,
		bias, biasStep, rel, rels, positions, qpos)
}

// masking builds mask(row, cols, lo, hi, scale, bias, biasStep, rel, rels, pos, qpos):
// of cols scores (a multiple of 8) those in [lo, hi) become scale·s + bias + rel,
// the others the lowest number.
func (g *generator) masking() {
	f := g.m.Func("mask", nil, I32, I32, I32, I32, F32, I32, I32, I32, I32, I32, I32)
	g.mask = f
	row, cols, lo, hi, scale := f.Param(0), f.Param(1), f.Param(2), f.Param(3), f.Let(f.Param(4).Splat(F32x4))
	bias, biasStep, rel, rels, pos, qpos := f.Param(5), f.Param(6), f.Param(7), f.Param(8), f.Param(9), f.Param(10)
	low, high, index := f.Let(lo.Splat(I32x4)), f.Let(hi.Splat(I32x4)), f.Let(iota4())
	single := f.Let(VecF32(0))
	f.If(bias.Ne(Const(0)).And(biasStep.Not()), func() {
		f.Set(single, LoadSplat(bias, 0))
		f.Set(bias, Const(0))
	}, nil)
	f.For(Const(0), cols, 4, func(j Value) {
		v := f.Let(LoadV(row, 0).Mul(scale).Add(single))
		f.If(bias, func() {
			f.Set(v, v.Add(LoadV(bias, 0)))
			f.Inc(bias, 16)
		}, nil)
		seen := f.Let(index.Ge(low).And(index.Lt(high)))
		f.Store(row, 0, Select4(seen, v, VecF32(-3.4e38)))
		f.Set(index, index.Add(VecI32(4)))
		f.Inc(row, 16)
	})
	f.If(rel, func() {
		f.Set(row, row.Sub(cols.Shl(2)))
		middle := f.Let(rels.ShrU(1))
		f.For(clamped(f, lo, cols), clamped(f, hi, cols), 1, func(j Value) {
			p := f.Let(row.Add(j.Shl(2)))
			d := clamped(f, LoadI(pos.Add(j.Shl(2)), 0).Sub(qpos).Add(middle), rels.Sub(Const(1)))
			f.Store(p, 0, Load(F32, p, 0).Add(Load(F32, rel.Add(d.Shl(2)), 0)))
		})
	}, nil)
}

// capping builds what soft caps need. A score x is scale·⟨q, k⟩; factor is scale/cap.
//
// cap(row, cols, factor, cap) turns products ⟨q, k⟩ into cap·tanh(x/cap).
//
// capSlope(row, ds, cols, factor) multiplies ds by 1 − tanh²(x/cap) and leaves the products.
func (g *generator) capping() {
	f := g.m.Func("cap", nil, I32, I32, F32, F32)
	row, cols, factor, cap := f.Param(0), f.Param(1), f.Let(f.Param(2).Splat(F32x4)), f.Let(f.Param(3).Splat(F32x4))
	f.While(cols.Gt(Const(0)), func() {
		f.Store(row, 0, g.tanh(f, LoadV(row, 0).Mul(factor)).Mul(cap))
		f.Inc(row, 16)
		f.Inc(cols, -4)
	})
	g.cap = f

	f = g.m.Func("capSlope", nil, I32, I32, I32, F32)
	row, ds, cols, factor := f.Param(0), f.Param(1), f.Param(2), f.Let(f.Param(3).Splat(F32x4))
	f.While(cols.Gt(Const(0)), func() {
		t := g.tanh(f, LoadV(row, 0).Mul(factor))
		f.Store(ds, 0, LoadV(ds, 0).Mul(VecF32(1).Sub(t.Mul(t))))
		f.Inc(row, 16)
		f.Inc(ds, 16)
		f.Inc(cols, -4)
	})
	g.capSlope = f
}

// uncap turns the strip of ds, of capped scores, into that of the scores before their cap: it
// has again make the products in the strip of the weights, which are not needed any more.
func (g *generator) uncap(s *scope, again func()) {
	f := s.f
	cap := f.Let(Load(F32, s.rec, int(unsafe.Offsetof(attn.Cap))))
	f.If(cap.Ne(ConstF32(0)), func() {
		again()
		cells := s.group.Mul(s.count).Mul(s.stride.ShrU(2))
		f.Call(g.capSlope, s.strip, s.strip2, f.Let(cells), f.Let(Load(F32, s.rec, int(unsafe.Offsetof(attn.Scale))).Div(cap)))
	}, nil)
}

// softmaxes builds the two passes over rows of strips.
//
// softmax(row, cols) → lse turns scores into weights that sum to 1; all are 0
// if nothing is seen.
//
// weights(row, dp, cols, lse, delta) turns scores into weights a = exp(s − lse)
// and dp = G·vᵀ into ds = a⊙(dp − δ).
func (g *generator) softmaxes() {
	f := g.m.Func("softmax", []Type{F32}, I32, I32)
	row, cols := f.Param(0), f.Param(1)
	end, p := f.Let(row.Add(cols.Shl(2))), f.Let(row)
	over := func(body func()) {
		f.Set(p, row)
		f.While(p.Ne(end), func() { body(); f.Inc(p, 16) })
	}
	m := f.Let(VecF32(-3.4e38))
	over(func() { f.Set(m, m.Max(LoadV(p, 0))) })
	top := f.Let(f.HMax(m))
	f.If(top.Le(ConstF32(hidden/2)), func() {
		over(func() { f.Store(p, 0, VecF32(0)) })
		f.Return(ConstF32(hidden))
	}, nil)
	f.Set(m, top.Splat(F32x4))
	z := f.Let(VecF32(0))
	over(func() {
		e := g.exp(f, LoadV(p, 0).Sub(m))
		f.Store(p, 0, e)
		f.Set(z, z.Add(e))
	})
	sum := f.Let(f.HSum(z))
	f.Set(z, ConstF32(1).Div(sum).Splat(F32x4))
	over(func() { f.Store(p, 0, LoadV(p, 0).Mul(z)) })
	f.Return(top.Add(g.log(f, sum.Splat(F32x4)).Lane(0)))
	g.softmax = f

	f = g.m.Func("weights", nil, I32, I32, I32, F32, F32)
	row, dp, cols, lse, delta := f.Param(0), f.Param(1), f.Param(2), f.Param(3), f.Param(4)
	seen := f.Let(Select(lse.Gt(ConstF32(hidden/2)), Const(-1), Const(0)).Splat(I32x4).As(F32x4))
	l4, d4 := f.Let(lse.Splat(F32x4)), f.Let(delta.Splat(F32x4))
	f.While(cols.Gt(Const(0)), func() {
		a := f.Let(g.exp(f, LoadV(row, 0).Sub(l4)).And(seen))
		f.Store(row, 0, a)
		f.Store(dp, 0, a.Mul(LoadV(dp, 0).Sub(d4)))
		f.Inc(row, 16)
		f.Inc(dp, 16)
		f.Inc(cols, -4)
	})
	g.weights = f
}

// attention builds the attention kernels.
func (g *generator) attention() {
	g.multiplies()
	g.rowsScores()
	g.softmaxes()
	g.masking()
	g.capping()
	g.kernel(command.Attend, func(f *Func, rec, tile, ws Value) {
		kvHeads, from, to := field(f, rec, unsafe.Offsetof(attn.KVHeads)), f.Local(I32), f.Local(I32)
		block := f.Let(tile)
		// A tile is a key/value head of a block of rows, or of answers all of them, one after another: what
		// a row sees lies together.
		f.If(field(f, rec, unsafe.Offsetof(attn.Whole)), func() { f.Set(to, kvHeads) }, func() {
			f.Set(from, tile.Rem(kvHeads))
			f.Set(to, from.Add(Const(1)))
			f.Set(block, tile.Div(kvHeads))
		})
		s := g.newScope(f, rec, ws, f.Local(I32))
		s.runs(block, func() {
			f.If(s.get(unsafe.Offsetof(attn.Whole)), func() { s.touch() }, nil)
			f.For(from, to, 1, func(kvh Value) {
				f.Set(s.kvh, kvh)
				g.scores(s, s.strip, unsafe.Offsetof(attn.Q), unsafe.Offsetof(attn.PK), unsafe.Offsetof(attn.K), true)
				o, lse := s.get(unsafe.Offsetof(attn.O)), s.get(unsafe.Offsetof(attn.LSE))
				row := f.Let(s.strip)
				f.For(Const(0), s.group, 1, func(h Value) {
					first := f.Let(row)
					f.For(Const(0), s.count, 1, func(i Value) {
						t := f.Let(s.t0.Add(i))
						g.masks(s, row, t, h)
						f.Store(lse.Add(t.Mul(s.heads).Add(s.kvh.Mul(s.group)).Add(h).Shl(2)), 0, g.softmax.Apply(row, s.stride.ShrU(2)))
						f.Set(row, row.Add(s.stride))
					})
					f.If(s.count.Ne(Const(1)), func() {
						g.combine(s, first, s.count, unsafe.Offsetof(attn.PV), unsafe.Offsetof(attn.V))
						g.writeHead(s, s.query(o, h, Const(0)), s.qStep, s.count, ConstF32(1))
					}, nil)
				})
				f.If(s.count.Eq(Const(1)), func() { // the heads of one row go together
					g.combine(s, s.strip, s.group, unsafe.Offsetof(attn.PV), unsafe.Offsetof(attn.V))
					g.writeHead(s, s.query(o, Const(0), Const(0)), s.headBytes, s.group, ConstF32(1))
				}, nil)
			})
		})
	})

	g.kernel(command.AttendQueries, func(f *Func, rec, tile, ws Value) {
		kvHeads := field(f, rec, unsafe.Offsetof(attn.KVHeads))
		s := g.newScope(f, rec, ws, f.Let(tile.Rem(kvHeads)))
		s.block(tile.Div(kvHeads), true)
		g.gradients(s)
		dq, aOut, dsOut := s.get(unsafe.Offsetof(attn.DQ)), s.get(unsafe.Offsetof(attn.A)), s.get(unsafe.Offsetof(attn.DS))
		keyA, keyDS, span := s.get(unsafe.Offsetof(attn.KeyA)), s.get(unsafe.Offsetof(attn.KeyDS)), s.get(unsafe.Offsetof(attn.Span))
		a, ds := f.Let(s.strip), f.Let(s.strip2)
		f.Set(span, Select(s.kn.Le(span), span, Const(0)))
		f.If(aOut.Or(dsOut).Or(span), func() {
			keep := func(to, from, n Value) {
				dst, src := f.Let(to), f.Let(from)
				each(f, n, func(at Value, put func(ptr, v Value)) { put(dst, LoadV(src.Add(at), 0)) })
			}
			f.For(Const(0), s.group, 1, func(h Value) {
				f.For(Const(0), s.count, 1, func(i Value) {
					f.If(aOut, func() { keep(s.kept(aOut, s.slots, h, i), a, s.slots) }, nil)
					f.If(dsOut, func() { keep(s.kept(dsOut, s.slots, h, i), ds, s.slots) }, nil)
					f.If(span, func() {
						keep(s.kept(keyA, span, h, i), a.Add(s.slotCols.Shl(2)), s.kn)
						keep(s.kept(keyDS, span, h, i), ds.Add(s.slotCols.Shl(2)), s.kn)
					}, nil)
					f.Set(a, a.Add(s.stride))
					f.Set(ds, ds.Add(s.stride))
				})
			})
		}, nil)
		f.If(dq, func() {
			g.uncap(s, func() {
				g.scores(s, s.strip, unsafe.Offsetof(attn.Q), unsafe.Offsetof(attn.PK), unsafe.Offsetof(attn.K), false)
			})
			f.Set(ds, s.strip2)
			f.For(Const(0), s.group, 1, func(h Value) {
				g.combine(s, ds, s.count, unsafe.Offsetof(attn.PK), unsafe.Offsetof(attn.K))
				g.writeHead(s, s.query(dq, h, Const(0)), s.qStep, s.count, number(f, rec, unsafe.Offsetof(attn.Scale)))
				f.Set(ds, ds.Add(s.count.Mul(s.stride)))
			})
		}, nil)
	})

	g.attendDelta()
	g.attendKeys()
	g.attendSlots()
	g.attendBias()
	g.attendRel()
}

// gradients makes the strips of a (in strip) and ds (in strip2) of the block.
func (g *generator) gradients(s *scope) {
	f := s.f
	g.scores(s, s.strip, unsafe.Offsetof(attn.Q), unsafe.Offsetof(attn.PK), unsafe.Offsetof(attn.K), false)
	g.scores(s, s.strip2, unsafe.Offsetof(attn.DO), unsafe.Offsetof(attn.PV), unsafe.Offsetof(attn.V), false)
	row, dp := f.Let(s.strip), f.Let(s.strip2)
	f.For(Const(0), s.group, 1, func(h Value) {
		f.For(Const(0), s.count, 1, func(i Value) {
			g.masks(s, row, f.Let(s.t0.Add(i)), h)
			lse, delta := g.rowStats(s, h, i)
			f.Call(g.weights, row, dp, s.stride.ShrU(2), lse, delta)
			f.Set(row, row.Add(s.stride))
			f.Set(dp, dp.Add(s.stride))
		})
	})
}

// rowStats are lse and δ = ⟨G, o⟩ of row t0 + i and head h of the group.
func (g *generator) rowStats(s *scope, h, i Value) (lse, delta Value) {
	f := s.f
	index := f.Let(s.t0.Add(i).Mul(s.heads).Add(s.kvh.Mul(s.group)).Add(h).Shl(2))
	return Load(F32, s.get(unsafe.Offsetof(attn.LSE)).Add(index), 0), Load(F32, s.get(unsafe.Offsetof(attn.Delta)).Add(index), 0)
}

// attendDelta: δ of Chunk rows. Its sums run in the order of the register tile, so
// that ds = a·(dp − δ) is exactly 0 where a row sees one key; four heads at a time
// keep the multipliers busy.
func (g *generator) attendDelta() {
	g.kernel(command.AttendDelta, func(f *Func, rec, tile, ws Value) {
		get := func(o uintptr) Value { return field(f, rec, o) }
		heads, size := get(unsafe.Offsetof(attn.Heads)), f.Let(get(unsafe.Offsetof(attn.HeadDim)).Shl(2))
		from, count := span(f, live(f, rec, unsafe.Offsetof(attn.Live)), tile, get(unsafe.Offsetof(attn.Chunk)))
		first, n := f.Let(from.Mul(heads)), f.Let(count.Mul(heads))
		grad, o := f.Let(get(unsafe.Offsetof(attn.DO)).Add(first.Mul(size))), f.Let(get(unsafe.Offsetof(attn.O)).Add(first.Mul(size)))
		out := f.Let(get(unsafe.Offsetof(attn.Delta)).Add(first.Shl(2)))
		f.For(Const(0), n, 4, func(i Value) {
			var pg, po, sum [4]Value
			for h := range pg {
				at := f.Let(MinI(i.Add(Const(h)), n.Sub(Const(1))).Mul(size))
				pg[h], po[h], sum[h] = f.Let(grad.Add(at)), f.Let(o.Add(at)), f.Let(VecF32(0))
			}
			f.For(Const(0), size, 4, func(at Value) {
				for h := range pg {
					f.Set(sum[h], g.m.Madd(LoadSplat(pg[h].Add(at), 0), LoadSplat(po[h].Add(at), 0), sum[h]))
				}
			})
			for h := range pg {
				f.Store(out.Add(MinI(i.Add(Const(h)), n.Sub(Const(1))).Shl(2)), 0, sum[h].Lane(0))
			}
		})
	})
}

// combine multiplies rows of a strip by prefix and content rows (values, or keys), into
// the block of outputs.
func (g *generator) combine(s *scope, strip, rows Value, prefix, content uintptr) {
	f := s.f
	width := f.Let(up8(s.hd).Shl(2))
	f.Fill(s.out, Const(0), rows.Mul(width))
	part := func(base, n, first, strip Value) {
		f.If(n, func() {
			b := f.Let(s.key(base, first))
			f.For(Const(0), width, 4*nr, func(col Value) {
				f.Call(g.multiply[tileKind{loose: true}], strip, s.stride, b.Add(col), s.kvStep, n, s.out.Add(col), width, Const(1), rows)
			})
		}, nil)
	}
	part(s.get(prefix), s.slots, Const(0), strip)
	part(s.get(content), s.kn, s.kmin, strip.Add(s.slotCols.Shl(2)))
}

// writeHead copies rows of the block of outputs, times a factor, to dst.
func (g *generator) writeHead(s *scope, dst, step, rows Value, factor Value) {
	f := s.f
	to, from, v4 := f.Let(dst), f.Let(s.out), f.Let(factor.Splat(F32x4))
	f.For(Const(0), rows, 1, func(Value) {
		each(f, s.hd, func(at Value, put func(ptr, v Value)) { put(to, LoadV(from.Add(at), 0).Mul(v4)) })
		f.Set(to, to.Add(step))
		f.Set(from, from.Add(up8(s.hd).Shl(2)))
	})
}

// multiplies builds multiply[kind](a, as, b, bs, k, c, cs, acc, m): register tiles down
// m rows of C.
func (g *generator) multiplies() {
	g.multiply = map[tileKind]*Func{}
	for _, kind := range []tileKind{{}, {loose: true}, {true, true}} {
		f := g.m.Func("multiply", nil, I32, I32, I32, I32, I32, I32, I32, I32, I32)
		a, as, b, bs, k, c, cs, acc, m := f.Param(0), f.Param(1), f.Param(2), f.Param(3), f.Param(4), f.Param(5), f.Param(6), f.Param(7), f.Param(8)
		rowGroups(f, m, func(rows int, first Value) {
			from := a.Add(first.Mul(as))
			if kind.columns {
				from = a.Add(first.Shl(2))
			}
			f.Call(g.tile[kind][rows], from, as, b, bs, k, c.Add(first.Mul(cs)), cs, acc)
		})
		g.multiply[kind] = f
	}
}

// attendKeys: dk and dv of KeyBlock keys. For each block of query rows that sees
// them it takes the strips that are kept, or makes those of these keys alone,
//
//	dv += aᵀ·G      dk += dsᵀ·q
func (g *generator) attendKeys() {
	g.kernel(command.AttendKeys, func(f *Func, rec, tile, ws Value) {
		kvHeads := field(f, rec, unsafe.Offsetof(attn.KVHeads))
		s := g.newScope(f, rec, ws, f.Let(tile.Rem(kvHeads)))
		prefix, size := s.get(unsafe.Offsetof(attn.Prefix)), s.get(unsafe.Offsetof(attn.KeyBlock))
		n := f.Let(s.get(unsafe.Offsetof(attn.Keys)))
		f.If(prefix, func() { f.Set(n, s.slots) }, func() {
			p := s.get(unsafe.Offsetof(attn.KeysAt))
			f.If(p, func() { f.Set(n, LoadI(p, 0)) }, nil)
		})
		j0, keys := span(f, n, tile.Div(kvHeads), size)
		base := func(p, c uintptr) Value { return f.Let(s.key(Select(prefix, s.get(p), s.get(c)), j0)) }
		kBase, vBase := base(unsafe.Offsetof(attn.PK), unsafe.Offsetof(attn.K)), base(unsafe.Offsetof(attn.PV), unsafe.Offsetof(attn.V))

		// Workspace: panels of keys and values, sums dk and dv, strips.
		panelBytes := f.Let(s.hd.Add(Const(4)).Mul(Const(4 * nr)))
		panels := f.Let(keys.Add(Const(nr - 1)).ShrU(3))
		kPanel := f.Let(ws)
		vPanel := f.Let(kPanel.Add(panels.Mul(panelBytes)))
		width := f.Let(up8(s.hd).Shl(2))
		dk := f.Let(vPanel.Add(panels.Mul(panelBytes)))
		dv := f.Let(dk.Add(keys.Mul(width)))
		f.Set(s.strip, dv.Add(keys.Mul(width)))
		f.Set(s.stride, panels.Mul(Const(4*nr)))
		f.Set(s.strip2, s.strip.Add(s.group.Mul(s.get(unsafe.Offsetof(attn.Block))).Mul(s.stride)))
		f.Fill(dk, Const(0), keys.Mul(width).Shl(1))
		f.For(Const(0), keys, nr, func(j Value) {
			have := f.Let(MinI(keys.Sub(j), Const(nr)))
			to := f.Let(j.ShrU(3).Mul(panelBytes))
			f.Call(g.packRows, kBase.Add(j.Mul(s.kvStep)), s.kvStep, have, s.hd, kPanel.Add(to))
			f.Call(g.packRows, vBase.Add(j.Mul(s.kvStep)), s.kvStep, have, s.hd, vPanel.Add(to))
		})

		blockSize := s.get(unsafe.Offsetof(attn.Block))
		f.For(Const(0), s.rows.Add(blockSize).Sub(Const(1)).Div(blockSize), 1, func(b Value) {
			f.Set(s.t0, b.Mul(blockSize))
			f.Set(s.count, MinI(s.rows.Sub(s.t0), blockSize))
			seen := f.Let(Const(0))
			f.For(s.t0, s.t0.Add(s.count), 1, func(t Value) {
				lo, hi := g.keyRange(s, prefix, t)
				f.Set(seen, seen.Or(lo.Lt(j0.Add(keys)).And(hi.Gt(j0)).And(lo.Lt(hi))))
			})
			// Of a block whose weights AttendQueries has kept only the sums are left.
			span := f.Let(Select(prefix, Const(0), s.get(unsafe.Offsetof(attn.Span))))
			f.If(seen.And(span.Ne(Const(0))), func() {
				s.sees()
				f.If(s.kn.Le(span), func() {
					f.Set(seen, Const(0))
					from := f.Let(Select(j0.Lt(s.kmin), s.kmin, j0))
					some := f.Let(MinI(j0.Add(keys), s.kmin.Add(s.kn)).Sub(from))
					f.If(some.Gt(Const(0)), func() {
						skip, step := f.Let(from.Sub(j0).Mul(width)), f.Let(s.heads.Mul(span).Shl(2))
						add := func(weights, rows uintptr, sums Value) {
							w, base := s.get(weights), s.get(rows)
							f.For(Const(0), s.group, 1, func(h Value) {
								row, x := f.Let(s.kept(w, span, h, Const(0)).Add(from.Sub(s.kmin).Shl(2))), f.Let(s.query(base, h, Const(0)))
								f.For(Const(0), width, 4*nr, func(col Value) {
									f.Call(g.multiply[tileKind{true, true}], row, step, x.Add(col), s.qStep, s.count, sums.Add(skip).Add(col), width, Const(1), some)
								})
							})
						}
						add(unsafe.Offsetof(attn.KeyA), unsafe.Offsetof(attn.DO), dv)
						add(unsafe.Offsetof(attn.KeyDS), unsafe.Offsetof(attn.Q), dk)
					}, nil)
				}, nil)
			}, nil)
			f.If(seen, func() {
				against := func(strip Value, rows uintptr, panel Value) {
					f.For(Const(0), panels, 1, func(p Value) {
						g.againstPanel(s, f.Let(strip.Add(p.Mul(Const(4*nr)))), rows, f.Let(panel.Add(p.Mul(panelBytes))), s.stride)
					})
				}
				products := func() { against(s.strip, unsafe.Offsetof(attn.Q), kPanel) }
				products()
				against(s.strip2, unsafe.Offsetof(attn.DO), vPanel)
				row, dp := f.Let(s.strip), f.Let(s.strip2)
				f.For(Const(0), s.group, 1, func(h Value) {
					f.For(Const(0), s.count, 1, func(i Value) {
						t := f.Let(s.t0.Add(i))
						lo, hi := g.keyRange(s, prefix, t)
						f.If(prefix,
							func() { g.maskPart(s, row, t, h, s.stride.ShrU(2), j0, lo, hi, true) },
							func() { g.maskPart(s, row, t, h, s.stride.ShrU(2), j0, lo, hi, false) })
						lse, delta := g.rowStats(s, h, i)
						f.Call(g.weights, row, dp, s.stride.ShrU(2), lse, delta)
						f.Set(row, row.Add(s.stride))
						f.Set(dp, dp.Add(s.stride))
					})
				})
				times := func(strip Value, rows uintptr, sums Value) {
					row, base := f.Let(strip), s.get(rows)
					f.For(Const(0), s.group, 1, func(h Value) {
						f.For(Const(0), width, 4*nr, func(col Value) {
							f.Call(g.multiply[tileKind{true, true}], row, s.stride, f.Let(s.query(base, h, Const(0))).Add(col), s.qStep,
								s.count, sums.Add(col), width, Const(1), keys)
						})
						f.Set(row, row.Add(s.count.Mul(s.stride)))
					})
				}
				times(s.strip, unsafe.Offsetof(attn.DO), dv)
				g.uncap(s, products)
				times(s.strip2, unsafe.Offsetof(attn.Q), dk)
			}, nil)
		})
		write := func(o uintptr, sums, factor Value) {
			dst := s.get(o)
			f.If(dst, func() {
				f.Set(s.out, sums)
				g.writeHead(s, s.key(dst, j0), s.kvStep, keys, factor)
			}, nil)
		}
		write(unsafe.Offsetof(attn.DK), dk, number(f, rec, unsafe.Offsetof(attn.Scale)))
		write(unsafe.Offsetof(attn.DV), dv, ConstF32(1))
	})
}

// kept is the address of row t0 + i, head h of the group, in an array [rows, heads, width].
func (s *scope) kept(base, width, h, i Value) Value {
	return base.Add(s.t0.Add(i).Mul(s.heads).Add(s.kvh.Mul(s.group)).Add(h).Mul(width).Shl(2))
}

// attendSlots: dk and dv of KeyBlock slots, of the weights that AttendQueries kept,
//
//	dv = aᵀ·G      dk = dsᵀ·q
//
// Chunk rows at a time, which stay in the first-level cache.
func (g *generator) attendSlots() {
	g.kernel(command.AttendSlots, func(f *Func, rec, tile, ws Value) {
		kvHeads := field(f, rec, unsafe.Offsetof(attn.KVHeads))
		s := g.newScope(f, rec, ws, f.Let(tile.Rem(kvHeads)))
		j0, slots := span(f, s.slots, tile.Div(kvHeads), s.get(unsafe.Offsetof(attn.KeyBlock)))
		width := f.Let(up8(s.hd).Shl(2))
		f.Set(s.out, ws)
		step := f.Let(s.heads.Mul(s.slots).Shl(2))
		sums := func(dst, weights, rows uintptr, factor Value) {
			to := s.get(dst)
			f.If(to, func() {
				f.Fill(s.out, Const(0), slots.Mul(width))
				w, x := s.get(weights), s.get(rows)
				f.For(Const(0), s.group, 1, func(h Value) {
					f.Set(s.t0, Const(0))
					f.While(s.t0.Lt(s.rows), func() {
						f.Set(s.count, MinI(s.rows.Sub(s.t0), s.get(unsafe.Offsetof(attn.Chunk))))
						from, q := f.Let(s.kept(w, s.slots, h, Const(0)).Add(j0.Shl(2))), f.Let(s.query(x, h, Const(0)))
						f.For(Const(0), width, 4*nr, func(col Value) {
							f.Call(g.multiply[tileKind{true, true}], from, step, q.Add(col), s.qStep, s.count, s.out.Add(col), width, Const(1), slots)
						})
						f.Set(s.t0, s.t0.Add(s.count))
					})
				})
				g.writeHead(s, s.key(to, j0), s.kvStep, slots, factor)
			}, nil)
		}
		sums(unsafe.Offsetof(attn.DK), unsafe.Offsetof(attn.DS), unsafe.Offsetof(attn.Q), number(f, rec, unsafe.Offsetof(attn.Scale)))
		sums(unsafe.Offsetof(attn.DV), unsafe.Offsetof(attn.A), unsafe.Offsetof(attn.DO), ConstF32(1))
	})
}

// keyRange is what row t sees of the slots or of the keys.
func (g *generator) keyRange(s *scope, prefix, t Value) (lo, hi Value) {
	f := s.f
	lo, hi = f.Local(I32), f.Local(I32)
	f.If(prefix, func() {
		a, b := s.rowRange(unsafe.Offsetof(attn.PLo), unsafe.Offsetof(attn.PHi), t, s.slots)
		f.Set(lo, a)
		f.Set(hi, b)
	}, func() {
		a, b := s.rowRange(unsafe.Offsetof(attn.Lo), unsafe.Offsetof(attn.Hi), t, Const(0))
		f.Set(lo, a)
		f.Set(hi, b)
	})
	return lo, hi
}

// attendBias: DPBias [BiasRows, BiasHeads, BiasSlots] sums DS [rows, heads, slots]
// over the dimensions that the bias does not have.
func (g *generator) attendBias() {
	g.kernel(command.AttendBias, func(f *Func, rec, tile, ws Value) {
		get := func(o uintptr) Value { return field(f, rec, o) }
		rows, heads, slots := live(f, rec, unsafe.Offsetof(attn.Live)), get(unsafe.Offsetof(attn.Heads)), get(unsafe.Offsetof(attn.Slots))
		br, bh, bl := get(unsafe.Offsetof(attn.BiasRows)), get(unsafe.Offsetof(attn.BiasHeads)), get(unsafe.Offsetof(attn.BiasSlots))
		ds, out := get(unsafe.Offsetof(attn.DS)), get(unsafe.Offsetof(attn.DPBias))
		from, count := span(f, f.Let(br.Mul(bh).Mul(bl)), tile, get(unsafe.Offsetof(attn.Chunk)))
		f.For(from, from.Add(count), 1, func(i Value) {
			sum := f.Let(ConstF32(0))
			// a dimension of 1 stands for all of what it is summed over
			bounds := func(index, size, all Value) (lo, hi Value) {
				return f.Let(Select(size.Eq(all).Or(size.Ne(Const(1))), index, Const(0))), f.Let(MinI(all, Select(size.Eq(all).Or(size.Ne(Const(1))), index.Add(Const(1)), all)))
			}
			l0, l1 := bounds(f.Let(i.Rem(bl)), bl, slots)
			h0, h1 := bounds(f.Let(i.Div(bl).Rem(bh)), bh, heads)
			r0, r1 := bounds(f.Let(i.Div(bl).Div(bh)), br, rows)
			f.For(r0, r1, 1, func(t Value) {
				f.For(h0, h1, 1, func(h Value) {
					f.For(l0, l1, 1, func(l Value) {
						f.Set(sum, sum.Add(Load(F32, ds.Add(t.Mul(heads).Add(h).Mul(slots).Add(l).Shl(2)), 0)))
					})
				})
			})
			f.Store(out.Add(i.Shl(2)), 0, sum)
		})
	})
}

// attendRel: drel of one head, ds added up by distance, block after block.
func (g *generator) attendRel() {
	g.kernel(command.AttendRel, func(f *Func, rec, tile, ws Value) {
		heads, kvHeads := field(f, rec, unsafe.Offsetof(attn.Heads)), field(f, rec, unsafe.Offsetof(attn.KVHeads))
		group := f.Let(heads.Div(kvHeads))
		s := g.newScope(f, rec, ws, f.Let(tile.Div(group)))
		rels, size := s.get(unsafe.Offsetof(attn.Rels)), s.get(unsafe.Offsetof(attn.Block))
		sums := f.Let(s.get(unsafe.Offsetof(attn.DRel)).Add(tile.Mul(rels).Shl(2)))
		f.Fill(sums, Const(0), rels.Shl(2))
		f.For(Const(0), s.rows.Add(size).Sub(Const(1)).Div(size), 1, func(b Value) {
			s.block(b, false)
			g.gradients(s)
			f.For(Const(0), s.count, 1, func(i Value) {
				t := f.Let(s.t0.Add(i))
				row := f.Let(s.strip2.Add(tile.Rem(group).Mul(s.count).Add(i).Mul(s.stride)))
				qpos := f.Let(LoadI(s.get(unsafe.Offsetof(attn.QPos)).Add(t.Shl(2)), 0))
				add := func(row, pos, n Value) {
					f.If(pos, func() {
						f.For(Const(0), n, 1, func(j Value) {
							d := clamped(f, LoadI(pos.Add(j.Shl(2)), 0).Sub(qpos).Add(rels.ShrU(1)), rels.Sub(Const(1)))
							to := f.Let(sums.Add(d.Shl(2)))
							f.Store(to, 0, Load(F32, to, 0).Add(Load(F32, row.Add(j.Shl(2)), 0)))
						})
					}, nil)
				}
				add(row, s.get(unsafe.Offsetof(attn.PPos)), s.slots)
				kpos := s.get(unsafe.Offsetof(attn.KPos))
				f.Set(kpos, Select(kpos, kpos.Add(s.kmin.Shl(2)), Const(0)))
				add(f.Let(row.Add(s.slotCols.Shl(2))), kpos, s.kn)
			})
		})
	})
}

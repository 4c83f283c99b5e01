package kernels

import (
	"unsafe"

	. "prelude/simd/asm"
	"prelude/simd/command"
)

// A few rows meet a quantised matrix as integers, which is how text is generated. Their
// numbers are rounded by blocks of 32,
//
//   - to 16 bits, which is as good as float32 (a step is 2⁻¹⁵ of the block's largest) and
//     costs no more: i32x4.dot_i16x8 multiplies eight pairs in one instruction, or
//   - to 8 bits, where the program allows it, by i32x4.relaxed_dot_i8x16_i7x16_add_s, sixteen
//     pairs, or against 4 bits in pairs (integer.go). Its second operand has 7 bits and no sign: against a matrix of
//     4 bits that is the weights. Against one of 8 bits it is the activations, those above zero
//     and those below apart, of which the products are subtracted.
//
// A row of rounded activations is a group for every four blocks,
//
//	q  [4·32] int16, of each block in the order in which its weights unpack, or int8,
//	   or of each block [2·32] int8: the positive numbers, then the negative ones without sign
//	d  [4] f32, a step of each block times halfBias, 0 where there is no block
//	Σ  [4] f32, d·Σq of each block, which the minima multiply
//
// so that with weights of a block s·w + m the product is Σ s·d·⟨w, q⟩ + m·Σ.
type grouping struct {
	number, top int  // bytes of a number and the largest
	pairs       bool // products are summed in pairs: see integer.go
}

var words, octets, octetPairs, parts = grouping{2, 32767, false}, grouping{1, 127, false}, grouping{1, 127, true}, grouping{2, 127, false}

func (o grouping) d() int    { return 4 * 32 * o.number }
func (o grouping) sum() int  { return o.d() + 16 }
func (o grouping) size() int { return o.d() + 32 }

// streams is how many rows of weights go along together and share the activations they
// meet. They lie apart: of two rows in one page of memory, the second waits for memory
// each time it begins a cache line.
const streams = 2

// halfBias corrects the exponent of a binary16 number whose bits were moved into a
// float32 (see half): activations bring it along.
const halfBias = 0x1p112

func (g *generator) rounded() {
	g.roundGroups(command.Round, words)
	g.matVecRounded(command.MatVecRounded, words, command.Q8_0, command.Q4_0, command.Q4_1)
	if g.Relaxed {
		g.roundGroups(command.RoundBytes, octets)
		g.matVecRounded(command.MatVecBytes, octets, command.Q4_0, command.Q4_1)
		g.matVecRounded(command.MatVecPairs, octetPairs, command.Q4_0, command.Q4_1)
		g.roundGroups(command.RoundParts, parts)
		g.matVecRounded(command.MatVecParts, parts, command.Q8_0)
		return
	}
	for _, k := range []command.Kernel{command.RoundBytes, command.MatVecBytes, command.MatVecPairs, command.RoundParts, command.MatVecParts} {
		g.kernel(k, func(f *Func, rec, tile, ws Value) { f.Trap() })
	}
}

// roundGroups builds the kernel of command.Rounding. What is not finite has a step that is
// not finite: see integer.go.
func (g *generator) roundGroups(k command.Kernel, o grouping) {
	g.kernel(k, func(f *Func, rec, tile, ws Value) {
		var r command.Rounding
		get := func(o uintptr) Value { return field(f, rec, o) }
		f.If(tile.Ge(live(f, rec, unsafe.Offsetof(r.Live))), func() { f.Return() }, nil)
		k, nibbles := get(unsafe.Offsetof(r.K)), get(unsafe.Offsetof(r.Nibbles))
		x := f.Let(get(unsafe.Offsetof(r.X)).Add(tile.Mul(k).Shl(2)))
		groups := f.Let(k.Add(Const(127)).ShrU(7))
		q := f.Let(get(unsafe.Offsetof(r.Y)).Add(tile.Mul(groups).Mul(Const(o.size()))))
		f.Fill(q, Const(0), groups.Mul(Const(o.size())))
		d := f.Let(q.Add(Const(o.d())))
		f.For(Const(0), k, 32, func(at Value) {
			var v, n [8]Value
			tops := f.Let(VecI32(0))
			for i := range v {
				v[i] = f.Let(LoadV(x, 16*i))
				topBits(f, tops, v[i])
			}
			top := f.Let(hMaxI(f, tops).Convert("f32.reinterpret_i32"))
			step := f.Let(top.Mul(ConstF32(1 / float32(o.top))))
			over := f.Let(Select(top.Gt(ConstF32(tiny)), ConstF32(float32(o.top)).Div(top), ConstF32(0)).Splat(F32x4))
			sum := f.Let(VecI32(0))
			for i := range v {
				n[i] = f.Let(v[i].Mul(over).Add(VecF32(magic)).As(I32x4).Sub(VecI32(magicBits)))
				f.Set(sum, sum.Add(n[i]))
			}
			if o.top == 127 {
				for half := range 2 {
					a, b, c, e := n[4*half], n[4*half+1], n[4*half+2], n[4*half+3]
					if o == octets {
						f.Store(q, 16*half, NarrowI8(NarrowI16(a, b), NarrowI16(c, e)))
						continue
					}
					zero := VecI32(0)
					over := func(v Value) Value { return v.Max(zero) }
					under := func(v Value) Value { return zero.Sub(v).Max(zero) }
					f.Store(q, 16*half, NarrowI8(NarrowI16(over(a), over(b)), NarrowI16(over(c), over(e))))
					f.Store(q, 16*half+32, NarrowI8(NarrowI16(under(a), under(b)), NarrowI16(under(c), under(e))))
				}
			} else {
				f.If(nibbles, func() {
					for half := range 2 {
						a, b, c, e := n[4*half], n[4*half+1], n[4*half+2], n[4*half+3]
						f.Store(q, 16*half, NarrowI16(Shuffle4(a, b, 0, 2, 4, 6), Shuffle4(c, e, 0, 2, 4, 6)))
						f.Store(q, 16*half+32, NarrowI16(Shuffle4(a, b, 1, 3, 5, 7), Shuffle4(c, e, 1, 3, 5, 7)))
					}
				}, func() {
					for i := range 4 {
						f.Store(q, 16*i, NarrowI16(n[2*i], n[2*i+1]))
					}
				})
			}
			f.Set(step, step.Mul(ConstF32(halfBias)))
			f.Store(d, 0, step)
			total := sum.Lane(0).Add(sum.Lane(1)).Add(sum.Lane(2).Add(sum.Lane(3)))
			f.Store(d, o.sum()-o.d(), step.Mul(total.Convert("f32.convert_i32_s")))
			f.Inc(x, 128)
			f.Inc(q, 32*o.number)
			f.Inc(d, 4)
			f.If(at.And(Const(127)).Eq(Const(96)), func() {
				f.Inc(q, o.size()-o.d())
				f.Inc(d, o.size()-16)
			}, nil)
		})
	})
}

// matVecRounded builds the product of rounded rows with quantised matrices of these types.
func (g *generator) matVecRounded(k command.Kernel, o grouping, types ...int) {
	g.kernel(k, func(f *Func, rec, tile, ws Value) {
		x := readFewRows(f, rec, tile)
		blocks, rowBlocks := f.Let(x.k.ShrU(5)), f.Let(x.width.ShrU(5))
		apart := f.Let(x.count.Add(Const(streams - 1)).Div(Const(streams)))
		last := f.Let(x.from.Add(x.count).Sub(Const(1)))
		for _, t := range types {
			f.If(x.typ.Eq(Const(t)), func() {
				p := g.pairOf(f, t, o)
				f.For(x.from, x.from.Add(apart), 1, func(j Value) {
					var row, block [streams]Value
					for w := range row {
						row[w] = f.Let(j.Add(apart.Mul(Const(w))))
						block[w] = f.Let(MinI(row[w], last).Mul(rowBlocks))
					}
					f.For(Const(0), x.rows, 1, func(i Value) {
						p.begin(x.quants, x.scales, block, x.a.Add(i.Mul(x.lda)))
						left := f.Let(blocks)
						f.Block(func(out Label) {
							never := -1
							fence := func() {
								f.BranchIf(out, left.Lt(Const(never)))
								never--
							}
							f.While(left.Ge(Const(4)), func() {
								p.blocks(4, fence)
								f.Inc(left, -4)
							})
							for n := 1; n < 4; n++ {
								f.If(left.Eq(Const(n)), func() { p.blocks(n, fence) }, nil)
							}
						})
						for w := range row {
							f.If(row[w].Le(last), func() {
								at := f.Let(row[w].Shl(2))
								x.put(f, i, at, f.Let(f.HSum(p.sum[w])))
							}, nil)
						}
					})
				})
			}, nil)
		}
	})
}

// pairOf multiplies two rows of weights by one row of rounded activations.
type pairOf struct {
	g                *generator
	f                *Func
	typ              int
	o                grouping
	quants, scales   [streams]Value // of the next block of either row
	q                Value          // the next group of activations
	sum              [streams]Value
	bytes, scaleSize int
	nibble, ones     Value
}

func (g *generator) pairOf(f *Func, typ int, o grouping) *pairOf {
	p := &pairOf{g: g, f: f, typ: typ, o: o, bytes: 16, scaleSize: 2}
	if o.pairs {
		p.nibble, p.ones = f.Let(VecI8(15)), f.Let(VecI16(1))
	}
	switch typ {
	case command.Q8_0:
		p.bytes = 32
	case command.Q4_1:
		p.scaleSize = 4
	}
	return p
}

// begin sets everything to these blocks of the matrix and this row of activations.
func (p *pairOf) begin(quants, scales Value, block [streams]Value, q Value) {
	f := p.f
	for w := range block {
		b := f.Let(block[w])
		p.quants[w] = f.Let(quants.Add(b.Mul(Const(p.bytes))))
		p.scales[w] = f.Let(scales.Add(b.Mul(Const(p.scaleSize))))
		p.sum[w] = f.Let(VecF32(0))
	}
	p.q = f.Let(q)
}

// blocks adds the products of the next n blocks, 4 or what is left. Fence is a branch that is
// never taken; see micro.go.
func (p *pairOf) blocks(n int, fence func()) {
	f := p.f
	d, sums := f.Let(LoadV(p.q, p.o.d())), f.Let(LoadV(p.q, p.o.sum()))
	var scale [streams]Value
	for w := range scale {
		var s Value
		switch p.typ {
		case command.Q4_1: // scale and minimum
			both := f.Let(Load(I32x4, p.scales[w], 0))
			s = f.Let(upperHalf(both.Shl(16)))
			f.Set(p.sum[w], p.g.m.Madd(upperHalf(both), sums, p.sum[w]))
		default:
			s = f.Let(upperHalf(Load16x4U(p.scales[w], 0).Shl(16)))
		}
		if p.typ == command.Q4_0 { // a minimum of −8 scales
			f.Set(p.sum[w], p.g.m.Madd(s.Mul(VecF32(-8)), sums, p.sum[w]))
		}
		scale[w] = f.Let(s.Mul(d))
	}
	for b := range n {
		q := make([]Value, 2*p.o.number)
		for i := range q {
			q[i] = f.Let(Load(I16x8, p.q, 32*p.o.number*b+16*i))
		}
		for w := range scale {
			total := p.parts(w, b, q)
			f.Set(p.sum[w], p.g.m.Madd(total.Convert("f32x4.convert_i32x4_s"), Shuffle4(scale[w], scale[w], b, b, b, b), p.sum[w]))
			fence()
		}
	}
	for w := range scale {
		f.Inc(p.quants[w], p.bytes*n)
		f.Inc(p.scales[w], p.scaleSize*n)
	}
	f.Inc(p.q, p.o.size())
}

// parts is ⟨w, q⟩ of block b of row w, in four sums.
func (p *pairOf) parts(w, b int, q []Value) Value {
	f := p.f
	if p.o == parts {
		low, high := f.Let(Load(I8x16, p.quants[w], 32*b)), f.Let(Load(I8x16, p.quants[w], 32*b+16))
		times := func(q0, q1 Value) Value { return DotI8(high, q1.As(I8x16), DotI8(low, q0.As(I8x16), VecI32(0))) }
		return times(q[0], q[1]).Sub(times(q[2], q[3]))
	}
	if p.o == octetPairs {
		raw := f.Let(Load(I8x16, p.quants[w], 16*b))
		low, high := raw.And(p.nibble), raw.As(I16x8).ShrU(4).As(I8x16).And(p.nibble)
		return DotI16(DotPairs(q[0].As(I8x16), low).Add(DotPairs(q[1].As(I8x16), high)), p.ones)
	}
	if p.o == octets {
		n := nibblesAt(f, p.quants[w], 16*b)
		return DotI8(q[1].As(I8x16), n[1], DotI8(q[0].As(I8x16), n[0], VecI32(0)))
	}
	var v [4]Value
	if p.typ == command.Q8_0 {
		for i := range v {
			v[i] = Load8x8S(p.quants[w], 32*b+8*i)
		}
	} else {
		// The nibbles of 16-bit lanes: even elements of both halves, then odd ones.
		raw, low := f.Let(Load(I16x8, p.quants[w], 16*b)), VecI16(15)
		v = [4]Value{raw.And(low), raw.ShrU(4).And(low), raw.ShrU(8).And(low), raw.ShrU(12)}
	}
	return DotI16(v[0], q[0]).Add(DotI16(v[1], q[1])).Add(DotI16(v[2], q[2]).Add(DotI16(v[3], q[3])))
}

// upperHalf widens the binary16 numbers in the upper halves of an i32x4, but for
// halfBias.
func upperHalf(h Value) Value {
	return h.ShrS(3).And(VecI32(-0x70002000)).As(F32x4)
}

package webgpu

import "prelude/engine"

// EightTiles are the tuner's candidates for products in 8 bits, which need WGSL's
// packed_4x8_integer_dot_product. BK is always a block of 32 terms.
var EightTiles = []Tile{
	{WX: 16, WY: 16, TM: 4, TN: 4, BK: 32},
	{WX: 8, WY: 8, TM: 8, TN: 8, BK: 32},
	{WX: 16, WY: 8, TM: 8, TN: 4, BK: 32},
}

// eightBlock is how many terms of the sum share a scale.
const eightBlock = 32

// eightBits is a matrix in 8 bits, in two pieces of scratch: int8 words [rows, blocks·8]
// and scales [rows, blocks].
type eightBits struct {
	of            engine.Buffer
	words, scales int
	blocks        int
}

// roundsTo8 says whether the rows of o are multiplied in 8 bits: the program may round this
// product, the device has a tile for it, and the weight lies in one buffer.
func (b *recipe) roundsTo8(o *engine.Linear) bool {
	return b.eight != (Tile{}) && b.p.MayRound(o.W) && b.p.Spec(o.X).Rows() > few && len(b.runs(o.W)) == 1
}

// round8 rounds n rows of m, depth elements each, to 8 bits; rows says how many are live.
func (b *recipe) round8(m matrix, rows count, n, depth int) eightBits {
	r := eightBits{of: m.buf, blocks: (depth + eightBlock - 1) / eightBlock}
	r.words, r.scales = b.temp(n*r.blocks*8), b.temp(n*r.blocks)
	k := b.kernel("round8")
	vec := k.operand("x", m, depth, vectors, false)
	k.temp("words", r.words, true).temp("scales", r.scales, true)
	for i := range k.ports[1:] {
		k.ports[1+i].kind = bits
	}
	k.count("rows", rows).u32("all", n).u32("ld", m.ld).u32("depth", depth).u32("blocks", r.blocks).
		flag("ACROSS", m.across).flag("VEC", vec && !m.across).flag("EIGHT", true).threads(n*r.blocks, 64)
	return r
}

// linear8 is linear in 8 bits. Operations in a row that multiply the same rows round them
// once.
func (b *recipe) linear8(o *engine.Linear) {
	in, out := b.p.Dim(o.X, -1), b.p.Dim(o.Y, -1)
	rows := b.rows(o.X)
	if b.rounded.of != o.X {
		b.rounded = b.round8(rowsOf(o.X, in), rows, b.p.Spec(o.X).Rows(), in)
	}
	x := b.rounded
	b.use(x.words)
	b.use(x.scales)
	w := b.round8(matrix{buf: o.W, ld: b.p.Dim(o.W, -1), across: o.In, weight: true, run: b.runs(o.W)[0]}, count{all: out}, out, in)
	t := b.eight
	k := b.kernel("gemm8").temp("a", x.words, false).temp("w", w.words, false)
	k.ports[0].kind, k.ports[1].kind = bits, bits
	k.temp("sa", x.scales, false).temp("sw", w.scales, false).in("bias", o.Bias).in("add", o.Add).out("y", o.Y)
	k.count("m", rows).u32("n", out).u32("ldc", out).u32("blocks", x.blocks).
		set("WX", t.WX).set("WY", t.WY).set("TM", t.TM).set("TN", t.TN).flag("EIGHT", true)
	bm, bn := t.WY*t.TM, t.WX*t.TN
	k.grid((out+bn-1)/bn, (rows.most()+bm-1)/bm, 1)
}

// touches says whether two buffers may share memory.
func (b *recipe) touches(x, y engine.Buffer) bool {
	if x == engine.None || y == engine.None {
		return false
	}
	rx, _ := b.p.Root(x)
	ry, _ := b.p.Root(y)
	return rx == ry
}

// use keeps what begins at slot until this operation.
func (b *recipe) use(slot int) {
	for i := range b.slots[slot].more + 1 {
		b.slots[slot+i].Last = b.op
	}
}

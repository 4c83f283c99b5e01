package webgpu

import "prelude/engine"

// Tile is how a matrix product is cut for an adapter. A workgroup has WX×WY threads, each
// of which computes TM×TN results. BK terms of the sum pass through workgroup memory at a
// time; with a BK of 0 the operands are read without it (gemm_direct.wgsl). Scalar keeps
// the operands in workgroup memory as floats, not as vectors. Half keeps the operands of
// forward products as halves and multiplies in f16, BK terms at a time: this takes half
// the memory and on many GPUs half the time, for an error of up to 5e-3.
type Tile struct {
	WX, WY, TM, TN, BK int
	Scalar, Half       bool
}

// DefaultTile suits laptops' GPUs; see [Device.Tune].
var DefaultTile = Tile{WX: 16, WY: 16, TM: 4, TN: 4, BK: 16}

// plainTile is for the few products that gemm_direct.wgsl can't compute.
var plainTile = Tile{WX: 8, WY: 8, TM: 4, TN: 4, BK: 8, Scalar: true}

// memory is the workgroup memory that t takes if operands are not kept as halves.
func (t Tile) memory() int { return 2 * 4 * t.BK * (t.WX*t.TN + t.WY*t.TM) }

// matrix is an operand of a product: rows of ld elements. If it is across, its rows are not
// along the index of the sum but across it.
type matrix struct {
	buf    engine.Buffer
	slot   int // scratch of this operation, where buf is None
	from   int // first element
	ld     int
	rows   int // how many, where not all
	across bool
	weight bool
	half   bool // may be rounded to halves
	run    run  // of the weight
}

// rowsOf is a buffer's rows as a matrix, or the zero matrix if the buffer is None.
func rowsOf(b engine.Buffer, ld int) matrix {
	if b == engine.None {
		return matrix{}
	}
	return matrix{buf: b, ld: ld}
}

// product is y[m, n] = a·b + bias + add; see gemm.wgsl.
type product struct {
	m, k         count
	n            int
	a, b, add, y matrix
	bias         engine.Buffer
	biasFrom     int
	batch        batch
}

// batch is the number of products of one shape in a dispatch and the distances of their
// operands in elements.
type batch struct{ n, a, b, y int }

// operand adds the port of a matrix of which cols elements of each row are used. It reports
// whether the matrix can be read four elements at a time.
func (k *launch) operand(name string, m matrix, cols int, as kind, write bool) bool {
	switch {
	case m.weight:
		k.weight(name, m.buf, m.run)
		k.ports[len(k.ports)-1].off += m.from
	case m.buf == engine.None && m.ld > 0:
		k.temp(name, m.slot, write)
		k.ports[len(k.ports)-1].kind = as
		k.ports[len(k.ports)-1].off += m.from
	default:
		s := stretch{from: m.from}
		if m.rows > 0 {
			s.n = (m.rows-1)*m.ld + cols
		}
		k.on(s).port(name, m.buf, as, write).on(stretch{})
	}
	return k.ports[len(k.ports)-1].off%4 == 0 && m.ld%4 == 0 && cols%4 == 0
}

// block is rows [from, from+n) of m.
func (m matrix) block(s stretch) matrix {
	m.from += s.from * m.ld
	m.rows = s.n
	return m
}

func (b *recipe) gemm(p product) {
	t := b.tile
	k := b.kernel("gemm")
	cols := func(m matrix, along, across int) int {
		if m.across {
			return across
		}
		return along
	}
	av := k.operand("a", p.a, cols(p.a, p.k.all, p.m.all), vectors, false)
	bv := k.operand("w", p.b, cols(p.b, p.k.all, p.n), vectors, false)
	if p.k.dom != 0 && !p.a.across { // a live count of terms has no alignment
		av, bv = false, bv && p.b.across
	}
	if p.m.dom != 0 && p.a.across {
		av = false
	}
	k.in("bias", p.bias)
	if p.bias != engine.None {
		k.ports[len(k.ports)-1].off += p.biasFrom
	}
	k.operand("add", p.add, p.n, floats, false)
	k.operand("y", p.y, p.n, floats, true)
	k.count("m", p.m).u32("n", p.n).u32("lda", p.a.ld).u32("ldb", p.b.ld).u32("ldc", p.y.ld).
		u32("za", p.batch.a).u32("zb", p.batch.b).u32("zy", p.batch.y)
	av, bv = av && p.batch.a%4 == 0, bv && p.batch.b%4 == 0
	k.flag("A_ROWS", p.a.across).flag("B_ROWS", p.b.across)
	if t.BK == 0 {
		depth := p.k.most()
		if av && (bv || p.b.across) && p.k.dom == 0 && depth%4 == 0 && t.TM%4 == 0 {
			k.file = "gemm_direct"
			if w := &k.ports[1]; p.b.across && w.dtype == engine.F32 { // read one by one
				w.kind = floats
			}
			k.u32("depth", depth).set("WX", t.WX).set("WY", t.WY).set("TM4", t.TM/4).set("TN", t.TN)
			k.grid((p.n+t.WX*t.TN-1)/(t.WX*t.TN), (p.m.most()+t.WY*t.TM-1)/(t.WY*t.TM), p.batch.n)
			return
		}
		t = plainTile
	}
	k.count("k", p.k)
	threads := t.WX * t.WY
	loads := func(letter string, across bool, tile int) {
		n := t.BK / 4 * tile
		direct, blocks := (n+threads-1)/threads, 0
		if across {
			direct, blocks = 0, (n/4+threads-1)/threads
		}
		k.set("Q"+letter+"_K", direct).set("Q"+letter+"_R", blocks)
	}
	bm, bn := t.WY*t.TM, t.WX*t.TN
	loads("A", p.a.across, bm)
	loads("B", p.b.across, bn)
	k.set("WX", t.WX).set("WY", t.WY).set("TM", t.TM).set("TN", t.TN).set("BK4", t.BK/4)
	k.flag("SCALAR", t.Scalar).flag("HALF", t.Half && p.a.half).flag("A_VEC", av).flag("B_VEC", bv)
	k.grid((p.n+bn-1)/bn, (p.m.most()+bm-1)/bm, p.batch.n)
}

// few is the largest number of rows for which matvec.wgsl computes a product.
const few = 8

func (b *recipe) linear(o *engine.Linear) {
	if b.roundsTo8(o) {
		b.linear8(o)
		return
	}
	in, out := b.p.Dim(o.X, -1), b.p.Dim(o.Y, -1)
	x, add, y := rowsOf(o.X, in), rowsOf(o.Add, out), rowsOf(o.Y, out)
	x.half = !o.In // a gradient may be smaller than the smallest half
	blocks := b.blocks(b.p.Spec(o.X).Rows(), x, add, y)
	if len(blocks) == 1 {
		b.product(x, b.rows(o.X), o.W, o.In, o.Bias, add, y, in, out)
		return
	}
	for _, s := range blocks {
		b.product(x.block(s), b.rows(o.X).part(s.from, s.n), o.W, o.In, o.Bias, add.block(s), y.block(s), in, out)
	}
}

// product is y = x·Wᵀ, or x·W, for a weight in one or more parts.
func (b *recipe) product(x matrix, rows count, w engine.Buffer, wIn bool, bias engine.Buffer, add, y matrix, in, out int) {
	runs := b.runs(w)
	for i, r := range runs {
		p := product{m: rows, k: count{all: in}, n: out, bias: bias, add: add, y: y,
			a: x,
			b: matrix{buf: w, ld: b.p.Dim(w, -1), across: wIn, weight: true, run: r}}
		switch {
		case !wIn: // a part of the outputs
			p.n = r.to - r.from
			if p.add.ld > 0 {
				p.add.from += r.from
			}
			p.y.from += r.from
			p.biasFrom = r.from
		case len(runs) > 1: // a part of the sum
			p.a.from += r.from
			p.k = count{all: r.to - r.from}
			if i > 0 {
				p.bias, p.add = engine.None, y
			}
		}
		if !b.matvec(p) {
			b.gemm(p)
		}
	}
}

// matvec appends p if it has few rows and all operands can be read four elements at a time.
func (b *recipe) matvec(p product) bool {
	if p.m.all > few || p.b.across || p.k.all%4 != 0 || p.a.from%4 != 0 || p.b.ld%4 != 0 || p.m.from != 0 {
		return false
	}
	k := b.kernel("matvec")
	if !k.operand("a", p.a, p.k.all, vectors, false) || !k.operand("w", p.b, p.k.all, vectors, false) {
		return false
	}
	k.in("bias", p.bias)
	if p.bias != engine.None {
		k.ports[len(k.ports)-1].off += p.biasFrom
	}
	k.operand("add", p.add, p.n, floats, false)
	k.operand("y", p.y, p.n, floats, true)
	k.count("m", p.m).u32("n", p.n).u32("k", p.k.all).u32("ldc", p.y.ld).set("ROWS", p.m.all).groups((p.n + 3) / 4)
	return true
}

func (b *recipe) outer(o *engine.Outer) {
	m, n := b.p.Dim(o.Y, 0), b.p.Dim(o.Y, -1)
	p := product{m: count{all: m}, k: b.rows(o.A), n: n,
		a: matrix{buf: o.A, ld: b.p.Dim(o.A, -1), across: true}, b: matrix{buf: o.B, ld: n, across: true},
		add: rowsOf(o.Add, n), y: rowsOf(o.Y, n)}
	x, z := p.a, p.b
	blocks := b.blocks(b.p.Spec(o.A).Rows(), x, z)
	for i, s := range blocks {
		if len(blocks) > 1 {
			p.a, p.b, p.k = x.block(s), z.block(s), b.rows(o.A).part(s.from, s.n)
		}
		if i > 0 {
			p.add = p.y
		}
		b.gemm(p)
	}
}

func (b *recipe) headLinear(o *engine.HeadLinear) {
	heads, out, in := b.p.Dim(o.W, 0), b.p.Dim(o.W, 1), b.p.Dim(o.W, 2)
	k, n := in, out // columns of a head in x and in y
	if o.Transposed {
		k, n = out, in
	}
	b.gemm(product{m: b.rows(o.X), k: count{all: k}, n: n, a: matrix{buf: o.X, ld: heads * k},
		b: matrix{buf: o.W, ld: in, across: o.Transposed}, y: matrix{buf: o.Y, ld: heads * n},
		batch: batch{heads, k, out * in, n}})
}

func (b *recipe) headOuter(o *engine.HeadOuter) {
	heads, m, n := b.p.Dim(o.Y, 0), b.p.Dim(o.Y, 1), b.p.Dim(o.Y, 2)
	b.gemm(product{m: count{all: m}, k: b.rows(o.A), n: n, a: matrix{buf: o.A, ld: heads * m, across: true},
		b: matrix{buf: o.B, ld: heads * n, across: true}, y: matrix{buf: o.Y, ld: n}, batch: batch{heads, m, n, m * n}})
}

// fitThreads shrinks t until the adapter can run a workgroup's threads, which is all that
// products in 8 bits ask for: their operands take little memory.
func (t Tile) fitThreads(l Limits) Tile {
	for t.WX*t.WY > l.Invocations && t.WY > 1 {
		t.WY /= 2
	}
	return t
}

// fit shrinks t until the adapter can run it.
func (t Tile) fit(l Limits) Tile {
	t = t.fitThreads(l)
	t.Half = t.Half && l.Half
	for t.memory() > l.WorkgroupMemory && t.BK > 4 {
		t.BK /= 2
	}
	return t
}

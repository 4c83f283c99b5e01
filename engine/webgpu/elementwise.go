package webgpu

import "prelude/engine"

func (b *recipe) fill(o *engine.Fill) {
	n := b.p.Spec(o.Y).Len()
	for _, s := range b.stretches(n, o.Y) {
		b.kernel("fill").on(s).out("y", o.Y).count("n", count{all: s.n}).f32("value", o.Value).threads(s.n, 256)
	}
}

func (b *recipe) copy(x, y engine.Buffer) {
	for _, s := range b.stretches(b.p.Spec(x).Len(), x, y) {
		b.kernel("copy").on(s).bits("x", x).port("y", y, bits, true).count("n", b.elems(x).part(s.from, s.n)).threads(s.n, 256)
	}
}

func (b *recipe) binary(o *engine.Binary) {
	spread, _ := b.p.SpreadOf(o.A, o.B)
	n, cols := b.p.Spec(o.A).Len(), b.p.Dim(o.A, -1)
	launch := func(s, ofB stretch) {
		b.kernel("binary").on(s).in("a", o.A).out("y", o.Y).on(ofB).in("b", o.B).count("n", b.elems(o.A).part(s.from, s.n)).
			u32("cols", cols).set("SPREAD", int(spread)).flag("PRODUCT", o.Fn == engine.Mul).threads(s.n, 256)
	}
	if spread == engine.Same {
		for _, s := range b.stretches(n, o.A, o.B, o.Y) {
			launch(s, s)
		}
		return
	}
	for _, r := range b.blocks(b.p.Spec(o.A).Rows(), rowsOf(o.A, cols), rowsOf(o.Y, cols)) {
		ofB := stretch{}
		if spread == engine.ByRow {
			ofB = r
		}
		launch(stretch{r.from * cols, r.n * cols}, ofB)
	}
}

func (b *recipe) rowDot(o *engine.RowDot) {
	b.kernel("rowdot").lanes(64).in("a", o.A).in("b", o.B).out("y", o.Y).count("rows", b.rows(o.A)).u32("n", b.p.Dim(o.A, -1)).
		flag("ONE", o.B == engine.None).groups(b.p.Spec(o.A).Rows())
}

// slab is the number of elements that a workgroup adds up in the first stage of a sum.
const slab = 1 << 14

func (b *recipe) sumAll(x, y engine.Buffer) {
	n := b.p.Spec(x).Len()
	slabs := (n + slab - 1) / slab
	k := b.kernel("sumall").lanes(256).in("x", x).count("n", b.elems(x)).u32("slab", slab).u32("slabs", max(1, slabs))
	if slabs <= 1 {
		k.out("y", y).groups(1)
		return
	}
	t := b.temp(slabs)
	k.temp("y", t, true).groups(slabs)
	b.kernel("sumall").lanes(256).temp("x", t, false).count("n", count{all: slabs}).u32("slab", slabs).u32("slabs", 1).out("y", y).groups(1)
}

// sumChunk is the number of rows that a thread adds up in the first stage of a sum over rows.
const sumChunk = 64

func (b *recipe) sumRows(o *engine.SumRows) { b.sumRowsOf(o.X, b.rows(o.X), o.Add, o.Y) }

func (b *recipe) sumRowsOf(x engine.Buffer, rows count, add, y engine.Buffer) {
	n := b.p.Spec(y).Len()
	chunks := (rows.all + sumChunk - 1) / sumChunk
	k := b.kernel("sumrows").in("x", x).count("rows", rows).u32("n", n).u32("chunk", sumChunk)
	if chunks <= 1 {
		k.in("add", add).out("y", y).grid((n+63)/64, 1, 1)
		return
	}
	t := b.temp(chunks * n)
	k.in("add", engine.None).temp("y", t, true).grid((n+63)/64, chunks, 1)
	b.sumChunks(t, chunks, n, add, y)
}

// sumChunks is y = Σ over the chunks of t [chunks, n], plus add.
func (b *recipe) sumChunks(t, chunks, n int, add, y engine.Buffer) {
	b.kernel("sumrows").temp("x", t, false).count("rows", count{all: chunks}).u32("n", n).u32("chunk", chunks).
		in("add", add).out("y", y).grid((n+63)/64, 1, 1)
}

// Forms of activation.wgsl.
const (
	formUnary = iota
	formUnaryBackward
	formGated
	formGatedBackward
)

func (b *recipe) activation(form int, fn engine.UnaryFn, alpha float64, a, gate, dy, y, db engine.Buffer) {
	for _, s := range b.stretches(b.p.Spec(a).Len(), a, gate, dy, y, db) {
		k := b.kernel("activation").on(s).in("a", a).in("b", gate).in("dy", dy).out("y", y).out("db", db).
			count("n", b.elems(a).part(s.from, s.n)).set("FORM", form).set("FN", int(fn))
		k.consts = append(k.consts, constant{"ALPHA", float32(alpha)})
		k.threads(s.n, 256)
	}
}

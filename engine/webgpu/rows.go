package webgpu

import "prelude/engine"

func (b *recipe) embed(o *engine.Embed) {
	n := b.p.Dim(o.Y, -1)
	for _, r := range b.runs(o.W) {
		b.kernel("embed").ints("ids", o.IDs).weight("w", o.W, r).out("y", o.Y).count("rows", b.rows(o.Y)).
			u32("n", n).u32("quads", (n+3)/4).u32("low", r.from).u32("high", r.to).f32("factor", o.Scale).
			flag("ALIGNED", n%4 == 0 && r.off%4 == 0).threads(b.p.Spec(o.Y).Rows()*((n+3)/4), 64)
	}
}

func (b *recipe) embedBackward(o *engine.EmbedBackward) {
	n, rows := b.p.Dim(o.DY, -1), b.p.Spec(o.DY).Rows()
	t := b.temp(rows)
	k := b.kernel("embed_chain").ints("ids", o.IDs).count("rows", b.rows(o.DY))
	k.ports = append(k.ports, port{name: "next", spans: b.tempSpans(t), kind: bits, write: true})
	k.threads(rows, 64)
	k = b.kernel("embed_backward").ints("ids", o.IDs).in("dy", o.DY).out("dw", o.DW).count("rows", b.rows(o.DY)).
		u32("n", n).f32("factor", o.Scale)
	k.ports = append(k.ports, port{name: "next", spans: b.tempSpans(t), kind: bits})
	k.threads(rows*n, 64)
}

// Moves of gather.wgsl.
const (
	moveGather = iota
	moveStore
	moveAdd
)

// move copies or adds rows between two tables; idx are rows of one of them.
func (b *recipe) move(how int, x, idx, y engine.Buffer) {
	n, near, far := b.p.Dim(x, -1), x, y
	if how == moveGather {
		near, far = y, x
	}
	rows := func(t engine.Buffer) []stretch { return b.blocks(b.p.Spec(t).Rows(), matrix{buf: t, ld: n}) }
	for _, s := range rows(near) {
		for _, q := range rows(far) {
			at := map[engine.Buffer]stretch{near: {s.from * n, s.n * n}, far: {q.from * n, q.n * n}}
			b.kernel("gather").on(at[x]).in("x", x).on(at[y]).out("y", y).on(s).ints("idx", idx).count("rows", b.rows(near).part(s.from, s.n)).
				u32("n", n).u32("low", q.from).u32("high", q.from+q.n).set("MOVE", how).threads(s.n*n, 256)
		}
	}
}

func (b *recipe) gatherRows(o *engine.GatherRows) {
	b.move(moveGather, o.X, o.Idx, o.Y)
}

func (b *recipe) scatterRows(o *engine.ScatterRows) {
	y := o.Y
	switch o.Add {
	case engine.None:
		b.kernel("fill").out("y", y).count("n", b.elems(y)).f32("value", 0).threads(b.p.Spec(y).Len(), 256)
	case y:
	default:
		b.copyLive(o.Add, y)
	}
	b.move(moveAdd, o.X, o.Idx, y)
}

// copyLive copies the live elements of y.
func (b *recipe) copyLive(x, y engine.Buffer) {
	b.kernel("copy").bits("x", x).port("y", y, bits, true).count("n", b.elems(y)).threads(b.p.Spec(y).Len(), 256)
}

func (b *recipe) storeRows(o *engine.StoreRows) {
	b.move(moveStore, o.X, o.Idx, o.Dst)
}

func (b *recipe) concatRows(o *engine.ConcatRows) {
	n := b.p.Spec(o.A).Len()
	b.copy(o.A, o.Y)
	k := b.kernel("copy").bits("x", o.B).port("y", o.Y, bits, true).count("n", b.elems(o.B))
	k.ports[1].off += n
	k.threads(b.p.Spec(o.B).Len(), 256)
}

func (b *recipe) splitCols(o *engine.SplitCols) {
	n, wide := b.p.Spec(o.X).Len(), b.p.Dim(o.X, -1)
	if o.Merge {
		wide = b.p.Dim(o.Y, -1)
	}
	b.kernel("split").in("x", o.X).out("y", o.Y).u32("n", n).u32("rows", n/wide).u32("groups", o.Groups).
		flag("MERGE", o.Merge).threads(n, 256)
}

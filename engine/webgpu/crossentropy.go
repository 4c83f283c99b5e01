package webgpu

import "prelude/engine"

// logitBytes is the most memory that the logits of a chunk of rows take.
const logitBytes = 64 << 20

// crossEntropy goes chunk by chunk of rows: it computes the logits, turns them into their
// gradient in place, and computes the gradients of the chunk's rows and of the weight.
func (b *recipe) crossEntropy(o *engine.CrossEntropy) {
	vocab, d := b.p.Dim(o.W, 0), b.p.Dim(o.W, 1)
	n := b.p.Dim(o.H, 0)
	budget := min(int64(logitBytes), b.lim.arena())
	chunk := min(n, max(1, int(budget/int64(4*vocab))))
	if chunk > 64 && chunk < n {
		chunk = chunk / 64 * 64
	}
	backward := o.DH != engine.None || o.DW != engine.None || o.DBias != engine.None
	z := matrix{slot: b.temp(chunk * vocab), ld: vocab}
	losses := func(k *launch, name string, write bool) *launch { return k.port(name, o.Each, floats, write) }
	if o.Each == engine.None {
		slot := b.temp(n)
		losses = func(k *launch, name string, write bool) *launch { return k.temp(name, slot, write) }
	}
	for from := 0; from < max(n, 1); from += max(chunk, 1) {
		rows := b.rows(o.H).part(from, chunk)
		h := matrix{buf: o.H, from: from * d, ld: d}
		b.product(h, rows, o.W, false, engine.None, matrix{}, z, d, vocab)
		k := b.kernel("crossentropy").temp("z", z.slot, true).in("bias", o.Bias).ints("targets", o.Targets).in("weights", o.Weights)
		losses(k, "loss", true).count("rows", rows).u32("vocab", vocab).u32("row0", from).u32("columns", b.p.Dim(o.Weights, 1)).
			lanes(256).set("TARGETS", b.p.Dim(o.Targets, 1)).flag("REST", o.Rest).flag("CAP", o.Cap > 0).f32("cap", o.Cap).flag("BACKWARD", backward).groups(chunk)
		if o.DH != engine.None {
			b.product(z, rows, o.W, true, engine.None, matrix{}, matrix{buf: o.DH, from: from * d, ld: d}, vocab, d)
		}
		so := func(d engine.Buffer, ld int) matrix { // the sum over the chunks before
			if from == 0 {
				return matrix{}
			}
			return matrix{buf: d, ld: ld}
		}
		if o.DW != engine.None {
			zT, hT := z, h
			zT.across, hT.across = true, true
			b.gemm(product{m: count{all: vocab}, k: rows, n: d, a: zT, b: hT, add: so(o.DW, d), y: matrix{buf: o.DW, ld: d}})
		}
		if o.DBias != engine.None {
			k := b.kernel("sumrows").temp("x", z.slot, false).count("rows", rows).u32("n", vocab).u32("chunk", max(chunk, 1))
			k.operand("add", so(o.DBias, vocab), vocab, floats, false)
			k.out("y", o.DBias).grid((vocab+63)/64, 1, 1)
		}
	}
	losses(b.kernel("sumall").lanes(256), "x", false).count("n", b.rows(o.H)).u32("slab", max(n, 1)).u32("slabs", 1).out("y", o.Loss).groups(1)
}

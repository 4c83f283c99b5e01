package webgpu

import "prelude/engine"

func (b *recipe) gradStats(o *engine.GradStats) {
	total := 0
	for _, g := range o.G {
		total += max(1, (b.p.Spec(g).Len()+slab-1)/slab)
	}
	partial, at := b.temp(2*total), 0
	kernel := func(final bool) *launch {
		return b.kernel("gradstats").lanes(256).temp("part", partial, !final).flag("FINAL", final)
	}
	for i, g := range o.G {
		n := b.p.Spec(g).Len()
		slabs := max(1, (n+slab-1)/slab)
		kernel(false).bits("x", g).out("y", engine.None).flag("NORM", i < o.Grads).u32("n", n).u32("slab", slab).
			u32("slabs", slabs).u32("at", at).f32("clip", 0).groups(slabs)
		at += slabs
	}
	k := kernel(true).bits("x", engine.None).out("y", o.Stats).flag("NORM", false).u32("n", total).u32("slab", 0).
		u32("slabs", 1).u32("at", 0).f32("clip", o.Clip)
	k.ports[0].write = true // the shader mentions set_part in a branch that it never takes
	k.groups(1)
}

func (b *recipe) adamW(o *engine.AdamW) {
	n := b.p.Spec(o.P).Len()
	for _, s := range b.stretches(n, o.P, o.M, o.V, o.G) {
		b.kernel("adamw").on(s).out("p", o.P).out("m", o.M).out("v", o.V).in("g", o.G).on(stretch{}).in("stats", o.Stats).in("hyper", o.Hyper).
			u32("n", s.n).f32("beta1", o.Beta1).f32("beta2", o.Beta2).f32("eps", o.Eps).f32("decay", o.Decay).f32("rate", o.Rate).
			threads(s.n, 256)
	}
}

func (b *recipe) record(o *engine.Record) {
	at := 0
	for _, x := range o.X {
		n := b.p.Spec(x).Len()
		b.kernel("record").bits("x", x).ints("step", o.Step).port("row", o.Log, bits, true).u32("n", n).
			u32("rows", b.p.Dim(o.Log, 0)).u32("width", b.p.Dim(o.Log, 1)).u32("at", at).grid((n+63)/64, 1, 1)
		at += n
	}
}

// muon takes a workgroup for each matrix, as many at a time as have their scratch in one binding.
func (b *recipe) muon(o *engine.Muon) {
	count, rows, cols := b.p.Dim(o.P, 0), b.p.Dim(o.P, 1), b.p.Dim(o.P, 2)
	n, size := min(rows, cols), rows*cols
	some := min(max(1, int(b.lim.Binding)/4/(5*n*n)), count)
	x, squares := b.temp(some*size), b.temp(some*5*n*n)
	for first := 0; first < count; first += some {
		now := min(some, count-first)
		b.kernel("muon").lanes(256).set("ROUNDS", engine.MuonRounds).on(stretch{first * size, now * size}).out("p", o.P).out("m", o.M).in("g", o.G).
			on(stretch{}).in("stats", o.Stats).in("hyper", o.Hyper).temp("x", x, true).temp("s", squares, true).
			u32("count", now).u32("rows", rows).u32("cols", cols).u32("n", n).f32("beta", o.Beta).f32("rate", o.Step(rows, cols)).
			f32("a", engine.MuonA).f32("b", engine.MuonB).f32("c", engine.MuonC).f32("eps", engine.MuonEps).groups(now)
	}
}

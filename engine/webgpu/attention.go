package webgpu

import "prelude/engine"

// queryGroup is the number of queries, or keys, of a workgroup of attention.
const queryGroup = 64

// attentionKernel begins a kernel with the parameters that all kernels of attention share.
func (b *recipe) attentionKernel(file string, o *engine.Attention) *launch {
	k := b.kernel(file).flag("WHOLE", o.HeadDim%4 == 0).set("D", o.HeadDim).set("D4", (o.HeadDim+3)/4).set("HEADS", o.Heads).set("KVHEADS", o.KVHeads).
		set("GROUP", o.Heads/o.KVHeads).f32("scale", o.Scale).f32("cap", o.Cap).flag("CAP", o.Cap > 0).u32("rels", b.p.Dim(o.Rel, 1)).u32("slots", b.p.Dim(o.PK, 0)).
		count("rows", b.rows(o.Q))
	s := []int{1, 1, 1}
	if o.PBias != engine.None {
		s = b.p.Spec(o.PBias).Shape
	}
	stride := func(i, n int) int {
		if s[i] == 1 {
			return 0
		}
		return n
	}
	return k.u32("bias_t", stride(0, s[1]*s[2])).u32("bias_h", stride(1, s[2])).u32("bias_l", stride(2, 1))
}

// byFours reports whether kernels can read heads of all these buffers four elements at a
// time.
func (b *recipe) byFours(o *engine.Attention, all ...engine.Buffer) bool {
	for _, x := range all {
		if _, off := b.p.Root(x); off%4 != 0 {
			return false
		}
	}
	return o.HeadDim%4 == 0
}

// keyTile is the number of keys that fit into workgroup memory with their values.
func (b *recipe) keyTile(headDim int) int {
	bytes := 2 * 16 * ((headDim + 3) / 4)
	return max(1, min(32, (b.lim.WorkgroupMemory-2048)/bytes))
}

func (b *recipe) queries(o *engine.Attention, backward bool) *launch {
	heads := o.Heads / o.KVHeads
	k := b.attentionKernel("attention", o).vec("q", o.Q).vec("k", o.K).vec("v", o.V).vec("pk", o.PK).vec("pv", o.PV).
		ints("lo", o.Lo).ints("hi", o.Hi).ints("plo", o.PLo).ints("phi", o.PHi).in("pbias", o.PBias).
		in("rel", o.Rel).ints("qpos", o.QPos).ints("kpos", o.KPos).ints("ppos", o.PPos).
		set("FIRST", b2i(o.PK == engine.None)).set("LAST", 1+b2i(o.K != engine.None)).flag("RANGED", o.PLo != engine.None).
		flag("BIAS", o.PBias != engine.None).flag("REL", o.Rel != engine.None).flag("PREFIX_REL", o.Rel != engine.None && o.PPos != engine.None).
		flag("BACKWARD", backward).
		flag("VEC", b.byFours(o, o.Q, o.K, o.V, o.PK, o.PV)).set("WG", queryGroup).set("KT", b.keyTile(o.HeadDim))
	k.x, k.y = (b.p.Spec(o.Q).Rows()*heads+queryGroup-1)/queryGroup, o.KVHeads
	return k
}

func (b *recipe) attention(o *engine.Attention) {
	k := b.queries(o, false)
	k.vec("dy", engine.None).out("saved", engine.None).out("ds", engine.None).flag("DBIAS", false).
		out("o", o.O).out("lse", o.LSE).grid(k.x, k.y, 1)
}

func (b *recipe) attentionBackward(o *engine.AttentionBackward) {
	rows := b.p.Spec(o.Q).Rows()
	n := rows * o.Heads
	saved := b.temp(2 * n)
	b.kernel("attention_delta").in("dy", o.DO).in("o", o.O).in("lse", o.LSE).temp("saved", saved, true).
		count("n", b.count(o.Q, n)).u32("dim", o.HeadDim).threads(n, 64)
	slots := b.p.Dim(o.PK, 0)
	if o.DQ != engine.None || o.DPBias != engine.None {
		k := b.queries(&o.Attention, true)
		k.vec("dy", o.DO).temp("saved", saved, false).out("lse", engine.None).out("o", o.DQ).flag("DBIAS", o.DPBias != engine.None)
		ds := 0
		if o.DPBias == engine.None {
			k.out("ds", engine.None)
		} else {
			ds = b.temp(n * slots)
			k.temp("ds", ds, true)
		}
		k.grid(k.x, k.y, 1)
		if o.DPBias != engine.None {
			s := b.p.Spec(o.DPBias).Shape
			b.kernel("attention_bias").lanes(64).temp("ds", ds, false).temp("saved", saved, false).ints("plo", o.PLo).ints("phi", o.PHi).
				out("y", o.DPBias).count("rows", b.rows(o.Q)).u32("n", s[0]*s[1]*s[2]).u32("h", s[1]).u32("l", s[2]).
				u32("heads", o.Heads).u32("slots", slots).flag("RANGED", o.PLo != engine.None).
				set("ONE_ROW", b2i(s[0] == 1)).groups(s[0] * s[1] * s[2])
		}
	}
	b.keys(o, saved, o.K, o.V, o.DK, o.DV, false)
	b.keys(o, saved, o.PK, o.PV, o.DPK, o.DPV, true)
	if o.DRel != engine.None {
		b.rel(o, saved)
	}
}

func b2i(x bool) int {
	if x {
		return 1
	}
	return 0
}

// side adds the ports that differ between the content and the prefix.
func (k *launch) side(o *engine.Attention, prefix bool) *launch {
	lo, hi, pos, bias := o.Lo, o.Hi, o.KPos, engine.None
	if prefix {
		lo, hi, pos, bias = o.PLo, o.PHi, o.PPos, o.PBias
	}
	return k.ints("lo", lo).ints("hi", hi).ints("kpos", pos).in("pbias", bias).
		flag("RANGED", lo != engine.None).flag("BIAS", bias != engine.None).flag("REL", o.Rel != engine.None && pos != engine.None)
}

// rowChunk is the number of rows in a partial sum of the prefix's gradient.
const rowChunk = 64

// keys computes the gradients of one source's keys and values.
func (b *recipe) keys(o *engine.AttentionBackward, saved int, key, val, dk, dv engine.Buffer, prefix bool) {
	if dk == engine.None && dv == engine.None {
		return
	}
	rows, n := b.p.Spec(o.Q).Rows(), b.p.Spec(key).Len()
	chunks := 1
	if prefix {
		chunks = max(1, (rows+rowChunk-1)/rowChunk)
	}
	k := b.attentionKernel("attention_keys", &o.Attention).side(&o.Attention, prefix).vec("q", o.Q).vec("dy", o.DO).
		vec("k", key).vec("v", val).temp("saved", saved, false).in("rel", o.Rel).ints("qpos", o.QPos).
		flag("VEC", b.byFours(&o.Attention, o.Q, o.DO, key, val)).
		set("WG", queryGroup).set("QT", min(16, b.keyTile(o.HeadDim))).count("keys", b.count(key, b.p.Dim(key, 0))).
		u32("size", n).u32("chunk", (rows+chunks-1)/chunks)
	x := (b.p.Dim(key, 0) + queryGroup - 1) / queryGroup
	if chunks == 1 {
		k.out("dk", dk).out("dv", dv).grid(x, o.KVHeads, 1)
		return
	}
	type partial struct {
		d    engine.Buffer
		slot int
	}
	var all []partial
	for i, d := range []engine.Buffer{dk, dv} {
		name := []string{"dk", "dv"}[i]
		if d == engine.None {
			k.out(name, d)
			continue
		}
		t := b.temp(chunks * n)
		all = append(all, partial{d, t})
		k.temp(name, t, true)
	}
	k.grid(x, o.KVHeads, chunks)
	for _, s := range all {
		b.sumChunks(s.slot, chunks, n, engine.None, s.d)
	}
}

// rel computes the gradient of the relative bias from both sources.
func (b *recipe) rel(o *engine.AttentionBackward, saved int) {
	rows, n := b.p.Spec(o.Q).Rows(), b.p.Spec(o.Rel).Len()
	chunks := max(1, (rows+rowChunk-1)/rowChunk)
	type side struct {
		key, val engine.Buffer
		prefix   bool
	}
	var sides []side
	if o.K != engine.None {
		sides = append(sides, side{o.K, o.V, false})
	}
	if o.PPos != engine.None {
		sides = append(sides, side{o.PK, o.PV, true})
	}
	t := b.temp(len(sides) * chunks * n)
	for i, s := range sides {
		k := b.attentionKernel("attention_rel", &o.Attention).side(&o.Attention, s.prefix).in("q", o.Q).in("dy", o.DO).
			in("k", s.key).in("v", s.val).temp("saved", saved, false).in("rel", o.Rel).ints("qpos", o.QPos).
			u32("chunk", rowChunk).u32("at", i*chunks).temp("y", t, true)
		k.grid((n+63)/64, chunks, 1)
	}
	b.sumChunks(t, len(sides)*chunks, n, engine.None, o.DRel)
}

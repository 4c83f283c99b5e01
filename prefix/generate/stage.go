package generate

import (
	"context"

	"prelude/engine"
	"prelude/prefix"
)

// row is one token to run: number at of its stream.
type row struct {
	id         int32
	stream, at int
	soft       int32 // 1 + the number of the soft slot that it stands for, or 0
}

// stage is a plan that runs rows of any streams, at any position of theirs, and gives
// the logits of some of them and which is the largest, or their losses. Each stream has a stretch of the cache.
type stage struct {
	rows       int // at most
	plan       engine.Plan
	in         engine.Input
	live, some engine.Domain
	args       engine.Args
	window     int
	slots      int
	offset     int          // position of a stream's first token
	stretch    int          // cache slots a stream
	encoder    *encoder     // nil for decoder-only models
	part       *prefix.Part // nil: the bare model
	soft       []int32
	targets    engine.Buffer // what the picked rows were to predict, and its weights: of a stage that gives losses
	weights    engine.Buffer
}

// newCache is the cache of every layer: keys and values, or a short convolution's inputs.
func newCache(p *engine.Program, i engine.ModelInfo, size shape) *engine.Cache {
	c := &engine.Cache{}
	part := func(what string, layer, width int) engine.Buffer {
		return p.Persist(cacheName(what, layer), engine.Spec{DType: engine.F32, Shape: []int{size.streams * size.max, width}})
	}
	for l := range i.Layers {
		k, v := engine.None, engine.None
		if i.Attends(l) {
			k, v = part("k", l, i.KVHeads*i.HeadDim), part("v", l, i.KVHeads*i.HeadDim)
		} else {
			k = part("inputs", l, i.Hidden)
		}
		c.K, c.V = append(c.K, k), append(c.V, v)
	}
	return c
}

func newStage(f engine.Frozen, m *prefix.Method, e *encoder, rows, picks int, size shape, loss bool) (*stage, *engine.Program) {
	p, i := f.NewProgram(), f.Arch.Info()
	if size.streams > 1 {
		p.SetSteady()
	}
	s := &stage{rows: rows, encoder: e, stretch: size.max, window: i.Window, live: p.Domain("tokens", rows), some: p.Domain("picked", picks),
		args: engine.Args{Ints: map[engine.Buffer][]int32{}, Floats: map[engine.Buffer][]float64{}, Live: map[engine.Domain]int{}}}
	all := func(name string) engine.Buffer { return p.Arg(name, s.live, engine.I32, rows) }
	one := func(name string) engine.Buffer { return p.Arg("picked "+name, s.some, engine.I32, picks) }
	c := &engine.Chosen{Idx: one("row"), Pos: one("pos"), Lo: one("lo"), Hi: one("hi")}
	s.in = engine.Input{IDs: all("ids"), Pos: all("pos"), Lo: all("lo"), Hi: all("hi"), Chosen: c, Cache: newCache(p, i, size)}
	s.in.Cache.Idx = all("slot")
	if m != nil {
		s.slots, s.offset = m.Slots(), m.Offset()
	}
	if i.Window > 0 {
		s.in.LoLocal, c.LoLocal = all("lo local"), one("lo local")
		if s.slots > 0 {
			s.in.PLoLocal, c.PLoLocal = all("plo local"), one("plo local")
			s.in.PHiLocal, c.PHiLocal = all("phi local"), one("phi local")
		}
	}
	if e != nil {
		slots := size.streams * size.max
		s.in.KPos = p.Arg("slot pos", engine.AllRows, engine.I32, slots)
		for at := range slots {
			s.args.Ints[s.in.KPos] = append(s.args.Ints[s.in.KPos], int32(s.offset+at%size.max))
		}
		s.in.Encoder = &engine.Encoded{Lo: all("cross lo"), Hi: all("cross hi")}
		s.in.Encoder.K, s.in.Encoder.V = crossCache(p, i, size)
		c.CrossLo, c.CrossHi = one("cross lo"), one("cross hi")
	}
	var h engine.Hooks
	if m != nil {
		part := m.Build(p, f.Arch, s.in, prefix.Replay)
		part.Fill(s.args, nil)
		s.part, h = part, part.Hooks
	}
	out := f.Arch.Forward(p, s.in, h)
	if !loss {
		z := f.Arch.Logits(p, out.Hidden, h)
		p.Keep("largest", p.Largest(z))
		p.Keep("logits", z)
		return s, p
	}
	s.targets, s.weights = p.Arg("targets", s.some, engine.I32, picks, 1), p.Arg("weights", s.some, engine.F32, picks, 1)
	p.Keep("losses", p.EachLoss(f.Arch.Loss(p, out.Hidden, s.targets, s.weights, false, h)))
	return s, p
}

// run runs rows, and gives logits for those with the numbers picks, one at least.
func (s *stage) run(ctx context.Context, rows []row, picks []int) error {
	ints, c := s.args.Ints, s.in.Chosen
	set := func(all, some engine.Buffer, f func(r row) int) {
		if all == engine.None {
			return
		}
		v := ints[all][:0]
		for _, r := range rows {
			v = append(v, int32(f(r)))
		}
		ints[all] = v
		if some == engine.None {
			return
		}
		w := ints[some][:0]
		for _, i := range picks {
			w = append(w, v[i])
		}
		ints[some] = w
	}
	idx := ints[c.Idx][:0]
	for _, i := range picks {
		idx = append(idx, int32(i))
	}
	ints[c.Idx] = idx
	first := func(r row) int { return r.stream * s.stretch }
	set(s.in.IDs, engine.None, func(r row) int { return int(r.id) })
	set(s.in.Pos, c.Pos, func(r row) int { return s.offset + r.at })
	set(s.in.Lo, c.Lo, first)
	set(s.in.Hi, c.Hi, func(r row) int { return first(r) + r.at + 1 })
	set(s.in.Cache.Idx, engine.None, func(r row) int { return first(r) + r.at })
	set(s.in.LoLocal, c.LoLocal, func(r row) int { return first(r) + max(0, r.at+1-s.window) })
	set(s.in.PLoLocal, c.PLoLocal, func(r row) int { return min(max(0, s.offset+r.at+1-s.window), s.slots) })
	set(s.in.PHiLocal, c.PHiLocal, func(row) int { return s.slots })
	if e := s.in.Encoder; e != nil {
		set(e.Lo, c.CrossLo, func(r row) int { lo, _ := s.encoder.sees(r.stream); return lo })
		set(e.Hi, c.CrossHi, func(r row) int { _, hi := s.encoder.sees(r.stream); return hi })
	}
	if s.part != nil {
		s.soft = s.soft[:0]
		for _, r := range rows {
			s.soft = append(s.soft, r.soft-1)
		}
		s.part.FillSoft(s.args, s.soft, len(rows))
	}
	s.args.Live[s.live], s.args.Live[s.some] = len(rows), len(picks)
	return s.plan.Run(ctx, s.args)
}

package generate

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"prelude/engine"
	"prelude/prefix"
)

// Generator holds the plans and the cache of one model with one prefix.
type Generator struct {
	info    engine.ModelInfo
	max     int // tokens in the cache
	settle  *settling
	prefill *stage
	decode  *stage
	own     []engine.Tensor // the cache, the logits, and what a method keeps beside them
	logits  engine.Tensor
	raw     []byte
	z       []float32
}

// chunk is the number of prompt rows that run at a time.
const chunk = 64

// New compiles generation of up to max tokens, prompt included. Method may be nil.
func New(ctx context.Context, f engine.Frozen, m *prefix.Method, tensors map[string]engine.Tensor, max int) (*Generator, error) {
	i := f.Arch.Info()
	g := &Generator{info: i, max: max}
	if m != nil {
		g.max = min(g.max, i.Context-m.Offset())
	}
	g.max = min(g.max, i.Context)
	g.raw, g.z = make([]byte, 4*i.Vocab), make([]float32, i.Vocab)
	bind := map[string]engine.Tensor{}
	for _, all := range []map[string]engine.Tensor{f.Weights, tensors} {
		for name, t := range all {
			bind[name] = t
		}
	}
	// alloc makes the tensors of a program that nobody else has.
	alloc := func(p *engine.Program) error {
		for name, s := range p.Tensors() {
			if bind[name] != nil {
				continue
			}
			t, err := f.Dev.Alloc(s)
			if err != nil {
				return fmt.Errorf("generate: no memory for a cache of %d tokens; close other tabs or use a shorter context: %w", g.max, err)
			}
			bind[name], g.own = t, append(g.own, t)
		}
		return p.Err()
	}
	compile := func(p *engine.Program, err *error) (plan engine.Plan) {
		if *err == nil {
			*err = alloc(p)
		}
		if *err == nil {
			plan, *err = f.Dev.Compile(ctx, p, bind)
		}
		return plan
	}
	var err error
	var p *engine.Program
	g.prefill, p = newStage(f, m, min(chunk, g.max), g.max)
	g.prefill.plan = compile(p, &err)
	g.decode, p = newStage(f, m, 1, g.max)
	g.decode.plan = compile(p, &err)
	if m != nil && m.Settles() {
		p = engine.NewProgram()
		g.settle = &settling{args: engine.Args{Ints: map[engine.Buffer][]int32{}, Floats: map[engine.Buffer][]float64{}}}
		m.Settle(p, f.Arch).Fill(g.settle.args, nil)
		g.settle.plan = compile(p, &err)
	}
	if err != nil {
		g.Close()
		return nil, err
	}
	g.logits = bind["logits"]
	return g, nil
}

// settling is a plan that produces the prefix' keys and values, once a run.
type settling struct {
	plan engine.Plan
	args engine.Args
}

func cacheName(what string, layer int) string { return fmt.Sprintf("cache.%d.%s", layer, what) }

// Close frees the cache and the plans.
func (g *Generator) Close() {
	plans := []engine.Plan{g.prefill.plan, g.decode.plan}
	if g.settle != nil {
		plans = append(plans, g.settle.plan)
	}
	for _, p := range plans {
		if p != nil {
			p.Close()
		}
	}
	for _, t := range g.own {
		t.Close()
	}
}

// stage is a plan that runs up to rows rows at any position and gives the logits of
// the last one.
type stage struct {
	rows   int
	plan   engine.Plan
	in     engine.Input
	live   engine.Domain
	args   engine.Args
	window int
	slots  int
	offset int // position of the first token
}

func newStage(f engine.Frozen, m *prefix.Method, rows, max int) (*stage, *engine.Program) {
	p, i := engine.NewProgram(), f.Arch.Info()
	s := &stage{rows: rows, window: i.Window, live: p.Domain("tokens", rows),
		args: engine.Args{Ints: map[engine.Buffer][]int32{}, Floats: map[engine.Buffer][]float64{}, Live: map[engine.Domain]int{}}}
	all := func(name string) engine.Buffer { return p.Arg(name, s.live, engine.I32, rows) }
	one := func(name string) engine.Buffer { return p.Arg("last "+name, engine.AllRows, engine.I32, 1) }
	c := &engine.Chosen{Idx: one("row"), Pos: one("pos"), Lo: one("lo"), Hi: one("hi")}
	s.in = engine.Input{IDs: all("ids"), Pos: all("pos"), Lo: all("lo"), Hi: all("hi"), Chosen: c,
		Cache: &engine.Cache{Idx: all("slot")}}
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
	for l := range i.Layers {
		spec := engine.Spec{DType: engine.F32, Shape: []int{max, i.KVHeads * i.HeadDim}}
		s.in.Cache.K = append(s.in.Cache.K, p.Persist(cacheName("k", l), spec))
		s.in.Cache.V = append(s.in.Cache.V, p.Persist(cacheName("v", l), spec))
	}
	var h engine.Hooks
	if m != nil {
		part := m.Build(p, f.Arch, s.in, prefix.Replay)
		part.Fill(s.args, nil)
		h = part.Hooks
	}
	out := f.Arch.Forward(p, s.in, h)
	p.Keep("logits", f.Arch.Logits(p, out.Hidden, h))
	return s, p
}

// run feeds ids, the first of which is token number at of the content.
func (s *stage) run(ctx context.Context, ids []int32, at int) error {
	n, ints, c := len(ids), s.args.Ints, s.in.Chosen
	set := func(all, one engine.Buffer, f func(t int) int) {
		if all == engine.None {
			return
		}
		v := ints[all][:0]
		for t := range n {
			v = append(v, int32(f(at+t)))
		}
		ints[all] = v
		if one != engine.None {
			ints[one] = append(ints[one][:0], v[n-1])
		}
	}
	ints[s.in.IDs] = ids
	ints[c.Idx] = append(ints[c.Idx][:0], int32(n-1))
	set(s.in.Pos, c.Pos, func(t int) int { return s.offset + t })
	set(s.in.Lo, c.Lo, func(int) int { return 0 })
	set(s.in.Hi, c.Hi, func(t int) int { return t + 1 })
	set(s.in.Cache.Idx, engine.None, func(t int) int { return t })
	set(s.in.LoLocal, c.LoLocal, func(t int) int { return max(0, t+1-s.window) })
	set(s.in.PLoLocal, c.PLoLocal, func(t int) int { return min(max(0, s.offset+t+1-s.window), s.slots) })
	set(s.in.PHiLocal, c.PHiLocal, func(int) int { return s.slots })
	s.args.Live[s.live] = n
	return s.plan.Run(ctx, s.args)
}

// ErrTooLong means that prompt and answer do not fit the model's context.
var ErrTooLong = errors.New("generate: too long for the model's context")

// Run continues prompt and calls emit with every token, end tokens not included, until
// emit returns false, a stop token comes, or a limit is reached. Ended says that a stop
// token ended it.
func (g *Generator) Run(ctx context.Context, prompt []int32, o Options, emit func(id int32) bool) (ended bool, err error) {
	if len(prompt) == 0 {
		return false, errors.New("generate: the prompt has no tokens")
	}
	if len(prompt) >= g.max {
		return false, fmt.Errorf("%w: the prompt has %d tokens, %d fit", ErrTooLong, len(prompt), g.max-1)
	}
	if g.settle != nil {
		if err := g.settle.plan.Run(ctx, g.settle.args); err != nil {
			return false, err
		}
	}
	for at := 0; at < len(prompt); at += g.prefill.rows {
		if err := g.prefill.run(ctx, prompt[at:min(at+g.prefill.rows, len(prompt))], at); err != nil {
			return false, err
		}
	}
	s := newSampler(o, prompt)
	for n := len(prompt); ; n++ {
		z, err := g.Logits(ctx)
		if err != nil {
			return false, err
		}
		id := s.pick(z)
		for _, stop := range o.Stop {
			if id == stop {
				return true, nil
			}
		}
		if !emit(id) || n+1-len(prompt) >= o.MaxTokens || n+1 >= g.max {
			return false, nil
		}
		if err := g.decode.run(ctx, []int32{id}, n); err != nil {
			return false, err
		}
	}
}

// Logits reads the logits of the last row.
func (g *Generator) Logits(ctx context.Context) ([]float32, error) {
	if err := g.logits.Read(ctx, 0, g.raw); err != nil {
		return nil, err
	}
	for i := range g.z {
		g.z[i] = math.Float32frombits(binary.LittleEndian.Uint32(g.raw[4*i:]))
	}
	return g.z, nil
}

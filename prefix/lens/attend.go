package lens

import (
	"context"
	"errors"
	"math"

	"prelude/engine"
	"prelude/prefix"
	"prelude/prefix/data"
	"prelude/prefix/train"
)

// Attention is how much of its attention each token of an answer gave to a prefix. A token's
// attention is that of the row that predicts it.
type Attention struct {
	Places              []Place
	Tokens, Heads, Slot int
	// Share is the part of the attention that goes to all slots together, 0 to 1,
	// [tokens, places, heads]. Where the prefix has a softmax of its own, whose weights sum to
	// 1 and whose output the gate multiplies by g, it is |g|/(1 + |g|).
	Share []float64
	// Weight is each slot's part of the attention, mean over places and heads, [tokens, slots].
	Weight []float64
	// Own says that the prefix has a softmax of its own, whose output a gate weighs.
	Own bool
}

// Place is one attention of the model that has the prefix.
type Place struct {
	Site  engine.Site
	Layer int
}

// ErrNoSlots means that a method has no slots that attention could go to.
var ErrNoSlots = errors.New("lens: this prefix has no slots in the attention")

// Attend reads an answer with a prefix and measures the attention that goes to it. With q and
// the slots' keys as the model's own attention has them, and lse over all keys, text and
// prefix, the weight of slot l is
//
//	a_l = exp(s_l − lse) = exp(lse_p − lse)·softmax_p(s)_l,
//
// lse_p over the slots alone. The device computes lse, lse_p and softmax_p: the last by an
// attention to the slots alone, whose values are indicators of slots instead of the prefix'.
// An encoder's own attention has no token of the answer and is left out.
//
// Where the prefix has a softmax of its own, Δ, the gate is read off what it does to it:
// with o before and o′ = o + g·Δ behind it, g = ⟨o′ − o, Δ⟩/⟨Δ, Δ⟩ for each head.
func Attend(ctx context.Context, f engine.Frozen, m *prefix.Method, tensors map[string]engine.Tensor, t data.Tokens) (*Attention, error) {
	i := f.Arch.Info()
	if m == nil || m.Slots() == 0 {
		return nil, ErrNoSlots
	}
	n, slots := answer(t), m.Slots()
	a := &Attention{Tokens: n, Heads: i.Heads, Slot: slots}
	floats := slots + 2
	if m.Apart() {
		floats += 3 * i.HeadDim
	}
	most := max(1, mapFloats/(2*max(1, i.Layers)*i.Heads*floats))
	for at := 0; at < n; at += most {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := a.read(ctx, f, m, tensors, part(t, at, min(n, at+most))); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// mapFloats bounds the weights that are held at a time; a longer answer is read in windows.
var mapFloats = 8 << 20

// watcher is the attentions of a pass that see the prefix.
type watcher struct {
	p     *train.Pass
	info  engine.ModelInfo
	n     int // tokens
	seen  []seen
	ready map[int]engine.Buffer // by chunk: indicators of its slots
	args  map[engine.Buffer][]float64
}

// seen is what is measured at one attention: weights of its slots within the prefix, by
// chunks of headDim slots [tokens, heads·headDim], and both log-sums [tokens, heads].
type seen struct {
	Place
	own      bool
	weights  []engine.Buffer
	all, pre engine.Buffer
	// Of a softmax of its own: the attention's output before it, its own, and their weighed sum,
	// [tokens, heads·headDim].
	before, delta, behind engine.Buffer
}

// hook puts a measurement behind every attention of the decoder. The hook on an attention's
// output is called right after the operation has been appended.
func (w *watcher) hook(h *engine.Hooks) {
	inner := h.AttnOut
	h.AttnOut = func(p *engine.Program, at engine.At, o engine.Buffer) engine.Buffer {
		own := len(p.Ops())
		if op, ok := p.Ops()[own-1].(*engine.Attention); ok && at.Site != engine.EncSelf && op.PK != engine.None {
			w.measure(at, op, false)
		}
		own = len(p.Ops())
		before := o
		if inner != nil {
			o = inner(p, at, o)
		}
		for _, x := range p.Ops()[own:] {
			if op, ok := x.(*engine.Attention); ok && at.Site != engine.EncSelf && op.K == engine.None {
				w.measure(at, op, true)
				s := &w.seen[len(w.seen)-1]
				s.before, s.delta, s.behind = w.rows(before), w.rows(op.O), w.rows(o)
				break
			}
		}
		return o
	}
}

// rows are the answer's rows of b.
func (w *watcher) rows(b engine.Buffer) engine.Buffer {
	if w.p.OfAnswer(b) {
		return b
	}
	return w.p.GatherRows(b, w.p.Answer())
}

// chosen is the answer's part of an argument with a value for each row, or None.
func (w *watcher) chosen(arg engine.Buffer) engine.Buffer {
	if some := w.p.Chosen(arg); some != engine.None {
		return some
	}
	return arg
}

// measure appends the attention to the slots alone.
func (w *watcher) measure(at engine.At, op *engine.Attention, own bool) {
	p := w.p
	slots, dim := p.Dim(op.PK, 0), op.HeadDim
	o := engine.Attention{Q: w.rows(op.Q), PK: op.PK, PLo: w.chosen(op.PLo), PHi: w.chosen(op.PHi), PBias: w.bias(op.PBias, slots),
		Heads: op.Heads, KVHeads: op.KVHeads, HeadDim: dim, Scale: op.Scale, Cap: op.Cap}
	if op.Rel != engine.None && op.PPos != engine.None {
		o.Rel, o.QPos, o.PPos = op.Rel, w.chosen(op.QPos), op.PPos
	}
	s := seen{Place: Place{at.Site, at.Layer}, own: own, all: w.rows(op.LSE)}
	for from := 0; from < slots; from += dim {
		o.PV = w.indicators(from, slots, op.KVHeads, dim)
		s.weights = append(s.weights, p.Attention(o))
		if from == 0 {
			s.pre = p.Ops()[len(p.Ops())-1].(*engine.Attention).LSE
		}
	}
	w.seen = append(w.seen, s)
}

// bias is the answer's rows of a bias on the scores.
func (w *watcher) bias(b engine.Buffer, slots int) engine.Buffer {
	if b == engine.None || w.p.Dim(b, 0) == 1 || w.p.OfAnswer(b) {
		return b
	}
	p := w.p
	rows, rest := p.Dim(b, 0), p.Spec(b).Len()/p.Dim(b, 0)
	return p.View(w.rows(p.View(b, 0, rows, rest)), 0, w.n, rest/slots, slots)
}

// indicators are values [slots, kvHeads·headDim] by which output j of each head is the weight
// of slot from+j.
func (w *watcher) indicators(from, slots, heads, dim int) engine.Buffer {
	if b, ok := w.ready[from]; ok {
		return b
	}
	b := w.p.Arg("slots", engine.AllRows, engine.F32, slots, heads*dim)
	x := make([]float64, slots*heads*dim)
	for l := from; l < min(slots, from+dim); l++ {
		for h := range heads {
			x[l*heads*dim+h*dim+l-from] = 1
		}
	}
	w.ready[from], w.args[b] = b, x
	return b
}

// read measures one window of the answer and appends it.
func (a *Attention) read(ctx context.Context, f engine.Frozen, m *prefix.Method, tensors map[string]engine.Tensor, t data.Tokens) error {
	w := &watcher{info: f.Arch.Info(), n: answer(t), ready: map[int]engine.Buffer{}, args: map[engine.Buffer][]float64{}}
	p, err := train.NewPass(f, m, t, func(p *train.Pass, h *engine.Hooks) { w.p = p; w.hook(h) })
	if err != nil {
		return err
	}
	if len(w.seen) == 0 {
		return ErrNoSlots
	}
	heads, dim := w.info.Heads, w.info.HeadDim
	size := 0
	for _, s := range w.seen {
		size += w.n * heads * (2 + len(s.weights)*dim)
		if s.own {
			size += w.n * heads * 3 * dim
		}
	}
	all := p.Persist("lens.attention", engine.Spec{DType: engine.F32, Shape: []int{size}})
	at := 0
	keep := func(b engine.Buffer, cols int) {
		p.CopyTo(b, p.View(all, at, w.n, cols))
		at += w.n * cols
	}
	for _, s := range w.seen {
		keep(s.all, heads)
		keep(s.pre, heads)
		for _, b := range s.weights {
			keep(b, heads*dim)
		}
		if s.own {
			keep(s.before, heads*dim)
			keep(s.delta, heads*dim)
			keep(s.behind, heads*dim)
		}
	}
	x, err := run(ctx, f, p, tensors, "lens.attention", w.args)
	if err != nil {
		return err
	}
	a.take(w, x)
	return nil
}

// take makes shares and weights of what the device computed.
func (a *Attention) take(w *watcher, x []float32) {
	places := len(w.seen)
	if a.Places == nil {
		for _, s := range w.seen {
			a.Places, a.Own = append(a.Places, s.Place), a.Own || s.own
		}
	}
	heads, dim := w.info.Heads, w.info.HeadDim
	share, weight := make([]float64, w.n*places*heads), make([]float64, w.n*a.Slot)
	next := func(n int) []float32 {
		part := x[:n]
		x = x[n:]
		return part
	}
	for i, s := range w.seen {
		all, pre := next(w.n*heads), next(w.n*heads)
		for t := range w.n {
			for h := range heads {
				share[(t*places+i)*heads+h] = min(1, math.Exp(float64(pre[t*heads+h])-float64(all[t*heads+h])))
			}
		}
		parts := next(w.n * heads * dim * len(s.weights))
		if s.own {
			before, delta, behind := next(w.n*heads*dim), next(w.n*heads*dim), next(w.n*heads*dim)
			for t := range w.n {
				for h := range heads {
					row := (t*heads + h) * dim
					g := gateOf(before[row:row+dim], delta[row:row+dim], behind[row:row+dim])
					share[(t*places+i)*heads+h] = g / (1 + g)
				}
			}
		}
		for c := range s.weights {
			part := parts[c*w.n*heads*dim:]
			for t := range w.n {
				for l := c * dim; l < min(a.Slot, (c+1)*dim); l++ {
					for h := range heads {
						weight[t*a.Slot+l] += share[(t*places+i)*heads+h] * float64(part[(t*heads+h)*dim+l-c*dim]) / float64(places*heads)
					}
				}
			}
		}
	}
	a.Share, a.Weight = append(a.Share, share...), append(a.Weight, weight...)
}

// gateOf is |g| of behind = before + g·delta, 0 where delta says nothing.
func gateOf(before, delta, behind []float32) float64 {
	dot, norm := 0.0, 0.0
	for i, d := range delta {
		dot += (float64(behind[i]) - float64(before[i])) * float64(d)
		norm += float64(d) * float64(d)
	}
	if norm == 0 {
		return 0
	}
	return math.Abs(dot / norm)
}

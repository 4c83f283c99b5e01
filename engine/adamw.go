package engine

import (
	"math"
	"strings"
)

// GradStats computes statistics of all gradients of a step:
//
//	stats = [norm, scale, bad]:  norm = √Σ g²,  scale = min(1, clip/norm),
//	bad = 1 if a gradient or a checked value (the loss) is not finite, else 0
//
// Clip 0 does not clip. Where bad is 1, norm and scale are 0.
type GradStats struct {
	G     []Buffer // the gradients, then the other values that are checked
	Grads int      // how many of G are gradients
	Stats Buffer   // [3]
	Clip  float64
}

// GradStats computes the global norm, the clipping factor and the finite check.
func (p *Program) GradStats(grads, check []Buffer, clip float64) Buffer {
	all := append(append([]Buffer{}, grads...), check...)
	s := p.Temp("stats", AllRows, 3)
	p.emit(&GradStats{G: all, Grads: len(grads), Stats: s, Clip: clip})
	return s
}

func (o *GradStats) ports() (in, out []*Buffer) { return refs(o.G), []*Buffer{&o.Stats} }
func (o *GradStats) cost(*Program) Cost         { return Cost{} }
func (o *GradStats) backward(*Grads)            {}

// AdamW updates a parameter in place (Loshchilov and Hutter 2019, arXiv 1711.05101,
// algorithm 2), unless stats say that the step is bad, which changes nothing:
//
//	g ← scale·g    m ← β₁m + (1−β₁)g    v ← β₂v + (1−β₂)g²
//	p ← p − lr·rate·(m·c₁/(√(v·c₂)+ε) + decay·p),  c_i = 1/(1−β_iᵗ)
//
// Hyper is the argument [lr, c₁, c₂].
type AdamW struct {
	P, M, V, G, Stats, Hyper Buffer
	Beta1, Beta2, Eps, Decay float64
	Rate                     float64 // factor on lr for this parameter
}

// What begins the names of the tensors of an optimiser's first moments.
const (
	AdamMoment = "adam.m."
	MuonMoment = "muon.m."
)

// IsMomentum says whether a tensor of this name is an optimiser's first moment. Zeros in it forget
// the steps before.
func IsMomentum(name string) bool {
	return strings.HasPrefix(name, AdamMoment) || strings.HasPrefix(name, MuonMoment)
}

// AdamW updates the tensor param by its gradient. The tensors "adam.m."+name and
// "adam.v."+name hold its state.
func (p *Program) AdamW(param, grad, stats, hyper Buffer, o AdamW) {
	i := p.Info(param)
	o.P, o.G, o.Stats, o.Hyper = param, grad, stats, hyper
	o.M = p.Persist(AdamMoment+i.Name, i.Spec)
	o.V = p.Persist("adam.v."+i.Name, i.Spec)
	p.wantUpdate("adamw", i, grad, stats, hyper)
	p.emit(&o)
}

// wantUpdate checks what an optimiser's update of a parameter is given.
func (p *Program) wantUpdate(op string, param Info, grad, stats, hyper Buffer) {
	p.want(op, "stats", stats, 3)
	p.want(op, "hyper", hyper, 3)
	if p.Spec(grad).Len() != param.Spec.Len() {
		p.Failf("%s: gradient %v of %q %v", op, p.Spec(grad), param.Name, param.Spec)
	}
}

func (o *AdamW) ports() (in, out []*Buffer) {
	return []*Buffer{&o.P, &o.M, &o.V, &o.G, &o.Stats, &o.Hyper}, []*Buffer{&o.P, &o.M, &o.V}
}
func (o *AdamW) cost(p *Program) Cost { return Cost{FLOPs: 14 * float64(p.Spec(o.P).Len())} }
func (o *AdamW) backward(*Grads)      {}

// Record writes scalars into a log: row (step mod rows) of the tensor Log [rows, n] becomes
// the concatenation of the buffers X. Step is an I32 argument [1].
type Record struct {
	X         []Buffer
	Step, Log Buffer
}

// Record logs x, so that the host can read the values of several steps at once.
func (p *Program) Record(log, step Buffer, x ...Buffer) {
	n := 0
	for _, b := range x {
		n += p.Spec(b).Len()
	}
	p.want("record", "log", log, 0, n)
	p.want("record", "step", step, 1)
	p.emit(&Record{X: x, Step: step, Log: log})
}

func (o *Record) ports() (in, out []*Buffer) {
	return append(refs(o.X), &o.Step, &o.Log), []*Buffer{&o.Log}
}
func (o *Record) bounds() []bound {
	return []bound{{use: "record: step", arg: o.Step, most: math.MaxInt32}}
}
func (o *Record) cost(*Program) Cost { return Cost{} }
func (o *Record) backward(*Grads)    {}

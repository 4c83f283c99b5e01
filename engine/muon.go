package engine

import "math"

// Muon updates matrices in place by their orthogonalised momentum (Jordan et al. 2024, "Muon: An
// optimizer for hidden layers in neural networks"), unless stats say that the step is bad, which
// changes nothing:
//
//	g ← scale·g    m ← β·m + g    u ← NS(g + β·m)    p ← p − lr·rate·√max(r, c)·u
//
// P [matrices, r, c] holds the matrices one after the other; each is updated by itself. NS takes a
// matrix X to the nearest with singular values near 1 in [MuonRounds] rounds of
//
//	X₀ = X/(‖X‖+ε)    X ← a·X + (b·XXᵀ + c·(XXᵀ)²)·X
//
// with [MuonA], [MuonB], [MuonC] and [MuonEps]. The root makes an update's entries about as large as
// AdamW's, so that the same rates fit. Hyper is AdamW's argument, of which lr alone counts.
type Muon struct {
	P, M, G, Stats, Hyper Buffer
	Beta                  float64
	Rate                  float64 // factor on lr for this parameter
}

// The numbers of Muon's iteration, which are its authors'.
const (
	MuonRounds = 5
	MuonA      = 3.4445
	MuonB      = -4.7750
	MuonC      = 2.0315
	MuonEps    = 1e-7
)

// Muon updates the tensor param [matrices, r, c] by its gradient. The tensor "muon.m."+name holds
// its state.
func (p *Program) Muon(param, grad, stats, hyper Buffer, o Muon) {
	i := p.Info(param)
	o.P, o.G, o.Stats, o.Hyper = param, grad, stats, hyper
	p.want("muon", "parameter", param, 0, 0, 0)
	o.M = p.Persist(MuonMoment+i.Name, i.Spec)
	p.wantUpdate("muon", i, grad, stats, hyper)
	p.emit(&o)
}

func (o *Muon) ports() (in, out []*Buffer) {
	return []*Buffer{&o.P, &o.M, &o.G, &o.Stats, &o.Hyper}, []*Buffer{&o.P, &o.M}
}

func (o *Muon) cost(p *Program) Cost {
	r, c := p.Dim(o.P, 1), p.Dim(o.P, 2)
	n := float64(min(r, c))
	return Cost{FLOPs: float64(p.Dim(o.P, 0)) * 2 * n * (2*float64(r*c) + float64(4*MuonRounds-3)*n*n)}
}

func (o *Muon) backward(*Grads) {}

// Step is what lr is multiplied by for matrices of so many rows and columns.
func (o *Muon) Step(rows, cols int) float64 { return o.Rate * math.Sqrt(float64(max(rows, cols))) }

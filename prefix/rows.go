package prefix

import "prelude/engine"

// An encoder sees its whole input at once, and a decoder under it sees the encoder's: no
// row of theirs is the same for every example. So on an encoder-decoder embeddings are
// not run once but stand as rows before each example's input (Lester et al. 2021, before
// the encoder's). Whoever packs examples leaves RowsBefore rows there; with S [rows,
// slots], which row is which slot,
//
//	E′ = E ⊙ (1 − Σ S) + S·P
//
// The decoder's embeddings, where it has some, are the first half of P, the encoder's the
// second.

// inRows says whether the slots are rows of the inputs.
func (m *Method) inRows() bool {
	_, rows := m.source.(InputRows)
	return rows && m.Info.EncLayers > 0
}

// RowsBefore is the number of rows that examples need before the input of the encoder
// (EncSelf) or the decoder (DecSelf), marked by their slot in FillSource and FillSoft.
func (m *Method) RowsBefore(site engine.Site) int {
	if m == nil || !m.inRows() || site == engine.Cross || !m.has(site) {
		return 0
	}
	return m.slots
}

// inputs are the stacks whose input has slots, in their order in P.
func (m *Method) inputs() (all []engine.Site) {
	if !m.inRows() {
		return nil
	}
	for _, s := range []engine.Site{engine.DecSelf, engine.EncSelf} {
		if m.has(s) {
			all = append(all, s)
		}
	}
	return all
}

// putRows puts P [inputs·slots, hidden] into the rows that are left for it.
func (m *Method) putRows(b *Build) {
	rows := m.source.(InputRows)
	b.Hooks.Embed = func(p *engine.Program, site engine.Site, e engine.Buffer) engine.Buffer {
		for n, s := range m.inputs() {
			if s != site {
				continue
			}
			own := b.Part(rows.Embeddings(b), n*m.slots*m.Info.Hidden, m.slots, m.Info.Hidden)
			turned := p.View(p.SplitCols(own, m.Info.Hidden), 0, m.Info.Hidden, m.slots)
			which, keep, fill := b.marks(site.String(), e, m.slots)
			if site == engine.DecSelf {
				b.own.soft = fill
			} else {
				b.own.source = fill
			}
			return p.Linear(which, turned, engine.None, p.Mul(e, keep))
		}
		return e
	}
}

// marks are arguments that say which rows of e are which of n slots: S [rows, n] and
// 1 − Σ S [rows, 1]; fill sets them.
func (b *Build) marks(name string, e engine.Buffer, n int) (which, keep engine.Buffer, fill softFill) {
	rows, live := b.Dim(e, 0), b.Program.Info(e).Rows
	which = b.Arg(name+" slots", live, engine.F32, rows, n)
	keep = b.Arg(name+" tokens", live, engine.F32, rows, 1)
	return which, keep, func(args engine.Args, soft []int32, rows int) {
		s, k := make([]float64, rows*n), make([]float64, rows)
		for t := range k {
			if k[t] = 1; t < len(soft) && soft[t] >= 0 {
				k[t], s[t*n+int(soft[t])] = 0, 1
			}
		}
		args.Floats[which], args.Floats[keep] = s, k
	}
}

// softFill sets which of so many rows are soft slots.
type softFill func(args engine.Args, soft []int32, rows int)

// FillSource is FillSoft for the rows of an encoder.
func (p *Part) FillSource(args engine.Args, soft []int32, rows int) {
	if p.source != nil {
		p.source(args, soft, rows)
	}
}

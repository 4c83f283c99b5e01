package simd

import (
	"prelude/engine"
	"prelude/simd/command"
)

func (l *lowering) binary(o *engine.Binary) {
	r := command.Map{Live: l.elements(o.A), A: l.at(o.A), B: l.at(o.B), Y: l.at(o.Y)}
	k := command.Flat
	switch spread, _ := l.p.SpreadOf(o.A, o.B); spread {
	case engine.Uniform:
		r.Uniform = 1
	case engine.ByCol:
		r.Live, r.Cols, r.BCol, k = l.rows(o.A), u(l.p.Dim(o.A, -1)), 4, command.ByRow
	case engine.ByRow:
		r.Live, r.Cols, r.BRow, k = l.rows(o.A), u(l.p.Dim(o.A, -1)), 4, command.ByRow
	}
	l.emit(r, k+command.Kernel(o.Fn))
}

// sumAll is a single tile: its order of sums is fixed.
func (l *lowering) sumAll(n command.Live, x, y uint32) {
	l.emit(command.Map{Live: n, A: x, Y: y, Chunk: max(1, n.Max)}, command.SumAll)
}

func (l *lowering) sumRows(n command.Live, x, add, y uint32, cols int) {
	l.emit(command.Sum{Live: n, X: x, Add: add, Y: y, Cols: u(cols)}, command.SumRows)
}

// copy moves elements.
func (l *lowering) copy(n command.Live, x, y uint32) {
	if x != y {
		l.emit(command.Rows{Live: n, X: x, Y: y, XStride: 4, YStride: 4, Bytes: 4, Chunk: command.Chunk}, command.Move)
	}
}

// move copies whole rows, by index where there is one.
func (l *lowering) move(n command.Live, x, y engine.Buffer, from, to uint32) {
	b := u(4 * l.p.Dim(x, -1))
	l.emit(command.Rows{Live: n, X: l.at(x), Y: l.at(y), From: from, To: to, XStride: b, YStride: b, Bytes: b}, command.Move)
}

func (l *lowering) scatter(o *engine.ScatterRows) {
	if o.Add == engine.None {
		l.emit(command.Map{Live: l.elements(o.Y), Y: l.at(o.Y)}, command.Fill)
	} else {
		l.copy(l.elements(o.Y), l.at(o.Add), l.at(o.Y))
	}
	l.add(l.rows(o.X), l.at(o.X), l.at(o.Idx), l.at(o.Y), l.p.Dim(o.X, -1), 1)
}

// add adds rows of x to rows of y by index, in order.
func (l *lowering) add(n command.Live, x, to, y uint32, cols int, alpha float64) {
	b := u(4 * cols)
	l.emit(command.Rows{Live: n, X: x, Y: y, To: to, XStride: b, YStride: b, Bytes: b, Alpha: float32(alpha)}, command.ScatterAdd)
}

func (l *lowering) splitCols(o *engine.SplitCols) {
	wide := l.p.Dim(o.X, -1)
	if o.Merge {
		wide = l.p.Dim(o.Y, -1)
	}
	rows, cols := l.p.Spec(o.X).Len()/wide, wide/o.Groups
	for g := range o.Groups {
		r := command.Rows{Live: l.all(rows), X: l.at(o.X) + u(4*g*cols), XStride: u(4 * wide), Y: l.at(o.Y) + u(4*g*rows*cols), YStride: u(4 * cols), Bytes: u(4 * cols)}
		if o.Merge {
			r.X, r.XStride = l.at(o.X)+u(4*g*rows*cols), u(4*cols)
			r.Y, r.YStride = l.at(o.Y)+u(4*g*cols), u(4*wide)
		}
		l.emit(r, command.Move)
	}
}

func (l *lowering) embed(o *engine.Embed) {
	l.emit(command.Lookup{Live: l.rows(o.Y), W: l.weight(o.W), IDs: l.at(o.IDs), Y: l.at(o.Y), Scale: float32(o.Scale)}, command.Embed)
}

func (l *lowering) embedBackward(o *engine.EmbedBackward) {
	l.add(l.rows(o.DY), l.at(o.DY), l.at(o.IDs), l.at(o.DW), l.p.Dim(o.DY, -1), o.Scale)
}

func (l *lowering) rope(o *engine.RoPE) {
	r := command.Rotate{Live: l.rows(o.X), X: l.at(o.X), Pos: l.at(o.Pos), Cos: l.at(o.Cos), Sin: l.at(o.Sin), Y: l.at(o.Y),
		Cols: u(l.p.Dim(o.X, -1)), HeadDim: u(o.HeadDim), R: u(l.p.Dim(o.Cos, 1)), Sign: 1}
	if o.Inverse {
		r.Sign = -1
	}
	l.emit(r, command.RoPE)
}

func (l *lowering) norm(o *engine.Norm) {
	r := l.normal(o.X, o.Gain, o.Kind, o.Eps, o.Plus)
	r.Bias, r.Y = l.at(o.Bias), l.at(o.Y)
	l.emit(r, command.Norm)
}

func (l *lowering) normal(x, gain engine.Buffer, kind engine.NormKind, eps, plus float64) command.Normal {
	n := l.p.Dim(gain, 0)
	r := command.Normal{Live: l.live(x, l.p.Dim(x, -1)/n), X: l.at(x), Gain: l.at(gain), N: u(n), Eps: float32(eps), Plus: float32(plus)}
	if kind == engine.LayerNorm {
		r.Centre = 1
	}
	return r
}

func (l *lowering) normBackward(o *engine.NormBackward) {
	r := l.normal(o.X, o.Gain, o.Kind, o.Eps, o.Plus)
	r.DY, r.Add, r.DX = l.at(o.DY), l.at(o.Add), l.at(o.DX)
	r.DGain, r.DBias = l.at(o.DGain), l.at(o.DBias)
	gain := r.DGain != 0 || r.DBias != 0
	if gain {
		r.Moments = l.room(8 * int(r.Max))
	}
	l.emit(r, command.NormBackward)
	if gain {
		l.emit(r, command.NormGain)
	}
}

func (l *lowering) conv(o *engine.CausalConv) command.Conv {
	return command.Conv{Live: l.rows(o.Y), X: l.at(o.X), Left: l.at(o.Left), W: l.at(o.W), Lo: l.at(o.Lo), Hi: l.at(o.Hi), Y: l.at(o.Y),
		Lefts: u(l.p.Dim(o.Left, 0)), Taps: u(l.p.Dim(o.W, 0)), Dilation: u(o.Dilation), Bytes: u(4 * l.p.Dim(o.X, -1))}
}

func (l *lowering) convBackward(o *engine.CausalConvBackward) {
	r := l.conv(&o.CausalConv)
	r.Y, r.DX, r.DLeft, r.DW = l.at(o.DY), l.at(o.DX), l.at(o.DLeft), l.at(o.DW)
	for _, d := range []engine.Buffer{o.DX, o.DLeft, o.DW} {
		if d != engine.None {
			l.emit(command.Map{Live: l.all(l.p.Spec(d).Len()), Y: l.at(d)}, command.Fill)
		}
	}
	l.emit(r, command.CausalConvBackward)
}

func (l *lowering) gradStats(o *engine.GradStats) {
	count, grads := 0, 0
	for i, b := range o.G {
		count += ceil(l.p.Spec(b).Len(), command.Chunk)
		if i < o.Grads {
			grads = count
		}
	}
	partial := l.room(8 * count)
	at := partial
	for _, b := range o.G {
		n := l.p.Spec(b).Len()
		l.emit(command.Check{X: l.at(b), Len: u(n), Partial: at}, command.Squares)
		at += u(8 * ceil(n, command.Chunk))
	}
	l.emit(command.Check{Partial: partial, Count: u(count), Grads: u(grads), Stats: l.at(o.Stats), Clip: float32(o.Clip)}, command.Stats)
}

// updates marks where a step's updates begin.
func (l *lowering) updates() {
	if l.update == 0 {
		l.update = l.first + u(len(l.code))
	}
}

func (l *lowering) adamW(o *engine.AdamW) {
	l.updates()
	b1, b2 := float32(o.Beta1), float32(o.Beta2)
	l.emit(command.Adam{P: l.at(o.P), M: l.at(o.M), V: l.at(o.V), G: l.at(o.G), Stats: l.at(o.Stats), Hyper: l.at(o.Hyper),
		Len: u(l.p.Spec(o.P).Len()), Beta1: b1, Beta2: b2, Rest1: 1 - b1, Rest2: 1 - b2,
		Eps: float32(o.Eps), Decay: float32(o.Decay), Rate: float32(o.Rate)}, command.AdamW)
}

func (l *lowering) muon(o *engine.Muon) {
	l.updates()
	rows, cols := l.p.Dim(o.P, 1), l.p.Dim(o.P, 2)
	l.ws = max(l.ws, command.MuonWorkspace(u(rows), u(cols))+align)
	l.emit(command.Matrices{P: l.at(o.P), M: l.at(o.M), G: l.at(o.G), Stats: l.at(o.Stats), Hyper: l.at(o.Hyper),
		Rows: u(rows), Cols: u(cols), Count: u(l.p.Dim(o.P, 0)), Beta: float32(o.Beta), Rate: float32(o.Step(rows, cols))}, command.Muon)
}

func (l *lowering) record(o *engine.Record) {
	width := u(4 * l.p.Dim(o.Log, 1))
	at := l.at(o.Log)
	for _, b := range o.X {
		n := u(4 * l.p.Spec(b).Len())
		l.emit(command.Rows{Live: l.all(1), X: l.at(b), Y: at, To: l.at(o.Step), YStride: width, Bytes: n, Wrap: u(l.p.Dim(o.Log, 0))}, command.Move)
		at += n
	}
}

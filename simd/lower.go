package simd

import (
	"encoding/binary"
	"fmt"
	"unsafe"

	"prelude/engine"
	"prelude/simd/command"
)

// lowering turns a program's operations into records.
type lowering struct {
	*plan
	scratch uint32 // where the scratch area lies; the program's buffers, then an operation's own
	code    []byte
	last    []int            // where in code the last record begins, and those beside it
	linears []*engine.Linear // whose products are the last records
	cells   []uint32
	fixed   map[uint32]uint32 // addresses of constants
	temp    int64             // bytes taken by the operation at hand
	temps   int64             // most bytes an operation has taken
	ws      uint32            // workspace of a thread
	rounded rounding
	update  uint32
	packs   int // bytes of the records that pack weights
}

func (c *plan) lower(scratch uint32) (*lowering, error) {
	l := &lowering{plan: c, scratch: scratch, fixed: map[uint32]uint32{}, cells: make([]uint32, c.p.Domains()), ws: minWorkspace}
	l.packKept()
	for _, op := range c.p.Ops() {
		l.temp = 0
		if o, ok := op.(*engine.Linear); !ok || o.X != l.rounded.x {
			l.rounded = rounding{}
		}
		if err := l.op(op); err != nil {
			return nil, err
		}
		l.temps = max(l.temps, l.temp)
	}
	return l, nil
}

// op writes the records of one operation. A new one adds a line here.
func (l *lowering) op(op engine.Op) error {
	switch o := op.(type) {
	case *engine.View:
	case *engine.Linear:
		l.linear(o)
	case *engine.Outer:
		l.outer(o)
	case *engine.CrossEntropy:
		l.crossEntropy(o)
	case *engine.Attention:
		l.attention(o)
	case *engine.AttentionBackward:
		l.attentionBackward(o)
	case *engine.HeadLinear:
		l.headLinear(o)
	case *engine.HeadOuter:
		l.headOuter(o)
	case *engine.CausalConv:
		l.emit(l.conv(o), command.CausalConv)
	case *engine.CausalConvBackward:
		l.convBackward(o)
	case *engine.Norm:
		l.norm(o)
	case *engine.NormBackward:
		l.normBackward(o)
	case *engine.RoPE:
		l.rope(o)
	case *engine.Embed:
		l.embed(o)
	case *engine.EmbedBackward:
		l.embedBackward(o)
	case *engine.Unary:
		l.emit(command.Map{Live: l.elements(o.X), A: l.at(o.X), Y: l.at(o.Y), Alpha: float32(o.Alpha)}, command.Forward+command.Kernel(o.Fn))
	case *engine.UnaryBackward:
		l.emit(command.Map{Live: l.elements(o.X), A: l.at(o.X), DY: l.at(o.DY), Y: l.at(o.DX), Alpha: float32(o.Alpha)}, command.Backward+command.Kernel(o.Fn))
	case *engine.Gated:
		l.emit(command.Map{Live: l.elements(o.A), A: l.at(o.A), B: l.at(o.B), Y: l.at(o.Y)}, command.Forward+command.Kernel(o.Fn))
	case *engine.GatedBackward:
		l.emit(command.Map{Live: l.elements(o.A), A: l.at(o.A), B: l.at(o.B), DY: l.at(o.DY), Y: l.at(o.DA), Z: l.at(o.DB)}, command.Backward+command.Kernel(o.Fn))
	case *engine.Binary:
		l.binary(o)
	case *engine.RowDot:
		l.emit(command.Map{Live: l.rows(o.A), A: l.at(o.A), B: l.at(o.B), Y: l.at(o.Y), Cols: u(l.p.Dim(o.A, -1))}, command.RowDot)
	case *engine.Largest:
		l.largest(o)
	case *engine.SumAll:
		l.sumAll(l.elements(o.X), l.at(o.X), l.at(o.Y))
	case *engine.SumRows:
		l.sumRows(l.rows(o.X), l.at(o.X), l.at(o.Add), l.at(o.Y), l.p.Dim(o.X, -1))
	case *engine.Fill:
		l.emit(command.Map{Live: l.all(l.p.Spec(o.Y).Len()), Y: l.at(o.Y), Alpha: float32(o.Value)}, command.Fill)
	case *engine.Copy:
		l.copy(l.elements(o.X), l.at(o.X), l.at(o.Y))
	case *engine.GatherRows:
		l.move(l.rows(o.Y), o.X, o.Y, l.at(o.Idx), 0)
	case *engine.StoreRows:
		l.move(l.rows(o.X), o.X, o.Dst, 0, l.at(o.Idx))
	case *engine.ScatterRows:
		l.scatter(o)
	case *engine.ConcatRows:
		a, b := l.p.Spec(o.A).Len(), l.p.Spec(o.B).Len()
		l.copy(l.all(a), l.at(o.A), l.at(o.Y))
		l.copy(l.all(b), l.at(o.B), l.at(o.Y)+4*u(a))
	case *engine.SplitCols:
		l.splitCols(o)
	case *engine.GradStats:
		l.gradStats(o)
	case *engine.AdamW:
		l.adamW(o)
	case *engine.Muon:
		l.muon(o)
	case *engine.Record:
		l.record(o)
	default:
		return fmt.Errorf("simd: no kernel for %s", engine.Name(op))
	}
	return nil
}

func u(n int) uint32 { return uint32(n) }

func ceil(n, by int) int { return (n + by - 1) / by }

// at is the address of a buffer of floats or integers, 0 for None.
func (l *lowering) at(b engine.Buffer) uint32 {
	if b == engine.None {
		return 0
	}
	root, off := l.p.Root(b)
	switch i := l.p.Info(root); i.Life {
	case engine.Persist:
		return l.tensor[i.Name].quants() + 4*u(off)
	case engine.Argument:
		return l.args[root] + 4*u(off)
	}
	return l.scratch + uint32(l.layout.Off[root]) + 4*u(off)
}

// room takes scratch memory for the operation at hand.
func (l *lowering) room(bytes int) uint32 {
	at := l.temp
	l.temp += int64(bytes+slack+align-1) / align * align
	return l.scratch + uint32(l.layout.Size+at)
}

// weight is where a matrix of any type lies.
func (l *lowering) weight(b engine.Buffer) command.Weight {
	s, i := l.p.Spec(b), l.p.Info(b)
	w := command.Weight{Quants: l.at(b), Width: u(s.Cols()), Type: u(forms[s.DType].kernel)}
	if s.DType.Block() > 1 {
		w.Scales = l.tensor[i.Name].scales()
	}
	return w
}

// live is a count of times things a row of b: of the rows that are live.
func (l *lowering) live(b engine.Buffer, times int) command.Live {
	s, d := l.p.Spec(b), l.p.Info(b).Rows
	if d == engine.AllRows {
		return l.all(s.Rows() * times)
	}
	per := s.Rows() / max(1, l.p.Dim(b, 0)) * times
	return command.Live{At: l.plan.cells + 4*u(int(d)), Times: u(per), Max: u(s.Rows() * times)}
}

func (l *lowering) rows(b engine.Buffer) command.Live { return l.live(b, 1) }

func (l *lowering) elements(b engine.Buffer) command.Live {
	if s := l.p.Spec(b); len(s.Shape) == 1 && l.p.Info(b).Rows != engine.AllRows {
		return command.Live{At: l.plan.cells + 4*u(int(l.p.Info(b).Rows)), Times: 1, Max: u(s.Len())}
	}
	return l.live(b, l.p.Spec(b).Cols())
}

// all is a count that never changes.
func (l *lowering) all(n int) command.Live {
	return command.Live{At: l.constant(u(n)), Times: 1, Max: u(n)}
}

func (l *lowering) constant(v uint32) uint32 {
	i, ok := l.fixed[v]
	if !ok {
		i = u(len(l.cells))
		l.cells = append(l.cells, v)
		l.fixed[v] = i
	}
	return l.plan.cells + 4*i
}

// emit appends a record for a kernel, to be worked on after all others.
func (l *lowering) emit(record command.Record, k command.Kernel) { l.append(record, k, false) }

// append is emit, or with beside lets the kernel work at the same time as the last one.
func (l *lowering) append(record command.Record, k command.Kernel, beside bool) {
	record, tiles := record.For(k)
	if tiles == 0 {
		return
	}
	at := len(l.code)
	var head command.Head
	if beside {
		l.link(l.last[len(l.last)-1], unsafe.Offsetof(head.Beside), at)
	} else {
		for _, r := range l.last {
			l.link(r, unsafe.Offsetof(head.Next), at)
		}
		l.last, l.linears = l.last[:0], nil
	}
	l.last = append(l.last, at)
	l.code = command.Append(l.code, record)
}

// link writes into a field of the head of the record at from where the one at to lies.
func (l *lowering) link(from int, field uintptr, to int) {
	binary.LittleEndian.PutUint32(l.code[from+int(field):], l.first+u(to))
}

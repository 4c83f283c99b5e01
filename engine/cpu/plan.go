package cpu

import (
	"context"
	"encoding/binary"
	"fmt"
	"unsafe"

	"prelude/engine"
)

// plan is a compiled program: for every buffer its memory, and the list of ops.
type plan[T Float] struct {
	dev   *Device[T]
	p     *engine.Program
	off   []int64      // scratch, in elements; -1 elsewhere
	f     [][]T        // arguments and F32 tensors
	ints  [][]int32    // I32 arguments
	bound []*Tensor[T] // tensors of other types
	live  []int        // by domain
}

// Compile binds p to tensors and sizes the scratch area.
func (d *Device[T]) Compile(_ context.Context, p *engine.Program, bind map[string]engine.Tensor) (engine.Plan, error) {
	if err := p.CheckBind(bind); err != nil {
		return nil, err
	}
	elem := int64(unsafe.Sizeof(T(0)))
	l := p.Layout(elem, 64)
	c := &plan[T]{dev: d, p: p, off: l.Off, f: make([][]T, p.Len()), ints: make([][]int32, p.Len()),
		bound: make([]*Tensor[T], p.Len()), live: make([]int, p.Domains())}
	for i := range c.off {
		if c.off[i] > 0 {
			c.off[i] /= elem
		}
	}
	if n := l.Size / elem; n > int64(len(d.scratch)) {
		d.scratch = make([]T, n)
	}
	for b := engine.Buffer(1); int(b) < p.Len(); b++ {
		i := p.Info(b)
		switch {
		case i.Root != engine.None:
		case i.Life == engine.Argument && i.Spec.DType == engine.I32:
			c.ints[b] = make([]int32, i.Spec.Len())
		case i.Life == engine.Argument:
			c.f[b] = make([]T, i.Spec.Len())
		case i.Life == engine.Persist:
			t, ok := bind[i.Name].(*Tensor[T])
			if !ok || t.dev != d {
				return nil, fmt.Errorf("cpu: tensor %q belongs to another device", i.Name)
			}
			c.bound[b], c.f[b] = t, t.f
		}
	}
	for _, op := range p.Ops() {
		d.reserve(p, op)
		if w := weightOf(op); w != engine.None {
			if i := p.Info(w); i.Spec.DType != engine.F32 {
				d.panel = grow(d.panel, panelRows(i.Spec)*i.Spec.Cols())
			}
		}
	}
	return c, nil
}

func (c *plan[T]) Close() error { return nil }

// Run computes the whole program before it returns.
func (c *plan[T]) Run(ctx context.Context, in engine.Args) error {
	if err := c.p.CheckArgs(in); err != nil {
		return err
	}
	for b, v := range in.Ints {
		copy(c.ints[b], v)
	}
	for b, v := range in.Floats {
		for i, x := range v {
			c.f[b][i] = T(x)
		}
	}
	for d := range c.live {
		n, ok := in.Live[engine.Domain(d)]
		if !ok {
			n = c.p.Max(engine.Domain(d))
		}
		c.live[d] = n
	}
	for _, op := range c.p.Ops() {
		if c.dev.Yield != nil {
			c.dev.Yield()
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := c.do(op); err != nil {
			return err
		}
	}
	return nil
}

// do runs one operation. A new operation adds a line here and a file in this package.
func (c *plan[T]) do(op engine.Op) error {
	switch o := op.(type) {
	case *engine.View:
	case *engine.Fill:
		c.fill(o)
	case *engine.Copy:
		c.copy(o)
	case *engine.Binary:
		c.binary(o)
	case *engine.RowDot:
		c.rowDot(o)
	case *engine.Largest:
		c.largest(o)
	case *engine.SumAll:
		c.sumAll(o)
	case *engine.SumRows:
		c.sumRows(o)
	case *engine.Unary:
		c.unary(o)
	case *engine.UnaryBackward:
		c.unaryBackward(o)
	case *engine.Gated:
		c.gated(o)
	case *engine.GatedBackward:
		c.gatedBackward(o)
	case *engine.Embed:
		c.embed(o)
	case *engine.EmbedBackward:
		c.embedBackward(o)
	case *engine.Linear:
		c.linear(o)
	case *engine.Outer:
		c.outer(o)
	case *engine.Norm:
		c.norm(o)
	case *engine.NormBackward:
		c.normBackward(o)
	case *engine.RoPE:
		c.rope(o)
	case *engine.Attention:
		c.attention(o)
	case *engine.AttentionBackward:
		c.attentionBackward(o)
	case *engine.CausalConv:
		c.causalConv(o)
	case *engine.CausalConvBackward:
		c.causalConvBackward(o)
	case *engine.HeadLinear:
		c.headLinear(o)
	case *engine.HeadOuter:
		c.headOuter(o)
	case *engine.GatherRows:
		c.gatherRows(o)
	case *engine.ScatterRows:
		c.scatterRows(o)
	case *engine.StoreRows:
		c.storeRows(o)
	case *engine.ConcatRows:
		c.concatRows(o)
	case *engine.SplitCols:
		c.splitCols(o)
	case *engine.CrossEntropy:
		c.crossEntropy(o)
	case *engine.GradStats:
		c.gradStats(o)
	case *engine.AdamW:
		c.adamW(o)
	case *engine.Muon:
		c.muon(o)
	case *engine.Record:
		c.record(o)
	default:
		return fmt.Errorf("cpu: no kernel for %s", engine.Name(op))
	}
	return nil
}

// at is the memory of an F32 buffer, nil for None.
func (c *plan[T]) at(b engine.Buffer) []T {
	if b == engine.None {
		return nil
	}
	root, off := c.p.Root(b)
	n := c.p.Spec(b).Len()
	if s := c.off[root]; s >= 0 {
		return c.dev.scratch[int(s)+off:][:n]
	}
	return c.f[root][off:][:n]
}

// i32 is the memory of an I32 argument, or a copy of a tensor's integers; nil for None.
func (c *plan[T]) i32(b engine.Buffer) []int32 {
	if b == engine.None {
		return nil
	}
	root, off := c.p.Root(b)
	n := c.p.Spec(b).Len()
	if t := c.bound[root]; t != nil {
		x := make([]int32, n)
		for i := range x {
			x[i] = int32(binary.LittleEndian.Uint32(t.raw[4*(off+i):]))
		}
		return x
	}
	return c.ints[root][off:][:n]
}

// rows is the number of live rows of b.
func (c *plan[T]) rows(b engine.Buffer) int {
	if d := c.p.Info(b).Rows; d != engine.AllRows {
		return c.live[d] * (c.p.Spec(b).Rows() / max(1, c.p.Dim(b, 0)))
	}
	return c.p.Spec(b).Rows()
}

// liveLen is the number of live elements of b.
func (c *plan[T]) liveLen(b engine.Buffer) int {
	if d := c.p.Info(b).Rows; d != engine.AllRows {
		return c.live[d] * (c.p.Spec(b).Len() / max(1, c.p.Dim(b, 0)))
	}
	return c.p.Spec(b).Len()
}

func grow[T any](s []T, n int) []T {
	if n > len(s) {
		return make([]T, n)
	}
	return s
}

package webgpu

import "prelude/engine"

// plan appends the launches of one operation. A new operation adds a line here, a function
// in another file of this package, and a file in wgsl.
func (b *recipe) plan(op engine.Op) {
	switch o := op.(type) {
	case *engine.View:
	case *engine.Fill:
		b.fill(o)
	case *engine.Copy:
		b.copy(o.X, o.Y)
	case *engine.Binary:
		b.binary(o)
	case *engine.RowDot:
		b.rowDot(o)
	case *engine.Largest:
		b.kernel("largest").lanes(64).in("x", o.X).out("y", o.Y).count("rows", b.rows(o.X)).u32("n", b.p.Dim(o.X, -1)).groups(b.p.Spec(o.X).Rows())
	case *engine.SumAll:
		b.sumAll(o.X, o.Y)
	case *engine.SumRows:
		b.sumRows(o)
	case *engine.Unary:
		b.activation(formUnary, o.Fn, o.Alpha, o.X, engine.None, engine.None, o.Y, engine.None)
	case *engine.UnaryBackward:
		b.activation(formUnaryBackward, o.Fn, o.Alpha, o.X, engine.None, o.DY, o.DX, engine.None)
	case *engine.Gated:
		b.activation(formGated, o.Fn, 0, o.A, o.B, engine.None, o.Y, engine.None)
	case *engine.GatedBackward:
		b.activation(formGatedBackward, o.Fn, 0, o.A, o.B, o.DY, o.DA, o.DB)
	case *engine.Embed:
		b.embed(o)
	case *engine.EmbedBackward:
		b.embedBackward(o)
	case *engine.Linear:
		b.linear(o)
	case *engine.Outer:
		b.outer(o)
	case *engine.Norm:
		b.norm(o)
	case *engine.NormBackward:
		b.normBackward(o)
	case *engine.RoPE:
		b.rope(o)
	case *engine.Attention:
		b.attention(o)
	case *engine.AttentionBackward:
		b.attentionBackward(o)
	case *engine.GatherRows:
		b.gatherRows(o)
	case *engine.ScatterRows:
		b.scatterRows(o)
	case *engine.StoreRows:
		b.storeRows(o)
	case *engine.ConcatRows:
		b.concatRows(o)
	case *engine.SplitCols:
		b.splitCols(o)
	case *engine.CausalConv:
		b.causalConv(o)
	case *engine.CausalConvBackward:
		b.causalConvBackward(o)
	case *engine.HeadLinear:
		b.headLinear(o)
	case *engine.HeadOuter:
		b.headOuter(o)
	case *engine.CrossEntropy:
		b.crossEntropy(o)
	case *engine.GradStats:
		b.gradStats(o)
	case *engine.AdamW:
		b.adamW(o)
	case *engine.Muon:
		b.muon(o)
	case *engine.Record:
		b.record(o)
	default:
		b.fail("no kernel for %s", engine.Name(op))
	}
}

// recipeOf plans a whole program.
func recipeOf(p *engine.Program, lim Limits, tile, eight Tile) *recipe {
	b := newRecipe(p, lim, tile, eight)
	for i, op := range p.Ops() {
		b.op = i
		for _, x := range append(engine.Inputs(op), engine.Outputs(op)...) {
			if root, _ := p.Root(x); p.Info(root).Life == engine.Scratch {
				b.slot(root)
			}
		}
		b.plan(op)
		if o, ok := op.(*engine.Linear); !ok || b.touches(o.Y, b.rounded.of) {
			b.rounded = eightBits{}
		}
	}
	return b
}

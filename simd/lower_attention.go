package simd

import (
	"prelude/engine"
	"prelude/simd/command"
)

// keyBlock and slotBlock are how many keys, and slots, a tile of attention's gradients has: of
// five rows of sums each a register tile, and of keys eight a panel.
const keyBlock, slotBlock = 40, 25

// keptWeights bounds the bytes of the attention weights that are kept from the queries'
// gradients for the slots' and for the keys', each; where they take more, or scores are capped, they are
// computed again. Of keys there are weights for keptSpan at most that a block of rows sees.
const keptWeights, keptSpan, leastSpan = 32 << 20, 256, 64

// wholeBlocks is from how many blocks of rows on a tile is one with all its heads: enough for many threads.
const wholeBlocks = 16

// attended is the record that all of an attention's kernels share, and the number of
// its blocks of query rows.
func (l *lowering) attended(o *engine.Attention) (r command.Attention, blocks int) {
	rows, slots, keys := l.p.Spec(o.Q).Rows(), l.p.Dim(o.PK, 0), l.p.Dim(o.K, 0)
	group := o.Heads / o.KVHeads
	r = command.Attention{Live: l.rows(o.Q), Q: l.at(o.Q), K: l.at(o.K), V: l.at(o.V), Lo: l.at(o.Lo), Hi: l.at(o.Hi),
		PK: l.at(o.PK), PV: l.at(o.PV), PLo: l.at(o.PLo), PHi: l.at(o.PHi), PBias: l.at(o.PBias),
		Rel: l.at(o.Rel), Rels: u(l.p.Dim(o.Rel, 1)), QPos: l.at(o.QPos), KPos: l.at(o.KPos), PPos: l.at(o.PPos),
		O: l.at(o.O), LSE: l.at(o.LSE),
		Heads: u(o.Heads), KVHeads: u(o.KVHeads), HeadDim: u(o.HeadDim), Slots: u(slots), Keys: u(keys), Scale: float32(o.Scale), Cap: float32(o.Cap)}
	if o.K != engine.None {
		if d := l.p.Info(o.K).Rows; d != engine.AllRows {
			r.KeysAt = l.plan.cells + 4*u(int(d))
		}
	}
	if o.PBias != engine.None {
		s := l.p.Spec(o.PBias).Shape
		stride := func(i, n int) uint32 {
			if s[i] == 1 {
				return 0
			}
			return u(4 * n)
		}
		r.BiasRow, r.BiasHead, r.BiasSlot = stride(0, s[1]*s[2]), stride(1, s[2]), stride(2, 1)
		r.BiasRows, r.BiasHeads, r.BiasSlots = u(s[0]), u(s[1]), u(s[2])
	}

	// A strip has some 60 rows, fewer where that would not fit in half a megabyte.
	up8 := func(n int) int { return (n + 7) / 8 * 8 }
	width := up8(slots) + up8(keys)
	block := 5 * max(1, min(12/group, 128<<10/(5*group*width)))
	block = min(block, max(1, rows))
	r.Block, r.KeyBlock = u(block), keyBlock
	panel := (o.HeadDim + 4) * 32
	strips := panel + 2*4*group*block*width + 4*max(block, group)*up8(o.HeadDim)
	byKeys := 2*(keyBlock/8)*panel + 2*4*keyBlock*up8(o.HeadDim) + 2*4*group*block*keyBlock
	l.ws = max(l.ws, u(max(strips, byKeys)+slack+align-1)/align*align)
	return r, ceil(rows, block)
}

func (l *lowering) attention(o *engine.Attention) {
	r, blocks := l.attended(o)
	if !l.p.Learns() { // gradients make the same scores once more, to the bit
		r.Direct = 1
	}
	r.Tiles = u(blocks * o.KVHeads)
	if blocks >= wholeBlocks && !l.p.Learns() {
		r.Whole, r.Tiles = 1, u(blocks)
	}
	l.emit(r, command.Attend)
}

func (l *lowering) attentionBackward(o *engine.AttentionBackward) {
	r, blocks := l.attended(&o.Attention)
	r.DO, r.DQ = l.at(o.DO), l.at(o.DQ)
	rows := l.p.Spec(o.Q).Rows()
	r.Delta, r.Chunk = l.room(4*rows*o.Heads), 32
	r.Tiles = u(ceil(rows, 32))
	l.emit(r, command.AttendDelta)
	kept := 4 * rows * o.Heads * int(r.Slots)
	slots := (o.DPK != engine.None || o.DPV != engine.None) && kept <= keptWeights && o.Cap == 0
	if slots || o.DPBias != engine.None {
		r.DS = l.room(kept)
	}
	if slots {
		r.A = l.room(kept)
	}
	if span := min(int(r.Keys)+7, keptSpan, keptWeights/max(1, 8*rows*o.Heads)) / 8 * 8; o.DK != engine.None && o.DV != engine.None && o.Cap == 0 && span >= min(leastSpan, int(r.Keys)) {
		r.Span = u(span)
		r.KeyA, r.KeyDS = l.room(4*rows*o.Heads*span), l.room(4*rows*o.Heads*span)
	}
	if r.DQ != 0 || r.DS != 0 || r.Span != 0 {
		r.Tiles = u(blocks * o.KVHeads)
		l.emit(r, command.AttendQueries)
	}
	byKeys := func(dk, dv engine.Buffer, n int, prefix uint32) {
		if dk != engine.None || dv != engine.None {
			r.DK, r.DV, r.Prefix = l.at(dk), l.at(dv), prefix
			r.Tiles = u(ceil(n, keyBlock) * o.KVHeads)
			l.emit(r, command.AttendKeys)
		}
	}
	byKeys(o.DK, o.DV, int(r.Keys), 0)
	if slots {
		r.DK, r.DV = l.at(o.DPK), l.at(o.DPV)
		r.KeyBlock, r.Chunk = slotBlock, 64
		r.Tiles = u(ceil(int(r.Slots), slotBlock) * o.KVHeads)
		l.emit(r, command.AttendSlots)
	} else {
		byKeys(o.DPK, o.DPV, int(r.Slots), 1)
	}
	if o.DPBias != engine.None {
		r.DPBias, r.Chunk = l.at(o.DPBias), 64
		r.Tiles = u(ceil(l.p.Spec(o.DPBias).Len(), 64))
		l.emit(r, command.AttendBias)
	}
	if o.DRel != engine.None {
		r.DRel, r.Tiles = l.at(o.DRel), u(o.Heads)
		l.emit(r, command.AttendRel)
	}
}

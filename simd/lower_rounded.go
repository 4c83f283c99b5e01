package simd

import (
	"prelude/engine"
	"prelude/simd/command"
)

// rounding says what lies where an operation's scratch memory begins: the rounded rows
// of x, for as long as operations on it follow each other.
type rounding struct {
	x       engine.Buffer
	nibbles uint32 // of the kernel Round
	block   uint32 // of RoundBlocks, 0 if it was Round
}

// round rounds the rows of x for a product with r.B, unless the operation before has
// done so, and is where they lie and how far apart.
func (l *lowering) round(x engine.Buffer, r command.Product) (at, step uint32) {
	step = u(ceil(int(r.K), 128) * command.RoundedGroup)
	at = l.room(int(step * r.M))
	nibbles := u(1)
	if r.B.Type == command.Q8_0 {
		nibbles = 0
	}
	if now := (rounding{x: x, nibbles: nibbles}); l.rounded != now {
		l.emit(command.Rounding{Live: r.Live, X: r.A, Y: at, K: r.K, Nibbles: nibbles}, command.Round)
		l.rounded = now
	}
	return at, step
}

// rounds says whether products with w are computed in integers.
func (l *lowering) rounds(w engine.Buffer) bool { return l.bits > 0 && l.p.MayRound(w) }

// block is how many numbers along the sum are rounded together for a product with w.
func (l *lowering) block(w command.Weight, transposed uint32) int {
	if transposed == 1 && w.Type >= command.Q8_0 {
		return command.StoredBlock
	}
	return command.AnewBlock
}

// roundedRow is the size in bytes of a row of k rounded numbers.
func (l *lowering) roundedRow(block, k int) int {
	return ceil(k, block) * (block*l.bits/8 + command.BlockTail)
}

// roundRows has r multiply the rounded rows of x, which are rounded here unless the
// operation before has done so.
func (l *lowering) roundRows(r *command.Product, x engine.Buffer) {
	block := l.block(r.B, r.Transposed)
	at := l.room(int(r.M) * l.roundedRow(block, int(r.K)))
	if now := (rounding{x: x, block: u(block)}); l.rounded != now {
		l.roundInto(at, r)
		l.rounded = now
	} else {
		r.A, r.LDA, r.Block = at, u(l.roundedRow(block, int(r.K))), u(block)
	}
}

// roundInto emits the rounding of r's rows to at and has r multiply those.
func (l *lowering) roundInto(at uint32, r *command.Product) {
	block := l.block(r.B, r.Transposed)
	l.emit(command.Blocks{Live: r.Live, X: r.A, Y: at, K: r.K, Block: u(block)}, command.RoundBlocks)
	r.A, r.LDA, r.Block = at, u(l.roundedRow(block, int(r.K))), u(block)
}

// mostRows is how many rows of a tile stay in the second-level cache with the panels they
// are multiplied with. As few tiles of rows as that allows: each packs its panels again.
const mostRows = 640

// integerProduct emits a product of rounded rows.
func (l *lowering) integerProduct(r command.Product, beside bool) {
	m, n := int(r.M), int(r.N)
	r.RowTiles = u(ceil(m, mostRows))
	r.Rows = u(ceil(ceil(m, int(r.RowTiles)), 5) * 5)
	r.Cols = command.PackedCols
	if int(r.RowTiles)*ceil(n, command.PackedCols) < 24 {
		r.Cols = command.PackedCols / 2
	}
	l.ws = max(l.ws, command.PackedWorkspace)
	l.append(r, command.GEMMRounded, beside)
}

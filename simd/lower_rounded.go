package simd

import (
	"prelude/engine"
	"prelude/simd/command"
)

// rounding says what lies where an operation's scratch memory begins: the rows of x as a
// kernel has rounded them, for as long as operations on it follow each other.
type rounding struct {
	x      engine.Buffer
	kernel command.Kernel
	form   uint32 // nibbles, or whether columns were picked
}

// few says whether a product of a few rows goes over the matrix as it is stored, with
// rounded rows. To 16 bits, which loses nothing, wherever nothing is learnt.
func (l *lowering) few(r command.Product) bool {
	return r.M <= maxRounded && r.Transposed == 1 && r.B.Type >= command.Q8_0 && !l.p.Learns()
}

// mostFewRows is how many rows of weights a tile of such a product has at most, and mostFewBytes how
// many where they meet numbers of 8 bits.
const mostFewRows, mostFewBytes = 128, 768

// fewRows emits such a product with w.
func (l *lowering) fewRows(r command.Product, o *engine.Linear) {
	round, multiply, group, nibbles := command.Round, command.MatVecRounded, command.RoundedGroup, u(1)
	switch {
	case r.B.Type == command.Q8_0 && l.fewIn8(o.W):
		round, multiply, nibbles = command.RoundParts, command.MatVecParts, 0
	case r.B.Type == command.Q8_0:
		nibbles = 0
	case l.fewIn8(o.W):
		round, multiply, group, nibbles = command.RoundBytes, command.MatVecBytes, command.RoundedGroup8, 0
		if l.use.pairs {
			multiply = command.MatVecPairs
		}
	}
	step := u(ceil(int(r.K), 128) * group)
	at := l.room(int(step * r.M))
	if now := (rounding{o.X, round, nibbles}); l.rounded != now {
		l.emit(command.Rounding{Live: r.Live, X: r.A, Y: at, K: r.K, Nibbles: nibbles}, round)
		l.rounded = now
	}
	r.A, r.LDA = at, step
	// As many tiles for each thread: long ones read memory faster, which in 8 bits is most of the time.
	most := mostFewRows
	if l.fewIn8(o.W) {
		most = mostFewBytes
	}
	n, threads := int(r.N), l.dev.home.threads()
	r.Cols, r.RowTiles = u(ceil(n, threads*ceil(n, threads*most))), 1
	l.append(r, multiply, l.besideLast(o))
}

// roundsTo8 says whether products of so many rows with w are of numbers of 8 bits or less, or of 16
// that stand for such.
func (l *lowering) roundsTo8(w engine.Buffer, rows int) bool {
	if rows > maxRounded {
		return l.rounds(w)
	}
	return forms[l.p.Spec(w).DType].kernel >= command.Q8_0 && !l.p.Learns() && l.fewIn8(w)
}

// fewIn8 says whether a few rows are rounded to 8 bits for their products with w.
func (l *lowering) fewIn8(w engine.Buffer) bool {
	bits := l.use.few
	if forms[l.p.Spec(w).DType].kernel == command.Q8_0 {
		bits = l.use.bytes
	}
	return bits == 8 && l.p.MayRound(w)
}

// rounds says whether products with w are computed in integers.
func (l *lowering) rounds(w engine.Buffer) bool { return l.use.many > 0 && l.p.MayRound(w) }

// roundedRow is the size in bytes of a row of k rounded numbers, and of its part of a stripe.
func (l *lowering) roundedRow(k int) (all int, stripe uint32) {
	stripes, blocks := command.Stripes(k)
	part := blocks * (command.RoundedBlock*l.use.many/8 + command.BlockTail)
	return stripes * part, u(part)
}

// leastPicked is from how many columns on some are picked: of few, eight are too many.
const leastPicked = 128

// roundRows has r multiply the rounded rows of x, which are rounded here unless the
// operation before has done so. Columns are picked on the way forward.
func (l *lowering) roundRows(r *command.Product, x engine.Buffer) {
	row, stripe := l.roundedRow(int(r.K))
	at := l.room(int(r.M) * row)
	l.pick(r)
	if now := (rounding{x, command.RoundBlocks, r.Transposed}); l.rounded != now {
		l.roundInto(at, r)
		l.rounded = now
	} else {
		r.A, r.LDA = at, stripe
	}
}

// pick has some columns of r's rows picked, if it is a product on the way forward.
func (l *lowering) pick(r *command.Product) {
	if r.Transposed == 1 && r.K > leastPicked && r.K <= command.MostPicked && r.K%32 == 0 {
		r.Picked, r.Apart = l.room(4*command.PickedColumns), l.room(4*command.PickedColumns*int(r.M))
	}
}

// roundInto emits the rounding of r's rows to at and has r multiply those.
func (l *lowering) roundInto(at uint32, r *command.Product) {
	if r.Picked != 0 {
		pick := command.Pick{Live: r.Live, X: r.A, Y: r.Picked, K: r.K, Tops: l.room(int(4 * r.K))}
		l.emit(pick, command.ColumnTops)
		l.emit(pick, command.PickColumns)
	}
	_, stripe := l.roundedRow(int(r.K))
	_, blocks := command.Stripes(int(r.K))
	l.emit(command.Blocks{Live: r.Live, X: r.A, Y: at, K: r.K, Picked: r.Picked, Apart: r.Apart, Stripe: u(blocks)}, command.RoundBlocks)
	r.A, r.LDA = at, stripe
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
	if l.use.pairs {
		r.Pairs = 1
	}
	l.ws = max(l.ws, command.PackedWorkspace)
	l.append(r, command.GEMMRounded, beside)
}

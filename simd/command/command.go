// Package command is the language between the Go half of package simd and its
// kernels: what stands in linear memory.
//
// A compiled plan is a chain of records. A record is a struct of 32-bit fields:
// a [Head], then what its kernel needs (addresses, sizes, numbers). The kernels
// read fields at the offsets of these very structs; the Go half writes them
// with [Append]. An address of 0 is an operand that is not there; strides and
// steps are in bytes.
//
// The work of a record is cut into tiles, and a kernel is called with (record,
// tile, workspace). Any thread may take any tile: a tile writes what no other
// tile writes and sums in a fixed order, so that results do not depend on the
// number of threads. Between records all threads meet, but for those that are worked on
// beside each other.
package command

import "encoding/binary"

// Head begins every record.
type Head struct {
	Kernel Kernel // a slot in the module's table of functions
	Tiles  uint32
	Next   uint32 // address of the next record, 0 at the end
	Beside uint32 // address of one that may be worked on at the same time and has the same Next, or 0
}

// Kernel names a function of the module; 0 is none.
type Kernel uint32

// The kernels, in the order of the module's table. Forward, Backward, Flat and
// ByRow begin a run of kernels, one for each function.
const (
	None Kernel = iota
	GEMM
	MatVec
	Fill
	Move
	ScatterAdd
	Flat // + engine.BinaryFn
	_
	ByRow // + engine.BinaryFn
	_
	RowDot
	Largest
	SumAll
	SumRows
	Norm
	NormBackward
	NormGain
	RoPE
	Embed
	Squares
	Stats
	AdamW
	Muon
	CrossEntropy
	Attend
	AttendDelta
	AttendQueries
	AttendKeys
	AttendSlots
	AttendBias
	AttendRel
	CausalConv
	CausalConvBackward
	Round
	MatVecRounded
	RoundBytes
	MatVecBytes
	MatVecPairs
	RoundParts
	MatVecParts
	ColumnTops
	PickColumns
	RoundBlocks
	GEMMRounded
	PackRounded
	Sharpen
	Forward                 // + engine.UnaryFn
	Backward = Forward + 12 // + engine.UnaryFn
	Kernels  = Backward + 12
)

// Control is the block at address ControlAt by which threads agree where they are.
// Fields that threads write to are a cache line apart.
type Control struct {
	PC      uint32 // address of the record in work, 0 when done
	Stop    uint32 // not 0: leave at the next tile
	Threads uint32
	Failed  uint32 // 1 when a thread has not come to a meeting in time
	_       [12]uint32
	Tile    uint32 // next tile to take
	_       [15]uint32
	Arrived uint32 // threads that wait for the next record
	_       [15]uint32
	Round   uint32 // counts records; what threads sleep on
	_       [15]uint32
}

// ControlAt is the control block's address; HeapAt is where tensors may begin.
const (
	ControlAt = 1024
	HeapAt    = 4096
)

// What the module's run returns.
const (
	Done   = 0 // the chain is at its end
	Yield  = 1 // the time slice is over, or Stop is set: call again to go on
	Failed = 2 // a thread is missing
)

// Types of stored weights.
const (
	F32 = iota
	F16
	BF16
	Q8_0
	Q4_0
	Q4_1
)

// Live is a count that each run is given: the number at address At, less Off,
// times Times, kept within 0 and Max.
type Live struct{ At, Off, Times, Max uint32 }

// Weight is where a matrix of some type lies: rows of Width elements, their
// bits at Quants and, for quantised types, the scales of blocks at Scales.
type Weight struct{ Quants, Scales, Type, Width uint32 }

// Product is C[m, n] = A·B + bias + add, or with Acc the same added to C.
//
// A is [m, k] with rows LDA apart, or with Columns [k, m] with LDA from one k
// to the next. B is [k, n], or with Transposed [n, k]. Live is m, or with
// Columns k. A tile is Cols columns by Rows rows of C; tiles of the same
// columns follow each other, RowTiles of them.
type Product struct {
	Head
	Live
	B                     Weight
	A, LDA, Columns       uint32
	Transposed            uint32
	C, LDC                uint32
	Add, LDAdd, Bias, Acc uint32
	M, N, K               uint32
	Cols, Rows, RowTiles  uint32
	Picked, Apart         uint32 // of GEMMRounded, whose A is rounded (kernels/integer.go): columns of A that are not, see Blocks
	Pairs                 uint32 // of GEMMRounded: sum products in pairs
	Kept                  uint32 // of GEMMRounded: B in panels, as PackRounded wrote them; of PackRounded: where they go
}

// Panels is the size in bytes of a matrix [n, k] as PackRounded rounds it, to numbers of so many bits.
func Panels(n, k, bits int) int {
	return (n + 7) / 8 * ((k + RoundedBlock - 1) / RoundedBlock) * (8*RoundedBlock*bits/8 + 4*8)
}

// Stripes says how rounded rows of k numbers lie: in so many stripes along k of so many blocks
// each, at most PackedRows numbers, all rows of a stripe after each other. What a product
// takes at a time is then one run of memory, however long rows are.
func Stripes(k int) (stripes, blocks int) {
	all := (k + RoundedBlock - 1) / RoundedBlock
	stripes = max(1, (all*RoundedBlock+PackedRows-1)/PackedRows)
	return stripes, (all + stripes - 1) / stripes
}

// Rounding turns Live rows of K floats at X into rows of rounded activations at Y, a
// row a tile: kernels/rounded.go. With Nibbles their order is that of 4-bit weights.
type Rounding struct {
	Head
	Live
	X, Y, K, Nibbles uint32
}

// RoundedGroup and RoundedGroup8 are the sizes in bytes of 128 activations rounded to 16 bits
// (Round), or to 8 in two parts (RoundParts), and to 8 (RoundBytes).
const (
	RoundedGroup  = 4*64 + 2*16
	RoundedGroup8 = 4*32 + 2*16
)

// Blocks turns Live rows of K floats at X into rows of rounded blocks at Y, Chunk rows a
// tile: kernels/integer.go. Stripe is how many blocks a stripe has, of Live.Max rows each: see
// [Stripes]. LDA of a product with them is a stripe's row.
//
// Picked is a list of columns of X, or 0. Their numbers count as zeros, and go as they are to
// Apart [rows, PickedColumns].
type Blocks struct {
	Head
	Live
	X, Y, K, Chunk uint32
	Picked, Apart  uint32
	Stripe         uint32
}

// Pick finds which of the K columns of X have the largest numbers in Live rows, the first of
// them where several are as large. ColumnTops writes the largest absolute value of each column to
// Tops [K], as bits; a tile is 64 columns. PickColumns, one tile, writes to Y which are the
// largest of those, and marks them in Tops.
type Pick struct {
	Head
	Live
	X, Y, K, Tops uint32
}

// PickedColumns is how many columns are picked, out of at most MostPicked.
const (
	PickedColumns = 8
	MostPicked    = 16384
)

// What a product in integers is cut into.
const (
	RoundedBlock = 64   // numbers along the sum that share a scale
	BlockTail    = 8    // bytes that follow the numbers of a rounded block
	PackedRows   = 1536 // rows of B that are packed at a time
	PackedCols   = 64   // most columns of a tile
)

// PackedWorkspace is the bytes of workspace for GEMMRounded: a few rows of C, a block of B in
// float32, and panels of 8 columns with 16-bit numbers.
const (
	PackedEdge      = 5 * 8 * 4
	PackedFloats    = RoundedBlock * (4*PackedCols + 32)
	PackedWorkspace = PackedEdge + PackedFloats + PackedCols/8*PackedRows/RoundedBlock*(16*RoundedBlock+32) + 64
)

// Map is an elementwise kernel over Live elements, Chunk a tile: A (and B, DY)
// to Y (and Z). Forward: Y = fn(A)·B. Backward: Y = fn′(A)·B·DY, Z = fn(A)·DY.
// Flat: Y = A op B, with Uniform for a single B. Fill: Y = Alpha. RowDot, Largest,
// SumAll: Cols wide rows. ByRow: rows of Cols, B steps by BRow a row and BCol
// (0 or 4) a column.
type Map struct {
	Head
	Live
	A, B, DY, Y, Z uint32
	Chunk          uint32
	Uniform        uint32
	Cols           uint32
	BRow, BCol     uint32
	Alpha          float32
}

// Rows moves Live rows of Bytes: row From[i] (or i) of X to row To[i] (or i) of
// Y, Chunk rows a tile. With Wrap the one row written is To[0] mod Wrap.
// ScatterAdd adds Alpha times the row, a tile being Chunk columns.
type Rows struct {
	Head
	Live
	X, Y, From, To   uint32
	XStride, YStride uint32
	Bytes, Chunk     uint32
	Wrap             uint32
	Alpha            float32
}

// Sum is SumRows: Y = Σ X + Add over Live rows of Cols, Chunk columns a tile.
type Sum struct {
	Head
	Live
	X, Add, Y, Cols, Chunk uint32
}

// Normal is Norm and its backward over Live groups of N elements, Chunk a tile.
// Moments [groups, 2] keeps mean and 1/σ for NormGain, whose tiles are columns.
type Normal struct {
	Head
	Live
	X, Gain, Bias, Y          uint32
	DY, Add, DX, DGain, DBias uint32
	Moments                   uint32
	N, Chunk, Centre          uint32 // Centre: subtract the mean (LayerNorm)
	Eps, Plus                 float32
}

// Rotate is RoPE over Live rows of Cols.
type Rotate struct {
	Head
	Live
	X, Pos, Cos, Sin, Y uint32
	Cols, HeadDim, R    uint32
	Chunk               uint32
	Sign                float32 // −1 rotates back
}

// Lookup is Embed: Live rows of Y.
type Lookup struct {
	Head
	Live
	W      Weight
	IDs, Y uint32
	Chunk  uint32
	Scale  float32
}

// Check is GradStats. Squares: Σ x² in float64 of Chunk elements of X a tile, to
// Partial. Stats: Grads partial sums of gradients and then others, Count in
// all, to Stats.
type Check struct {
	Head
	X, Len, Chunk         uint32
	Partial, Count, Grads uint32
	Stats                 uint32
	Clip                  float32
}

// Adam is AdamW over Len elements, Chunk a tile.
type Adam struct {
	Head
	P, M, V, G, Stats, Hyper uint32
	Len, Chunk               uint32
	Beta1, Beta2             float32
	Rest1, Rest2             float32 // 1−β
	Eps, Decay, Rate         float32
}

// Matrices is Muon over matrices of Rows by Cols, one a tile; Rate has the root of the longer side.
type Matrices struct {
	Head
	P, M, G, Stats, Hyper uint32
	Rows, Cols, Count     uint32
	Beta, Rate            float32
}

// MuonWorkspace is the bytes of workspace for Muon: a matrix, the same transposed, and five squares
// of its shorter side, their rows padded to eight.
func MuonWorkspace(rows, cols uint32) uint32 {
	pad := func(n uint32) uint32 { return 8 * ceil(n, 8) }
	n := min(rows, cols)
	return 4 * (rows*pad(cols) + cols*pad(rows) + 5*n*pad(n))
}

// Loss turns Live rows of logits Z [rows, Vocab] into their gradient and writes
// each row's loss, one row a tile. Own and Slopes have room for a number for each target. Where
// nobody wants the gradient, what becomes of Z is left open.
type Loss struct {
	Head
	Live
	Z, Bias, Targets, Weights uint32
	Losses, Own, Slopes       uint32
	Vocab, K, Rest            uint32
	Gradient                  uint32
	Cap                       float32 // soft cap of the logits, 0: none
}

// Logits are what Sharpen computes again in float32 of Live rows of logits Z [rows, N], products
// of rows of K floats at H with W: in each row the Each targets, and the SharpMost largest
// of those that are at most Depth below the row's largest. A row a tile.
type Logits struct {
	Head
	Live
	W             Weight
	Z, H, N, K    uint32
	Targets, Each uint32 // [rows, Each]
	Depth         float32
}

// See [Logits]. What is further below than SumDepth adds less than e^−SumDepth to a sum of
// exponentials that is 1 at least; what is further below than ChoiceDepth is not the largest, since
// rounding moves a logit by some hundredths. The largest are looked for among the largest of each SharpSpan.
const (
	SharpMost   = 24
	SumDepth    = 10
	ChoiceDepth = 1
	SharpSpan   = 96
)

// SharpWorkspace is the bytes of workspace for Sharpen of n logits a row: what is computed again
// and where it stands, and the largest of each span.
func SharpWorkspace(n uint32) uint32 { return 8*SharpMost + 4*(ceil(n, SharpSpan)+4) }

// Attention is all attention kernels. A tile of Attend and AttendQueries is
// Block query rows and one key/value head (tile mod KVHeads); of AttendKeys and AttendSlots it
// is KeyBlock keys and one key/value head, of the prefix if Prefix; of
// AttendBias it is Chunk sums; of AttendRel it is one head; of AttendDelta it is
// Chunk rows.
type Attention struct {
	Head
	Live                                 // query rows
	Q, K, V, Lo, Hi                      uint32
	PK, PV, PLo, PHi                     uint32
	PBias, BiasRow, BiasHead, BiasSlot   uint32
	Rel, Rels, QPos, KPos, PPos          uint32
	O, LSE, DO, DQ, DK, DV, Delta        uint32
	DPBias, DRel                         uint32
	A, DS                                uint32 // [rows, heads, slots]: weights and ds, for AttendSlots and AttendBias
	KeyA, KeyDS, Span                    uint32 // [rows, heads, Span]: the same of keys, from the first that a block of rows sees, for AttendKeys; of blocks that see more than Span there is nothing
	Heads, KVHeads, HeadDim, Slots, Keys uint32
	Block, KeyBlock, Prefix, Chunk       uint32
	BiasRows, BiasHeads, BiasSlots       uint32 // shape of DPBias
	KeysAt                               uint32 // address of the live count of keys, 0: Keys
	Direct, Whole                        uint32 // of Attend: a row by itself does not pack its keys; a tile is all heads of its rows
	Scale, Cap                           float32
}

// Conv is a causal convolution over Live rows of Bytes, Chunk columns a tile: X,
// Left of Lefts rows, W of Taps rows. Y is the output, or dy of the backward
// kernel, which adds to those of DX, DLeft and DW that are there.
type Conv struct {
	Head
	Live
	X, Left, W, Lo, Hi, Y uint32
	DX, DLeft, DW         uint32
	Lefts, Taps, Dilation uint32
	Bytes, Chunk          uint32
}

// Append writes a record's bytes.
func Append(to []byte, record any) []byte {
	to, err := binary.Append(to, binary.LittleEndian, record)
	if err != nil {
		panic(err)
	}
	return to
}

// Package command is the language between the Go half of package simd and its
// kernels: what stands in linear memory.
//
// A compiled plan is a chain of records. A record is a struct of 32-bit fields:
// a [Head], then what its kernel needs (addresses, sizes, numbers). The kernels
// read fields at the offsets of these very structs; the Go half writes them
// with [Append].
//
// The work of a record is cut into tiles, and a kernel is called with (record,
// tile, workspace). Any thread may take any tile: a tile writes what no other
// tile writes and sums in a fixed order, so that results do not depend on the
// number of threads. Between records all threads meet.
package command

import "encoding/binary"

// Head begins every record.
type Head struct {
	Kernel Kernel // a slot in the module's table of functions
	Tiles  uint32
	Next   uint32 // address of the next record, 0 at the end
	_      uint32
}

// Kernel names a function of the module; 0 is none.
type Kernel uint32

// The kernels, in the order of the module's table.
const (
	None Kernel = iota
	GEMM
)

// Names are the kernels' names, by Kernel.
var Names = [...]string{GEMM: "gemm"}

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

// Dims a matrix product's types of B.
const (
	F32 = iota
	F16
	BF16
	Q8_0
	Q4_0
	Q4_1
)

// Product is C[m, n] = A·B + bias + add, or with Acc the same added to C.
//
// A is [m, k] with rows LDA bytes apart, or with Columns [k, m] with LDA bytes
// from one k to the next. B is [k, n], or with Transposed [n, k]; its rows have
// Width elements of the given Type, Quants is where their bits are and Scales,
// for quantised types, their scales. m (k with Columns) is the live count at
// Live, less LiveOff, between 0 and LiveMax. A tile is Cols columns by Rows rows.
type Product struct {
	Head
	A, LDA, Columns         uint32
	Quants, Scales          uint32
	Type, Width, Transposed uint32
	C, LDC                  uint32
	Add, LDAdd, Bias, Acc   uint32
	M, N, K                 uint32
	Live, LiveOff           uint32
	Cols, Rows, RowTiles    uint32
}

// Append writes a record's bytes.
func Append(to []byte, record any) []byte {
	to, err := binary.Append(to, binary.LittleEndian, record)
	if err != nil {
		panic(err)
	}
	return to
}

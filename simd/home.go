package simd

import "context"

// home is where a module lives: natively in wazero, or in a JavaScript host.
// Its methods are called by one goroutine at a time.
type home interface {
	// size is the memory's present size in bytes, limit the largest it can have.
	size() int64
	limit() int64
	grow(bytes int64) error
	write(at uint32, src []byte)
	read(at uint32, dst []byte)
	// threads is how many workspaces run needs.
	threads() int
	// run works on the chain that Control.PC begins until it is done, or until
	// stop says so at the end of a slice of time; done tells which.
	run(ctx context.Context, ws, wsSize uint32, stop func() bool) (done bool, err error)
	close() error
}

// slice is how long the kernels work before others get their turn: 50 ms.
const slice = 50

package site

import (
	"context"
	"errors"
	"io"
)

// What storage returns for an id that it does not hold, for a cursor that it never gave,
// and where it has no room.
var (
	ErrNotFound = errors.New("site: not found")
	ErrCursor   = errors.New("site: not a cursor")
	ErrFull     = errors.New("site: no room left")
)

// Objects stores the adapters, each with its record (at most [MaxRecord] bytes),
// under its id. A directory natively, R2 at the edge.
type Objects interface {
	// Create stores an object unless the id is taken, and reports whether it did:
	// of two at once, one. What was created is there after a crash, whole. Where there
	// is no room the error is ErrFull.
	Create(ctx context.Context, id string, record, data []byte) (bool, error)
	// Open reads an object, or returns ErrNotFound. The caller closes data, which
	// has size bytes.
	Open(ctx context.Context, id string) (record []byte, data io.ReadCloser, size int64, err error)
	// Delete removes an object; one that is not there is no error.
	Delete(ctx context.Context, id string) error
}

// Index keeps the gallery: entries in groups, each group in the order of its keys.
// It can be made again from the objects. Memory natively, KV at the edge, where an
// entry may show up a minute late elsewhere in the world.
type Index interface {
	// Put adds an entry to groups; one of the same key is replaced.
	Put(ctx context.Context, groups []string, key string, entry []byte) error
	Remove(ctx context.Context, groups []string, key string) error
	// List returns up to limit entries of a group behind a cursor ("" for the
	// start), and the cursor behind them, "" at the end. A cursor is at most 1,000
	// letters, digits, "-" and "_".
	List(ctx context.Context, group, cursor string, limit int) (entries [][]byte, next string, err error)
}

// Action is what an address may do only so often.
type Action string

// Reading is cheap; writing parses and stores.
const (
	Read  Action = "read"
	Write Action = "write"
)

// Limiter bounds how often an address does a thing.
type Limiter interface {
	Allow(ctx context.Context, what Action, address string) (bool, error)
}

// Quota bounds how many bytes an address may store in a day.
type Quota interface {
	// Spend counts bytes against the address and reports true, or counts nothing and
	// reports false where they would be too many.
	Spend(ctx context.Context, address string, bytes int64) (bool, error)
}

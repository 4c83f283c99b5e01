// Package dispatch answers the page's messages (package wire) with a session. All that it
// needs from the browser is a [Host], so that it runs, and is tested, without one.
package dispatch

import (
	"context"
	"time"

	"prelude/engine"
	"prelude/models/weights"
	"prelude/ui/wire"
)

// Host is what a [Worker] needs from the place where it runs. Its methods are called from
// the goroutine of [Worker.Run], but for Send, which is also called from [Worker.Receive].
type Host interface {
	// Send posts a message to the page, with bytes or nil.
	Send(m wire.Message, blob []byte)
	// Breathe lets messages arrive. A goroutine that computes calls it often: a browser's
	// event loop does not run meanwhile.
	Breathe()
	// Address is the address of one of the page's own files; "" for a page that has none.
	Address(path string) string
	// Asset is the address of one of the page's programs and scripts by its logical name,
	// "" if there is none: their names change with their content.
	Asset(name string) string
	// Version identifies this build: what a build has measured, another one measures again.
	Version() string
	// Get fetches an address; with a token, if it is not "", that its host knows the person
	// by. It is a [weights.Get] else. A negative offset asks for the whole file, which may
	// come compressed.
	Get(ctx context.Context, address string, off int64, token string) (*weights.Response, error)
	// Sum begins a SHA-256 and returns what waits for its end; data may be written over meanwhile.
	Sum(data []byte) (wait func() [32]byte)
	// Devices lists the devices there may be. Whether one works is known once it is open.
	Devices() []wire.DeviceInfo
	// Open opens a device of that list.
	Open(ctx context.Context, name string) (Device, error)
	// Lost says what an error tells of the device that it came from.
	Lost(err error) Loss
	// Load returns a text that Store has kept, if it is still there.
	Load(key string) (text string, ok bool)
	Store(key, text string)
	// Storage is what stays from one visit to the next; an error says why there is none.
	Storage() (Storage, error)
}

// Loss is what is left of a device after an error.
type Loss int

const (
	NotLost  Loss = iota // the error has another cause
	LostRun              // a run failed; the device and its tensors can be used
	LostAway             // the device is gone, and its tensors with it
)

// Device is a device with what a page says of it.
type Device struct {
	engine.Device
	Label string // the adapter or the kernels; choices are remembered under it
	// Tune fits the device to a shape of block, named by key, with a clock that times it.
	// nil: there is nothing to fit.
	Tune func(ctx context.Context, key string, clock Clock) error
}

// Clock times a device at work. Its error is [context.DeadlineExceeded] where the limit
// passed first.
type Clock = func(ctx context.Context, limit time.Duration) (time.Duration, error)

// Blob is the bytes that come with a message, or a file that is read by range.
type Blob interface {
	Bytes() []byte
	Source(name string, size int64) weights.Source
}

// Storage is a tree of folders that is the page's own. Paths are relative, with slashes.
type Storage interface {
	// Folder opens a folder, and makes it where there is none.
	Folder(ctx context.Context, path string) (Folder, error)
	// Remove removes a folder and all that is in it; one that is not there is no error.
	Remove(ctx context.Context, path string) error
	// Room says how many bytes all of the page's storage takes and may take; 0: not known.
	Room(ctx context.Context) (used, quota int64)
}

// Folder is a folder of the storage.
type Folder interface {
	weights.Folder
	// List lists the folder's files and folders in no particular order.
	List(ctx context.Context) ([]Entry, error)
}

// Entry is a file or a folder.
type Entry struct {
	Name  string
	Dir   bool
	Bytes int64 // of a file
}

// bytesOf reads the bytes of a message, nil where none came.
func bytesOf(b Blob) []byte {
	if b == nil {
		return nil
	}
	return b.Bytes()
}

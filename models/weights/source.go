package weights

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// A Source is a file that can be read by range: on disk, in memory, cut into
// pieces, behind HTTP, or in a browser's hands.
type Source interface {
	// ReadRange fills dst with the bytes from off on, or fails.
	ReadRange(ctx context.Context, off int64, dst []byte) error
	// Size is the file's length in bytes.
	Size() int64
	// Name is what errors call the file.
	Name() string
}

// An Opener opens a file that another one names: a shard of an index, a piece
// of a manifest. Names are plain file names, without a folder.
type Opener func(ctx context.Context, name string) (Source, error)

// A File is a Source on disk. It may be used by several goroutines.
type File struct {
	f    *os.File
	size int64
}

// OpenFile opens a file on disk.
func OpenFile(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("weights: %w", err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a file", path)
	}
	if err != nil {
		return nil, fmt.Errorf("weights: %w", cmp.Or(err, f.Close()))
	}
	return &File{f: f, size: info.Size()}, nil
}

// Dir opens the files of a folder on disk.
func Dir(path string) Opener {
	return func(_ context.Context, name string) (Source, error) {
		if err := plainName(name); err != nil {
			return nil, err
		}
		return OpenFile(filepath.Join(path, name))
	}
}

func (f *File) ReadRange(ctx context.Context, off int64, dst []byte) error {
	if err := checkRange(ctx, f, off, len(dst)); err != nil {
		return err
	}
	if n, err := f.f.ReadAt(dst, off); n < len(dst) {
		return fmt.Errorf("weights: %s at byte %d: %w", f.Name(), off+int64(n), err)
	}
	return nil
}

func (f *File) Size() int64  { return f.size }
func (f *File) Name() string { return filepath.Base(f.f.Name()) }

// Close closes the file. Nothing can be read from it any more.
func (f *File) Close() error { return f.f.Close() }

// Bytes is a Source in memory, for small files and for tests.
type Bytes struct {
	Label string // the Name
	Data  []byte
}

func (b *Bytes) ReadRange(ctx context.Context, off int64, dst []byte) error {
	if err := checkRange(ctx, b, off, len(dst)); err != nil {
		return err
	}
	copy(dst, b.Data[off:])
	return nil
}

func (b *Bytes) Size() int64  { return int64(len(b.Data)) }
func (b *Bytes) Name() string { return b.Label }

// checkRange refuses a range that leaves the file, and a context that is done.
func checkRange(ctx context.Context, s Source, off int64, n int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if off < 0 || off > s.Size() || int64(n) > s.Size()-off {
		return fmt.Errorf("weights: %s has %d bytes, asked for %d from byte %d: it is cut off", s.Name(), s.Size(), n, off)
	}
	return nil
}

// plainName refuses the name of a shard or a piece that leads anywhere else.
func plainName(name string) error {
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\\:?#%\x00") {
		return fmt.Errorf("weights: %q is no plain file name", name)
	}
	return nil
}

// readAll reads a small file of at most limit bytes whole.
func readAll(ctx context.Context, s Source, limit int64) ([]byte, error) {
	if s.Size() > limit {
		return nil, fmt.Errorf("weights: %s has %d bytes, the limit is %d", s.Name(), s.Size(), limit)
	}
	return io.ReadAll(io.NewSectionReader(readerAt{ctx, s}, 0, s.Size()))
}

// readerAt makes a Source an io.ReaderAt.
type readerAt struct {
	ctx context.Context
	Source
}

func (r readerAt) ReadAt(dst []byte, off int64) (int, error) {
	n := len(dst)
	if left := r.Size() - off; int64(n) > left {
		n = int(max(left, 0))
	}
	if err := r.ReadRange(r.ctx, off, dst[:n]); err != nil {
		return 0, err
	}
	if n < len(dst) {
		return n, io.EOF
	}
	return n, nil
}

// A fileError is an error about a file; its text has the package's name once.
type fileError struct {
	file string
	err  error
}

func (e *fileError) Error() string {
	text := "weights: " + e.file + ": " + strings.TrimPrefix(e.err.Error(), "weights: ")
	return strings.ReplaceAll(text, ": weights: ", ": ")
}

func (e *fileError) Unwrap() error { return e.err }

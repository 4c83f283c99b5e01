package weights

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
)

// A Folder holds what was fetched of one model, from one sitting to the next. A
// browser's is in the origin's private file system.
type Folder interface {
	// Open opens a file to read it; fs.ErrNotExist where there is none.
	Open(ctx context.Context, name string) (Source, error)
	// Append opens a file to read and to append to; it is made where there is none.
	Append(ctx context.Context, name string) (Growing, error)
	// Put writes a small file, or replaces it as a whole.
	Put(ctx context.Context, name string, data []byte) error
	Remove(ctx context.Context, name string) error
}

// Growing is a file that is being written, front to back.
type Growing interface {
	Source
	Append(ctx context.Context, data []byte) error
	Close() error
}

// A Kept says what a Folder holds of a model: the content of its [KeptName].
type Kept struct {
	Model string              `json:"model"` // as people named it: an id or an address
	Files map[string]KeptFile `json:"files"`
	// Complete says that the model was loaded from what is here once: nothing is missing.
	Complete bool `json:"complete,omitempty"`
}

// KeptFile is one file of the model's host.
type KeptFile struct {
	Size    int64  `json:"size,omitempty"` // at the host
	ETag    string `json:"etag,omitempty"`
	Whole   bool   `json:"whole,omitempty"`   // all of it is here, and was checked
	Missing bool   `json:"missing,omitempty"` // the host has no such file
}

const (
	// KeptName is the file by which a Folder says what it holds.
	KeptName = "kept.json"
	// DataPrefix begins the names of the host's own files in a Folder.
	DataPrefix = "file "
	// fetchBytes is how much is fetched and written at a time.
	fetchBytes = 1 << 20
)

// ParseKept reads a Folder's [KeptName].
func ParseKept(data []byte) (Kept, error) {
	var k Kept
	if err := json.Unmarshal(data, &k); err != nil {
		return Kept{}, fmt.Errorf("weights: %s: %w", KeptName, err)
	}
	for name, f := range k.Files {
		if err := plainName(name); err != nil {
			return Kept{}, fmt.Errorf("weights: %s: %w", KeptName, err)
		}
		if f.Size < 0 {
			return Kept{}, fmt.Errorf("weights: %s: %s has %d bytes", KeptName, name, f.Size)
		}
	}
	return k, nil
}

// Keeping says what [Keep] fetches and how.
type Keeping struct {
	Model   string // what people call it
	Address string // of the folder that has its files
	Get     Get
	// Sum, if set, is asked for the SHA-256 of a file that has arrived, in hex; "" where
	// the host does not tell it.
	Sum func(ctx context.Context, file string) string
	// Note hears once why a file could not be kept: it is read from the network then.
	Note func(why error)
}

// Keep opens the files of a model as [URLs] does, and keeps in the folder what it
// fetches: a file that is whole there is read without a word to the network, and one
// that broke off goes on from where it stopped, if the host's file is still the
// same one. What can't be kept is only read.
func Keep(ctx context.Context, folder Folder, o Keeping) Opener {
	k := &keeper{folder: folder, Keeping: o}
	if src, err := folder.Open(ctx, KeptName); err == nil {
		if text, err := readAll(ctx, src, maxIndex); err == nil {
			k.kept, _ = ParseKept(text) // an index that can't be read holds nothing
		}
	}
	k.kept.Model = o.Model
	if k.kept.Files == nil {
		k.kept.Files = map[string]KeptFile{}
	}
	return k.open
}

// Complete notes in a folder that its model was loaded from it. It fails where a file is not
// whole there.
func Complete(ctx context.Context, folder Folder) error {
	src, err := folder.Open(ctx, KeptName)
	if err != nil {
		return err
	}
	text, err := readAll(ctx, src, maxIndex)
	if err != nil {
		return err
	}
	k, err := ParseKept(text)
	if err != nil {
		return err
	}
	for name, f := range k.Files {
		if !f.Whole && !f.Missing {
			return fmt.Errorf("weights: %s is not whole", name)
		}
	}
	k.Complete = true
	if text, err = json.Marshal(k); err != nil {
		return err
	}
	return folder.Put(ctx, KeptName, text)
}

type keeper struct {
	Keeping
	folder Folder
	mu     sync.Mutex
	kept   Kept
	noted  bool
}

// set changes what the folder says of a file.
func (k *keeper) set(ctx context.Context, name string, f KeptFile) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kept.Files[name] = f
	text, err := json.Marshal(k.kept)
	if err != nil {
		return err
	}
	return k.folder.Put(ctx, KeptName, text)
}

func (k *keeper) note(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.Note != nil && !k.noted {
		k.Note(err)
	}
	k.noted = true
}

func (k *keeper) open(ctx context.Context, name string) (Source, error) {
	address, err := below(k.Address, name)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	held := k.kept.Files[name]
	k.mu.Unlock()
	if held.Missing {
		return nil, fmt.Errorf("weights: %s: %w", address, fs.ErrNotExist)
	}
	if held.Whole {
		if src, err := k.folder.Open(ctx, DataPrefix+name); err == nil && src.Size() == held.Size {
			return &named{src, name}, nil
		}
	}
	local, err := k.folder.Append(ctx, DataPrefix+name)
	if err != nil {
		k.note(err)
		return OpenURL(ctx, k.Get, address)
	}
	f := &fetched{k: k, file: name, address: address, local: local}
	if err := f.begin(ctx, held); err != nil {
		f.Close()
		if errors.Is(err, fs.ErrNotExist) {
			k.folder.Remove(ctx, DataPrefix+name)
			k.set(ctx, name, KeptFile{Missing: true}) // if that fails, it is asked for again
		}
		return nil, err
	}
	return f, nil
}

// fetched is a file that is fetched and kept: the folder has its beginning, and
// reading beyond that fetches everything up to there.
type fetched struct {
	k             *keeper
	file, address string
	remote        *HTTP

	mu    sync.Mutex
	local Growing // nil once it can't be kept
	held  KeptFile
	buf   []byte
}

// begin opens the host's file where the local one ends, or from its beginning where
// they are not of the same file.
func (f *fetched) begin(ctx context.Context, held KeptFile) error {
	have := f.local.Size()
	if have > 0 && (held.Size == 0 || have >= held.Size) {
		if err := f.restart(ctx); err != nil {
			return err
		}
		have = 0
	}
	var err error
	f.remote, err = openURL(ctx, f.k.Get, f.address, have)
	if errors.Is(err, errPastEnd) { // it has become shorter
		f.remote, err = openURL(ctx, f.k.Get, f.address, 0)
	}
	if err != nil {
		return err
	}
	f.held = KeptFile{Size: f.remote.size, ETag: f.remote.etag}
	if have > 0 && f.held != (KeptFile{Size: held.Size, ETag: held.ETag}) {
		if err := f.restart(ctx); err != nil {
			return err
		}
	}
	if err := f.k.set(ctx, f.file, f.held); err != nil {
		f.giveUp(ctx, err)
	}
	if f.held.Size == 0 {
		return f.finish(ctx)
	}
	return nil
}

// restart empties the local file.
func (f *fetched) restart(ctx context.Context) error {
	name := DataPrefix + f.file
	err := errors.Join(f.local.Close(), f.k.folder.Remove(ctx, name))
	if err == nil {
		f.local, err = f.k.folder.Append(ctx, name)
	}
	return err
}

func (f *fetched) Name() string { return f.file }
func (f *fetched) Size() int64  { return f.held.Size }

func (f *fetched) ReadRange(ctx context.Context, off int64, dst []byte) error {
	if err := checkRange(ctx, f, off, len(dst)); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.local != nil && f.local.Size() < off+int64(len(dst)) {
		if err := f.advance(ctx); err != nil {
			return err
		}
	}
	if f.local == nil {
		return f.remote.ReadRange(ctx, off, dst)
	}
	return f.local.ReadRange(ctx, off, dst)
}

// advance fetches the next piece of the file.
func (f *fetched) advance(ctx context.Context) error {
	have := f.local.Size()
	if f.buf == nil {
		f.buf = make([]byte, min(fetchBytes, f.held.Size))
	}
	piece := f.buf[:min(int64(len(f.buf)), f.held.Size-have)]
	if err := f.remote.ReadRange(ctx, have, piece); err != nil {
		return err
	}
	if err := f.local.Append(ctx, piece); err != nil {
		f.giveUp(ctx, err)
		return nil
	}
	if f.local.Size() == f.held.Size {
		return f.finish(ctx)
	}
	return nil
}

// finish checks the whole file, where the host says what it should be.
func (f *fetched) finish(ctx context.Context) error {
	if f.local == nil {
		return nil
	}
	want := ""
	if f.k.Sum != nil {
		want = strings.ToLower(f.k.Sum(ctx, f.file))
	}
	if want != "" {
		h := sha256.New()
		r := io.NewSectionReader(readerAt{ctx, f.local}, 0, f.held.Size)
		if _, err := io.CopyBuffer(h, onlyReader{r}, make([]byte, fetchBytes)); err != nil {
			return err
		}
		if got := hex.EncodeToString(h.Sum(nil)); got != want {
			err := fmt.Errorf("weights: %s has sha256 %s as it arrived, its host says %s: fetch it again", f.file, got, want)
			return cmp.Or(f.restart(ctx), err)
		}
	}
	f.held.Whole = true
	if err := f.k.set(ctx, f.file, f.held); err != nil {
		f.k.note(err)
	}
	return nil
}

// giveUp goes on without keeping the file, and leaves the room to others.
func (f *fetched) giveUp(ctx context.Context, why error) {
	f.k.note(why)
	f.local.Close()
	f.local = nil
	f.k.folder.Remove(ctx, DataPrefix+f.file)
}

// Close ends the connection. What has arrived stays.
func (f *fetched) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var errs []error
	if f.remote != nil {
		errs = append(errs, f.remote.Close())
	}
	if f.local != nil {
		errs = append(errs, f.local.Close())
	}
	return errors.Join(errs...)
}

// named is a Source under the name that its host gives it.
type named struct {
	Source
	name string
}

func (n *named) Name() string { return n.name }

func (n *named) Close() error {
	if c, ok := n.Source.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

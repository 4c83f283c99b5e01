//go:build js && wasm

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"syscall/js"

	"prelude/models/weights"
	"prelude/ui/wire"
)

// keptFolder is the folder of the origin's private file system that has a folder for
// each model that was fetched.
const keptFolder = "models"

// keptModels opens the folder of all fetched models.
func keptModels() (js.Value, error) {
	storage := js.Global().Get("navigator").Get("storage")
	if !storage.Truthy() || !storage.Get("getDirectory").Truthy() {
		return js.Value{}, errors.New("this browser gives the page no file system")
	}
	root, err := settle(storage, "getDirectory")
	if err != nil {
		return js.Value{}, err
	}
	return settle(root, "getDirectoryHandle", keptFolder, map[string]any{"create": true})
}

// folderOf names a model's folder: an id or an address holds what a file's name can't.
func folderOf(model string) string { return fmt.Sprintf("%x", sha([]byte(model)))[:32] }

// private is a model's folder in the origin's private file system.
type private struct{ dir js.Value }

// openPrivate opens a model's folder, and makes it where there is none.
func openPrivate(model string) (private, error) {
	all, err := keptModels()
	if err != nil {
		return private{}, err
	}
	dir, err := settle(all, "getDirectoryHandle", folderOf(model), map[string]any{"create": true})
	return private{dir}, err
}

func (p private) Open(_ context.Context, name string) (weights.Source, error) {
	handle, err := settle(p.dir, "getFileHandle", name)
	if err != nil {
		return nil, err
	}
	file, err := settle(handle, "getFile")
	if err != nil {
		return nil, err
	}
	return &blob{name, int64(file.Get("size").Float()), file}, nil
}

func (p private) Append(_ context.Context, name string) (weights.Growing, error) {
	handle, err := settle(p.dir, "getFileHandle", name, map[string]any{"create": true})
	if err != nil {
		return nil, err
	}
	access, err := settle(handle, "createSyncAccessHandle")
	if err != nil {
		return nil, err
	}
	size, err := call(access, "getSize")
	if err != nil {
		return nil, err
	}
	return &privateFile{name: name, access: access, size: int64(size.Float())}, nil
}

func (p private) Put(ctx context.Context, name string, data []byte) error {
	file, err := p.Append(ctx, name)
	if err != nil {
		return err
	}
	defer file.Close()
	f := file.(*privateFile)
	if _, err := call(f.access, "truncate", 0); err != nil {
		return err
	}
	f.size = 0
	return f.Append(ctx, data)
}

func (p private) Remove(_ context.Context, name string) error {
	_, err := settle(p.dir, "removeEntry", name)
	return err
}

// privateFile is an open file that no other tab can open meanwhile.
type privateFile struct {
	name   string
	access js.Value // FileSystemSyncAccessHandle
	size   int64
	array  js.Value // Uint8Array through which bytes go
}

func (f *privateFile) Name() string { return f.name }
func (f *privateFile) Size() int64  { return f.size }

// part is n bytes of the file's own array.
func (f *privateFile) part(n int) js.Value {
	if f.array.IsUndefined() || f.array.Length() < n {
		f.array = js.Global().Get("Uint8Array").New(n)
	}
	return f.array.Call("subarray", 0, n)
}

func (f *privateFile) ReadRange(_ context.Context, off int64, dst []byte) error {
	part := f.part(len(dst))
	n, err := call(f.access, "read", part, map[string]any{"at": off})
	if err == nil && n.Int() != len(dst) {
		err = fmt.Errorf("%d bytes came at %d, want %d", n.Int(), off, len(dst))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", f.name, err)
	}
	js.CopyBytesToGo(dst, part)
	return nil
}

func (f *privateFile) Append(_ context.Context, data []byte) error {
	part := f.part(len(data))
	js.CopyBytesToJS(part, data)
	n, err := call(f.access, "write", part, map[string]any{"at": f.size})
	if err == nil && n.Int() != len(data) {
		err = errFull
	}
	if err != nil {
		call(f.access, "truncate", f.size)
		return err
	}
	f.size += int64(len(data))
	return nil
}

func (f *privateFile) Close() error {
	_, err := call(f.access, "close")
	return err
}

// errFull is the error of a write that the browser has no room for.
var errFull = errors.New("the room that the browser gives this page is used up")

// settle calls a method and waits for its promise.
func settle(on js.Value, method string, args ...any) (v js.Value, err error) {
	promise, err := call(on, method, args...)
	if err != nil {
		return v, err
	}
	v, err = await(promise)
	return v, plainly(err)
}

// call calls a method that may throw.
func call(on js.Value, method string, args ...any) (v js.Value, err error) {
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(js.Error)
			if !ok {
				panic(r)
			}
			err = plainly(e)
		}
	}()
	return on.Call(method, args...), nil
}

// plainly says in words what the file system's exceptions mean.
func plainly(err error) error {
	var e js.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Value.Get("name").String() {
	case "NotFoundError":
		return fs.ErrNotExist
	case "QuotaExceededError":
		return errFull
	case "NoModificationAllowedError", "InvalidStateError":
		return errors.New("another tab of this page has the file open")
	}
	return err
}

// kept lists what is kept, for the page.
func kept() (k wire.Kept) {
	k.Models = []wire.KeptModel{}
	all, err := keptModels()
	if err != nil {
		return k
	}
	for _, dir := range entries(all, "directory") {
		if m, ok := keptModel(private{dir}); ok {
			k.Models = append(k.Models, m)
		}
	}
	slices.SortFunc(k.Models, func(a, b wire.KeptModel) int { return cmp.Compare(a.Model, b.Model) })
	if room, err := settle(js.Global().Get("navigator").Get("storage"), "estimate"); err == nil {
		k.Used, k.Quota = int64(room.Get("usage").Float()), int64(room.Get("quota").Float())
	}
	return k
}

// keptModel describes a folder; false where it holds nothing that can be used.
func keptModel(p private) (m wire.KeptModel, ok bool) {
	text, err := p.Open(context.Background(), weights.KeptName)
	if err != nil {
		return m, false
	}
	raw := make([]byte, min(text.Size(), 1<<20))
	if err := text.ReadRange(context.Background(), 0, raw); err != nil {
		return m, false
	}
	about, err := weights.ParseKept(raw)
	if err != nil {
		return m, false
	}
	m.Model = about.Model
	for _, f := range about.Files {
		m.Of += f.Size
	}
	for _, handle := range entries(p.dir, "file") {
		if !strings.HasPrefix(handle.Get("name").String(), weights.DataPrefix) {
			continue
		}
		if file, err := settle(handle, "getFile"); err == nil {
			m.Bytes += int64(file.Get("size").Float())
		}
	}
	return m, true
}

// entries are the handles of a folder's files or folders.
func entries(dir js.Value, kind string) (all []js.Value) {
	values, err := call(dir, "values")
	for err == nil {
		var next js.Value
		if next, err = settle(values, "next"); err != nil || next.Get("done").Bool() {
			break
		}
		if handle := next.Get("value"); handle.Get("kind").String() == kind {
			all = append(all, handle)
		}
	}
	return all
}

// deleteKept takes a model out of the browser's storage.
func deleteKept(model string) error {
	all, err := keptModels()
	if err != nil {
		return err
	}
	_, err = settle(all, "removeEntry", folderOf(model), map[string]any{"recursive": true})
	if errors.Is(err, fs.ErrNotExist) { // another tab was faster
		return nil
	}
	return err
}

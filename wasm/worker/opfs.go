//go:build js && wasm

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall/js"

	"prelude/models/weights"
	"prelude/wasm/dispatch"
)

// private is the origin's private file system.
type private struct{ root js.Value }

// Storage opens the origin's private file system.
func (b *browser) Storage() (dispatch.Storage, error) {
	storage := js.Global().Get("navigator").Get("storage")
	if !storage.Truthy() || !storage.Get("getDirectory").Truthy() {
		return nil, errors.New("this browser gives the page no file system")
	}
	root, err := settle(storage, "getDirectory")
	if err != nil {
		return nil, err
	}
	return private{root}, nil
}

// walk goes down a path of folders.
func (p private) walk(path string, make bool) (dir js.Value, err error) {
	dir = p.root
	for name := range strings.SplitSeq(path, "/") {
		if name == "" {
			continue
		}
		if dir, err = settle(dir, "getDirectoryHandle", name, map[string]any{"create": make}); err != nil {
			return dir, err
		}
	}
	return dir, nil
}

func (p private) Folder(_ context.Context, path string) (dispatch.Folder, error) {
	dir, err := p.walk(path, true)
	return folder{dir}, err
}

func (p private) Remove(_ context.Context, path string) error {
	above, name := "", path
	if i := strings.LastIndex(path, "/"); i >= 0 {
		above, name = path[:i], path[i+1:]
	}
	dir, err := p.walk(above, false)
	if err == nil {
		_, err = settle(dir, "removeEntry", name, map[string]any{"recursive": true})
	}
	if errors.Is(err, fs.ErrNotExist) { // perhaps another tab was faster
		return nil
	}
	return err
}

func (p private) Room(context.Context) (used, quota int64) {
	room, err := settle(js.Global().Get("navigator").Get("storage"), "estimate")
	if err != nil {
		return 0, 0
	}
	return int64(room.Get("usage").Float()), int64(room.Get("quota").Float())
}

// folder is a folder of the private file system.
type folder struct{ dir js.Value }

func (f folder) Open(_ context.Context, name string) (weights.Source, error) {
	handle, err := settle(f.dir, "getFileHandle", name)
	if err != nil {
		return nil, err
	}
	content, err := settle(handle, "getFile")
	if err != nil {
		return nil, err
	}
	return &file{name, int64(content.Get("size").Float()), content}, nil
}

func (f folder) Append(_ context.Context, name string) (weights.Growing, error) {
	handle, err := settle(f.dir, "getFileHandle", name, map[string]any{"create": true})
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

func (f folder) Put(ctx context.Context, name string, data []byte) error {
	opened, err := f.Append(ctx, name)
	if err != nil {
		return err
	}
	defer opened.Close()
	p := opened.(*privateFile)
	if _, err := call(p.access, "truncate", 0); err != nil {
		return err
	}
	p.size = 0
	return p.Append(ctx, data)
}

func (f folder) Remove(_ context.Context, name string) error {
	_, err := settle(f.dir, "removeEntry", name)
	return err
}

func (f folder) List(context.Context) (all []dispatch.Entry, err error) {
	values, err := call(f.dir, "values")
	for err == nil {
		var next js.Value
		if next, err = settle(values, "next"); err != nil || next.Get("done").Bool() {
			break
		}
		handle := next.Get("value")
		e := dispatch.Entry{Name: handle.Get("name").String(), Dir: handle.Get("kind").String() == "directory"}
		if !e.Dir {
			content, err := settle(handle, "getFile")
			if err != nil {
				continue // removed meanwhile
			}
			e.Bytes = int64(content.Get("size").Float())
		}
		all = append(all, e)
	}
	return all, err
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
		err = dispatch.ErrFull
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
		return dispatch.ErrFull
	case "NoModificationAllowedError", "InvalidStateError":
		return errors.New("another tab of this page has the file open")
	}
	return err
}

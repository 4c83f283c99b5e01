//go:build js && wasm

package main

import (
	"context"
	"fmt"
	"syscall/js"

	"prelude/models/weights"
)

// blob is what comes with a message: a Uint8Array or a File.
type blob struct{ v js.Value }

func (b blob) Bytes() []byte {
	raw := make([]byte, b.v.Get("byteLength").Int())
	js.CopyBytesToGo(raw, b.v)
	return raw
}

func (b blob) Source(name string, size int64) weights.Source { return &file{name, size, b.v} }

// file is a File of the browser, read by range.
type file struct {
	name string
	size int64
	file js.Value
}

func (f *file) Name() string { return f.name }
func (f *file) Size() int64  { return f.size }

func (f *file) ReadRange(_ context.Context, off int64, dst []byte) error {
	if off < 0 || off+int64(len(dst)) > f.size {
		return fmt.Errorf("%s: bytes [%d, %d) of a file of %d", f.name, off, off+int64(len(dst)), f.size)
	}
	v, err := await(f.file.Call("slice", off, off+int64(len(dst))).Call("arrayBuffer"))
	if err != nil {
		return fmt.Errorf("%s: %w", f.name, err)
	}
	if n := js.CopyBytesToGo(dst, js.Global().Get("Uint8Array").New(v)); n != len(dst) {
		return fmt.Errorf("%s: %d bytes came at %d, want %d; was the file changed?", f.name, n, off, len(dst))
	}
	return nil
}

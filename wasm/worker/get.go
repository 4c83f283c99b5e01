//go:build js && wasm

package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"syscall/js"

	"prelude/models/weights"
)

// pieceBytes is how much of a response is read at a time.
const pieceBytes = 256 << 10

// Get asks with the browser's fetch, of other hosts through the page (static/worker.js). What is asked for by range comes uncompressed: its
// length is the file's.
func (b *browser) Get(ctx context.Context, address string, off int64, token string) (*weights.Response, error) {
	headers := map[string]any{}
	if off >= 0 {
		headers["Range"] = fmt.Sprintf("bytes=%d-", off)
	}
	if token != "" {
		headers["Authorization"] = "Bearer " + token
	}
	abort := js.Global().Get("AbortController").New()
	stop := context.AfterFunc(ctx, func() { abort.Call("abort") })
	v, err := await(js.Global().Call("preludeFetch", address, map[string]any{"signal": abort.Get("signal"), "headers": headers}))
	if err != nil {
		stop()
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, err
	}
	answered := v.Get("headers")
	header := func(name string) string {
		if h := answered.Call("get", name); h.Truthy() {
			return h.String()
		}
		return ""
	}
	length := int64(-1)
	if n, err := strconv.ParseInt(header("Content-Length"), 10, 64); err == nil {
		length = n
	}
	content := &body{ctx: ctx, stop: stop, abort: abort}
	if stream := v.Get("body"); stream.Truthy() {
		// Into one buffer over and over, where the browser can: an array for each piece that
		// comes is garbage as large as the file.
		if content.reader, err = call(stream, "getReader", map[string]any{"mode": "byob"}); err == nil {
			content.buffer = js.Global().Get("ArrayBuffer").New(pieceBytes)
		} else {
			content.reader = stream.Call("getReader")
		}
	}
	return &weights.Response{Status: v.Get("status").Int(), Length: length, Header: header, Body: content}, nil
}

// body reads a response as it comes.
type body struct {
	ctx    context.Context
	stop   func() bool
	abort  js.Value
	reader js.Value // of a ReadableStream; undefined where nothing comes
	buffer js.Value // ArrayBuffer of pieceBytes that a BYOB reader fills; else undefined
	piece  js.Value // Uint8Array of what is not read yet
	left   int      // bytes of it
}

func (b *body) Read(dst []byte) (int, error) {
	for b.left == 0 {
		if b.reader.IsUndefined() {
			return 0, io.EOF
		}
		v, err := b.next()
		if b.ctx.Err() != nil {
			return 0, b.ctx.Err()
		}
		if err != nil {
			return 0, err
		}
		if v.Get("done").Bool() {
			return 0, io.EOF
		}
		b.piece = v.Get("value")
		b.left = b.piece.Get("byteLength").Int()
	}
	n := js.CopyBytesToGo(dst, b.piece)
	if b.left -= n; b.left > 0 {
		b.piece = b.piece.Call("subarray", n)
	}
	return n, nil
}

// next waits for the next piece: {value, done}.
func (b *body) next() (js.Value, error) {
	if b.buffer.IsUndefined() {
		return await(b.reader.Call("read"))
	}
	v, err := await(b.reader.Call("read", js.Global().Get("Uint8Array").New(b.buffer)))
	if err == nil && v.Get("value").Truthy() { // the buffer itself was handed over, and comes back
		b.buffer = v.Get("value").Get("buffer")
	}
	return v, err
}

func (b *body) Close() error {
	b.stop()
	b.abort.Call("abort")
	return nil
}

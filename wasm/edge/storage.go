//go:build js && wasm

package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"strconv"
	"syscall/js"
	"time"

	"github.com/syumai/workers/cloudflare"

	"prelude/engine/jshost"
	"prelude/wasm/site"
)

// The bindings are called here directly where github.com/syumai/workers leaves out
// what storage needs: R2's conditional put, and the metadata of KV's keys.

// await waits for a promise.
func await(promise js.Value) (js.Value, error) {
	v, err := jshost.Await(context.Background(), promise)
	if why := jshost.Reason(err); why != "" {
		err = errors.New("edge: " + why)
	}
	return v, err
}

// bucket is R2 as [site.Objects]. A record travels as the metadata of its object,
// so that both appear and vanish together.
type bucket struct{ r2 js.Value }

const recordKey = "record"

func (b bucket) Create(_ context.Context, id string, record, data []byte) (bool, error) {
	stored, err := await(b.r2.Call("put", id, jshost.Bytes(data), map[string]any{
		"onlyIf":         map[string]any{"etagDoesNotMatch": "*"}, // only if there is none
		"customMetadata": map[string]any{recordKey: string(record)},
		"httpMetadata":   map[string]any{"contentType": "application/zip"},
	}))
	return err == nil && !stored.IsNull(), err
}

func (b bucket) Open(_ context.Context, id string) ([]byte, io.ReadCloser, int64, error) {
	object, err := await(b.r2.Call("get", id))
	if err != nil {
		return nil, nil, 0, err
	}
	if object.IsNull() {
		return nil, nil, 0, site.ErrNotFound
	}
	record := object.Get("customMetadata").Get(recordKey).String()
	return []byte(record), &stream{reader: object.Get("body").Call("getReader")}, int64(object.Get("size").Int()), nil
}

func (b bucket) Delete(_ context.Context, id string) error {
	_, err := await(b.r2.Call("delete", id))
	return err
}

// stream reads a ReadableStream.
type stream struct {
	reader js.Value
	chunk  []byte
}

func (s *stream) Read(p []byte) (int, error) {
	for len(s.chunk) == 0 {
		result, err := await(s.reader.Call("read"))
		if err != nil {
			return 0, err
		}
		if result.Get("done").Bool() {
			return 0, io.EOF
		}
		value := result.Get("value")
		s.chunk = make([]byte, value.Get("byteLength").Int())
		js.CopyBytesToGo(s.chunk, value)
	}
	n := copy(p, s.chunk)
	s.chunk = s.chunk[n:]
	return n, nil
}

func (s *stream) Close() error {
	_, err := await(s.reader.Call("cancel"))
	return err
}

// namespace is KV as [site.Index]: a key for each group, the entry in its metadata,
// which a listing returns beside the key.
type namespace struct{ kv js.Value }

func (n namespace) Put(_ context.Context, groups []string, key string, entry []byte) error {
	metadata := js.Global().Get("JSON").Call("parse", string(entry))
	var all error
	for _, g := range groups {
		_, err := await(n.kv.Call("put", g+"/"+key, "", map[string]any{"metadata": metadata}))
		all = errors.Join(all, err)
	}
	return all
}

func (n namespace) Remove(_ context.Context, groups []string, key string) error {
	var all error
	for _, g := range groups {
		_, err := await(n.kv.Call("delete", g+"/"+key))
		all = errors.Join(all, err)
	}
	return all
}

func (n namespace) List(_ context.Context, group, cursor string, limit int) (entries [][]byte, next string, err error) {
	options := map[string]any{"prefix": group + "/", "limit": limit}
	if cursor != "" {
		plain, err := base64.RawURLEncoding.DecodeString(cursor)
		if err != nil {
			return nil, "", site.ErrCursor
		}
		options["cursor"] = string(plain)
	}
	page, err := await(n.kv.Call("list", options))
	if err != nil {
		return nil, "", err
	}
	keys := page.Get("keys")
	for i := range keys.Length() {
		entries = append(entries, []byte(js.Global().Get("JSON").Call("stringify", keys.Index(i).Get("metadata")).String()))
	}
	if !page.Get("list_complete").Bool() {
		next = base64.RawURLEncoding.EncodeToString([]byte(page.Get("cursor").String()))
	}
	return entries, next, nil
}

// limiter is Cloudflare's rate limiting as [site.Limiter]: the binding of each action.
type limiter map[site.Action]string

func (l limiter) Allow(_ context.Context, what site.Action, address string) (bool, error) {
	outcome, err := await(cloudflare.GetBinding(l[what]).Call("limit", map[string]any{"key": address}))
	if err != nil {
		return false, err
	}
	return outcome.Get("success").Bool(), nil
}

// quota is KV as [site.Quota]: a counter for each address and day, which KV forgets by
// itself. KV shows a write elsewhere up to a minute late, so that an address may get
// somewhat more. The address is hashed with the day.
type quota struct {
	kv    js.Value
	limit int64
}

func (q quota) Spend(_ context.Context, address string, bytes int64) (bool, error) {
	day := time.Now().UTC().Format(time.DateOnly)
	sum := sha256.Sum256([]byte(day + " " + address))
	key := "quota/" + day + "/" + hex.EncodeToString(sum[:12])
	text, err := await(q.kv.Call("get", key))
	if err != nil {
		return false, err
	}
	spent := int64(0)
	if text.Type() == js.TypeString {
		if spent, err = strconv.ParseInt(text.String(), 10, 64); err != nil {
			return false, err
		}
	}
	if spent+bytes > q.limit {
		return false, nil
	}
	const twoDays = 172800 // seconds
	_, err = await(q.kv.Call("put", key, strconv.FormatInt(spent+bytes, 10), map[string]any{"expirationTtl": twoDays}))
	return err == nil, err
}

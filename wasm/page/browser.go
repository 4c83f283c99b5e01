//go:build js && wasm

package main

import (
	"time"

	"prelude/ui"
	"prelude/ui/wire"

	"github.com/vugu/vugu"

	"syscall/js"
)

// browser is the page's [ui.Host].
type browser struct {
	app     *ui.App
	changed func() // the App has changed
	worker  js.Value
	assets  js.Value // name → path, from the page's <script id="assets">
}

var _ ui.Host = (*browser)(nil)

func newBrowser(changed func()) *browser {
	text := js.Global().Get("document").Call("getElementById", "assets").Get("textContent")
	return &browser{changed: changed, assets: js.Global().Get("JSON").Call("parse", text)}
}

// bytes is a Uint8Array.
type bytes struct{ array js.Value }

func (b bytes) Len() int { return b.array.Get("length").Int() }

func (b bytes) String() string {
	return js.Global().Get("TextDecoder").New().Call("decode", b.array).String()
}

func (b bytes) Starts(with string) bool {
	head := js.Global().Get("TextDecoder").New("latin1").Call("decode", b.array.Call("subarray", 0, len(with)))
	return head.String() == with
}

// StartWorker takes the worker that page.js has started, or starts another one.
func (b *browser) StartWorker() {
	if b.worker.Truthy() {
		b.worker.Call("terminate")
	}
	started := js.Global().Call("preludeWorker")
	worker := started.Get("worker")
	b.worker = worker
	started.Call("listen", js.FuncOf(func(_ js.Value, args []js.Value) any {
		if b.worker.Equal(worker) { // not one that was ended meanwhile
			b.hear(args[0])
			b.changed()
		}
		return nil
	}))
}

// hear takes an event of the worker.
func (b *browser) hear(e js.Value) {
	switch e.Get("type").String() {
	case "message":
		b.receive(e.Get("data"))
	case "messageerror":
		b.app.Crashed("A message of the worker could not be read.")
	case "error":
		e.Call("preventDefault")
		reason := "it could not be loaded"
		if m := e.Get("message"); m.Type() == js.TypeString && m.String() != "" {
			reason = m.String()
		}
		b.app.Crashed("The worker stopped: " + reason + ".")
	}
}

func (b *browser) receive(data js.Value) {
	m, err := wire.Decode(data.Get("text").String())
	if err != nil {
		b.app.Receive(wire.Error{Message: err.Error(), Hint: "The page and its worker are of different versions: reload the page."}, nil)
		return
	}
	var blob any
	if v := data.Get("blob"); v.Truthy() {
		blob = bytes{v}
	}
	b.app.Receive(m, blob)
}

// Send posts a message. Bytes are copied, not handed over: the page keeps them
// for a worker that may come after this one.
func (b *browser) Send(m wire.Message, blob any) {
	text, err := wire.Encode(m)
	if err != nil {
		panic(err) // a number that JSON has no word for: the App checks what it sends
	}
	message := map[string]any{"text": text, "blob": nil}
	switch v := blob.(type) {
	case bytes:
		message["blob"] = v.array
	case js.Value:
		message["blob"] = v
	}
	b.worker.Call("postMessage", message)
}

// Files reads the files of a drop or of a file box; the box is emptied, so that
// the same file can be chosen again.
func (b *browser) Files(e vugu.DOMEvent) []ui.File {
	raw := js.Value(e.JSEvent())
	list := raw.Get("target").Get("files")
	if transfer := raw.Get("dataTransfer"); transfer.Truthy() {
		list = transfer.Get("files")
	}
	if !list.Truthy() {
		return nil
	}
	var files []ui.File
	for i := range list.Length() {
		f := list.Index(i)
		files = append(files, ui.File{Name: f.Get("name").String(), Size: int64(f.Get("size").Float()), Ref: f})
	}
	if e.PropString("type") == "change" {
		raw.Get("target").Set("value", "")
	}
	return files
}

// Read reads a whole file.
func (b *browser) Read(f ui.File, done func(ui.Bytes)) {
	b.await(f.Ref.(js.Value).Call("arrayBuffer"), func(buffer js.Value, err error) {
		if err != nil {
			done(nil)
			return
		}
		done(bytes{js.Global().Get("Uint8Array").New(buffer)})
	})
}

// Table has page.js read a table in a worker of its own.
func (b *browser) Table(table ui.Bytes, done func(ui.Table)) {
	b.await(js.Global().Call("preludeTable", table.(bytes).array), func(answer js.Value, err error) {
		switch {
		case err != nil:
			done(ui.Table{Why: err.Error()})
		case answer.Get("lines").Truthy():
			done(ui.Table{Lines: bytes{answer.Get("lines")}, Rows: answer.Get("rows").Int(), Of: int(answer.Get("of").Float())})
		default:
			done(ui.Table{Why: answer.Get("why").String()})
		}
	})
}

func (b *browser) Fetch(path string, done func(int, ui.Bytes)) {
	b.Request("GET", path, nil, nil, done)
}

func (b *browser) Request(method, path string, body ui.Bytes, headers map[string]string, done func(int, ui.Bytes)) {
	h := map[string]any{}
	for k, v := range headers {
		h[k] = v
	}
	options := map[string]any{"method": method, "headers": h}
	if body != nil {
		options["body"] = body.(bytes).array
	}
	b.await(js.Global().Call("fetch", path, options), func(response js.Value, err error) {
		if err != nil {
			done(0, bytes{js.Global().Get("Uint8Array").New(0)})
			return
		}
		b.await(response.Call("arrayBuffer"), func(buffer js.Value, err error) {
			if err != nil {
				buffer = js.ValueOf(0)
			}
			done(response.Get("status").Int(), bytes{js.Global().Get("Uint8Array").New(buffer)})
		})
	})
}

// Allow opens the frame that fetches from a host (static/page.js).
func (b *browser) Allow(host string, hub bool) { js.Global().Call("preludeAllow", host, hub) }

// Download has the frame of the host fetch a file (static/page.js).
func (b *browser) Download(address string, headers map[string]string, most int64, told func(done, total int64), done func(ui.Downloaded)) (stop func()) {
	h := map[string]any{}
	for k, v := range headers {
		h[k] = v
	}
	heard := js.FuncOf(func(_ js.Value, args []js.Value) any {
		told(int64(args[0].Float()), int64(args[1].Float()))
		b.changed()
		return nil
	})
	download := js.Global().Call("preludeDownload", address, h, most, heard)
	b.await(download.Get("answer"), func(answer js.Value, err error) {
		heard.Release()
		switch {
		case err != nil || answer.Get("failed").Truthy():
			done(ui.Downloaded{Failed: true})
		case answer.Get("file").Truthy():
			file := answer.Get("file")
			done(ui.Downloaded{File: ui.File{Size: int64(file.Get("size").Float()), Ref: file}, Type: file.Get("type").String(), Status: 200})
		default:
			done(ui.Downloaded{Status: answer.Get("status").Int(), Large: int64(answer.Get("large").Float())})
		}
	})
	return func() { download.Call("stop") }
}

// Save offers bytes as a download. Its type is that of any bytes: the name says what they are.
func (b *browser) Save(name string, parts ...ui.Bytes) {
	global := js.Global()
	arrays := make([]any, len(parts))
	for i, p := range parts {
		arrays[i] = p.(bytes).array
	}
	blob := global.Get("Blob").New(arrays, map[string]any{"type": "application/octet-stream"})
	address := global.Get("URL").Call("createObjectURL", blob)
	link := global.Get("document").Call("createElement", "a")
	link.Set("href", address)
	link.Set("download", name)
	link.Call("click")
	b.Later(time.Minute, func() { global.Get("URL").Call("revokeObjectURL", address) })
}

// Persist asks the browser; one that does not know storage for good keeps nothing so.
func (b *browser) Persist(ask bool, done func(bool)) {
	method := "persisted"
	if ask {
		method = "persist"
	}
	storage := js.Global().Get("navigator").Get("storage")
	if !storage.Truthy() || !storage.Get(method).Truthy() {
		done(false)
		return
	}
	b.await(storage.Call(method), func(granted js.Value, err error) { done(err == nil && granted.Bool()) })
}

func (b *browser) Copy(text string) {
	if clipboard := js.Global().Get("navigator").Get("clipboard"); clipboard.Truthy() {
		clipboard.Call("writeText", text)
	}
}

func (b *browser) Later(d time.Duration, f func()) {
	time.AfterFunc(d, func() { f(); b.changed() })
}

func (b *browser) Asset(name string) string { return b.assets.Get(name).String() }

func (b *browser) Visit(fragment string) {
	js.Global().Get("location").Set("hash", fragment)
}

func (b *browser) Location() string {
	return js.Global().Get("location").Get("href").String()
}

// await calls done with what a promise comes to, and draws.
func (b *browser) await(promise js.Value, done func(js.Value, error)) {
	var good, bad js.Func
	release := func() { good.Release(); bad.Release() }
	good = js.FuncOf(func(_ js.Value, args []js.Value) any {
		release()
		done(args[0], nil)
		b.changed()
		return nil
	})
	bad = js.FuncOf(func(_ js.Value, args []js.Value) any {
		release()
		done(js.Undefined(), js.Error{Value: args[0]})
		b.changed()
		return nil
	})
	promise.Call("then", good, bad)
}

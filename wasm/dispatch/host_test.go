package dispatch_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"prelude/engine/cpu"
	"prelude/models/tiny"
	"prelude/models/weights"
	"prelude/ui/wire"
	"prelude/wasm/dispatch"
)

// host is a [dispatch.Host] on a folder: below site lie the page's own files, below store
// what it keeps.
type host struct {
	site, store string
	open        map[string]func() (dispatch.Device, error)
	lost        func(error) dispatch.Loss
	version     string

	mu     sync.Mutex
	sent   []sent
	news   chan struct{}
	seen   int
	texts  map[string]string
	asked  []string // addresses
	gate   string   // the token that the hub wants, "" for none
	tokens []string // that came with them
}

// sent is a message of the worker.
type sent struct {
	m    wire.Message
	blob []byte
}

func newHost(t *testing.T) *host {
	return &host{site: t.TempDir(), store: t.TempDir(), news: make(chan struct{}, 1), texts: map[string]string{}, version: "1",
		open: map[string]func() (dispatch.Device, error){}, lost: func(error) dispatch.Loss { return dispatch.NotLost }}
}

func (h *host) Send(m wire.Message, blob []byte) {
	text, err := wire.Encode(m) // what a page would get
	if err != nil {
		panic(err)
	}
	if m, err = wire.Decode(text); err != nil {
		panic(err)
	}
	h.mu.Lock()
	h.sent = append(h.sent, sent{m, bytes.Clone(blob)})
	h.mu.Unlock()
	select {
	case h.news <- struct{}{}:
	default:
	}
}

func (h *host) Breathe()                   {}
func (h *host) Address(path string) string { return "https://page.example/" + path }
func (h *host) Asset(name string) string   { return h.Address("assets/" + name) }
func (h *host) Version() string            { return h.version }
func (h *host) Sum(b []byte) func() [32]byte {
	sum := sha256.Sum256(b)
	return func() [32]byte { return sum }
}
func (h *host) Lost(err error) dispatch.Loss {
	return h.lost(err)
}

func (h *host) Devices() []wire.DeviceInfo {
	return []wire.DeviceInfo{{Name: "cpu", OK: true, Why: "plain Go"}}
}

func (h *host) Open(_ context.Context, name string) (dispatch.Device, error) {
	if open := h.open[name]; open != nil {
		return open()
	}
	return dispatch.Device{}, errors.New(name + " is not here")
}

func (h *host) Load(key string) (string, bool) { text, ok := h.texts[key]; return text, ok }
func (h *host) Store(key, text string)         { h.texts[key] = text }

func (h *host) Get(_ context.Context, address string, off int64, token string) (*weights.Response, error) {
	h.mu.Lock()
	h.asked, h.tokens = append(h.asked, address), append(h.tokens, token)
	h.mu.Unlock()
	_, path, _ := strings.Cut(strings.TrimPrefix(address, "https://"), "/")
	content, err := os.ReadFile(filepath.Join(h.site, path))
	r := &weights.Response{Status: 200, Header: func(string) string { return "" }, Body: io.NopCloser(bytes.NewReader(content))}
	switch {
	case h.gate != "" && token == "" && strings.HasPrefix(address, "https://huggingface.co/"):
		r.Status = 401
	case h.gate != "" && token != h.gate && strings.HasPrefix(address, "https://huggingface.co/"):
		r.Status = 403
	case err != nil:
		r.Status = 404
	}
	r.Length = int64(len(content))
	return r, nil
}

func (h *host) Storage() (dispatch.Storage, error) {
	if h.store == "" {
		return nil, errors.New("no file system")
	}
	return disk{h.store}, nil
}

// disk is a storage in a folder.
type disk struct{ root string }

func (d disk) Folder(_ context.Context, path string) (dispatch.Folder, error) {
	path = filepath.Join(d.root, path)
	return folder{path}, os.MkdirAll(path, 0o777)
}
func (d disk) Remove(_ context.Context, path string) error {
	return os.RemoveAll(filepath.Join(d.root, path))
}
func (d disk) Room(context.Context) (used, quota int64) { return 1, 2 }

type folder struct{ dir string }

func (f folder) path(name string) string {
	return filepath.Join(f.dir, strings.ReplaceAll(name, "/", "_"))
}

func (f folder) Open(_ context.Context, name string) (weights.Source, error) {
	if _, err := os.Stat(f.path(name)); err != nil {
		return nil, fs.ErrNotExist
	}
	return weights.OpenFile(f.path(name))
}

func (f folder) Append(_ context.Context, name string) (weights.Growing, error) {
	file, err := os.OpenFile(f.path(name), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o666)
	return &growing{file}, err
}

func (f folder) Put(_ context.Context, name string, data []byte) error {
	return os.WriteFile(f.path(name), data, 0o666)
}
func (f folder) Remove(_ context.Context, name string) error { return os.Remove(f.path(name)) }

func (f folder) List(context.Context) (all []dispatch.Entry, err error) {
	entries, err := os.ReadDir(f.dir)
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return nil, err
		}
		all = append(all, dispatch.Entry{Name: e.Name(), Dir: e.IsDir(), Bytes: info.Size()})
	}
	return all, err
}

type growing struct{ *os.File }

func (g *growing) Size() int64 {
	info, err := g.Stat()
	if err != nil {
		return 0
	}
	return info.Size()
}
func (g *growing) ReadRange(_ context.Context, off int64, dst []byte) error {
	_, err := g.ReadAt(dst, off)
	return err
}
func (g *growing) Append(_ context.Context, data []byte) error { _, err := g.Write(data); return err }

// page drives a worker as a page does.
type page struct {
	*host
	t      *testing.T
	worker *dispatch.Worker
}

// start runs a worker on the host until the test ends.
func start(t *testing.T, h *host) *page {
	p := &page{h, t, dispatch.New(h)}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); p.worker.Run(ctx) }()
	t.Cleanup(func() { p.ask(wire.Stop{}, nil); stop(); <-ended })
	wait[wire.Ready](p)
	wait[wire.Kept](p)
	return p
}

// ask sends a message, with a blob or nil.
func (p *page) ask(m wire.Message, b []byte) {
	text, err := wire.Encode(m)
	if err != nil {
		p.t.Fatal(err)
	}
	if b == nil {
		p.worker.Receive(text, nil)
		return
	}
	p.worker.Receive(text, blob(b))
}

// until waits for a message that f takes, and passes over others.
func (p *page) until(what string, f func(sent) bool) {
	p.t.Helper()
	timeout := time.After(time.Minute)
	for {
		p.mu.Lock()
		for p.seen < len(p.sent) {
			s := p.sent[p.seen]
			p.seen++
			if f(s) {
				p.mu.Unlock()
				return
			}
			if e, ok := s.m.(wire.Error); ok {
				p.mu.Unlock()
				p.t.Fatalf("waiting for %s, got the error %q (%s)", what, e.Message, e.Hint)
			}
		}
		p.mu.Unlock()
		select {
		case <-p.news:
		case <-timeout:
			p.t.Fatalf("no %s came", what)
		}
	}
}

// wait waits for a message of a type.
func wait[M wire.Message](p *page) (m M) {
	p.t.Helper()
	m, _ = waitBlob[M](p)
	return m
}

func waitBlob[M wire.Message](p *page) (m M, b []byte) {
	p.t.Helper()
	p.until("message", func(s sent) (ok bool) {
		if m, ok = s.m.(M); ok {
			b = s.blob
		}
		return ok
	})
	return m, b
}

// blob is the bytes of a message.
type blob []byte

func (b blob) Bytes() []byte { return b }
func (b blob) Source(name string, size int64) weights.Source {
	return &memory{name, b}
}

// memory is a file in memory.
type memory struct {
	name string
	b    []byte
}

func (m *memory) Name() string { return m.name }
func (m *memory) Size() int64  { return int64(len(m.b)) }
func (m *memory) ReadRange(_ context.Context, off int64, dst []byte) error {
	_, err := bytes.NewReader(m.b).ReadAt(dst, off)
	return err
}

// drop hands the tiny model over as dropped files.
func (p *page) drop(device string) {
	p.t.Helper()
	dir := tiny.Folder(p.t, 0)
	entries, err := os.ReadDir(dir)
	if err != nil {
		p.t.Fatal(err)
	}
	p.ask(wire.Load{ID: 1, Device: device, Files: len(entries)}, nil)
	for _, e := range entries {
		content, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			p.t.Fatal(err)
		}
		p.ask(wire.File{ID: 1, Name: e.Name(), Size: int64(len(content))}, content)
	}
}

// plain is the reference device under another name.
func plain(label string) func() (dispatch.Device, error) {
	return func() (dispatch.Device, error) { return dispatch.Device{Device: cpu.New[float32](), Label: label}, nil }
}

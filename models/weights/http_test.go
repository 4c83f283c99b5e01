//go:build !js

package weights_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"prelude/models/weights"
	"prelude/models/weights/nethttp"
)

// server serves data with net/http's Range support, after hook has had its say:
// hook returns true when it has answered.
func server(t *testing.T, data []byte, hook func(w http.ResponseWriter, r *http.Request) bool) (url string, requests *atomic.Int64) {
	t.Helper()
	requests = new(atomic.Int64)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		if hook != nil && hook(w, r) {
			return
		}
		w.Header().Set("ETag", `"one"`)
		http.ServeContent(w, r, "m.gguf", time.Time{}, bytes.NewReader(data))
	}))
	t.Cleanup(s.Close)
	return s.URL + "/models/m.gguf?download=true", requests
}

func numbers(n int) []byte {
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(i * i >> 7)
	}
	return data
}

func openURL(t *testing.T, url string) *weights.HTTP {
	t.Helper()
	h, err := weights.OpenURL(ctx, nethttp.Get, url)
	if err != nil {
		t.Fatal(err)
	}
	h.SetPause(time.Millisecond)
	t.Cleanup(func() { h.Close() })
	return h
}

// expect reads a range and compares it.
func expect(t *testing.T, s weights.Source, data []byte, off, n int) {
	t.Helper()
	got := make([]byte, n)
	if err := s.ReadRange(ctx, int64(off), got); err != nil {
		t.Errorf("%d bytes from %d: %v", n, off, err)
	} else if !bytes.Equal(got, data[off:off+n]) {
		t.Errorf("%d bytes from %d differ", n, off)
	}
}

// Ranges that follow one another, small gaps included, share one response.
func TestHTTPInOrder(t *testing.T) {
	data := numbers(8 << 20)
	url, requests := server(t, data, nil)
	h := openURL(t, url)
	if h.Size() != int64(len(data)) || h.Name() != "m.gguf" {
		t.Errorf("%s has %d bytes", h.Name(), h.Size())
	}
	for off := 0; off+100_000 <= len(data); off += 100_100 {
		expect(t, h, data, off, 100_000)
	}
	if n := requests.Load(); n != 1 {
		t.Errorf("%d requests for one file in order, want 1", n)
	}
	expect(t, h, data, 0, 10)            // back
	expect(t, h, data, 5<<20, 10)        // far ahead
	expect(t, h, data, len(data)-10, 10) // the end
	expect(t, h, data, len(data), 0)     // nothing
	expect(t, h, data, 3<<20, len(data)/2)
	if n := requests.Load(); n != 5 {
		t.Errorf("%d requests, want 5", n)
	}
	refused(t, "behind the end", h.ReadRange(ctx, int64(len(data)), make([]byte, 1)), "cut off")
}

// A server that knows no Range sends everything each time.
func TestHTTPWithoutRange(t *testing.T) {
	data := numbers(3 << 20)
	url, _ := server(t, data, func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Length", fmt.Sprint(len(data)))
		w.Write(data)
		return true
	})
	h := openURL(t, url)
	expect(t, h, data, 2<<20, 1000)
	expect(t, h, data, 5, 1000)
	expect(t, h, data, 0, len(data))
}

// A connection that breaks again and again is taken up where it broke.
func TestHTTPResumes(t *testing.T) {
	data := numbers(2 << 20)
	url, requests := server(t, data, func(w http.ResponseWriter, r *http.Request) bool {
		var from int
		fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from)
		n := len(data) - from
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(data)-1, len(data)))
		w.Header().Set("Content-Length", fmt.Sprint(n))
		w.WriteHeader(http.StatusPartialContent)
		w.Write(data[from : from+min(n, 300_000)])
		if n > 300_000 {
			panic(http.ErrAbortHandler)
		}
		return true
	})
	h := openURL(t, url)
	expect(t, h, data, 0, len(data))
	if n := requests.Load(); n != 7 {
		t.Errorf("%d requests of 300,000 bytes for %d, want 7", n, len(data))
	}
}

func TestHTTPRetries(t *testing.T) {
	data := numbers(1000)
	for _, c := range []struct {
		name     string
		status   int
		failures int64 // before it works
		want     string
		requests int64
	}{
		{"busy, then fine", 503, 3, "", 5},
		{"too many requests, then fine", 429, 1, "", 3},
		{"busy for good", 503, 1 << 30, "status 503 (tried 5 times)", 6},
		{"gone", 410, 1 << 30, "status 410", 2},
		{"absent", 404, 1 << 30, "not exist", 2},
	} {
		var failed atomic.Int64
		failed.Store(-1) // the first request opens the file
		url, requests := server(t, data, func(w http.ResponseWriter, r *http.Request) bool {
			if n := failed.Add(1); n > 0 && n <= c.failures {
				http.Error(w, "no", c.status)
				return true
			}
			return false
		})
		h := openURL(t, url)
		h.Close() // the open response has it all
		err := h.ReadRange(ctx, 10, make([]byte, 100))
		if c.want == "" && err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if c.want != "" {
			refused(t, c.name, err, c.want)
		}
		if n := requests.Load(); n != c.requests {
			t.Errorf("%s: %d requests, want %d", c.name, n, c.requests)
		}
	}
}

func TestHTTPRefuses(t *testing.T) {
	data := numbers(1000)
	for _, c := range []struct {
		name string
		hook func(w http.ResponseWriter, r *http.Request)
		want string
	}{
		{"absent", func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }, "not exist"},
		{"no length", func(w http.ResponseWriter, r *http.Request) {
			w.Write(data)
			w.(http.Flusher).Flush()
			w.Write(data)
		}, "doesn't say how long"},
		{"another range", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Range", "bytes 5-999/1000")
			w.WriteHeader(http.StatusPartialContent)
		}, `Content-Range "bytes 5-999/1000"`},
		{"no range", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Range", "lines 0-9/10")
			w.WriteHeader(http.StatusPartialContent)
		}, `Content-Range "lines 0-9/10"`},
	} {
		url, _ := server(t, data, func(w http.ResponseWriter, r *http.Request) bool {
			c.hook(w, r)
			return true
		})
		_, err := weights.OpenURL(ctx, nethttp.Get, url)
		refused(t, c.name, err, c.want)
	}
	_, err := weights.OpenURL(ctx, nethttp.Get, "::")
	refused(t, "no address", err, "missing protocol scheme")
}

// A file that is replaced while it is read isn't mixed with its successor.
func TestHTTPChanged(t *testing.T) {
	data := numbers(4 << 20)
	for _, c := range []struct {
		name string
		etag string
		size int
	}{{"another tag", `"two"`, len(data)}, {"another size", `"one"`, len(data) - 1}} {
		var n int
		url, _ := server(t, data, func(w http.ResponseWriter, r *http.Request) bool {
			if n++; n == 1 {
				return false
			}
			w.Header().Set("ETag", c.etag)
			http.ServeContent(w, r, "m.gguf", time.Time{}, bytes.NewReader(data[:c.size]))
			return true
		})
		refused(t, c.name, openURL(t, url).ReadRange(ctx, 3<<20, make([]byte, 10)), "has changed since it was opened")
	}
}

// A context breaks off a read that hangs, and the next one works again.
func TestHTTPCancel(t *testing.T) {
	data := numbers(1000)
	var hang atomic.Bool
	release := make(chan struct{})
	url, _ := server(t, data, func(w http.ResponseWriter, r *http.Request) bool {
		if !hang.Load() {
			return false
		}
		w.Header().Set("ETag", `"one"`)
		w.Header().Set("Content-Length", "1000")
		w.Write(data[:100])
		w.(http.Flusher).Flush()
		select {
		case <-r.Context().Done():
		case <-release:
		}
		return true
	})
	defer close(release)
	h := openURL(t, url)
	h.Close()
	hang.Store(true)
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	if err := h.ReadRange(short, 0, make([]byte, 500)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a read that hangs: %v", err)
	}
	hang.Store(false)
	expect(t, h, data, 0, 500)
}

// URLs opens what lies beside a manifest.
func TestHTTPPieces(t *testing.T) {
	whole := file(t, "testdata/tiny.gguf")
	m, files := cut(t, "tiny.gguf", whole, 5000)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, ok := files[strings.TrimPrefix(r.URL.Path, "/models/tiny/")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	}))
	defer s.Close()
	open := weights.URLs(nethttp.Get, s.URL+"/models/tiny")
	p := weights.OpenPieces(m, open)
	defer p.Close()
	if err := p.Verify(ctx); err != nil {
		t.Error(err)
	}
	if _, err := open(ctx, "absent"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that isn't there: %v", err)
	}
	if _, err := open(ctx, "../secret"); err == nil {
		t.Error("opened a file outside the folder")
	}
}

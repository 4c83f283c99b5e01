//go:build !js

package weights_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"prelude/models/weights"
	"prelude/models/weights/nethttp"
)

// folder is a Folder on disk; no file grows beyond full bytes.
type folder struct {
	dir  string
	full int64
}

func (f folder) Open(_ context.Context, name string) (weights.Source, error) {
	return weights.OpenFile(filepath.Join(f.dir, name))
}

func (f folder) Put(_ context.Context, name string, data []byte) error {
	return os.WriteFile(filepath.Join(f.dir, name), data, 0o600)
}

func (f folder) Remove(_ context.Context, name string) error {
	return os.Remove(filepath.Join(f.dir, name))
}

func (f folder) Append(_ context.Context, name string) (weights.Growing, error) {
	file, err := os.OpenFile(filepath.Join(f.dir, name), os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	return growing{file, f.full}, err
}

type growing struct {
	*os.File
	full int64
}

func (g growing) Size() int64 {
	info, err := g.Stat()
	if err != nil {
		return 0
	}
	return info.Size()
}

func (g growing) ReadRange(_ context.Context, off int64, dst []byte) error {
	_, err := g.ReadAt(dst, off)
	return err
}

func (g growing) Append(_ context.Context, data []byte) error {
	if g.full > 0 && g.Size()+int64(len(data)) > g.full {
		return errors.New("the disk is full")
	}
	_, err := g.Write(data)
	return err
}

// host serves files of a model, and breaks off after so many bytes where breakAt is set.
type host struct {
	data    []byte
	tag     string
	breakAt int
	ranges  []string // that were asked for
}

func (h *host) serve(t *testing.T) (address string) {
	url, _ := server(t, nil, func(w http.ResponseWriter, r *http.Request) bool {
		h.ranges = append(h.ranges, r.Header.Get("Range"))
		if !strings.HasSuffix(r.URL.Path, "/m.gguf") {
			http.NotFound(w, r)
			return true
		}
		var from int
		fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from)
		if from > 0 && from >= len(h.data) {
			w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
			return true
		}
		w.Header().Set("ETag", h.tag)
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(h.data)-1, len(h.data)))
		w.Header().Set("Content-Length", fmt.Sprint(len(h.data)-from))
		w.WriteHeader(http.StatusPartialContent)
		if h.breakAt > 0 {
			if from < h.breakAt {
				w.Write(h.data[from:h.breakAt])
			}
			panic(http.ErrAbortHandler)
		}
		w.Write(h.data[from:])
		return true
	})
	return url[:strings.LastIndex(url, "/")+1]
}

func sum(data []byte) string { return fmt.Sprintf("%x", sha256.Sum256(data)) }

// keep is one sitting: it opens and reads m.gguf.
func keep(t *testing.T, f folder, address string, sums map[string]string) (got []byte, notes []string, err error) {
	t.Helper()
	open := weights.Keep(ctx, f, weights.Keeping{Model: "owner/name", Address: address, Get: nethttp.Get, Sum: func(_ context.Context, file string) string { return sums[file] }, Note: func(why error) { notes = append(notes, why.Error()) }})
	src, err := open(ctx, "m.gguf")
	if err != nil {
		return nil, notes, err
	}
	defer src.(interface{ Close() error }).Close()
	if src.Name() != "m.gguf" {
		t.Errorf("its name is %q", src.Name())
	}
	for off := int64(0); off < src.Size(); {
		part := make([]byte, min(300_000, src.Size()-off))
		if err := src.ReadRange(ctx, off, part); err != nil {
			return got, notes, err
		}
		got, off = append(got, part...), off+int64(len(part))
	}
	return got, notes, nil
}

func TestKeep(t *testing.T) {
	t.Parallel()
	data := numbers(3_500_000)
	for _, c := range []struct {
		name   string
		host   host
		second func(h *host)     // before the second sitting
		sums   map[string]string // of the second sitting
		full   int64
		fails  [2]string // of the sittings, "": it reads the file
		asked  []string  // ranges, in the second sitting
		note   string
	}{
		{name: "kept", host: host{data: data, tag: `"1"`}},
		{name: "the host is gone", host: host{data: data, tag: `"1"`}, second: func(h *host) { h.data = nil }},
		{name: "broken off, then on", host: host{data: data, tag: `"1"`, breakAt: 2_200_000}, second: func(h *host) { h.breakAt = 0 },
			fails: [2]string{"tried 5 times"}, asked: []string{"bytes=2097152-"}, sums: map[string]string{"m.gguf": sum(data)}},
		{name: "another file of the same length", host: host{data: data[1:], tag: `"1"`, breakAt: 2_200_000}, second: func(h *host) { *h = host{data: data[:len(data)-1], tag: `"2"`} },
			fails: [2]string{"tried 5 times"}, asked: []string{"bytes=2097152-", "bytes=0-"}},
		{name: "the file has become shorter", host: host{data: data, tag: `"1"`, breakAt: 2_200_000}, second: func(h *host) { *h = host{data: data[:900_000], tag: `"2"`} },
			fails: [2]string{"tried 5 times"}, asked: []string{"bytes=2097152-", "bytes=0-"}},
		{name: "not what the host promised", host: host{data: data, tag: `"1"`, breakAt: 2_200_000}, second: func(h *host) { h.breakAt = 0 },
			sums: map[string]string{"m.gguf": sum(data[1:])}, fails: [2]string{"tried 5 times", "fetch it again"}, asked: []string{"bytes=2097152-"}},
		{name: "no room", host: host{data: data, tag: `"1"`}, full: 2_000_000, asked: []string{"bytes=0-", "bytes=900000-"}, note: "the disk is full"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := c.host
			address := h.serve(t)
			f := folder{t.TempDir(), c.full}
			for i, sums := range []map[string]string{nil, c.sums} {
				if h.ranges = nil; i == 1 && c.second != nil {
					c.second(&h)
				}
				want := h.data
				if want == nil {
					want = data
				}
				got, notes, err := keep(t, f, address, sums)
				if fail := c.fails[i]; (err == nil) != (fail == "") || err != nil && !strings.Contains(err.Error(), fail) {
					t.Fatalf("sitting %d: %v, want %q", i+1, err, fail)
				}
				if err == nil && !bytes.Equal(got, want) {
					t.Errorf("sitting %d: %d bytes differ from the host's %d", i+1, len(got), len(want))
				}
				if s := strings.Join(notes, "|"); s != c.note {
					t.Errorf("sitting %d: note %q, want %q", i+1, s, c.note)
				}
			}
			if fmt.Sprint(h.ranges) != fmt.Sprint(c.asked) {
				t.Errorf("the second sitting asked for %v, want %v", h.ranges, c.asked)
			}
		})
	}
}

// A file that the host lacks is remembered: without a network, what a model has is known.
func TestKeepMissing(t *testing.T) {
	h := host{data: numbers(10), tag: `"1"`}
	address := h.serve(t)
	f := folder{dir: t.TempDir()}
	for range 2 {
		open := weights.Keep(ctx, f, weights.Keeping{Model: "owner/name", Address: address, Get: nethttp.Get})
		if _, err := open(ctx, "config.json"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v, want that there is none", err)
		}
	}
	if len(h.ranges) != 1 {
		t.Errorf("%d requests, want 1", len(h.ranges))
	}
	for _, name := range []string{"../m.gguf", "a/b", ""} {
		if _, err := weights.Keep(ctx, f, weights.Keeping{Address: address, Get: nethttp.Get})(ctx, name); err == nil {
			t.Errorf("%q was opened", name)
		}
	}
}

func FuzzKept(f *testing.F) {
	for _, s := range []string{`{"model":"a/b","files":{"m.gguf":{"size":3,"etag":"\"1\"","whole":true},"x.json":{"missing":true}}}`, `{"files":{"../x":{}}}`, `{"files":{"m":{"size":-1}}}`, "", "[]"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		k, err := weights.ParseKept(data)
		for name, file := range k.Files {
			if err != nil || file.Size < 0 || strings.ContainsAny(name, "/\\") {
				t.Errorf("%q with %d bytes and error %v", name, file.Size, err)
			}
		}
	})
}

package site

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// tinySite is a built site of five files, one hashed and compressed.
func tinySite(t *testing.T) fstest.MapFS {
	t.Helper()
	fsys := fstest.MapFS{}
	var m Manifest
	add := func(f File, text string) {
		sum := sha256.Sum256([]byte(text))
		f.SHA256, f.Size = hex.EncodeToString(sum[:]), int64(len(text))
		m.Files = append(m.Files, f)
		fsys[f.Path] = &fstest.MapFile{Data: []byte(text)}
	}
	add(File{Path: "index.html"}, "<!doctype html>")
	add(File{Path: fetchPage}, "<!doctype html>")
	add(File{Path: "page.0123.wasm", Immutable: true, Encodings: []string{"br", "gzip"}}, "the program")
	add(File{Path: OffersName}, `[{"name": "tiny", "title": "a model of one file, without config.json"}]`)
	add(File{Path: "models/tiny/part-1.safetensors"}, "0123456789")
	fsys["page.0123.wasm.br"] = &fstest.MapFile{Data: []byte("brotli")}
	fsys["page.0123.wasm.gz"] = &fstest.MapFile{Data: []byte("gz")}
	fsys["secret.txt"] = &fstest.MapFile{Data: []byte("not in the manifest")}
	writeManifest(t, fsys, m, 1)
	return fsys
}

func writeManifest(t *testing.T, fsys fstest.MapFS, m Manifest, second int64) {
	t.Helper()
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	fsys[ManifestName] = &fstest.MapFile{Data: text, ModTime: time.Unix(second, 0)}
}

// ask sends a request with headers given as name, value, name, value …
func ask(t *testing.T, h http.Handler, method, target string, header ...string) (*http.Response, string) {
	t.Helper()
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	answer := w.Result()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(body)
}

func TestStatic(t *testing.T) {
	files, err := NewStatic(tinySite(t))
	if err != nil {
		t.Fatal(err)
	}
	h := New(files, nil)
	for _, c := range []struct {
		name, method, path string
		header             []string
		status             int
		want               map[string]string
		body               string
	}{
		{"start page", "GET", "/", nil, 200,
			map[string]string{"Content-Type": "text/html; charset=utf-8", "Cache-Control": cacheAsk, "Content-Length": "15"}, "<!doctype html>"},
		{"by name", "GET", "/index.html", nil, 200, nil, "<!doctype html>"},
		{"head", "HEAD", "/", nil, 200, map[string]string{"Content-Length": "15"}, ""},
		{"plain", "GET", "/page.0123.wasm", nil, 200,
			map[string]string{"Content-Type": "application/wasm", "Cache-Control": cacheForever, "Content-Encoding": "", "Vary": "Accept-Encoding"}, "the program"},
		{"brotli first", "GET", "/page.0123.wasm", []string{"Accept-Encoding", "gzip, deflate, br, zstd"}, 200,
			map[string]string{"Content-Encoding": "br", "Content-Length": "6", "Content-Type": "application/wasm"}, "brotli"},
		{"gzip preferred", "GET", "/page.0123.wasm", []string{"Accept-Encoding", "br;q=0.5, gzip;q=0.9"}, 200,
			map[string]string{"Content-Encoding": "gzip"}, "gz"},
		{"brotli refused", "GET", "/page.0123.wasm", []string{"Accept-Encoding", "br;q=0, *"}, 200,
			map[string]string{"Content-Encoding": "gzip"}, "gz"},
		{"no copy to give", "GET", "/", []string{"Accept-Encoding", "br"}, 200,
			map[string]string{"Content-Encoding": "", "Vary": ""}, "<!doctype html>"},
		{"range", "GET", "/models/tiny/part-1.safetensors", []string{"Range", "bytes=2-4"}, 206,
			map[string]string{"Content-Range": "bytes 2-4/10", "Content-Length": "3", "Content-Type": "application/octet-stream"}, "234"},
		{"suffix range", "GET", "/models/tiny/part-1.safetensors", []string{"Range", "bytes=-2"}, 206, nil, "89"},
		{"range of plain bytes", "GET", "/page.0123.wasm", []string{"Range", "bytes=0-2", "Accept-Encoding", "br"}, 206,
			map[string]string{"Content-Encoding": ""}, "the"},
		{"range outside", "GET", "/models/tiny/part-1.safetensors", []string{"Range", "bytes=10-"}, 416,
			map[string]string{"Content-Range": "bytes */10"}, "invalid range: failed to overlap\n"},
		{"not in the manifest", "GET", "/secret.txt", nil, 404, map[string]string{"Content-Type": "application/json"},
			`{"error":{"code":"not_found","message":"there is nothing at this address"}}` + "\n"},
		{"compressed copy by name", "GET", "/page.0123.wasm.br", nil, 404, nil, `{"error":{"code":"not_found","message":"there is nothing at this address"}}` + "\n"},
		{"climbing", "GET", "/models/..%2f..%2fsecret.txt", nil, 404, nil, `{"error":{"code":"not_found","message":"there is nothing at this address"}}` + "\n"},
		{"wrong method", "POST", "/", nil, 405, map[string]string{"Allow": "GET, HEAD"},
			`{"error":{"code":"method_not_allowed","message":"` + errBadMethod.Message + `"}}` + "\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer, body := ask(t, h, c.method, c.path, c.header...)
			if answer.StatusCode != c.status || body != c.body {
				t.Errorf("got %d %q, want %d %q", answer.StatusCode, body, c.status, c.body)
			}
			for name, want := range c.want {
				if got := answer.Header.Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			for _, h := range Headers {
				if got := answer.Header.Get(h.Name); got != h.Value {
					t.Errorf("%s: %q, want %q", h.Name, got, h.Value)
				}
			}
		})
	}
}

// The page talks to its own server alone; the page that fetches may ask any host by https.
func TestPolicies(t *testing.T) {
	h := New(&Static{catalog{fsys: tinySite(t)}}, nil)
	for target, wants := range map[string][]string{
		"/":           {"connect-src 'self';", "require-trusted-types-for 'script'", "frame-ancestors 'none'", "frame-src 'self'"},
		"/fetch.html": {"connect-src https:;", "require-trusted-types-for 'script'", "frame-ancestors 'self'", "default-src 'none'"},
	} {
		r, _ := ask(t, h, "GET", target)
		got := r.Header.Values("Content-Security-Policy")
		if len(got) != 1 {
			t.Fatalf("%s has %d policies", target, len(got))
		}
		for _, want := range wants {
			if !strings.Contains(got[0], want) {
				t.Errorf("%s lacks %s: %s", target, want, got[0])
			}
		}
	}
}

func TestETags(t *testing.T) {
	files, err := NewStatic(tinySite(t))
	if err != nil {
		t.Fatal(err)
	}
	tags := map[string]bool{}
	for _, coding := range []string{"", "br", "gzip"} {
		answer, _ := ask(t, files, "GET", "/page.0123.wasm", "Accept-Encoding", coding)
		tag := answer.Header.Get("ETag")
		if tags[tag] || len(tag) < 34 {
			t.Errorf("coding %q: ETag %s is short or another coding's", coding, tag)
		}
		tags[tag] = true
		again, body := ask(t, files, "GET", "/page.0123.wasm", "Accept-Encoding", coding, "If-None-Match", tag)
		if again.StatusCode != 304 || body != "" {
			t.Errorf("coding %q: asked again: %d %q, want 304", coding, again.StatusCode, body)
		}
	}
}

func TestStaticFollowsABuild(t *testing.T) {
	fsys := tinySite(t)
	files, err := NewStatic(fsys)
	if err != nil {
		t.Fatal(err)
	}
	if !files.Bundled("tiny") || files.Bundled("new") {
		t.Errorf("bundled: tiny %v, new %v; want true, false", files.Bundled("tiny"), files.Bundled("new"))
	}
	fsys["new.txt"] = &fstest.MapFile{Data: []byte("new")}
	fsys[OffersName] = &fstest.MapFile{Data: []byte(`[{"name": "new"}]`)}
	writeManifest(t, fsys, Manifest{Files: []File{
		{Path: "new.txt", SHA256: strings.Repeat("0", 64)}, {Path: OffersName}, {Path: "gone.txt", SHA256: strings.Repeat("1", 64)},
	}}, 2)
	if answer, body := ask(t, files, "GET", "/new.txt"); answer.StatusCode != 200 || body != "new" {
		t.Errorf("new file after a build: %d %q", answer.StatusCode, body)
	}
	if answer, _ := ask(t, files, "GET", "/page.0123.wasm"); answer.StatusCode != 404 {
		t.Errorf("old file after a build: %d", answer.StatusCode)
	}
	if files.Bundled("tiny") || !files.Bundled("new") {
		t.Error("the list of bundled models is the old build's")
	}
	answer, body := ask(t, files, "GET", "/gone.txt")
	if answer.StatusCode != 500 || answer.Header.Get("ETag") != "" || !strings.Contains(body, `"internal"`) {
		t.Errorf("a file that the manifest names and is gone: %d %q", answer.StatusCode, body)
	}
}

func TestNoManifest(t *testing.T) {
	for name, fsys := range map[string]fstest.MapFS{"none": {}, "not JSON": {ManifestName: {Data: []byte("{")}}} {
		if _, err := NewStatic(fsys); err == nil || !strings.Contains(err.Error(), "manifest") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

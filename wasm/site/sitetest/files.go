package sitetest

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"prelude/wasm/site"
)

// Files tests the files of a running site: the page, a file with its hash in its
// name, and a piece of a model (of which piece is the content), asked for whole
// and by range.
func Files(t *testing.T, url, hashed, piecePath, piece string) {
	get := func(path string, header ...string) (*http.Response, string) {
		t.Helper()
		r, err := http.NewRequest("GET", url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range site.Headers {
			if got := response.Header.Get(h.Name); got != h.Value {
				t.Errorf("%s: header %s is %q, want %q", path, h.Name, got, h.Value)
			}
		}
		return response, string(body)
	}
	check := func(name string, r *http.Response, status int, want map[string]string) {
		t.Helper()
		if r.StatusCode != status {
			t.Errorf("%s: status %d, want %d", name, r.StatusCode, status)
		}
		for header, value := range want {
			if got := r.Header.Get(header); got != value {
				t.Errorf("%s: header %s is %q, want %q", name, header, got, value)
			}
		}
	}

	page, body := get("/")
	check("page", page, 200, map[string]string{"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-cache"})
	if !strings.Contains(body, hashed) {
		t.Errorf("the page does not refer to %s:\n%s", hashed, body)
	}
	file, _ := get("/" + hashed)
	check("hashed file", file, 200, map[string]string{"Cache-Control": "public, max-age=31536000, immutable"})
	again, _ := get("/"+hashed, "If-None-Match", file.Header.Get("ETag"))
	check("hashed file again", again, 304, nil)
	missing, body := get("/no/such/file.js")
	check("missing file", missing, 404, map[string]string{"Content-Type": "application/json"})
	if !strings.Contains(body, `"code":"not_found"`) {
		t.Errorf("missing file: %s", body)
	}

	whole, body := get(piecePath)
	check("piece", whole, 200, map[string]string{
		"Accept-Ranges": "bytes", "Content-Type": "application/octet-stream", "Content-Length": fmt.Sprint(len(piece)),
	})
	if body != piece {
		t.Errorf("the piece came as %d bytes that are not its %d", len(body), len(piece))
	}
	n := len(piece)
	for _, c := range []struct {
		name, asked string
		status      int
		first, last int
	}{
		{"the first byte", "bytes=0-0", 206, 0, 0},
		{"a part", "bytes=10-29", 206, 10, 29},
		{"to the end", fmt.Sprintf("bytes=%d-", n-7), 206, n - 7, n - 1},
		{"beyond the end", fmt.Sprintf("bytes=%d-%d", n-7, n+100), 206, n - 7, n - 1},
		{"the last bytes", "bytes=-9", 206, n - 9, n - 1},
		{"more last bytes than there are", fmt.Sprintf("bytes=-%d", n+1), 206, 0, n - 1},
		{"behind the end", fmt.Sprintf("bytes=%d-", n), 416, 0, -1},
	} {
		got, body := get(piecePath, "Range", c.asked)
		wanted := map[string]string{"Content-Range": fmt.Sprintf("bytes %d-%d/%d", c.first, c.last, n)}
		if c.status == 416 {
			wanted["Content-Range"], body = fmt.Sprintf("bytes */%d", n), ""
		}
		check(c.name, got, c.status, wanted)
		if want := piece[c.first : c.last+1]; body != want {
			t.Errorf("%s: %d bytes %.20q, want %d %.20q", c.name, len(body), body, len(want), want)
		}
	}
	stale, body := get(piecePath, "Range", "bytes=0-0", "If-Range", `"other"`)
	check("range of another version", stale, 200, nil)
	if body != piece {
		t.Errorf("range of another version: %d bytes, want the whole", len(body))
	}
	missing, _ = get("/models/none/config.json")
	check("missing model", missing, 404, map[string]string{"Content-Type": "application/json"})
}

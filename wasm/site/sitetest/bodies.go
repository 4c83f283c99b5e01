package sitetest

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"prelude/prefix/adapter"
	"prelude/wasm/site"
)

// bodies sends uploads that must be refused.
func (s *suite) bodies(t *testing.T) {
	made := func(change func(a *adapter.Adapter)) []byte {
		data, err := Adapter(1, change)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	good := made(nil)
	// Without this mark the tensors are not what the configuration says.
	const mark = `"shape":[16,512]`
	if !bytes.Contains(good, []byte(mark)) {
		t.Fatalf("the adapter has no %s to break", mark)
	}
	long := append([]byte("PK\x03\x04"), make([]byte, site.MaxUpload)...)
	for i, c := range []struct {
		name, media string
		body        []byte
		size        int64
		status      int
		code        string
	}{
		{"too large by its header", "application/zip", long, 0, 413, "too_large"},
		{"too large while streaming", "application/zip", long, -1, 413, "too_large"},
		{"empty", "application/zip", nil, 0, 422, "not_zip"},
		{"a page", "application/zip", []byte("<!doctype html><script>alert(1)</script>"), 0, 422, "not_zip"},
		{"half a zip", "application/zip", good[:len(good)/2], 0, 422, "not_zip"},
		{"no type", "", good, 0, 415, "not_typed"},
		{"a form's type", "multipart/form-data; boundary=x", good, 0, 415, "not_typed"},
		{"other shapes", "application/zip", bytes.Replace(good, []byte(mark), []byte(`"shape":[512,16]`), 1), 0, 422, "not_adapter"},
		{"no name", "application/zip", made(func(a *adapter.Adapter) { a.Prelude.Name = "" }), 0, 422, "not_adapter"},
		{"no prelude.json", "application/zip", made(func(a *adapter.Adapter) { a.Prelude = adapter.Prelude{} }), 0, 422, "not_adapter"},
		{"card too long", "application/zip", made(func(a *adapter.Adapter) {
			a.Prelude.Name, a.Prelude.Task = strings.Repeat(`"`, 64), strings.Repeat(`"`, 32)
			a.Prelude.About, a.Prelude.Model.Fingerprint = strings.Repeat(`"`, 240), strings.Repeat("f", 128)
		}), 0, 422, "not_adapter"},
		{"a loss of no model", "application/zip", made(func(a *adapter.Adapter) { a.Prelude.Run.ValLoss = 1e308 }), 0, 422, "not_adapter"},
		{"a loss below zero", "application/zip", made(func(a *adapter.Adapter) { a.Prelude.Run.Base = -1 }), 0, 422, "not_adapter"},
		{"a file's model", "application/zip", made(func(a *adapter.Adapter) { a.Prelude.Model.Name = "model.gguf" }), 0, 422, "unknown_model"},
		{"a model by path", "application/zip", made(func(a *adapter.Adapter) { a.Prelude.Model.Name = "../x" }), 0, 422, "unknown_model"},
		{"no fingerprint", "application/zip", made(func(a *adapter.Adapter) { a.Prelude.Model.Fingerprint = "" }), 0, 422, "unknown_model"},
	} {
		s.client = s.Client(20 + i/8)
		r := request{method: "POST", path: "/api/prefixes", body: bytes.NewReader(c.body), size: c.size}
		if c.media != "" {
			r.header = map[string]string{"Content-Type": c.media}
		}
		a := s.do(t, r)
		if a.status != c.status || a.code() != c.code {
			t.Errorf("%s: answered %d %q, want %d %q: %.200s", c.name, a.status, a.code(), c.status, c.code, a.body)
		}
	}

	s.client = s.Client(24)
	a, up := s.upload(t, made(func(a *adapter.Adapter) { a.Prelude.Model.Name = s.Bundled }))
	want(t, a, 201, "")
	want(t, s.remove(t, up.Prefix.ID, "Bearer "+up.Secret), 204, "")

	t.Run("truncated", func(t *testing.T) { s.brokenOff(t, good, true) })
	t.Run("slow", func(t *testing.T) { s.brokenOff(t, good, false) })
	if cards, _ := s.cards(t, url.Values{"model": {"tiny/model"}}); len(cards) != 0 {
		t.Errorf("refused uploads are in the gallery: %+v", cards)
	}
}

// brokenOff sends half of what it announces and then ends (or doesn't). Where
// the home cannot answer that, it must at least close the connection.
func (s *suite) brokenOff(t *testing.T, data []byte, ends bool) {
	code, status := "slow_body", 408
	if ends {
		code, status = "truncated", 400
	}
	where, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", where.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(s.BodyTime + 10*time.Second)); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(c, "POST /api/prefixes HTTP/1.1\r\nHost: %s\r\nContent-Type: application/zip\r\nContent-Length: %d\r\n\r\n", where.Host, len(data))
	if _, err := c.Write(data[:len(data)/2]); err != nil {
		t.Fatal(err)
	}
	if ends {
		if err := c.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
	}
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	for _, unseen := range s.Unseen {
		if strings.HasSuffix(unseen, " "+code) {
			if err == nil && response.StatusCode < 400 {
				t.Errorf("answered %d to a body that broke off", response.StatusCode)
			}
			return
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answered{response.StatusCode, response.Header, body}
	s.checkAnswer(t, "POST", "/api/prefixes", a)
	want(t, a, status, code)
}

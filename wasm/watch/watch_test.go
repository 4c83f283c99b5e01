package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A change, a new file and a lost file are seen; generated code and tests are not looked at.
func TestSnapshotSeesSources(t *testing.T) {
	root := t.TempDir()
	for _, dir := range watched {
		if err := os.Mkdir(filepath.Join(root, dir), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	write := func(name string, at time.Time) {
		t.Helper()
		file := filepath.Join(root, name)
		if err := os.WriteFile(file, nil, 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, at, at); err != nil {
			t.Fatal(err)
		}
	}
	look := func() files {
		t.Helper()
		f, err := snapshot(root)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	long := time.Now().Add(-time.Hour)
	write("ui/page.vugu", long)
	before := look()
	for _, quiet := range []string{"ui/page_gen.go", "ui/page_test.go", "ui/notes.txt"} {
		write(quiet, time.Now())
		if now := look(); !now.equal(before) {
			t.Errorf("%s is taken for a source: %q", quiet, now.differs(before))
		}
	}
	for _, change := range []func(){
		func() { write("ui/page.vugu", time.Now()) },
		func() { write("static/page.css", long) },
		func() { _ = os.Remove(filepath.Join(root, "ui/page.vugu")) },
	} {
		change()
		now := look()
		if now.equal(before) || now.differs(before) == "" {
			t.Error("a change is not seen")
		}
		before = now
	}
}

// The page gets the script, other files come as they are, and a build reaches an open page.
func TestProxy(t *testing.T) {
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") == "br" {
			t.Error("the site is asked for a compressed page")
		}
		if r.URL.Path == "/" {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Content-Security-Policy", "script-src 'self'")
			_, _ = io.WriteString(w, "<head><title>x</title></head>")
			return
		}
		_, _ = io.WriteString(w, "a file </head>")
	}))
	defer site.Close()
	p := newProxy(strings.TrimPrefix(site.URL, "http://"))
	front := httptest.NewServer(p)
	defer front.Close()
	get := func(path string) (string, http.Header) {
		t.Helper()
		req, err := http.NewRequest("GET", front.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept-Encoding", "br")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(text), resp.Header
	}
	if text, head := get("/"); text != "<head><title>x</title>"+tag+"</head>" || head.Get("Content-Security-Policy") == "" {
		t.Errorf("the page is %q with %v", text, head)
	}
	if text, _ := get("/file"); text != "a file </head>" {
		t.Errorf("a file is %q", text)
	}
	if text, head := get("/watch.js"); !strings.Contains(text, `EventSource("/watch")`) || !strings.HasPrefix(head.Get("Content-Type"), "text/javascript") {
		t.Errorf("the script is %q with %v", text, head)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", front.URL+"/watch", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for range 2 {
		p.reload()
		if !lines.Scan() || lines.Text() != "data: reload" || !lines.Scan() {
			t.Fatalf("the stream says %q (%v)", lines.Text(), lines.Err())
		}
	}
}

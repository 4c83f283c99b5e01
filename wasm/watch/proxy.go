package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
)

// The script is a file of its own because the page's policy forbids inline scripts. A page also
// reloads when the stream comes back after this program was started again.
const (
	tag    = `<script src="/watch.js"></script>`
	script = `"use strict";
{
  const stream = new EventSource("/watch");
  let opened = false;
  stream.onopen = () => { if (opened) location.reload(); opened = true; };
  stream.onmessage = () => location.reload();
}
`
)

// proxy answers as the site's server does, and adds the script and the stream behind it.
type proxy struct {
	http.ServeMux
	mu    sync.Mutex
	built chan struct{} // closed at the next build
}

// newProxy stands before whatever server is at an address when a request comes.
func newProxy(addr string) *proxy {
	p := &proxy{built: make(chan struct{})}
	p.Handle("/", &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: addr})
			r.Out.Host = r.In.Host
			r.Out.Header.Del("Accept-Encoding")
			r.Out.Header.Del("If-None-Match") // of the page without the script
		},
		ModifyResponse: addScript,
	})
	p.HandleFunc("/watch.js", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		w.Header().Set("Cross-Origin-Resource-Policy", "same-origin")
		_, _ = io.WriteString(w, script)
	})
	p.HandleFunc("/watch", p.stream)
	return p
}

// addScript puts the script's tag into an HTML page.
func addScript(r *http.Response) error {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "text/html") || r.StatusCode != http.StatusOK {
		return nil
	}
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	if err := r.Body.Close(); err != nil {
		return err
	}
	text = bytes.Replace(text, []byte("</head>"), []byte(tag+"</head>"), 1)
	r.Body = io.NopCloser(bytes.NewReader(text))
	r.ContentLength = int64(len(text))
	r.Header.Set("Content-Length", strconv.Itoa(len(text)))
	r.Header.Del("ETag")
	return nil
}

// stream is a stream of server-sent events that says "reload" after each build.
func (p *proxy) stream(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	flush := http.NewResponseController(w)
	for {
		p.mu.Lock()
		built := p.built
		p.mu.Unlock()
		if err := flush.Flush(); err != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-built:
			if _, err := fmt.Fprint(w, "data: reload\n\n"); err != nil {
				return
			}
		}
	}
}

// reload has every open page reload.
func (p *proxy) reload() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.built)
	p.built = make(chan struct{})
}

package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestExamplesByAddress: files come by https, a link to a page of the hub from the mirror that
// was set; what is refused says why.
func TestExamplesByAddress(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/a.jsonl", "/hf/datasets/o/n/resolve/main/a.jsonl":
			w.Write([]byte(`{"prompt":"a","completion":"b"}`))
		case "/away":
			http.Redirect(w, r, "http://example.com/a.jsonl", http.StatusFound)
		case "/page":
			w.Header().Set("Content-Type", "text/html")
		case "/large":
			w.Header().Set("Content-Length", "99999999999")
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	f, err := newFetcher("", server.URL+"/hf/")
	if err != nil {
		t.Fatal(err)
	}
	f.client.Transport = server.Client().Transport
	for link, want := range map[string]string{
		server.URL + "/a.jsonl":                                 "",
		"https://huggingface.co/datasets/o/n/blob/main/a.jsonl": "",
		"hf://datasets/o/n/a.jsonl":                             "",
		"hf://datasets/o/n":                                     "names no file",
		"http://example.com/a.jsonl":                            "not encrypted",
		server.URL + "/away":                                    "not encrypted",
		server.URL + "/page":                                    "is a web page",
		server.URL + "/large":                                   "at most 1024",
		server.URL + "/none":                                    "404",
	} {
		name, content, err := f.read(link)
		if want == "" && (err != nil || name != "a.jsonl" || len(content) == 0) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %q, %d bytes, %v, want %q", link, name, len(content), err, want)
		}
	}
	if f, err := newFetcher("https://mirror.example", "https://other.example"); err != nil || f.hub != "https://mirror.example" {
		t.Errorf("%+v, %v", f, err)
	}
	if _, err := newFetcher("", "http://mirror.example"); err == nil {
		t.Error("a mirror by http is taken")
	}
}

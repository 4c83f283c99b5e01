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
		case "/hf/api/datasets/o/n/tree/main":
			w.Write([]byte(`[{"type":"file","path":"README.md"},{"type":"file","path":"a.jsonl","size":31}]`))
		case "/hf/api/datasets/o/two/tree/v1/data":
			w.Write([]byte(`[{"type":"file","path":"data/a.jsonl","size":31000000},{"type":"file","path":"data/b,c.csv","size":7}]`))
		case "/hf/api/datasets/o/none/tree/main":
			w.Write([]byte(`[{"type":"file","path":"a.arrow"}]`))
		case "/hf/api/datasets/o/gated/tree/main":
			if r.Header.Get("Authorization") != "Bearer hf_x" {
				w.WriteHeader(http.StatusUnauthorized)
			} else {
				w.Write([]byte("[]"))
			}
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
	t.Setenv("HF_TOKEN", "")
	f, err := newFetcher("", server.URL+"/hf/")
	if err != nil {
		t.Fatal(err)
	}
	f.client.Transport = server.Client().Transport
	for link, want := range map[string]string{
		server.URL + "/a.jsonl":                                 "",
		"https://huggingface.co/datasets/o/n/blob/main/a.jsonl": "",
		"hf://datasets/o/n/a.jsonl":                             "",
		"hf://datasets/o/n":                                     "",
		"https://huggingface.co/datasets/o/n/viewer":            "",
		"https://huggingface.co/datasets/o/two/tree/v1/data":    "has 2 files of examples, and one is to be named:\n  hf://datasets/o/two@v1:data/a.jsonl  31.0 MB\n  hf://datasets/o/two@v1:data/b,c.csv  0.0 MB",
		"hf://datasets/o/none":                                  "has no file that examples",
		"hf://datasets/o/gated":                                 "401",
		"hf://datasets/o":                                       "names no file",
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
	f.token = "hf_x"
	if _, _, err := f.read("hf://datasets/o/gated"); err == nil || !strings.Contains(err.Error(), "has no file") {
		t.Errorf("with a token: %v", err)
	}
	if f, err := newFetcher("https://mirror.example", "https://other.example"); err != nil || f.hub != "https://mirror.example" {
		t.Errorf("%+v, %v", f, err)
	}
	if _, err := newFetcher("", "http://mirror.example"); err == nil {
		t.Error("a mirror by http is taken")
	}
}

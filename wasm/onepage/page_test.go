package onepage

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
)

// made is a page whose model has so many bytes.
func made(model int64) *Page {
	return &Page{
		Title: `</title><script>alert(1)</script>`, About: "<b>&amp;", Model: `"m"`, Licences: "</pre><img src=x>", Worker: "// </script>",
		Engine:  File{"/engine.wasm", 3, strings.NewReader("\x00as")},
		Adapter: []byte("PK"),
		Files: []File{
			{"config.json", 2, strings.NewReader("{}")},
			{"model.safetensors", model, io.LimitReader(noise{}, model)},
		},
	}
}

// noise is bytes that count.
type noise struct{}

func (noise) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(i * i)
	}
	return len(b), nil
}

func written(t *testing.T, p *Page) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var (
	policy = regexp.MustCompile(`http-equiv="Content-Security-Policy" content="([^"]*)"`)
	code   = regexp.MustCompile(`(?s)<script>(.*?)</script>`)
	css    = regexp.MustCompile(`(?s)<style>(.*?)</style>`)
	inline = regexp.MustCompile(`<script type="text/plain" class="part" data-file="([^"]*)">([^<]*)</script>`)
	beside = regexp.MustCompile(`^preludePart\("([^"]*)", "([^"]*)"\);\n$`)
	told   = regexp.MustCompile(`<script type="application/json" id="page">([^<]*)</script>`)
)

func TestPolicyNamesTheScriptAndNothingElse(t *testing.T) {
	text := string(written(t, made(1000)))
	csp := policy.FindStringSubmatch(text)[1]
	scripts := code.FindAllStringSubmatch(text, -1)
	if len(scripts) != 1 || !strings.Contains(csp, "script-src '"+hash(scripts[0][1])+"' 'wasm-unsafe-eval';") {
		t.Errorf("%d scripts without a type; the policy is %s", len(scripts), csp)
	}
	if !strings.Contains(csp, "style-src '"+hash(css.FindStringSubmatch(text)[1])+"'") {
		t.Errorf("the style is not the policy's: %s", csp)
	}
	for _, no := range []string{"connect-src", "unsafe-inline", "unsafe-eval' ", "https:", "*"} {
		if strings.Contains(csp, no) {
			t.Errorf("the policy has %s: %s", no, csp)
		}
	}
	for _, no := range []string{"<script>alert", "<img", "<b>"} {
		if strings.Contains(text, no) {
			t.Errorf("a text became markup: %s", no)
		}
	}
}

// TestUnpacks reads a page, and a folder, as the page's script does.
func TestUnpacks(t *testing.T) {
	for _, size := range []int64{1000, Most + 5} {
		p := made(size)
		if p.Folder() != (size > Most) {
			t.Fatalf("%d bytes: a folder is %v", size, p.Folder())
		}
		raw := written(t, p)
		packed := map[string][]byte{}
		add := func(name, text string) {
			data, err := base64.StdEncoding.DecodeString(text)
			if err != nil {
				t.Fatal(err)
			}
			packed[name] = append(packed[name], data...)
		}
		index := string(raw)
		if p.Folder() {
			archive, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range archive.File {
				r, err := f.Open()
				if err != nil {
					t.Fatal(err)
				}
				text, err := io.ReadAll(r)
				if err != nil || len(text) > 25<<20 {
					t.Fatalf("%s: %d bytes, %v", f.Name, len(text), err)
				}
				if f.Name == "index.html" {
					index = string(text)
					continue
				}
				m := beside.FindSubmatch(text)
				if m == nil {
					t.Fatalf("%s is no call", f.Name)
				}
				add(string(m[1]), string(m[2]))
			}
		}
		for _, m := range inline.FindAllStringSubmatch(index, -1) {
			add(m[1], m[2])
		}
		var about struct {
			Title                   string
			Worker, Engine, Adapter part
			Files                   []part
			Scripts                 []string
		}
		if err := json.Unmarshal([]byte(told.FindStringSubmatch(index)[1]), &about); err != nil {
			t.Fatal(err)
		}
		if about.Title != p.Title || len(about.Files) != 2 || (len(about.Scripts) > 0) != p.Folder() {
			t.Errorf("the page says %+v", about)
		}
		for _, f := range append(about.Files, about.Worker, about.Engine, about.Adapter) {
			z, err := gzip.NewReader(bytes.NewReader(packed[f.Name]))
			if err != nil {
				t.Fatalf("%s: %v", f.Name, err)
			}
			data, err := io.ReadAll(z)
			if err != nil || int64(len(data)) != f.Size {
				t.Errorf("%s: %d bytes, %v; want %d", f.Name, len(data), err, f.Size)
			}
		}
	}
}

// TestShortFileIsAnError is about a file that ends before its size.
func TestShortFileIsAnError(t *testing.T) {
	p := made(1000)
	p.Files[1].Size = 2000
	if err := p.Write(io.Discard); err == nil || !strings.Contains(err.Error(), "model.safetensors has 1000 bytes, want 2000") {
		t.Errorf("%v", err)
	}
	p = made(10)
	p.Files[0].Read = failing{}
	if err := p.Write(io.Discard); err == nil || !strings.Contains(err.Error(), "the network is gone") {
		t.Errorf("%v", err)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, fmt.Errorf("the network is gone") }

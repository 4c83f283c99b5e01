// Package onepage writes a prefix as a page that carries everything it needs: the model, the
// prefix, the engine and a text box. It opens from a disk or from any host of files, and its
// Content-Security-Policy forbids every connection.
//
// A page is one HTML file. Where the model has more than [Most] bytes, it is a folder
// instead, zipped: the page and scripts with the model's lumps, since a page that is opened
// from a disk can run scripts that lie beside it but can't read other files.
package onepage

import (
	"archive/zip"
	"compress/gzip"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"path"
	"strings"
	"time"
)

//go:embed page.css
var style string

//go:embed page.js
var script string

// Most is the size in bytes up to which a model becomes a part of the page itself.
const Most = 30 << 20

// lump is how many bytes of a packed file become one piece of base64. A multiple of 3, so
// that pieces need no padding; its text stays under the 25 MB to which hosts limit a file.
const lump = 18 << 20

// Page is what becomes a page. Texts are plain text.
type Page struct {
	Title    string // the prefix's name
	About    string // a sentence or two, may be ""
	Model    string // the model's name
	Licences string // of the engine's parts
	Worker   string // the script of the engine's worker, with the scripts that it would import
	Engine   File   // the engine's program
	Adapter  []byte // the prefix, zipped as Prelude exports it
	Files    []File // of the model
}

// File is a file of Size bytes that Read streams once.
type File struct {
	Name string
	Size int64
	Read io.Reader
}

// Folder says whether the page becomes a zipped folder rather than one file.
func (p *Page) Folder() bool {
	var all int64
	for _, f := range p.Files {
		all += f.Size
	}
	return all > Most
}

// part describes a file to the page's script.
type part struct {
	Name  string `json:"name"`
	Size  int64  `json:"size"`
	Lumps int    `json:"lumps"`
}

// Write writes the page as HTML, or as a zip where it is a [Page.Folder]. The same page gives
// the same bytes.
func (p *Page) Write(w io.Writer) error {
	if !p.Folder() {
		return p.html(w, nil, nil)
	}
	z := zip.NewWriter(w)
	create := func(name string) (io.Writer, error) {
		// Stored: base64 of weights hardly shrinks.
		return z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)})
	}
	var scripts []string
	var files []part
	for _, f := range p.Files {
		count, err := pack(f, func(n int, base64 []byte) error {
			scripts = append(scripts, fmt.Sprintf("model-%03d.js", len(scripts)))
			out, err := create(scripts[len(scripts)-1])
			if err == nil {
				_, err = fmt.Fprintf(out, "preludePart(%s, \"%s\");\n", quoted(f.Name), base64)
			}
			return err
		})
		if err != nil {
			return err
		}
		files = append(files, part{f.Name, f.Size, count})
	}
	index, err := create("index.html")
	if err == nil {
		err = p.html(index, scripts, files)
	}
	if err != nil {
		return err
	}
	return z.Close()
}

// html writes the page; the model's files are in scripts beside it, or, where there are
// none, in the page.
func (p *Page) html(w io.Writer, scripts []string, files []part) error {
	own := ""
	if scripts != nil {
		own = " 'self'"
	}
	_, err := fmt.Fprintf(w, `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src '%s' 'wasm-unsafe-eval'%s; worker-src blob:; style-src '%s'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types prelude-page">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>%s</title>
<style>%s</style>
</head>
<body>
<main>
<h1>%s</h1>
<p>%s</p>
<p class="soft">%s with a prefix trained by Prelude. It runs in this page; nothing that you write leaves it.</p>
<form id="form">
<label for="prompt">Prompt</label>
<textarea id="prompt" rows="4" placeholder="As in the examples that it was trained on"></textarea>
<div class="actions"><button id="ask">Answer</button><button id="stop" class="quiet" type="button" hidden>Stop</button><label class="box"><input type="checkbox" id="both"> also without the prefix</label></div>
</form>
<p id="state" role="status">Opening the model…</p>
<noscript><p class="bad">This page is a program: it needs JavaScript and WebAssembly.</p></noscript>
<ol id="answers" aria-live="polite"></ol>
<details><summary class="soft">Licences of the engine that this page carries</summary><pre>%s</pre></details>
</main>
<script>%s</script>
`, hash(script), own, hash(style), html.EscapeString(p.Title), style, html.EscapeString(p.Title),
		html.EscapeString(p.About), html.EscapeString(p.Model), html.EscapeString(p.Licences), script)
	if err != nil {
		return err
	}
	inline := func(f File) (part, error) {
		n, err := pack(f, func(_ int, base64 []byte) error {
			_, err := fmt.Fprintf(w, "<script type=\"text/plain\" class=\"part\" data-file=\"%s\">%s</script>\n", html.EscapeString(f.Name), base64)
			return err
		})
		return part{f.Name, f.Size, n}, err
	}
	about := struct {
		Title   string   `json:"title"`
		Worker  part     `json:"worker"`
		Engine  part     `json:"engine"`
		Adapter part     `json:"adapter"`
		Files   []part   `json:"files"`
		Scripts []string `json:"scripts"`
	}{Title: p.Title, Files: files, Scripts: append([]string{}, scripts...)}
	if about.Worker, err = inline(File{"/worker.js", int64(len(p.Worker)), strings.NewReader(p.Worker)}); err != nil {
		return err
	}
	if about.Engine, err = inline(p.Engine); err != nil {
		return err
	}
	if about.Adapter, err = inline(File{"/adapter.zip", int64(len(p.Adapter)), strings.NewReader(string(p.Adapter))}); err != nil {
		return err
	}
	if scripts == nil {
		for _, f := range p.Files {
			one, err := inline(f)
			if err != nil {
				return err
			}
			about.Files = append(about.Files, one)
		}
	}
	// Last, so that a page which was cut off lacks it. Go writes < as \u003c.
	_, err = fmt.Fprintf(w, "<script type=\"application/json\" id=\"page\">%s</script>\n</body>\n</html>\n", quoted(about))
	return err
}

// pack streams a file through gzip, whose checksum tells a damaged copy, and gives it out in
// lumps of base64.
func pack(f File, out func(n int, base64 []byte) error) (lumps int, err error) {
	l := &lumper{out: out}
	level := gzip.BestSpeed
	if ext := path.Ext(f.Name); ext != ".json" && ext != ".wasm" && ext != ".js" {
		level = gzip.NoCompression // weights are noise to it
	}
	z, err := gzip.NewWriterLevel(l, level)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(z, f.Read)
	if err == nil && n != f.Size {
		err = fmt.Errorf("onepage: %s has %d bytes, want %d", f.Name, n, f.Size)
	}
	if err == nil {
		err = z.Close()
	}
	if err == nil {
		err = l.flush()
	}
	return l.n, err
}

// lumper collects bytes into lumps.
type lumper struct {
	out  func(n int, base64 []byte) error
	held []byte
	n    int
}

func (l *lumper) Write(b []byte) (int, error) {
	for rest := b; len(rest) > 0; {
		n := min(len(rest), lump-len(l.held))
		l.held = append(l.held, rest[:n]...)
		if rest = rest[n:]; len(l.held) == lump {
			if err := l.flush(); err != nil {
				return 0, err
			}
		}
	}
	return len(b), nil
}

func (l *lumper) flush() error {
	if len(l.held) == 0 {
		return nil
	}
	text := base64.StdEncoding.AppendEncode(nil, l.held)
	l.held = l.held[:0]
	l.n++
	return l.out(l.n-1, text)
}

// hash is how a Content-Security-Policy names a script or a style.
func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// quoted is a value as JSON that may stand in a script: Go escapes <, > and &.
func quoted(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings and numbers only
	}
	return text
}

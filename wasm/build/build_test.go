package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"

	"prelude/wasm/site"
)

func buildTiny(t *testing.T, out string) map[string]site.File {
	t.Helper()
	sources, err := collect("testdata/static", []string{"testdata/page.wasm"})
	if err != nil {
		t.Fatal(err)
	}
	if err := build(sources, out, codings(false)...); err != nil {
		t.Fatal(err)
	}
	var m site.Manifest
	if err := json.Unmarshal([]byte(readFile(t, filepath.Join(out, site.ManifestName))), &m); err != nil {
		t.Fatal(err)
	}
	files := map[string]site.File{}
	for _, f := range m.Files {
		files[f.Source] = f
	}
	return files
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestReferencesFollowHashedNames(t *testing.T) {
	out := t.TempDir()
	files := buildTiny(t, out)
	for source, f := range files {
		want := regexp.MustCompile(`\.[0-9a-f]{12}\.(css|js|svg|wasm)$`).MatchString(f.Path)
		if model := strings.HasPrefix(source, "models/") || source == "index.html"; want == model || f.Immutable == model {
			t.Errorf("%s became %s, immutable %v", source, f.Path, f.Immutable)
		}
	}
	for name, wants := range map[string][]string{
		"index.html": {`href="` + files["page.css"].Path + `"`, `src="/` + files["boot.js"].Path + `"`,
			`data-program="` + files["page.wasm"].Path + `"`, `src="` + files["wasm_exec.js"].Path + `"`},
		"page.css": {`url(` + files["dot.svg"].Path + `)`, `"` + files["boot.js"].Path + `"`},
		"boot.js":  {`"./` + files["work.js"].Path + `"`, `// boot.js and "not/work.js" stay`},
		"work.js":  {`"` + files["wasm_exec.js"].Path + `"`, `"` + files["page.wasm"].Path + `"`},
	} {
		text := readFile(t, filepath.Join(out, files[name].Path))
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%s lacks %s:\n%s", name, want, text)
			}
		}
	}
}

func TestCompressedCopies(t *testing.T) {
	out := t.TempDir()
	f := buildTiny(t, out)["page.wasm"]
	plain := readFile(t, filepath.Join(out, f.Path))
	unzip, err := gzip.NewReader(strings.NewReader(readFile(t, filepath.Join(out, f.Path+".gz"))))
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]io.Reader{
		"br": brotli.NewReader(strings.NewReader(readFile(t, filepath.Join(out, f.Path+".br")))), "gzip": unzip,
	} {
		if got, err := io.ReadAll(r); err != nil || string(got) != plain {
			t.Errorf("%s: %d bytes, %v; want the %d of the file", name, len(got), err, len(plain))
		}
	}
}

func TestRebuildKeepsWhatIsTheSame(t *testing.T) {
	out := t.TempDir()
	first := buildTiny(t, out)
	kept := filepath.Join(out, first["page.wasm"].Path)
	before, err := os.Stat(kept)
	if err != nil {
		t.Fatal(err)
	}
	stale := filepath.Join(out, "page.000000000000.wasm.br")
	if err := os.WriteFile(stale, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	lost := filepath.Join(out, first["wasm_exec.js"].Path+".br")
	if err := os.Remove(lost); err != nil {
		t.Fatal(err)
	}
	buildTiny(t, out)
	if after, err := os.Stat(kept); err != nil || !os.SameFile(before, after) {
		t.Errorf("an unchanged file was written again (%v)", err)
	}
	if _, err := os.Stat(stale); err == nil {
		t.Errorf("%s of an earlier build is still there", stale)
	}
	if _, err := os.Stat(lost); err != nil {
		t.Errorf("a lost compressed copy was not made again: %v", err)
	}
}

func TestRefusesRingsAndDoubles(t *testing.T) {
	for name, c := range map[string]struct {
		sources []source
		want    string
	}{
		"ring": {[]source{{path: "a.js", text: []byte(`"b.js"`)}, {path: "b.js", text: []byte(`'a.js'`)}},
			"a.js → b.js → a.js"},
		"double": {[]source{{path: "a.js", file: "x/a.js"}, {path: "a.js", file: "y/a.js"}},
			`a.js comes twice, from "x/a.js" and "y/a.js"`},
	} {
		if err := build(c.sources, t.TempDir()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want …%s…", name, err, c.want)
		}
	}
}

func TestHeadersFileSaysWhatTheHandlerSays(t *testing.T) {
	out := t.TempDir()
	files := buildTiny(t, out)
	text := readFile(t, filepath.Join(out, "_headers"))
	for _, h := range site.Headers {
		if !strings.Contains(text, "\n  "+h.Name+": "+h.Value+"\n") {
			t.Errorf("_headers lacks %s", h.Name)
		}
	}
	if !strings.Contains(text, "\n/fetch.html\n  ! Content-Security-Policy\n  Content-Security-Policy: default-src 'none'; script-src 'self'; connect-src https:;") {
		t.Errorf("_headers has no policy of its own for the page that fetches:\n%s", text)
	}
	if !bytes.Contains([]byte(text), []byte("/"+files["page.wasm"].Path+"\n  ! Cache-Control\n  Cache-Control: public, max-age=31536000, immutable\n")) {
		t.Errorf("_headers does not cache page.wasm for ever:\n%s", text)
	}
}

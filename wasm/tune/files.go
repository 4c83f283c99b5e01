package main

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// writeAdapter writes a zipped adapter as it is, or unpacked into a folder.
func writeAdapter(path string, content []byte) error {
	if strings.HasSuffix(path, ".zip") {
		return os.WriteFile(path, content, 0o666)
	}
	r, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(path, 0o777); err != nil {
		return err
	}
	for _, f := range r.File {
		in, err := f.Open()
		if err != nil {
			return err
		}
		text, err := io.ReadAll(in)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(path, f.Name), text, 0o666); err != nil {
			return err
		}
	}
	return nil
}

// readAdapter reads a zip, or zips the files of a folder.
func readAdapter(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return os.ReadFile(path)
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, name := range []string{"adapter_config.json", "adapter_model.safetensors", "prelude.json", "prelude.safetensors", "README.md"} {
		text, err := os.ReadFile(filepath.Join(path, name))
		if os.IsNotExist(err) {
			continue
		} else if err != nil {
			return nil, err
		}
		f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err != nil {
			return nil, err
		}
		if _, err := f.Write(text); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), w.Close()
}

// runExport writes a bundled model as a folder that transformers loads: it is one
// already, but for a weight file in pieces, which becomes one again.
func runExport(ctx context.Context, args []string) error {
	f := newFlags("export")
	out := f.String("out", "", "`folder` to write")
	if err := f.parse(args, "model", "out"); err != nil {
		return err
	}
	from := filepath.Join("static", "models", f.model)
	if _, err := os.Stat(from); err != nil {
		from = f.model
	}
	if err := os.MkdirAll(*out, 0o777); err != nil {
		return err
	}
	all, err := os.ReadDir(from) // by name: pieces come in their order
	if err != nil {
		return err
	}
	written := map[string]bool{}
	for _, e := range all {
		name := e.Name()
		if e.IsDir() || strings.HasSuffix(name, ".csv") || name == "pieces.json" {
			continue
		}
		how := os.O_CREATE | os.O_WRONLY | os.O_TRUNC
		if isPiece(name) {
			if name = strings.TrimSuffix(name, filepath.Ext(name)); written[name] {
				how = os.O_WRONLY | os.O_APPEND
			}
		}
		if err := copyFile(filepath.Join(*out, name), filepath.Join(from, e.Name()), how); err != nil {
			return err
		}
		written[name] = true
	}
	fmt.Fprintf(os.Stderr, "%d files in %s\n", len(written), *out)
	return nil
}

// isPiece says whether a name ends as a piece's does: .000, .001 …
func isPiece(name string) bool {
	ext := filepath.Ext(name)
	return len(ext) == 4 && strings.Trim(ext[1:], "0123456789") == ""
}

func copyFile(to, from string, how int) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, how, 0o666)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

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
// already, but for weights in pieces.
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
	all, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	n := 0
	for _, e := range all {
		if e.IsDir() || strings.HasSuffix(e.Name(), ".csv") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(from, e.Name()))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(*out, e.Name()), text, 0o666); err != nil {
			return err
		}
		n++
	}
	fmt.Fprintf(os.Stderr, "%d files in %s\n", n, *out)
	return nil
}

package main

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"prelude/wasm/session"
)

// output is where an adapter goes: a .zip, or a folder. What is there is whole at any
// moment, also where the program is killed while it writes: the new one is written beside
// the old one under another name, and takes its place in one step.
type output struct {
	path  string
	force bool // replace what is there
}

// output adds the flags of an output.
func (f *flags) output() *output {
	o := &output{}
	f.StringVar(&o.path, "out", "", "`folder` or .zip to write the adapter to")
	f.BoolVar(&o.force, "force", false, "replace the adapter that -out names")
	return o
}

// zipped says whether the adapter is written as one file.
func (o *output) zipped() bool { return strings.HasSuffix(o.path, ".zip") }

// beside is the name under which the adapter is written before it takes its place.
func (o *output) beside() string {
	dir, name := filepath.Split(filepath.Clean(o.path))
	return filepath.Join(dir, "."+name+".part")
}

// try finds out whether the adapter can be written, before hours are spent on it.
func (o *output) try() error {
	if err := o.free(); err != nil {
		return err
	}
	part := o.beside()
	if err := os.MkdirAll(filepath.Dir(part), 0o777); err != nil {
		return session.Hint{Err: fmt.Errorf("-out: %w", err), Do: "Choose another place with -out."}
	}
	if err := os.RemoveAll(part); err != nil { // of a program that was killed
		return fmt.Errorf("-out: %w", err)
	}
	f, err := os.Create(part)
	if err != nil {
		return session.Hint{Err: fmt.Errorf("-out: %w", err), Do: "Choose a folder that you may write to."}
	}
	f.Close()
	return os.Remove(part)
}

// free says whether nothing is in the way but what may be replaced.
func (o *output) free() error {
	info, err := os.Stat(o.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("-out: %w", err)
	}
	if info.IsDir() == o.zipped() {
		return session.Hint{Err: fmt.Errorf("-out: %s is a %s", o.path, map[bool]string{true: "folder, not a .zip", false: "file, not a folder"}[info.IsDir()]), Do: "Choose another name."}
	}
	if info.IsDir() {
		all, err := os.ReadDir(o.path)
		if err != nil {
			return fmt.Errorf("-out: %w", err)
		}
		if len(all) == 0 {
			return nil
		}
		if other := foreign(all); other != "" {
			return session.Hint{Err: fmt.Errorf("-out: %s holds %s, which is no part of an adapter", o.path, other), Do: "Choose another folder."}
		}
	}
	if !o.force {
		return session.Hint{Err: fmt.Errorf("-out: %s is there already", o.path), Do: "Choose another name, or replace it with -force."}
	}
	return nil
}

// marks are files by which a folder is known to hold an adapter.
var marks = []string{"adapter_config.json", "prelude.json"}

// kinds are the endings of the files that an adapter may have.
var kinds = []string{".json", ".safetensors", ".md", ".csv", ".svg", ".py", ".sh", ".gguf", ".bin", ".txt"}

// foreign names something in a folder that an adapter does not have, "" if there is nothing.
func foreign(all []os.DirEntry) string {
	marked := false
	for _, e := range all {
		marked = marked || slices.Contains(marks, e.Name())
		if !e.Type().IsRegular() || !slices.Contains(kinds, filepath.Ext(e.Name())) && e.Name() != "Modelfile" {
			return e.Name()
		}
	}
	if !marked {
		return all[0].Name()
	}
	return ""
}

// write puts a zipped adapter in its place.
func (o *output) write(content []byte) error {
	if err := o.free(); err != nil {
		return err
	}
	part := o.beside()
	if err := os.RemoveAll(part); err != nil {
		return err
	}
	defer os.RemoveAll(part)
	if o.zipped() {
		if err := writeFile(part, content); err != nil {
			return err
		}
		return os.Rename(part, o.path)
	}
	if err := unpack(part, content); err != nil {
		return err
	}
	return replaceFolder(part, o.path)
}

// unpack writes the files of a zip into a new folder.
func unpack(dir string, content []byte) error {
	r, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o777); err != nil {
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
		if !filepath.IsLocal(f.Name) {
			return fmt.Errorf("the archive has a file %q", f.Name)
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, f.Name)), 0o777); err != nil {
			return err
		}
		if err := writeFile(filepath.Join(dir, f.Name), text); err != nil {
			return err
		}
	}
	return nil
}

// writeFile writes a file and waits until it is on the disk.
func writeFile(path string, content []byte) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if _, err = f.Write(content); err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}

// readAdapter reads a zip, or zips the files of a folder.
func readAdapter(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, session.Hint{Err: fmt.Errorf("-adapter: %w", err), Do: "It is the folder or .zip that 'tune train -out' has written."}
	}
	if !info.IsDir() {
		return os.ReadFile(path)
	}
	all, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, e := range all {
		if !e.Type().IsRegular() || !slices.Contains(packed, e.Name()) {
			continue // an adapter's folder may hold what belongs to other programs
		}
		text, err := os.ReadFile(filepath.Join(path, e.Name()))
		if err != nil {
			return nil, err
		}
		f, err := w.CreateHeader(&zip.FileHeader{Name: e.Name(), Method: zip.Store})
		if err != nil {
			return nil, err
		}
		if _, err := f.Write(text); err != nil {
			return nil, err
		}
	}
	err = w.Close()
	return out.Bytes(), err
}

// packed are the files that an adapter is read from.
var packed = []string{"adapter_config.json", "adapter_model.safetensors", "prelude.json", "prelude.safetensors"}

package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"

	"prelude/wasm/site"
)

// Levels near the top of each coder's range: a build runs once, a page loads often.
const (
	brotliLevel = 9
	gzipLevel   = 9
)

// Programs are most of what a first visit waits for: theirs is the highest level, a minute's
// work, with the largest window that browsers read (log2).
var programLevel = 11

const programWindow = 24

// compressible types are worth a compressed copy; weights and pictures are not.
var compressible = []string{".css", ".html", ".js", ".json", ".jsonl", ".md", ".mjs", ".svg", ".txt", ".wasm", ".webmanifest"}

// build writes the site's files, with a compressed copy in each coding of those worth it, then
// its manifest, then deletes what is left over.
func build(sources []source, out string, codings ...string) error {
	if err := os.MkdirAll(out, 0o777); err != nil {
		return err
	}
	names, err := newNamer(sources)
	if err != nil {
		return err
	}
	before := earlier(out)
	manifest := &site.Manifest{}
	for _, s := range sources {
		f, err := names.finish(s.path)
		if err != nil {
			return err
		}
		entry := site.File{
			Path: f.path, Source: s.path, SHA256: f.sha256, Size: int64(len(f.text)), Immutable: f.path != s.path,
		}
		if len(f.text) >= 1<<10 && slices.Contains(compressible, path.Ext(s.path)) {
			entry.Encodings = codings
		}
		manifest.Files = append(manifest.Files, entry)
	}
	slices.SortFunc(manifest.Files, func(a, b site.File) int { return strings.Compare(a.Path, b.Path) })
	if err := writeAll(out, manifest, names, before); err != nil {
		return err
	}
	text, err := json.MarshalIndent(manifest, "", " ")
	if err != nil {
		return err
	}
	// For Cloudflare's static assets: headers, and what not to upload.
	if err := write(filepath.Join(out, "_headers"), []byte(site.HeadersFile(manifest))); err != nil {
		return err
	}
	if err := write(filepath.Join(out, ".assetsignore"), []byte("*.br\n*.gz\n")); err != nil {
		return err
	}
	if err := write(filepath.Join(out, site.ManifestName), text); err != nil {
		return err
	}
	return prune(out, manifest)
}

// earlier is what the folder holds already, by path, with the content's hash.
func earlier(out string) map[string]string {
	var m site.Manifest
	text, err := os.ReadFile(filepath.Join(out, site.ManifestName))
	if err != nil || json.Unmarshal(text, &m) != nil {
		return nil
	}
	held := map[string]string{}
	for _, f := range m.Files {
		held[f.Path] = f.SHA256
	}
	return held
}

// writeAll writes every file that is new or changed, and its compressed copies.
func writeAll(out string, m *site.Manifest, names *namer, before map[string]string) error {
	var (
		group sync.WaitGroup
		turn  = make(chan struct{}, runtime.GOMAXPROCS(0))
		mu    sync.Mutex
		first error
	)
	for _, f := range m.Files {
		if before[f.Path] == f.SHA256 && present(out, f) {
			continue
		}
		group.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			if err := writeFile(out, f, names.done[f.Source].text); err != nil {
				mu.Lock()
				first = errors.Join(first, err)
				mu.Unlock()
			}
		})
	}
	group.Wait()
	return first
}

func present(out string, f site.File) bool {
	info, err := os.Stat(filepath.Join(out, filepath.FromSlash(f.Path)))
	ok := err == nil && info.Size() == f.Size
	for _, coding := range f.Encodings {
		_, err := os.Stat(filepath.Join(out, filepath.FromSlash(f.Path)+site.Suffix[coding]))
		ok = ok && err == nil
	}
	return ok
}

func writeFile(out string, f site.File, text []byte) error {
	name := filepath.Join(out, filepath.FromSlash(f.Path))
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	for _, coding := range f.Encodings {
		packed, err := compress(coding, path.Ext(f.Path), text)
		if err != nil {
			return err
		}
		if err := write(name+site.Suffix[coding], packed); err != nil {
			return err
		}
	}
	return write(name, text)
}

func compress(coding, ext string, text []byte) ([]byte, error) {
	var b bytes.Buffer
	options := brotli.WriterOptions{Quality: brotliLevel}
	if ext == ".wasm" {
		options = brotli.WriterOptions{Quality: programLevel, LGWin: programWindow}
	}
	var w io.WriteCloser = brotli.NewWriterOptions(&b, options)
	if coding == "gzip" {
		var err error
		if w, err = gzip.NewWriterLevel(&b, gzipLevel); err != nil {
			return nil, err
		}
	}
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// write replaces a file in one step: a server may be reading the folder.
func write(name string, text []byte) error {
	part := name + ".part"
	if err := os.WriteFile(part, text, 0o666); err != nil {
		return err
	}
	return os.Rename(part, name)
}

// prune deletes files of earlier builds.
func prune(out string, m *site.Manifest) error {
	keep := map[string]bool{site.ManifestName: true, "_headers": true, ".assetsignore": true}
	for _, f := range m.Files {
		keep[f.Path] = true
		for _, coding := range f.Encodings {
			keep[f.Path+site.Suffix[coding]] = true
		}
	}
	return filepath.WalkDir(out, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(out, name)
		if err != nil || keep[filepath.ToSlash(rel)] {
			return err
		}
		return os.Remove(name)
	})
}

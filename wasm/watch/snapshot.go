package main

import (
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// watched are the folders that the site and its server are built from, and what is a source there.
var (
	watched = []string{"engine", "models", "prefix", "simd", "static", "ui", "wasm"}
	sources = []string{".css", ".go", ".html", ".js", ".json", ".jsonl", ".svg", ".vugu", ".wasm", ".wgsl"}
)

// files are sources with the time of their last change.
type files map[string]time.Time

// snapshot looks at every source below root.
func snapshot(root string) (files, error) {
	all := files{}
	for _, dir := range watched {
		err := filepath.WalkDir(filepath.Join(root, dir), func(file string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			name := d.Name()
			if d.IsDir() {
				if name == "node_modules" || name == "testdata" || strings.ContainsAny(name[:1], "_.") {
					return filepath.SkipDir
				}
				return nil
			}
			if strings.HasSuffix(name, "_test.go") || strings.HasSuffix(name, "_gen.go") || !slices.Contains(sources, filepath.Ext(name)) {
				return nil
			}
			info, err := d.Info()
			if err == nil {
				all[file] = info.ModTime()
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (f files) equal(other files) bool {
	return maps.EqualFunc(f, other, time.Time.Equal)
}

// differs names one file that is not as it was, or is gone.
func (f files) differs(before files) string {
	for _, file := range slices.Sorted(maps.Keys(f)) {
		if t, ok := before[file]; !ok || !t.Equal(f[file]) {
			return file
		}
	}
	for _, file := range slices.Sorted(maps.Keys(before)) {
		if _, ok := f[file]; !ok {
			return file
		}
	}
	return ""
}

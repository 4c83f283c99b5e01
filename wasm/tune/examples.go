package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// readExamples reads a file of examples, or several with commas between: JSON Lines and
// Parquet tables follow one another, of further tables the first row must be the first's.
// An https address is fetched. The name is the one by which the content is read.
func (f *fetcher) readExamples(paths string) (name string, content []byte, err error) {
	files := []string{paths}
	if _, err := os.Stat(paths); errors.Is(err, os.ErrNotExist) {
		files = strings.Split(paths, ",")
	}
	var all bytes.Buffer
	for i, path := range files {
		as, text, err := f.read(path)
		if err != nil {
			return "", nil, err
		}
		if bytes.HasPrefix(text, []byte("PAR1")) {
			if text, err = fromParquet(text); err != nil {
				return "", nil, fmt.Errorf("%s: %w", path, err)
			}
			as = strings.TrimSuffix(as, filepath.Ext(as)) + ".jsonl"
		}
		switch table := isTable(as); {
		case i == 0:
			name = as
		case table != isTable(name):
			return "", nil, fmt.Errorf("%s and %s are files of different kinds: bring tables with tables, JSON Lines and Parquet with their like", files[0], path)
		case table:
			header, _, _ := bytes.Cut(all.Bytes(), []byte("\n"))
			first, rest, _ := bytes.Cut(text, []byte("\n"))
			if !bytes.Equal(bytes.TrimSpace(first), bytes.TrimSpace(header)) {
				return "", nil, fmt.Errorf("%s has other columns than %s: %q, not %q", path, files[0], bytes.TrimSpace(first), bytes.TrimSpace(header))
			}
			text = rest
		}
		if all.Write(text); len(text) > 0 && text[len(text)-1] != '\n' {
			all.WriteByte('\n')
		}
	}
	return name, all.Bytes(), nil
}

// read reads one file, and what it is called.
func (f *fetcher) read(path string) (name string, content []byte, err error) {
	if isAddress(path) {
		return f.fetch(path)
	}
	content, err = os.ReadFile(path)
	return filepath.Base(path), content, err
}

func isTable(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".csv", ".tsv", ".tab":
		return true
	}
	return false
}

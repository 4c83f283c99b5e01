package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// fileList is a flag that names files of examples, given once or several times.
type fileList []string

func (l *fileList) String() string { return strings.Join(*l, ",") }

func (l *fileList) Set(text string) error {
	if text == "" { // a flag that is given empty names none
		*l = nil
		return nil
	}
	*l = append(*l, split(text)...)
	return nil
}

// split takes what one flag names apart at its commas. A comma in the name of a file that is there
// is the name's; one in an address is the address', unless another address, or a file that is
// there, follows.
func split(text string) (files []string) {
	if there(text) {
		return []string{text}
	}
	for part := range strings.SplitSeq(text, ",") {
		if n := len(files); n > 0 && isAddress(files[n-1]) && !isAddress(part) && !there(part) {
			files[n-1] += "," + part
			continue
		}
		files = append(files, part)
	}
	return files
}

func there(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// absolute makes paths independent of the working folder.
func (l fileList) absolute() (all fileList, err error) {
	for _, file := range l {
		if !isAddress(file) {
			if file, err = filepath.Abs(file); err != nil {
				return nil, err
			}
		}
		all = append(all, file)
	}
	return all, nil
}

// UnmarshalJSON reads a list, or the one text with commas that runs were kept with before.
func (l *fileList) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		return l.Set(one)
	}
	return json.Unmarshal(text, (*[]string)(l))
}

// readExamples reads files of examples as one: JSON Lines and Parquet tables follow one another,
// of further tables the first row must be the first's. What an address names is fetched. The name
// is the one by which the content is read.
func (f *fetcher) readExamples(files fileList) (name string, content []byte, err error) {
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

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/parquet-go/parquet-go"

	"prelude/prefix/data"
)

// readExamples reads a file of examples, or several with commas between: JSON Lines and
// Parquet tables follow one another, of further tables the first row must be the first's.
// The name is the one by which the content is read.
func readExamples(paths string) (name string, content []byte, err error) {
	files := []string{paths}
	if _, err := os.Stat(paths); errors.Is(err, os.ErrNotExist) {
		files = strings.Split(paths, ",")
	}
	var all bytes.Buffer
	for i, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			return "", nil, err
		}
		as := filepath.Base(path)
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

func isTable(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".csv", ".tsv", ".tab":
		return true
	}
	return false
}

// maxRows bounds the rows that are read of a Parquet table: what it says of their number
// costs no bytes.
const maxRows = 50 * data.DefaultMaxRows

// fromParquet writes the rows of a Parquet table as JSON Lines, a column a key; of a table
// that is larger than what is read of a file, the first rows. The page does not read
// Parquet: the reader would add 2.9 MB to what a browser loads, compressed.
func fromParquet(file []byte) (lines []byte, err error) {
	defer func() { // the reader trusts some of a file's numbers
		if r := recover(); r != nil {
			lines, err = nil, fmt.Errorf("the Parquet table is broken: %v", r)
		}
	}()
	if err := checkFooter(file); err != nil {
		return nil, err
	}
	f, err := parquet.OpenFile(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return nil, fmt.Errorf("the Parquet table is broken: %w", err)
	}
	if len(f.Schema().Columns()) == 0 {
		return nil, errors.New("the Parquet table has no columns")
	}
	rows := parquet.NewReader(f)
	defer rows.Close()
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	for n := 0; n < maxRows && out.Len() < data.DefaultMaxBytes; n++ {
		end, row := out.Len(), map[string]any{}
		err := rows.Read(&row)
		if errors.Is(err, io.EOF) {
			return out.Bytes(), nil
		} else if err != nil {
			return nil, fmt.Errorf("the Parquet table is broken: %w", err)
		}
		if err := e.Encode(row); err != nil {
			return nil, fmt.Errorf("a row of the Parquet table can't be written as JSON: %w", err)
		}
		if out.Len() > data.DefaultMaxBytes {
			out.Truncate(end)
			break
		}
	}
	return out.Bytes(), nil
}

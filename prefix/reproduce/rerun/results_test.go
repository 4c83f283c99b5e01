package main

import (
	"os"
	"path/filepath"
	"testing"
)

// RESULTS.md is what results.json and compare.csv say.
func TestPageIsCurrent(t *testing.T) {
	const folder = ".."
	all, err := readResults(folder)
	if err != nil {
		t.Fatal(err)
	}
	want, err := all.page(folder)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(folder, pageFile)); err != nil || string(got) != want {
		t.Errorf("%s is not current (%v); go run ./prefix/reproduce/rerun -write", pageFile, err)
	}
}

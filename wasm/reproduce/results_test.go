package main

import (
	"os"
	"path/filepath"
	"testing"
)

// RESULTS.md is what results.json and compare.csv say.
func TestPageIsCurrent(t *testing.T) {
	at := folders{results: "../../prefix/reproduce", compared: "compare"}
	all, err := readResults(at.results)
	if err != nil {
		t.Fatal(err)
	}
	want, err := all.page(at.compared)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(at.results, pageFile)); err != nil || string(got) != want {
		t.Errorf("%s is not current (%v); go run ./wasm/reproduce -write", pageFile, err)
	}
}

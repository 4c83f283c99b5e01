package main

import (
	"os"
	"path/filepath"
	"testing"
)

// RESULTS.md is what results.json, compare.csv and pace.csv say.
func TestPageIsCurrent(t *testing.T) {
	at := folders{results: "../../prefix/reproduce", compared: "compare", paced: "pace"}
	all, err := readResults(at.results)
	if err != nil {
		t.Fatal(err)
	}
	want, err := all.page(at)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(at.results, pageFile)); err != nil || string(got) != want {
		t.Errorf("%s is not current (%v); go run ./wasm/reproduce -write", pageFile, err)
	}
}

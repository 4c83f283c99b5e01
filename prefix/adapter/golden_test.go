package adapter

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/ours.zip anew; then run testdata/make_fixtures.py")

// TestBytes holds Write to the very file that PEFT has been shown to load
// (testdata/make_fixtures.py).
func TestBytes(t *testing.T) {
	name := filepath.Join("testdata", "ours.zip")
	data := write(t, tiny(t))
	if *update {
		if err := os.WriteFile(name, data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(data, want) {
		t.Errorf("the adapter is written as %d bytes that are not the %d of %s", len(data), len(want), name)
	}
}

// TestReadsPEFT reads one adapter of each method as PEFT saves it.
func TestReadsPEFT(t *testing.T) {
	files, err := filepath.Glob("testdata/peft-*.zip")
	if err != nil || len(files) != 7 {
		t.Fatalf("%d fixtures, %v; want 7", len(files), err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		a, err := read(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if back, err := read(write(t, a)); err != nil || len(back.Tensors) != len(a.Tensors) {
			t.Errorf("%s: written and read again: %v", name, err)
		}
		if strings.Contains(name, "prefix") && (a.Config.TokenDim != 8 || a.Config.NumAttentionHeads != 2) {
			t.Errorf("%s: token_dim %d, heads %d; want the 8 and 2 of the key/value heads", name, a.Config.TokenDim, a.Config.NumAttentionHeads)
		}
	}
}

package main

import (
	"os"
	"path/filepath"
	"testing"
)

// Imports are rewritten and sorted anew; what only looks like one stays. e2e/builds renames a copy
// of the repository.
func TestImportsAreRewritten(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module prelude\n\ngo 1.26.0\n")
	write("a.go", "package a\n\nimport (\n\t\"github.com/x/y\"\n\t. \"prelude/b\"\n)\n\nvar z = \"prelude/b\" + y.Z\n")
	write("staticcheck.conf", `dot_import_whitelist = ["prelude/b"]`)
	if n, err := rename(dir, "an.org/p"); err != nil || n != 2 {
		t.Fatalf("%d files changed (%v), want 2", n, err)
	}
	for name, want := range map[string]string{
		"go.mod":           "module an.org/p\n\ngo 1.26.0\n",
		"a.go":             "package a\n\nimport (\n\t. \"an.org/p/b\"\n\t\"github.com/x/y\"\n)\n\nvar z = \"prelude/b\" + y.Z\n",
		"staticcheck.conf": `dot_import_whitelist = ["an.org/p/b"]`,
	} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
			t.Errorf("%s is %q (%v), want %q", name, got, err, want)
		}
	}
}

// A path that can't be a module's is refused before a file is touched.
func TestABadPathChangesNothing(t *testing.T) {
	dir := t.TempDir()
	const gomod, source = "module prelude\n\ngo 1.26.0\n", "package a\n\nimport _ \"prelude/b\"\n"
	for name, text := range map[string]string{"go.mod": gomod, "a.go": source} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{"", "no path", "-module", "a//b", "/prelude", `a"b`} {
		if _, err := rename(dir, path); err == nil {
			t.Errorf("%q was accepted", path)
		}
		for name, want := range map[string]string{"go.mod": gomod, "a.go": source} {
			if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
				t.Errorf("%q: %s is now %q (%v)", path, name, got, err)
			}
		}
	}
}

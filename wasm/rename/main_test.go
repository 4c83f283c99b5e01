package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// copyOf copies the sources into a folder of the test's: what is not built, fetched or large.
func copyOf(t *testing.T, root string) string {
	t.Helper()
	out := t.TempDir()
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, file)
		if d.IsDir() {
			// Other tests write folders whose names begin with _ while this one runs.
			if rel != "." && (d.Name() == "node_modules" || rel == "build" || strings.ContainsAny(d.Name()[:1], "_.") || d.Name() == "models" && rel != "models") {
				return filepath.SkipDir
			}
			return os.MkdirAll(filepath.Join(out, rel), 0o777)
		}
		if !d.Type().IsRegular() {
			return nil
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(out, rel), text, 0o666)
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A renamed copy builds: every package finds its imports, the page and the server compile, and
// the test of arrows, which reads the module's path, passes.
func TestARenamedCopyBuilds(t *testing.T) {
	dir := copyOf(t, "../..")
	const path = "example.org/people/tuner"
	n, err := rename(dir, path)
	if err != nil {
		t.Fatal(err)
	}
	if n < 300 {
		t.Errorf("%d files changed, want at least 300", n)
	}
	run := func(env string, args ...string) {
		t.Helper()
		cmd := exec.Command("go", args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), strings.Fields(env)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s go %s: %v\n%s", env, strings.Join(args, " "), err, out)
		}
	}
	run("", "list", "-deps", "-test", "./...")
	run("GOOS=js GOARCH=wasm", "list", "-deps", "./wasm/page", "./wasm/worker", "./wasm/edge")
	run("", "build", "-o", os.DevNull, path+"/ui", path+"/wasm/serve")
	run("", "test", "./e2e/layout")
	if again, err := rename(dir, "prelude"); err != nil || again != n {
		t.Errorf("renaming back changed %d files (%v), want %d", again, err, n)
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

// Package builds builds copies of the repository: under another name, and twice to the same bytes.
package builds

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const root = "../.."

// copyOf copies the sources into dir: what is neither built nor fetched. Other tests write folders
// whose names begin with _ while this one runs.
func copyOf(t *testing.T, dir string) string {
	t.Helper()
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, file)
		if d.IsDir() {
			skipped := d.Name() == "node_modules" || strings.ContainsAny(d.Name()[:1], "_.") || rel == "build" || rel == "static/models/smollm2-135m"
			if skipped && rel != "." {
				return filepath.SkipDir
			}
			return os.MkdirAll(filepath.Join(dir, rel), 0o777)
		}
		if !d.Type().IsRegular() || strings.HasSuffix(rel, "_gen.go") {
			return nil
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, rel), text, 0o666)
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// run runs a command in dir, and fails the test with what it said where it fails.
func run(t *testing.T, dir string, env []string, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v %s %s: %v\n%s", env, name, strings.Join(args, " "), err, out)
	}
}

// A renamed copy builds: every package finds its imports, the page and the server compile, and
// the test of arrows, which reads the module's path, passes.
func TestARenamedCopyBuilds(t *testing.T) {
	dir := copyOf(t, t.TempDir())
	const path = "example.org/people/tuner"
	run(t, dir, nil, "make", "-s", "rename", "MODULE="+path)
	run(t, dir, nil, "make", "-s", "ui")
	run(t, dir, nil, "go", "list", "-deps", "-test", "./...")
	run(t, dir, []string{"GOOS=js", "GOARCH=wasm"}, "go", "list", "-deps", "./wasm/page", "./wasm/worker", "./wasm/edge")
	run(t, dir, nil, "go", "build", "-o", os.DevNull, path+"/ui", path+"/wasm/serve")
	run(t, dir, nil, "go", "test", "-run", "Arrows", "./e2e/layout")
}

// Two copies, in different folders and with different clocks' zones, give the same site byte for
// byte, compressed copies included.
func TestTheSiteIsTheSameTwice(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the site twice")
	}
	// Both copies are taken before either is built, so that they are of one state.
	copies := [2]string{copyOf(t, filepath.Join(t.TempDir(), "a")), copyOf(t, filepath.Join(t.TempDir(), "another-place", "b"))}
	var sites [2]map[string][]byte
	for i, dir := range copies {
		run(t, dir, []string{"TZ=" + []string{"UTC", "Asia/Tokyo"}[i], "SITE=build/site", "PACKING=-level=9"}, "make", "-s", "site")
		sites[i] = map[string][]byte{}
		out := os.DirFS(filepath.Join(dir, "build/site"))
		err := fs.WalkDir(out, ".", func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			sites[i][file], err = fs.ReadFile(out, file)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for file, text := range sites[0] {
		if other, ok := sites[1][file]; !ok {
			t.Errorf("%s is in one site only", file)
		} else if !bytes.Equal(text, other) {
			t.Errorf("%s differs (%d and %d bytes)", file, len(text), len(other))
		}
	}
	if len(sites[0]) < 40 || len(sites[0]) != len(sites[1]) {
		t.Errorf("the sites have %d and %d files, want the same number and at least 40", len(sites[0]), len(sites[1]))
	}
}

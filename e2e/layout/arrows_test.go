// Package layout holds the code to the table of arrows in ARCHITECTURE.md: what each package
// may import. The table is the test's input, so that neither can go stale without the other.
package layout

import (
	"bufio"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

// module is the module's path, as go.mod has it ("make rename" changes it), and a slash.
var module = func() string {
	text, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		panic(err)
	}
	_, rest, _ := strings.Cut(string(text), "module ")
	name, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(name) + "/"
}()

// floors are the top-level folders from the lowest floor to the highest. An import runs down
// or stays on its floor.
var floors = [][]string{{"engine", "ui"}, {"models", "prefix", "simd"}, {"e2e", "wasm"}}

// table reads ARCHITECTURE.md's rows "| `package` | `import` `import` … |" behind "## Arrows".
func table(t *testing.T) map[string][]string {
	t.Helper()
	f, err := os.Open(filepath.Join(root, "ARCHITECTURE.md"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, inside := map[string][]string{}, false
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "## ") {
			inside = line == "## Arrows"
		}
		if !inside || !strings.HasPrefix(line, "| `") {
			continue
		}
		cells := strings.Split(line, "|")
		if len(cells) != 4 {
			t.Fatalf("ARCHITECTURE.md: %q has %d cells, want 2", line, len(cells)-2)
		}
		names := strings.FieldsFunc(cells[2], func(r rune) bool { return strings.ContainsRune(" `,", r) })
		all[strings.Trim(cells[1], " `")] = names
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("ARCHITECTURE.md has no table behind \"## Arrows\"")
	}
	return all
}

// imports are the project's packages that each package imports, under every build tag; or
// those that its tests import.
func imports(t *testing.T, tests bool) map[string][]string {
	t.Helper()
	found := map[string]map[string]bool{}
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, file)
		// As for the go command, a folder whose name begins with _ or . holds no package.
		if d.IsDir() && file != root && (d.Name() == "node_modules" || d.Name() == "testdata" || rel == "build" || strings.ContainsAny(d.Name()[:1], "_.")) {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") != tests {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		from := path.Dir(filepath.ToSlash(rel))
		if found[from] == nil {
			found[from] = map[string]bool{}
		}
		for _, i := range f.Imports {
			if to, ok := strings.CutPrefix(strings.Trim(i.Path.Value, `"`), module); ok {
				found[from][to] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	for from, to := range found {
		all[from] = slices.Sorted(maps.Keys(to))
	}
	return all
}

// Every import is in the table, and every row and arrow of the table is in the code.
func TestArrows(t *testing.T) {
	want, got := table(t), imports(t, false)
	for from, to := range got {
		allowed, known := want[from]
		if !known {
			t.Errorf("%s is not in ARCHITECTURE.md's table of arrows", from)
		}
		for _, x := range to {
			if !slices.Contains(allowed, x) {
				t.Errorf("%s imports %s, an arrow that ARCHITECTURE.md's table does not have", from, x)
			}
		}
	}
	for from, to := range want {
		for _, x := range to {
			if !slices.Contains(got[from], x) {
				t.Errorf("ARCHITECTURE.md's table says that %s imports %s; it does not", from, x)
			}
		}
		if _, ok := got[from]; !ok {
			t.Errorf("ARCHITECTURE.md's table has %s, which is no package", from)
		}
	}
}

// No import runs up, of a package or of its tests.
func TestArrowsRunDown(t *testing.T) {
	floor := func(pkg string) int {
		top, _, _ := strings.Cut(pkg, "/")
		return slices.IndexFunc(floors, func(f []string) bool { return slices.Contains(f, top) })
	}
	for _, tests := range []bool{false, true} {
		for from, to := range imports(t, tests) {
			if floor(from) < 0 {
				t.Errorf("%s stands on no floor", from)
			}
			for _, x := range to {
				if floor(x) > floor(from) {
					t.Errorf("%s imports %s, which stands above it (by its tests: %t)", from, x, tests)
				}
			}
		}
	}
}

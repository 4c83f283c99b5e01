// Rename gives the module another path: in go.mod and in every import of the module's packages.
//
//	go run ./wasm/rename example.org/people/prelude
//
// It runs in the repository's root. It rewrites the import declarations of Go files, and the
// package paths in staticcheck.conf; other text, such as the page's own name, stays.
package main

import (
	"bytes"
	"fmt"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("rename: ")
	if len(os.Args) != 2 {
		log.Print("want one argument: the new module path")
		os.Exit(2)
	}
	n, err := rename(".", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d files changed beside go.mod; the module is %s\n", n, os.Args[1])
}

var moduleLine = regexp.MustCompile(`(?m)^module\s+(\S+)[ \t]*$`)

// rename rewrites the module in root and returns how many other files changed. The go
// command judges the new path, before any file is touched.
func rename(root, to string) (int, error) {
	gomod := filepath.Join(root, "go.mod")
	text, err := os.ReadFile(gomod)
	if err != nil {
		return 0, err
	}
	m := moduleLine.FindSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("%s has no module line", gomod)
	}
	if out, err := exec.Command("go", "mod", "edit", "-module", to, gomod).CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%q can't be a module path: %w\n%s", to, err, bytes.TrimSpace(out))
	}
	from, changed := string(m[1]), 0
	err = filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && file != root && (d.Name() == "node_modules" || file == filepath.Join(root, "build") || strings.HasPrefix(d.Name(), ".")) {
			return filepath.SkipDir
		}
		edit := map[string]func(file string, text []byte, from, to string) ([]byte, error){".go": imports, ".conf": quoted}[filepath.Ext(file)]
		if d.IsDir() || edit == nil {
			return nil
		}
		old, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		text, err := edit(file, old, from, to)
		if err != nil || bytes.Equal(text, old) {
			return err
		}
		changed++
		return os.WriteFile(file, text, 0o666)
	})
	return changed, err
}

// imports rewrites the import declarations of a Go file, and nothing else of it.
func imports(file string, text []byte, from, to string) ([]byte, error) {
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, file, text, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	last := 0
	for _, spec := range f.Imports {
		old, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		rest, ok := strings.CutPrefix(old, from+"/")
		if !ok {
			continue
		}
		begin := set.Position(spec.Path.Pos()).Offset
		b.Write(text[last:begin])
		b.WriteString(strconv.Quote(to + "/" + rest))
		last = begin + len(spec.Path.Value)
	}
	if last == 0 {
		return text, nil
	}
	b.Write(text[last:])
	return format.Source(b.Bytes()) // which sorts the imports anew
}

// quoted rewrites package paths in a configuration of staticcheck.
func quoted(_ string, text []byte, from, to string) ([]byte, error) {
	return bytes.ReplaceAll(text, []byte(`"`+from+"/"), []byte(`"`+to+"/")), nil
}
